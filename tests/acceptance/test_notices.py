"""A holiday notice is entered while matters are open: due moments past the last notice are set again (law 7)."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from adapters.demo.desk import Desk
from adapters.demo.district import found, plan
from adapters.engine import Engine, open_engine
from adapters.resetter import Resetter
from adapters.rulebooks import template
from adapters.settings import Settings
from adapters.store.positions import StoredPositions
from adapters.temporal.open_cases import open_cases
from domain.acting import Actor
from domain.calendar import Notice
from domain.rulebook.releases import EnterNotice
from workflows.standing import RELEASES
from workflows.submission import Submission

DISTRICT = plan(11)
BEFORE_THE_HOLIDAY = datetime(2027, 4, 29, 2, 0, tzinfo=UTC)  # a Thursday morning in Shanghai
LABOUR_DAY = Notice(
    id="cn-2027-test", years=(2027,), dated=date(2026, 11, 20), off=tuple(date(2027, 5, n) for n in range(1, 8)),
    makeup=(), source="test",
)  # fmt: skip


class Watch:
    """A clock that the test sets."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        self.moment += timedelta(milliseconds=1)
        return self.moment


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    watch = Watch(BEFORE_THE_HOLIDAY)
    opened = open_engine(Settings(data=tmp_path), clock=watch)
    assert found(DISTRICT, opened.handle, watch(), template("gulou")) == []
    watch.moment += timedelta(seconds=2)
    return opened


def whistled(engine: Engine) -> tuple[str, str]:
    desk = Desk(engine.handle, DISTRICT, random.Random(1))
    case = desk.registers(desk.resident())
    desk.accepted_and_triaged(case)
    return case, desk.whistles(case, ("dept-housing",))["dept-housing"]


def enter(engine: Engine, notice: Notice) -> None:
    security = Actor(person=DISTRICT.security, body="system", post="security_admin")
    answer = engine.handle(
        Submission(
            client="test", key=notice.id, case=RELEASES, command=EnterNotice(notice=notice), actor=security,
            authority="notice:state-council",
        )
    )  # fmt: skip
    assert answer.accepted, answer


def follow(engine: Engine) -> None:
    positions = StoredPositions(engine.settings.views_url)
    resetter = Resetter(engine.handle, positions, lambda: open_cases(engine.store))
    batch = engine.store.read(resetter.position(), 10_000)
    asyncio.run(resetter.take(batch))
    positions.close()


def test_a_provisional_due_moment_moves_when_the_notice_is_entered(engine: Engine) -> None:
    case, leg = whistled(engine)
    before = engine.handle.load(case)
    assert before is not None
    check_in = before.clock(leg, "check_in")
    assert check_in is not None
    assert check_in.provisional

    enter(engine, LABOUR_DAY)
    follow(engine)

    after = engine.handle.load(case)
    assert after is not None
    moved = after.clock(leg, "check_in")
    assert moved is not None
    assert (moved.due > check_in.due, moved.provisional, moved.first_due) == (True, False, check_in.due)


def test_the_same_notice_heard_twice_resets_once(engine: Engine) -> None:
    case, _ = whistled(engine)
    enter(engine, LABOUR_DAY)
    follow(engine)
    reset = engine.handle.load(case)

    positions = StoredPositions(engine.settings.views_url)
    again = Resetter(engine.handle, positions, lambda: open_cases(engine.store))
    again._at = again.position()
    asyncio.run(again.take(engine.store.read(0, 10_000)))
    positions.close()

    assert reset is not None
    assert engine.handle.load(case) == reset
