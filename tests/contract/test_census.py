"""The census of a month: when it is taken, what it counts, and that each month has one, whatever is killed and repeated."""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapters.doctor import examine
from adapters.engine import Engine, open_engine
from adapters.log import counting, open_log
from adapters.log.counting import ROUND_SECONDS, Round, counted, keep_counting, next_pause, take_censuses
from adapters.log.keys import make_log_keys
from adapters.log.role import opening_of, sealer_of
from adapters.settings import Settings
from domain.acting import CLOCK, Actor
from domain.event import decode
from domain.log.commands import TakeCensus
from domain.log.events import CensusTaken
from domain.log.words import LOG
from tests.contract.processes import killed_at, start
from workflows.ports import Append, Batch, ClockBehind
from workflows.records import CommandRefused
from workflows.submission import Submission

SECOND = timedelta(seconds=1)
NOW = datetime(2024, 5, 29, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def moment(month: int, day: int = 1) -> datetime:
    """Some time in 2024."""
    return datetime(2024, month, day, 12, tzinfo=UTC)


def midnight(month: int) -> datetime:
    """When a month of 2024 begins."""
    return datetime(2024, month, 1, tzinfo=UTC)


@dataclass
class Office:
    """An office whose clock stands where it is put; what it stores is as small as a stored event may be."""

    engine: Engine
    clock: list[datetime] = field(default_factory=lambda: [NOW])

    def stores(self, at: datetime, kind: str = "work_noted.v1", **pub: Any) -> str:
        """One event of a stream of its own, recorded then."""
        stream = str(uuid4())
        written = at.isoformat().replace("+00:00", "Z")
        told = {
            "_sd": [],
            "occurred_at": "2024-01-01T00:00:00Z",
            "pub": pub,
            "recorded_at": written,
            "type": kind,
        }
        body = json.dumps(told, separators=(",", ":")).encode()
        self.engine.store.append(Batch((Append(stream, 0, ((kind, body),)),), at))
        return stream

    def registers(self, at: datetime, channel: str = "window", kind: str = "matter_registered.v1") -> str:
        return self.stores(at, kind, source=channel)

    def counts(self, now: datetime | None = None) -> list[str]:
        """What the role does in a round at this time; the months taken."""
        self.clock[0] = now or self.clock[0]
        return [*take_censuses(self.engine.handle).taken]

    def taken(self) -> list[CensusTaken]:
        stored = [one for one in self.engine.store.load(LOG) if one.type == CensusTaken.TYPE]
        return [decode(one.type, one.body).pub for one in stored]


@pytest.fixture
def place(store_url: str, tmp_path: Path) -> Settings:
    """Where the office is, on either store."""
    return Settings(data=tmp_path, store=store_url if store_url.startswith("postgresql") else None)


@pytest.fixture
def office(place: Settings) -> Iterator[Office]:
    clock = [NOW]
    with closing(open_engine(place, lambda: clock[0])) as engine:
        yield Office(engine, clock)


def by_hand(office: Office, month: str) -> tuple[int, int, dict[str, int]]:
    """The same numbers, from all rows of the store."""
    told = [json.loads(one.body) for one in office.engine.store.read(0, 100_000)]
    mine = [one for one in told if one["recorded_at"][:7] == month]
    kinds = Counter(one["type"] for one in mine)
    channels = Counter(one["pub"]["source"] for one in mine if one["type"] == "matter_registered.v1")
    return len(mine), kinds["matter_registered.v1"] + kinds["matter_backfilled.v1"], dict(channels)


def numbers(census: CensusTaken) -> tuple[int, int, dict[str, int]]:
    return census.events, census.cases, {one.channel: one.registered for one in census.registrations}


def busy(office: Office, *months: int) -> None:
    """Some matters of several channels, some imported, some work, in each of these months."""
    for month in months:
        for day in range(1, 1 + month):
            office.registers(moment(month, day), ("window", "hotline_12345", "resident_app")[day % 3])
            office.stores(moment(month, day))
        office.registers(moment(month, 28), "history", "matter_backfilled.v1")


# -- what it counts ---------------------------------------------------------------------------------------------------


def test_it_counts_events_cases_and_registrations_by_channel(office: Office) -> None:
    busy(office, 3, 4, 5)

    assert office.counts() == ["2024-03", "2024-04"]
    assert [numbers(one) for one in office.taken()] == [
        by_hand(office, "2024-03"),
        by_hand(office, "2024-04"),
    ]
    assert numbers(office.taken()[0]) == (7, 4, {"hotline_12345": 1, "resident_app": 1, "window": 1})


@pytest.mark.parametrize("page", [1, 2, 7, 8])
def test_a_month_of_many_pages_is_counted_whole(
    office: Office, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(counting, "_PAGE", page)
    busy(office, 3, 4, 5)

    office.counts()

    assert [numbers(one) for one in office.taken()] == [
        by_hand(office, "2024-03"),
        by_hand(office, "2024-04"),
    ]


def test_what_happened_long_ago_counts_when_it_was_recorded(office: Office) -> None:
    """Every event here claims to have happened in January."""
    office.stores(moment(3))
    office.stores(moment(4))

    assert office.counts(moment(4, 2)) == ["2024-03"]
    assert office.taken()[0].events == 1


def test_two_clocks_about_midnight_give_each_month_its_own(office: Office) -> None:
    """The store takes what lies up to a second behind its newest event."""
    midnight_of_april = midnight(4)
    for seconds in (-2, -0.1, 0.0, 0.3, -0.6, 0.9, -0.05, 3):
        office.stores(midnight_of_april + timedelta(seconds=seconds))
    office.stores(moment(5))

    assert office.counts() == ["2024-03", "2024-04"]
    assert [one.events for one in office.taken()] == [4, 4]


def test_a_row_that_cannot_be_read_counts_for_nothing(office: Office) -> None:
    office.stores(moment(3))
    stream = str(uuid4())
    office.engine.store.append(Batch((Append(stream, 0, (("work_noted.v1", b"{damaged"),)),), moment(3, 2)))
    office.stores(moment(4))

    assert office.counts(moment(4, 2)) == ["2024-03"]
    assert office.taken()[0].events == 1


# -- when it is taken -------------------------------------------------------------------------------------------------


def test_an_empty_store_has_nothing_to_count(office: Office) -> None:
    assert office.counts() == []


def test_a_month_is_counted_only_when_it_is_over_by_the_clock(office: Office) -> None:
    office.stores(moment(3))
    office.stores(midnight(4) + SECOND + MICROSECOND)

    assert office.counts(midnight(4) + SECOND) == []
    assert office.counts(midnight(4) + 2 * SECOND) == ["2024-03"]


@pytest.mark.parametrize("after", [timedelta(0), SECOND])
def test_a_month_waits_for_an_event_more_than_a_second_past_it(office: Office, after: timedelta) -> None:
    office.stores(moment(3))
    office.stores(midnight(4) + after)
    assert office.counts(moment(4)) == []

    office.stores(midnight(4) + SECOND + MICROSECOND)

    assert office.counts(moment(4)) == ["2024-03"]


def test_after_its_census_the_store_takes_nothing_of_the_month(office: Office) -> None:
    office.stores(moment(3))
    office.stores(midnight(4) + SECOND + MICROSECOND)
    office.counts()

    with pytest.raises(ClockBehind):
        office.stores(midnight(4) - MICROSECOND)


def test_after_a_pause_each_missing_month_is_counted_in_order(office: Office) -> None:
    office.stores(moment(2))
    office.stores(moment(3))
    assert office.counts(moment(3, 2)) == ["2024-02"]
    office.stores(moment(7))

    assert office.counts(moment(7, 2)) == ["2024-03", "2024-04", "2024-05", "2024-06"]
    assert [one.events for one in office.taken()] == [1, 2, 0, 0, 0]  # the first census is an event of March


def test_a_year_ends(place: Settings, tmp_path: Path) -> None:
    clock = [datetime(2025, 2, 1, tzinfo=UTC)]
    with closing(open_engine(place, lambda: clock[0])) as engine:
        office = Office(engine, clock)
        office.stores(moment(11))
        office.stores(datetime(2025, 1, 5, tzinfo=UTC))

        assert office.counts() == ["2024-11", "2024-12"]


# -- once -------------------------------------------------------------------------------------------------------------


def test_a_census_is_taken_once(office: Office) -> None:
    busy(office, 3, 4, 5)

    assert (office.counts(), office.counts()) == (["2024-03", "2024-04"], [])
    assert len(office.taken()) == 2


def test_several_roles_at_once_take_one(office: Office, place: Settings) -> None:
    busy(office, 3, 4, 5)
    with closing(open_engine(place, lambda: NOW)) as other:
        handles = [office.engine.handle, other.handle] * 2
        threads = [threading.Thread(target=take_censuses, args=(handle,)) for handle in handles]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

    assert [one.month for one in office.taken()] == ["2024-03", "2024-04"]
    assert {one.type for one in office.engine.store.read(0, 1000)} & {"command_refused.v1"} == set()


def test_a_role_that_is_to_stop_begins_no_further_month(office: Office) -> None:
    busy(office, 3, 4, 5)

    assert take_censuses(office.engine.handle, iter((False, True)).__next__) == Round(("2024-03",))
    assert take_censuses(office.engine.handle, lambda: True) == Round(())
    assert take_censuses(office.engine.handle) == Round(("2024-04",))


# -- refused ----------------------------------------------------------------------------------------------------------

APRIL_SETTLED = midnight(4) + SECOND
STEPPED_BACK = [APRIL_SETTLED, APRIL_SETTLED, APRIL_SETTLED + MICROSECOND]
"""The clock at a look, the first reading last: over when it is asked whether March is, and no more when it is decided."""


@pytest.fixture
def march(place: Settings) -> Iterator[Office]:
    """An office in March, whose clock gives what is set, one reading after the other and the first for ever."""
    readings = [APRIL_SETTLED]
    with closing(open_engine(place, lambda: readings.pop() if len(readings) > 1 else readings[0])) as engine:
        office = Office(engine, readings)
        office.stores(moment(3))
        yield office


@pytest.fixture
def turning(march: Office) -> Office:
    """The same, when it is over."""
    march.stores(APRIL_SETTLED + MICROSECOND)
    return march


def looks(office: Office, readings: list[datetime]) -> Round:
    office.clock[:] = readings
    return take_censuses(office.engine.handle)


def refusals(office: Office) -> list[str]:
    """The codes of all refusals on record, the oldest first."""
    stored = [one for one in office.engine.store.read(0, 5000) if one.type == CommandRefused.TYPE]
    return [decode(one.type, one.body).pub.code for one in stored]


def test_a_census_that_is_refused_again_and_again_stands_on_record_once(turning: Office) -> None:
    found = [looks(turning, STEPPED_BACK) for _ in range(3)]

    assert found == [Round((), "month_not_over")] * 3
    assert refusals(turning) == ["month_not_over"]


def strangers(office: Office) -> None:
    """Somebody else is refused in the log's name."""
    stranger = Actor(person=str(uuid4()), body="sd-01", post="officer")
    census = TakeCensus(month="2024-03", events=0, cases=0, registrations=())
    assert office.engine.handle(Submission("x", uuid4().hex, LOG, census, stranger)).code == "clock_only"


def test_what_others_are_refused_in_between_makes_no_second_one(turning: Office) -> None:
    looks(turning, STEPPED_BACK)
    for _ in range(150):
        strangers(turning)

    assert looks(turning, STEPPED_BACK) == Round((), "month_not_over")
    assert refusals(turning) == ["month_not_over", *["clock_only"] * 150]


def test_what_another_is_refused_while_the_month_is_counted_makes_no_second_one(
    turning: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        counting, "counted", lambda store, month: (strangers(turning), counted(store, month))[1]
    )
    now = APRIL_SETTLED
    readings = [now, now, now, now, now, now + MICROSECOND]

    found = [looks(turning, readings) for _ in range(2)]

    assert found == [Round((), "month_not_over")] * 2
    assert refusals(turning) == ["clock_only", "month_not_over", "clock_only"]


def test_another_cause_is_put_on_record_too_and_once(march: Office) -> None:
    """More channels than one event can name: that lasts."""
    for number in range(500):
        march.registers(moment(3), f"{number:0>120}")
    march.stores(APRIL_SETTLED + MICROSECOND)

    found = [looks(march, readings) for readings in (STEPPED_BACK, [moment(4)]) * 2]

    assert found == [Round((), "month_not_over"), Round((), "too_large")] * 2
    assert refusals(march) == ["month_not_over", "too_large"]


def test_a_census_that_was_refused_is_taken_when_the_cause_is_gone(turning: Office, place: Settings) -> None:
    """The role was started anew meanwhile: what it knows stands on record."""
    looks(turning, STEPPED_BACK)
    with closing(open_engine(place, lambda: moment(5))) as engine:
        again = Office(engine, [moment(5)])
        again.stores(moment(5))

        assert take_censuses(engine.handle) == Round(("2024-03", "2024-04"))
        assert take_censuses(engine.handle) == Round(())
        assert [one.month for one in again.taken()] == ["2024-03", "2024-04"]


def test_the_next_month_is_refused_on_record_though_it_be_for_the_same_cause(turning: Office) -> None:
    looks(turning, STEPPED_BACK)
    assert looks(turning, [moment(4)]) == Round(("2024-03",))
    turning.stores(midnight(5) + SECOND + MICROSECOND)
    may = [midnight(5) + SECOND, midnight(5) + SECOND, midnight(5) + SECOND + MICROSECOND]

    assert [looks(turning, may), looks(turning, may)] == [Round((), "month_not_over")] * 2
    assert refusals(turning) == ["month_not_over"] * 2


def test_the_looks_come_later_and_later_while_it_is_refused_and_up_to_an_hour() -> None:
    pauses = [ROUND_SECONDS]
    for _ in range(9):
        pauses.append(next_pause(pauses[-1], refused=True))

    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert next_pause(3600, refused=False) == 30


def doctors(place: Settings, clock: datetime) -> tuple[bool | None, dict[str, Any]]:
    """What the doctor says of the census."""
    with closing(open_engine(place, lambda: clock)) as engine:
        (found,) = [one for one in examine(engine) if one.name == "census"]
    return found.ok, found.facts


def opened_log(engine: Engine, place: Settings) -> None:
    make_log_keys(place.log_keys_folder, place.origin)
    with closing(open_log(place.log_url)) as log:
        sealer_of(place, engine.store, log, opening_of(place, "test"), engine.handle.clock).position()


def test_the_doctor_tells_of_a_census_that_is_refused_until_it_is_taken(
    turning: Office, place: Settings
) -> None:
    opened_log(turning.engine, place)
    looks(turning, STEPPED_BACK)
    since = "2024-04-01T00:00:01.000001Z"

    assert doctors(place, moment(4)) == (
        False, {"month": "2024-03", "since": since, "refused": "month_not_over"},
    )  # fmt: skip
    looks(turning, [moment(4)])
    assert doctors(place, moment(4)) == (True, {})


def test_the_doctor_tells_of_a_census_that_nobody_takes(turning: Office, place: Settings) -> None:
    opened_log(turning.engine, place)

    assert doctors(place, APRIL_SETTLED + timedelta(minutes=50))[0] is None
    assert doctors(place, APRIL_SETTLED + timedelta(minutes=70)) == (
        False, {"month": "2024-03", "since": "2024-04-01T00:00:01.000001Z", "refused": None},
    )  # fmt: skip


def test_of_a_log_that_was_never_opened_no_census_is_missed(turning: Office, place: Settings) -> None:
    assert doctors(place, moment(6)) == (None, {})


# -- killed -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("point", "passage"), [("store.before_transaction", 2), ("store.after_commit", 1)])
def test_a_role_that_is_killed_leaves_each_month_one(
    office: Office, place: Settings, point: str, passage: int, tmp_path: Path
) -> None:
    busy(office, 3, 4, 5)
    words = [str(place.data), NOW.isoformat(), *([place.store] if place.store else [])]

    killed_at(point, passage, tmp_path, "tests.contract.counter", *words)
    output, errors = start("tests.contract.counter", *words).communicate(timeout=60)

    assert output.splitlines()[-1] == "2024-04", errors
    assert [numbers(one) for one in office.taken()] == [
        by_hand(office, "2024-03"),
        by_hand(office, "2024-04"),
    ]


def test_nobody_else_takes_a_census_and_none_out_of_order(office: Office) -> None:
    busy(office, 3, 4, 5)
    office.counts()

    def told(month: str, actor: Any = CLOCK) -> str | None:
        command = TakeCensus(month=month, events=0, cases=0, registrations=())
        return office.engine.handle(Submission("x", str(uuid4()), LOG, command, actor)).code

    assert (told("2024-04"), told("2024-07"), told("2024-03")) == ("census_order",) * 3
    assert told("2024-12") == "census_order"
    assert len(office.taken()) == 2


def test_the_role_goes_on_counting_until_it_is_told_to_stop(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event more is enough; a store that fails once is asked again."""
    monkeypatch.setattr(counting, "ROUND_SECONDS", 0.02)
    office.stores(moment(4))

    async def role() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(keep_counting(office.engine.handle, stop))
        await asyncio.sleep(0.05)
        assert office.taken() == []
        office.stores(moment(5))
        async with asyncio.timeout(100):
            while not office.taken():  # noqa: ASYNC110 - the store has no event to wait for here
                await asyncio.sleep(0.02)
            stop.set()
            await running

    asyncio.run(role())

    assert [one.month for one in office.taken()] == ["2024-04"]
