"""Channels out of the house, on both stores: open while the register says so, and each change of one on record once."""

from __future__ import annotations

import asyncio
import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.access import Giver
from adapters.deliveries.channels import NOT_ON_RECORD, Channels
from adapters.deliveries.outbox import Outbox
from adapters.deliveries.ports import Outcome, Queued, Row
from adapters.deliveries.schema import open_deliveries
from adapters.deliveries.sending import Pace, Sending
from adapters.deliveries.subscriptions import Subscription, Wanted
from adapters.demo.district import found, plan
from adapters.engine import Engine, now, open_engine
from adapters.rulebooks import template
from adapters.settings import Settings
from adapters.store.tables import Tables
from domain.acting import CLOCK, Actor
from domain.refusal import Refused, Unavailable
from domain.register import commands as c
from workflows.handle import Handle
from workflows.rooms import REGISTER

DISTRICT = plan(1)
HOST = ("com-01", "intake_officer")
URL = "http://gateway.example:8080/its-own-path?token=3f9a-of-the-receiver"
HOUR = timedelta(hours=1)


class Clock:
    """The real clock, which can be set forward."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return now() + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A founded district; never written to again."""
    data = tmp_path_factory.mktemp("founded") / "data"
    opened = open_engine(Settings(data=data))
    assert found(DISTRICT, opened.handle, now(), template("demo")) == []
    opened.close()
    return data


@pytest.fixture
def engine(founded: Path, tmp_path: Path, clock: Clock) -> Iterator[Engine]:
    """A district of the test's own."""
    shutil.copytree(founded, tmp_path / "data")
    opened = open_engine(Settings(data=tmp_path / "data"), clock)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgres"])
def tables(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tables]:
    url = str(tmp_path / "deliveries.db")
    if request.param == "postgres":
        url = request.getfixturevalue("new_pg_database")()
    opened = open_deliveries(url)
    yield opened
    opened.close()


@pytest.fixture
def channels(tables: Tables, engine: Engine) -> Channels:
    return Channels(tables, engine.handle, engine.keys.pepper)


def giver(person: str = DISTRICT.security, body: str = "system", post: str = "security_admin") -> Giver:
    return Giver(Actor(person=person, body=body, post=post), "resolution:2026-9")


BY = giver()


def wanted(**more: Any) -> Wanted:
    given = {
        "person": DISTRICT.staff[HOST],
        "body": HOST[0],
        "post": HOST[1],
        "url": URL,
        "types": ["progress", "leg_*"],
    }
    return Wanted(**given | more)


def made(channels: Channels, **more: Any) -> str:
    return channels.make(BY, wanted(**more), 0)[0].id


def on_record(engine: Engine) -> list[dict[str, Any]]:
    """The events about subscriptions, as they are stored, in order."""
    read = (json.loads(one.body) for one in engine.store.load(REGISTER))
    return [one for one in read if one["type"].startswith("subscription_")]


def types(engine: Engine) -> list[str]:
    return [one["type"].removeprefix("subscription_").removesuffix(".v1") for one in on_record(engine)]


def test_a_board_reads_who_opened_which_channel_for_whom_of_what_and_on_which_ground(
    channels: Channels, engine: Engine
) -> None:
    sub, secret = channels.make(BY, wanted(source="hotline_12345", ground="agreement:2026-7"), 0)

    (event,) = on_record(engine)
    assert (event["person"], event["post"], event["authority"]) == (
        DISTRICT.security, "security_admin", "resolution:2026-9"
    )  # fmt: skip
    said = event["pub"]
    assert said | {"address": "", "secret": ""} == {
        "subscription": sub.id, "channel": "webhook", "person": DISTRICT.staff[HOST], "body": HOST[0], "post": HOST[1],
        "source": "hotline_12345", "types": ["progress", "leg_*"], "receiver": "http://gateway.example:8080",
        "ground": "agreement:2026-7", "address": "", "secret": "",
    }  # fmt: skip
    stored = b"".join(one.body for one in engine.store.load(REGISTER))
    for hidden in ("its-own-path", "3f9a-of-the-receiver", secret, secret.removeprefix("whsec_")):
        assert hidden.encode() not in stored


def test_without_a_ground_the_record_says_that_no_personal_data_leave(
    channels: Channels, engine: Engine
) -> None:
    made(channels)

    assert on_record(engine)[0]["pub"]["ground"] is None


def test_every_change_is_on_record_once_and_the_end_for_good(channels: Channels, engine: Engine) -> None:
    sub = made(channels)
    channels.hold(BY, sub)
    assert channels.get(sub).state == "paused"
    channels.go_on(BY, sub)
    channels.change_secret(BY, sub, HOUR)
    assert channels.get(sub).state == "active"
    channels.close(BY, sub)

    assert types(engine) == ["made", "paused", "resumed", "secret_changed", "ended"]
    assert on_record(engine)[-1]["pub"] == {"subscription": sub, "why": "by_hand"}
    assert channels.get(sub).state == "ended"
    for act in ACTS.values():
        with pytest.raises(Refused) as refused:
            act(channels, BY, sub)
        assert refused.value.code == "subscription_ended"
    assert len(on_record(engine)) == 5


ACTS: dict[str, Callable[[Channels, Giver, str], object]] = {
    "change_secret": lambda channels, by, sub: channels.change_secret(by, sub, HOUR),
    "hold": lambda channels, by, sub: channels.hold(by, sub),
    "go_on": lambda channels, by, sub: channels.go_on(by, sub),
    "close": lambda channels, by, sub: channels.close(by, sub),
}

OTHERS = {
    "not_your_post": (
        giver(DISTRICT.staff[HOST], *HOST), giver(DISTRICT.system, post="system_admin"),
        giver(DISTRICT.staff["sd-01", "leadership_member"], "sd-01", "leadership_member"),
        giver(DISTRICT.staff["board", "board_member"], "board", "board_member"), Giver(CLOCK, "resolution:1"),
    ),
    "post_not_held": (giver(DISTRICT.staff[HOST]), giver(str(uuid.uuid4()))),
    "authority_missing": (BY._replace(authority=None),),
}  # fmt: skip


@pytest.mark.parametrize("code", OTHERS)
def test_nobody_but_a_security_administrator_on_a_stated_ground_opens_or_changes_a_channel(
    channels: Channels, engine: Engine, code: str
) -> None:
    sub = made(channels)
    rows = channels._tables.rows("SELECT * FROM subscriptions")
    secrets = channels._tables.rows("SELECT * FROM secrets")

    for by in OTHERS[code]:
        tries = [*ACTS.values(), lambda channels, by, _: channels.make(by, wanted(), 0)]
        for act in tries:
            with pytest.raises(Refused) as refused:
                act(channels, by, sub)
            # Whom the clock stands for is nobody's to claim; a channel that runs needs no resuming.
            assert refused.value.code == code or by.actor == CLOCK

    assert types(engine) == ["made"]
    assert channels._tables.rows("SELECT * FROM subscriptions") == rows
    assert channels._tables.rows("SELECT * FROM secrets") == secrets


def test_an_audit_administrator_changes_nothing_here_either(channels: Channels) -> None:
    with pytest.raises(Refused, match="audit_admin_changes_nothing"):
        channels.make(giver(post="audit_admin"), wanted(), 0)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"person": str(uuid.uuid4())}, "unknown_person"), ({"post": "leader"}, "no_post"),
        ({"body": "com-02"}, "no_post"), ({"url": "http://u:p@x/"}, "bad_url"), ({"url": "http://a,b/"}, "bad_url"),
        ({"url": "http://13800000000.example/"}, "bad_url"), ({"types": ["nothing_such"]}, "malformed"),
        ({"body": "王某某"}, "malformed"), ({"channel": "notice"}, "malformed"),
    ],
)  # fmt: skip
def test_what_may_not_be_opened_leaves_no_row_and_no_event(
    channels: Channels, engine: Engine, more: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        made(channels, **more)

    assert refused.value.code == code
    assert channels.known() == []
    assert channels._tables.rows("SELECT * FROM secrets") == []
    assert on_record(engine) == []


def test_who_is_gone_is_ended_by_the_machine_on_record_and_by_nobody_else(
    channels: Channels, engine: Engine
) -> None:
    sub = made(channels)
    with pytest.raises(Refused, match="not_allowed"):
        channels._close(BY, c.EndSubscription(subscription=sub, why="receiver_gone"))
    with pytest.raises(Refused, match="not_allowed"):
        channels._close(Giver(CLOCK), c.EndSubscription(subscription=sub))

    channels.gone(sub)

    last = on_record(engine)[-1]
    assert (last["person"], last["pub"]["why"]) == ("system:clock", "receiver_gone")
    assert (channels.get(sub).state, channels.get(sub).why) == ("ended", "receiver_gone")


# -- what stands in the tables alone -----------------------------------------------------------------------------------


def test_a_subscription_that_was_put_into_the_tables_by_hand_is_held_back_until_it_is_on_record(
    channels: Channels, engine: Engine
) -> None:
    raw, secret = channels.create(wanted(), 0)

    assert (channels.get(raw.id).state, channels.get(raw.id).why) == ("paused", NOT_ON_RECORD)
    assert channels.secrets(raw.id) == []
    assert [one.state for one in channels.hearing("webhook")] == ["paused"]  # what happens is kept for it
    with pytest.raises(Refused, match=NOT_ON_RECORD):
        channels.change_secret(BY, raw.id, HOUR)

    channels.go_on(BY, raw.id)

    assert channels.get(raw.id).state == "active"
    assert channels.secrets(raw.id) == [secret]
    assert types(engine) == ["made"]


@pytest.mark.parametrize(
    "change",
    [
        "url = 'http://elsewhere.example/'", "types = '[\"all\"]'", "ground = 'agreement:2026-7'", "body = 'com-02'",
        "post = 'leader'", "source = 'hotline_12345'", "person = 'somebody'", "channel = 'dispatch'",
    ],
)  # fmt: skip
def test_a_row_that_says_something_else_than_the_record_lets_nothing_out(
    channels: Channels, engine: Engine, change: str
) -> None:
    sub = made(channels)
    channels._tables.run(f"UPDATE subscriptions SET {change}")

    assert (channels.get(sub).state, channels.get(sub).why) == ("paused", NOT_ON_RECORD)
    with pytest.raises(Refused, match=NOT_ON_RECORD):
        channels.go_on(BY, sub)
    channels.close(BY, sub)
    assert types(engine) == ["made", "ended"]


def test_a_secret_that_the_record_does_not_name_signs_nothing(channels: Channels, engine: Engine) -> None:
    sub, secret = channels.make(BY, wanted(), 0)
    channels.rotate(sub.id, timedelta(days=2))  # past the record

    assert channels.secrets(sub.id) == [secret]


def test_old_secrets_sign_until_the_moment_on_record(channels: Channels, clock: Clock) -> None:
    sub, first = channels.make(BY, wanted(), 0)
    second = channels.change_secret(BY, sub.id, HOUR)
    assert channels.secrets(sub.id) == [second, first]

    clock.ahead = 2 * HOUR

    assert channels.secrets(sub.id) == [second]


def test_a_record_restored_to_an_earlier_day_opens_nothing_that_was_closed(
    channels: Channels, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, later = made(channels), made(channels)
    before = engine.handle.standing.caught_up()
    channels.close(BY, ended)
    third = made(channels)

    monkeypatch.setattr(engine.handle.standing, "caught_up", lambda: before)

    states = {one.id: (one.state, one.why) for one in channels.known()}
    assert states == {ended: ("ended", "by_hand"), later: ("active", ""), third: ("paused", NOT_ON_RECORD)}


# -- a process that dies between record and row ------------------------------------------------------------------------


class Killed(Exception):
    """The end of a process, where nothing after it is done."""


class Dying:
    """The tables, in a process that is killed before, or right after, its nth write."""

    def __init__(self, tables: Tables, write: int, *, after: bool) -> None:
        self._tables, self._write, self._after, self._writes = tables, write, after, 0
        self.clock = tables.clock

    def rows(self, statement: str, *parameters: object) -> list[Any]:
        return self._tables.rows(statement, *parameters)

    def run(self, statement: str, *parameters: object) -> int:
        return self._one(lambda: self._tables.run(statement, *parameters))

    def transaction(self) -> Any:
        return _Transaction(self)

    def _one(self, write: Callable[[], int]) -> int:
        self._writes += 1
        if self._writes == self._write and not self._after:
            raise Killed
        written = write()
        if self._writes == self._write:
            raise Killed
        return written


class _Transaction:
    """One write: all of it, or nothing."""

    def __init__(self, dying: Dying) -> None:
        self._dying = dying

    def __enter__(self) -> Any:
        self._dying._writes += 1
        if self._dying._writes == self._dying._write and not self._dying._after:
            raise Killed
        self._inner = self._dying._tables.transaction()
        return self._inner.__enter__()

    def __exit__(self, *error: Any) -> None:
        self._inner.__exit__(*error)
        if self._dying._writes == self._dying._write:
            raise Killed


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("write", [1, 2])
def test_a_creation_that_is_killed_anywhere_lets_nothing_out_unrecorded_and_is_finished_by_hand(
    channels: Channels, tables: Tables, engine: Engine, write: int, after: bool
) -> None:
    dying: Any = Dying(tables, write, after=after)
    with pytest.raises(Killed):
        Channels(dying, engine.handle, engine.keys.pepper).make(BY, wanted(), 0)

    recorded = types(engine)
    assert recorded == ([] if write == 1 else ["made"])
    assert len(channels.known()) == (0 if (write, after) == (1, False) else 1)
    for one in channels.known():
        assert one.state == ("active" if (write, after) == (2, True) else "paused")
        channels.go_on(BY, one.id) if one.state == "paused" else None
        assert channels.get(one.id).state == "active"
        assert types(engine) == ["made"]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("act", ["hold", "go_on", "close"])
def test_a_change_that_is_killed_before_it_reaches_the_rows_counts_and_is_repeated_without_a_second_event(
    channels: Channels, tables: Tables, engine: Engine, act: str, after: bool
) -> None:
    sub = made(channels)
    if act == "go_on":
        channels.hold(BY, sub)
    dying: Any = Dying(tables, 1, after=after)
    with pytest.raises(Killed):
        ACTS[act](Channels(dying, engine.handle, engine.keys.pepper), BY, sub)

    recorded = types(engine)
    assert recorded.count({"hold": "paused", "go_on": "resumed", "close": "ended"}[act]) == 1
    if act != "go_on":  # what closes counts at once, what opens when it is finished
        assert channels.get(sub).state == {"hold": "paused", "close": "ended"}[act]
    with suppress(Refused):
        ACTS[act](channels, BY, sub)
    assert channels._row(sub).state == {"hold": "paused", "go_on": "active", "close": "ended"}[act]
    assert types(engine) == recorded


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("write", [1, 2])
def test_a_rotation_that_is_killed_anywhere_leaves_one_secret_or_two_for_a_while_as_the_record_says(
    channels: Channels, tables: Tables, engine: Engine, clock: Clock, write: int, after: bool
) -> None:
    sub, first = channels.make(BY, wanted(), 0)
    dying: Any = Dying(tables, write, after=after)
    with pytest.raises(Killed):
        Channels(dying, engine.handle, engine.keys.pepper).change_secret(BY, sub.id, HOUR)

    switched = types(engine).count("secret_changed") == 1
    assert switched == (write == 2)
    assert (first in channels.secrets(sub.id), len(channels.secrets(sub.id))) == (True, 2 if switched else 1)
    clock.ahead = 2 * HOUR
    assert (first in channels.secrets(sub.id)) != switched


def test_nothing_is_opened_that_could_not_be_put_on_record(
    channels: Channels, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise Unavailable("the store is away")

    monkeypatch.setattr(engine.store, "append_all", gone)
    with pytest.raises(Unavailable):
        made(channels)
    monkeypatch.undo()

    assert [one.state for one in channels.known()] == ["paused"]


# -- sending -----------------------------------------------------------------------------------------------------------


class Wire:
    """A way out that takes its time and remembers what went over it."""

    def __init__(self, seconds: float = 0.0, kind: Any = "sent") -> None:
        self.seconds, self.kind = seconds, kind
        self.taken: list[int] = []
        self.at_once = self.most = 0
        self.begun = asyncio.Event()

    async def send(self, to: Subscription, queued: Queued) -> Outcome:
        self.begun.set()
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(self.seconds)
        self.taken.append(queued.row.position)
        self.at_once -= 1
        return Outcome(self.kind)


def queued(tables: Tables, sub: str, count: int) -> Outbox:
    outbox = Outbox(tables)
    outbox.move(0, "life")
    rows = [Row(sub, "a", n, n, f"evt_{n}", "matter_closed.v1") for n in range(1, count + 1)]
    outbox.queue(0, (count, "evt"), rows, 1)
    return outbox


def worker(tables: Tables, engine: Engine, wire: Wire, hours: int, pace: Pace | None = None) -> Sending:
    """A worker on a host whose clock goes wrong by so many hours."""
    there = Handle(
        engine.store, engine.vault, engine.keys, lambda: now() + timedelta(hours=hours), engine.handle.code
    )
    channels = Channels(tables, there, engine.keys.pepper)
    return Sending(Outbox(tables), channels, {"webhook": wire}, pace=pace)


@pytest.mark.parametrize("hours", [(1, 0), (0, 1), (-1, 1)])
def test_two_workers_whose_clocks_are_hours_apart_never_send_for_one_subscription_at_once(
    channels: Channels, tables: Tables, engine: Engine, hours: tuple[int, int]
) -> None:
    sub = made(channels)
    outbox, wire = queued(tables, sub, 6), Wire(0.05)
    workers = [worker(tables, engine, wire, one) for one in hours]

    async def both() -> None:
        first = asyncio.create_task(workers[0].deliver(sub))
        await wire.begun.wait()
        await asyncio.gather(first, workers[1].deliver(sub), workers[1].deliver(sub))

    asyncio.run(both())

    assert wire.most == 1
    assert wire.taken == [1, 2, 3, 4, 5, 6]
    assert outbox.counts() == {}


@pytest.mark.parametrize("hours", [(1, 0), (0, 1)])
def test_what_one_worker_found_failing_another_tries_again_in_time_however_their_clocks_stand(
    channels: Channels, tables: Tables, engine: Engine, hours: tuple[int, int]
) -> None:
    sub = made(channels)
    outbox, at_once = queued(tables, sub, 1), Pace(first=0.0, longest=0.0, slice=0.05)
    failing, right = Wire(kind="refused"), Wire()
    asyncio.run(worker(tables, engine, failing, hours[0], at_once).deliver(sub))
    assert failing.taken

    asyncio.run(worker(tables, engine, right, hours[1]).deliver(sub))

    assert right.taken == [1]
    assert outbox.counts() == {}


def test_a_worker_that_slept_through_its_lease_writes_nothing_over_the_next_one(
    channels: Channels, tables: Tables, engine: Engine
) -> None:
    sub = made(channels)
    outbox = queued(tables, sub, 2)

    class Asleep(Wire):
        async def send(self, to: Subscription, queued: Queued) -> Outcome:
            tables.run("UPDATE subscriptions SET lease_until = 0")  # as long as it slept the lease ran out
            await worker(tables, engine, awake, 0).deliver(sub)
            return Outcome("refused", "http_500")

    awake = Wire()
    asyncio.run(worker(tables, engine, Asleep(), 0, Pace(park_after=0)).deliver(sub))

    assert awake.taken == [1, 2]
    assert outbox.parked() == []
    assert outbox.counts() == {}


def test_what_is_not_on_record_is_never_sent_and_is_tried_no_more(
    channels: Channels, tables: Tables, engine: Engine
) -> None:
    raw, _ = channels.create(wanted(), 0)
    outbox, wire = queued(tables, raw.id, 1), Wire()
    sending = worker(tables, engine, wire, 0)
    assert outbox.due(10**18) == [raw.id]

    left = asyncio.run(sending.deliver(raw.id))

    assert (left.next_at, left.ended, wire.taken, outbox.due(10**18)) == (None, False, [], [])
    channels.go_on(BY, raw.id)
    asyncio.run(sending.deliver(raw.id))
    assert wire.taken == [1]


def test_a_pause_on_record_that_did_not_reach_the_rows_stops_the_sending_all_the_same(
    channels: Channels, tables: Tables, engine: Engine
) -> None:
    sub = made(channels)
    queued(tables, sub, 1)
    dying: Any = Dying(tables, 1, after=False)
    with pytest.raises(Killed):
        Channels(dying, engine.handle, engine.keys.pepper).hold(BY, sub)
    wire = Wire()

    asyncio.run(worker(tables, engine, wire, 0).deliver(sub))

    assert wire.taken == []
    assert channels._row(sub).state == "paused"


def test_what_the_row_of_the_offices_own_notices_says_of_where_and_what_counts_for_nothing(
    channels: Channels, tables: Tables
) -> None:
    own = Wanted(CLOCK.person, CLOCK.body, "", "http://localhost/", ("all",), channel="notice")
    before, _ = channels.create(own, 0, id="notices")

    tables.run(
        "UPDATE subscriptions SET url = 'https://elsewhere.example/', types = '[\"matter_closed\"]', source = 'phone',"
        " ground = 'law:any' WHERE id = 'notices'"
    )

    assert channels.get("notices") == before
    assert channels.known() == channels.hearing("notice") == [before]
    assert (before.url, before.types, before.source, before.ground) == ("", (), None, None)


def test_the_offices_own_notices_are_paused_and_resumed_on_record_and_made_by_nobody(
    channels: Channels, engine: Engine
) -> None:
    own = Wanted(CLOCK.person, CLOCK.body, "", "http://localhost/", ("all",), channel="notice")
    channels.create(own, 0, id="notices")
    assert channels.get("notices").state == "active"
    with pytest.raises(Refused, match="taken"):
        channels.make(BY, wanted(), 0, id="notices")
    with pytest.raises(Refused, match="no_secret"):
        channels.change_secret(BY, "notices", HOUR)

    channels.hold(BY, "notices")
    assert channels.get("notices").state == "paused"
    channels.go_on(BY, "notices")

    assert channels.get("notices").state == "active"
    assert types(engine) == ["paused", "resumed"]
