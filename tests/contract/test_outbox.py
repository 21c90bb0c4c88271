"""The outbox on both stores: each row once, lanes in order, one sender at a time, and what waits for somebody's hand."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from adapters.deliveries.outbox import Done, Failed, Outbox
from adapters.deliveries.ports import Queued, Row
from adapters.deliveries.schema import open_deliveries
from adapters.deliveries.subscriptions import Subscriptions, Wanted, check_url
from adapters.store.tables import Tables
from domain.refusal import Conflict, NotFound, Refused

PERSON = str(uuid.UUID(int=7, version=4))
URL = "http://127.0.0.1:9/hook"
MINUTE = 60_000_000


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "deliveries.db")
    made: Callable[[], str] = request.getfixturevalue("new_pg_database")
    return made()


@pytest.fixture
def tables(url: str) -> Iterator[Tables]:
    opened = open_deliveries(url)
    yield opened
    opened.close()


@pytest.fixture
def outbox(tables: Tables) -> Outbox:
    made = Outbox(tables)
    made.move(0, "life")
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def subscriptions(tables: Tables, clock: Clock) -> Subscriptions:
    return Subscriptions(tables, lambda: b"p" * 32, clock)


@pytest.fixture
def hotline(subscriptions: Subscriptions) -> str:
    made, _ = subscriptions.create(Wanted(PERSON, "hotline", "intake_officer", URL, ["all"]), 0)
    return made.id


def rows(subscription: str, *places: tuple[str, int]) -> list[Row]:
    return [Row(subscription, case, n, n, f"evt_{case}_{n}", "matter_closed.v1") for case, n in places]


def queued(outbox: Outbox, subscription: str, *places: tuple[str, int]) -> None:
    at, _ = outbox.stands()
    outbox.queue(at, (max(n for _, n in places), "evt"), rows(subscription, *places), 1)


def lanes(outbox: Outbox, subscription: str, now: int = 10) -> list[list[int]]:
    return [[one.row.position for one in lane] for lane in outbox.page(subscription, now, 50).lanes]


def sent(outbox: Outbox, subscription: str, *done: Queued) -> None:
    assert outbox.settle(subscription, "", [Done(one, "sent", "http_204") for one in done], [], [], 5)


def failed(outbox: Outbox, one: Queued, next_at: int, *, parked: bool = False) -> None:
    assert outbox.settle(one.row.subscription, "", [], [Failed(one, "http_500", next_at, 1, parked)], [], 5)


def head(outbox: Outbox, subscription: str, now: int = 10) -> Queued:
    return outbox.page(subscription, now, 50).lanes[0][0]


def test_rows_and_position_are_one(outbox: Outbox, hotline: str) -> None:
    queued(outbox, hotline, ("a", 1), ("a", 2), ("b", 3))

    assert outbox.stands() == (3, "life")
    with pytest.raises(Conflict):
        outbox.queue(0, (9, "evt"), rows(hotline, ("c", 9)), 1)
    assert outbox.stands() == (3, "life")
    assert lanes(outbox, hotline) == [[1, 2], [3]]


def test_a_batch_that_is_taken_twice_queues_nothing_twice(outbox: Outbox, hotline: str) -> None:
    queued(outbox, hotline, ("a", 1), ("a", 2))
    sent(outbox, hotline, head(outbox, hotline))
    outbox.move(0, "another life")

    queued(outbox, hotline, ("a", 1), ("a", 2))

    assert lanes(outbox, hotline) == [[2]]
    sent(outbox, hotline, head(outbox, hotline))
    assert lanes(outbox, hotline) == []
    assert outbox.due(10) == []


def test_a_lane_that_was_done_before_it_was_queued_again_is_cleared_away(
    outbox: Outbox, hotline: str
) -> None:
    queued(outbox, hotline, ("a", 1))
    sent(outbox, hotline, head(outbox, hotline))
    outbox.move(0, "another life")
    queued(outbox, hotline, ("a", 1))

    page = outbox.page(hotline, 10, 50)
    assert (page.lanes, page.empty) == ((), (("a", 1),))
    assert outbox.settle(hotline, "", [], [], page.empty, 5)

    assert outbox.due(10) == []
    assert outbox.next_due(hotline) is None


def test_a_failed_head_holds_back_its_own_lane_alone(outbox: Outbox, hotline: str) -> None:
    queued(outbox, hotline, ("a", 1), ("b", 2), ("a", 3), ("b", 4))

    failed(outbox, head(outbox, hotline), next_at=100)

    assert lanes(outbox, hotline, now=99) == [[2, 4]]
    assert lanes(outbox, hotline, now=100) == [[1, 3], [2, 4]]
    assert head(outbox, hotline, now=100).attempts == 1


def test_what_comes_after_a_success_starts_without_failures(outbox: Outbox, hotline: str) -> None:
    queued(outbox, hotline, ("a", 1), ("a", 2))
    failed(outbox, head(outbox, hotline), next_at=0)

    sent(outbox, hotline, head(outbox, hotline))

    assert head(outbox, hotline).attempts == 0
    assert head(outbox, hotline).failing_since is None


def test_a_parked_lane_waits_for_somebodys_hand(outbox: Outbox, hotline: str) -> None:
    queued(outbox, hotline, ("a", 1), ("a", 2), ("b", 3))
    failed(outbox, head(outbox, hotline), next_at=0, parked=True)

    assert lanes(outbox, hotline, now=10**18) == [[3]]
    (found,) = outbox.parked()
    assert (found.position, found.held_back, found.code) == (1, 1, "http_500")
    assert outbox.counts()[hotline].parked == 1

    outbox.resend(found.id)

    assert outbox.parked() == []
    assert lanes(outbox, hotline) == [[1, 2], [3]]


def test_only_what_is_parked_is_sent_again(outbox: Outbox, hotline: str) -> None:
    queued(outbox, hotline, ("a", 1))
    waiting = head(outbox, hotline)

    with pytest.raises(NotFound):
        outbox.resend("0" * 16)
    with pytest.raises(Refused) as refused:
        outbox.resend(waiting.id)
    assert refused.value.code == "not_parked"
    assert outbox.resend_all() == 0


def test_all_that_is_parked_is_sent_again_at_once(outbox: Outbox, hotline: str) -> None:
    queued(outbox, hotline, ("a", 1), ("b", 2))
    for _ in range(2):
        failed(outbox, head(outbox, hotline), next_at=0, parked=True)

    assert outbox.resend_all("another") == 0
    assert outbox.resend_all(hotline) == 2
    assert lanes(outbox, hotline) == [[1], [2]]


def test_one_sends_at_a_time(outbox: Outbox, hotline: str) -> None:
    queued(outbox, hotline, ("a", 1))
    first = outbox.lease(hotline, MINUTE)

    assert first is not None
    assert outbox.lease(hotline, MINUTE) is None
    assert outbox.due(10**18) == []
    assert outbox.lease(hotline, 0, first) == first
    assert outbox.due(10) == [hotline]  # it has run out
    assert outbox.lease(hotline, MINUTE) is not None
    assert outbox.lease(hotline, MINUTE, first) is None  # and is somebody else's


def test_who_has_lost_the_lease_writes_nothing_over_what_the_next_one_found(
    outbox: Outbox, hotline: str
) -> None:
    queued(outbox, hotline, ("a", 1), ("a", 2), ("b", 3))
    first = outbox.lease(hotline, 0) or ""
    page = outbox.page(hotline, 10, 50)
    second = outbox.lease(hotline, MINUTE) or ""
    assert outbox.settle(hotline, second, [Done(page.lanes[0][0], "sent", "http_204")], [], [], 5)

    stale = Failed(page.lanes[0][0], "no_answer", 10**17, 1, parked=True)
    late = Done(page.lanes[1][0], "sent", "http_204")
    assert not outbox.settle(hotline, first, [late], [stale], [("b", 3)], 6)

    assert outbox.parked() == []
    assert lanes(outbox, hotline) == [[2], [3]]


def test_the_moment_of_the_tables_is_that_of_their_database(tables: Tables, outbox: Outbox) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)  # databases of the tests are on this machine
    assert before <= outbox.now() <= datetime.now(UTC) + timedelta(seconds=1)


def test_a_lease_that_is_given_back_is_free(outbox: Outbox, hotline: str) -> None:
    first = outbox.lease(hotline, MINUTE)
    assert first is not None

    outbox.release(hotline, first)

    assert outbox.lease(hotline, MINUTE) is not None


def test_of_many_that_ask_for_the_lease_one_gets_it(outbox: Outbox, hotline: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _: outbox.lease(hotline, MINUTE), range(16)))

    assert len([one for one in got if one is not None]) == 1


def test_a_receiver_that_is_back_is_tried_with_everything_at_once(outbox: Outbox, hotline: str) -> None:
    queued(outbox, hotline, ("a", 1), ("b", 2))
    failed(outbox, head(outbox, hotline), next_at=10**15)
    outbox.away(hotline, 3, 1, 10**14)
    assert outbox.due(10) == []
    assert outbox.next_due(hotline) == 10**14

    outbox.back(hotline)

    assert lanes(outbox, hotline) == [[1], [2]]
    assert outbox.due(10) == [hotline]


def test_who_is_paused_gets_everything_when_resumed(
    outbox: Outbox, subscriptions: Subscriptions, hotline: str
) -> None:
    subscriptions.pause(hotline)
    queued(outbox, hotline, ("a", 1))
    assert outbox.due(10) == []
    assert outbox.lease(hotline, MINUTE) is None
    assert subscriptions.hearing("webhook") != []

    subscriptions.resume(hotline)

    assert outbox.due(10) == [hotline]


def test_who_has_ended_hears_nothing_any_more(
    outbox: Outbox, subscriptions: Subscriptions, hotline: str
) -> None:
    queued(outbox, hotline, ("a", 1))

    subscriptions.end(hotline)

    assert outbox.due(10) == []
    assert subscriptions.hearing("webhook") == []
    assert subscriptions.secrets(hotline) == []
    for again in (subscriptions.pause, subscriptions.resume, subscriptions.end):
        with pytest.raises(Refused) as refused:
            again(hotline)
        assert refused.value.code == "subscription_ended"


def test_a_new_life_of_the_store_is_followed_from_the_newest_event_that_is_still_there(
    outbox: Outbox, subscriptions: Subscriptions, hotline: str
) -> None:
    for n in (1, 2, 3):
        outbox.queue(n - 1, (n, f"evt_{n}"), [], 1)

    assert outbox.marks() == [(3, "evt_3"), (2, "evt_2"), (1, "evt_1")]
    outbox.move(2, "another")

    assert outbox.stands() == (2, "another")
    assert outbox.marks() == [(2, "evt_2"), (1, "evt_1")]


def test_what_was_sent_long_ago_is_forgotten_and_what_waits_is_not(outbox: Outbox, hotline: str) -> None:
    queued(outbox, hotline, ("a", 1), ("b", 2))
    sent(outbox, hotline, head(outbox, hotline))

    assert outbox.forget(before=6) == 1
    assert lanes(outbox, hotline) == [[2]]


def test_a_long_lane_comes_in_pages_and_in_order(outbox: Outbox, hotline: str) -> None:
    queued(outbox, hotline, *(("a", n) for n in range(1, 121)))
    found = list[int]()
    while lane := [one for lane in outbox.page(hotline, 10, 50).lanes for one in lane]:
        found += [one.row.position for one in lane]
        sent(outbox, hotline, *lane)

    assert found == list(range(1, 121))


def test_what_is_queued_while_a_lane_ends_is_not_lost(outbox: Outbox, hotline: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        for n in range(1, 60):
            queued(outbox, hotline, ("a", 2 * n - 1))
            (one,) = outbox.page(hotline, 10, 50).lanes[0]
            ends = pool.submit(sent, outbox, hotline, one)
            comes = pool.submit(queued, outbox, hotline, ("a", 2 * n))
            ends.result()
            comes.result()
            assert lanes(outbox, hotline) == [[2 * n]]
            sent(outbox, hotline, head(outbox, hotline))


@given(data=st.data())
@hypothesis_settings(max_examples=40, deadline=None)
def test_whatever_fails_and_whenever_every_lane_goes_out_in_order(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    opened = open_deliveries(str(tmp_path_factory.mktemp("outbox") / "deliveries.db"))
    try:
        outbox, clock = Outbox(opened), Clock()
        outbox.move(0, "life")
        made, _ = Subscriptions(opened, lambda: b"p" * 32, clock).create(
            Wanted(PERSON, "hotline", "intake_officer", URL, ["all"]), 0
        )
        cases = data.draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=12))
        taken: dict[str, list[int]] = {}
        for position, case in enumerate(cases, 1):
            queued(outbox, made.id, (case, position))
            for _ in range(data.draw(st.integers(0, 3))):
                _one_try(data, outbox, made.id, taken)
        outbox.resend_all()
        while outbox.due(10**9):
            _one_try(data, outbox, made.id, taken, always=True)

        wanted = {case: [n for n, one in enumerate(cases, 1) if one == case] for case in set(cases)}
        assert taken == wanted
        assert outbox.counts() == {}
    finally:
        opened.close()


def _one_try(
    data: st.DataObject, outbox: Outbox, name: str, taken: dict[str, list[int]], *, always: bool = False
) -> None:
    for lane in outbox.page(name, 10**9, 50).lanes:
        fate = "sent" if always else data.draw(st.sampled_from(["sent", "failed", "parked"]))
        if fate == "sent":
            sent(outbox, name, lane[0])
            taken.setdefault(lane[0].row.lane, []).append(lane[0].row.position)
        else:
            failed(outbox, lane[0], next_at=0, parked=fate == "parked")


# -- subscriptions and their secrets ------------------------------------------------------------------------------------


def test_a_secret_is_kept_sealed_and_bound_to_its_subscription(
    tables: Tables, subscriptions: Subscriptions, clock: Clock
) -> None:
    made, secret = subscriptions.create(Wanted(PERSON, "hotline", "intake_officer", URL, ["all"]), 0)
    other, _ = subscriptions.create(Wanted(PERSON, "hotline", "intake_officer", URL, ["all"]), 0)

    assert subscriptions.secrets(made.id) == [secret]
    (kept,) = tables.rows("SELECT sealed FROM secrets WHERE subscription = ?", made.id)
    assert secret.removeprefix("whsec_") not in kept[0]
    tables.run("UPDATE secrets SET sealed = ? WHERE subscription = ?", kept[0], other.id)
    for reader, name in (
        (subscriptions, other.id),
        (Subscriptions(tables, lambda: b"q" * 32, clock), made.id),
    ):
        with pytest.raises(Refused) as refused:
            reader.secrets(name)
        assert refused.value.code == "secret_unreadable"


def test_a_rotated_secret_works_beside_the_new_one_for_a_while(
    subscriptions: Subscriptions, hotline: str, clock: Clock
) -> None:
    (old,) = subscriptions.secrets(hotline)
    clock.at += timedelta(seconds=1)

    new = subscriptions.rotate(hotline, timedelta(hours=24))

    assert subscriptions.secrets(hotline) == [new, old]
    clock.at += timedelta(hours=24)
    assert subscriptions.secrets(hotline) == [new]


def test_a_rotation_without_overlap_ends_every_old_secret(
    subscriptions: Subscriptions, hotline: str, clock: Clock
) -> None:
    clock.at += timedelta(seconds=1)
    subscriptions.rotate(hotline, timedelta(hours=24))
    clock.at += timedelta(seconds=1)

    newest = subscriptions.rotate(hotline, timedelta())

    assert subscriptions.secrets(hotline) == [newest]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/x", "file:///etc/passwd", "javascript:alert(1)", "//host/x", "host/x", "", "http://", "https:///x",
        "http://user@host/x", "http://user:word@host/x", "http://host/x#part", "http://host:port/x", "http://[::1/x",
        "http://主机/x", "http://host/a b", "http://host/\n", "HTTP:host", f"http://host/{'x' * 2000}", "http://@host/",
    ],
)  # fmt: skip
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    with pytest.raises(Refused) as refused:
        check_url(url)
    assert refused.value.code == "bad_url"


@pytest.mark.parametrize(
    "url",
    [
        "http://10.1.2.3/hook",
        "https://grid.example:8443/a?b=c",
        "http://[fd00::1]:80/",
        "http://localhost:1/x",
    ],
)
def test_an_address_of_an_intranet_is_as_good_as_any(url: str) -> None:
    check_url(url)


def test_kinds_sources_and_grounds_that_nobody_knows_are_refused(subscriptions: Subscriptions) -> None:
    for wanted, code in (
        (Wanted(PERSON, "hotline", "officer", URL, []), "malformed"),
        (Wanted(PERSON, "hotline", "officer", URL, ["nothing_such"]), "malformed"),
        (Wanted(PERSON, "hotline", "officer", URL, ["all"], source="telegraph"), "unknown_source"),
        (Wanted(PERSON, "hotline", "officer", URL, ["all"], ground="王某某"), "malformed"),
        (Wanted(PERSON, "hotline", "officer", URL, ["all"], ground="law:13800000000"), "malformed"),
    ):
        with pytest.raises(Refused) as refused:
            subscriptions.create(wanted, 0)
        assert refused.value.code == code
    assert subscriptions.known() == []
