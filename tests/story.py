"""Stories for the tests: a founded district whose clock the test turns, and lives that are played in no time."""

import atexit
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from adapters.demo import turns
from adapters.demo.desk import Desk
from adapters.demo.district import found, plan
from adapters.demo.scene import Scene, blown
from adapters.engine import Engine, open_engine
from adapters.rulebooks import template
from adapters.settings import Settings
from domain.acting import CLOCK
from domain.matter import agenda
from domain.matter import commands as do
from domain.matter import order_commands as odo
from domain.matter.commands import TakeDueSteps
from domain.matter.order_events import Receiver
from workflows.submission import Submission

DISTRICT = plan(1)
MORNING = (datetime.now(UTC) - timedelta(days=1)).replace(hour=1, minute=0, second=0, microsecond=0)
"""Yesterday at nine in Shanghai: a store never takes an event from a clock that lies behind its newest one."""


class Turned:
    """A clock that stands a little further at each look, and that a test may turn."""

    def __init__(self, at: datetime = MORNING) -> None:
        self.at = at

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at

    def turn(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass(slots=True)
class Played(Scene):
    """A scene in which waiting turns the clock instead."""

    clock: Turned | None = None

    def wait(self, seconds: float) -> None:
        assert self.clock is not None
        self.clock.turn(seconds)


@dataclass
class Story:
    engine: Engine
    clock: Turned
    scene: Played

    @property
    def desk(self) -> Desk:
        return self.scene.desk

    def steps(self, case: str) -> None:
        """Take every step of the agenda that has come due, as the case's process would."""
        handle = self.engine.handle
        state, laws = handle.load(case), handle.standing.caught_up().laws
        assert state is not None
        due = tuple(item.id for item in agenda(state, laws.__getitem__) if item.at <= self.clock.at)
        if due:
            answer = handle(
                Submission(
                    client="clock",
                    key=self.desk.id(),
                    case=case,
                    command=TakeDueSteps(items=due),
                    actor=CLOCK,
                )
            )
            assert answer.accepted, answer


@cache
def _founded() -> Path:
    """A folder with the founded district, made once and copied for each story."""
    folder = Path(tempfile.mkdtemp(prefix="huiyin-story-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    clock = Turned(MORNING)
    engine = open_engine(Settings(data=folder, district=DISTRICT.code), clock)
    try:
        assert found(DISTRICT, engine.handle, clock(), template("demo")) == []
    finally:
        engine.close()
    return folder


@contextmanager
def story(folder: Path, seed: int = 7) -> Iterator[Story]:
    """A founded district under the demo rulebook, with its files in `folder`; its morning is yesterday's."""
    shutil.copytree(_founded(), folder, dirs_exist_ok=True)
    clock = Turned(MORNING + timedelta(seconds=5))  # the duty roster began a second after the founding
    engine = open_engine(Settings(data=folder, district=DISTRICT.code), clock)
    try:
        chance = random.Random(seed)
        desk = Desk(engine.handle, DISTRICT, chance)
        yield Story(engine, clock, Played(desk, DISTRICT.communities[0], chance, clock=clock))
    finally:
        engine.close()


def eventful(tale: Story) -> str:
    """One case with a community's attempt, a return, a late department, an extension, a deferral and a reopening."""
    scene, desk = tale.scene, tale.desk
    resident = desk.resident()
    case = scene.opened("CG-02", resident)
    secretary = scene.actor(scene.community, "community_secretary")
    desk.must(case, secretary, do.RecordAttempt(settled=False), text="社区协调未果")
    called = _called(tale, case)
    legs = _blown(tale, case, called)
    _returned(tale, case, legs["dept-housing"])
    _late(tale, case, legs["organ-urban"])
    _deferred(tale, case)
    desk.submits(case)
    desk.calls_back(case, resident.person, solved=False)
    desk.must(case, scene.actor("sd-01", "callback_officer"), do.ReopenMatter(ground="not_solved"))
    scene.wait(3)
    desk.submits(case)
    desk.calls_back(case, resident.person)
    desk.closes(case)
    tale.steps(case)
    return case


def _called(tale: Story, case: str) -> str:
    desk, scene = tale.desk, tale.scene
    call, leg = desk.id(), desk.id()
    grid, secretary = (
        scene.actor(scene.community, "intake_officer"),
        scene.actor(scene.community, "community_secretary"),
    )
    receivers = (Receiver(leg=leg, body="sd-01", role="lead"),)
    desk.must(case, grid, odo.DraftOrder(order=call, kind="call", receivers=receivers), reason="社区无力处置")
    desk.must(case, secretary, odo.AuthoriseOrder(order=call))
    desk.must(case, grid, odo.IssueOrder(order=call))
    return call


def _blown(tale: Story, case: str, call: str) -> dict[str, str]:
    legs = blown(tale.scene, case, ("organ-urban", "dept-housing"), call=call)
    state = tale.engine.handle.load(case)
    assert state is not None
    order = next(one.id for one in state.orders.values() if one.kind == "whistle")
    duty = tale.scene.actor("sd-01", "duty_officer")
    tale.desk.must(case, duty, odo.AnswerCall(order=call, how="whistle", whistle=order))
    _finish_call(tale, case, call)
    return legs


def _finish_call(tale: Story, case: str, call: str) -> None:
    state = tale.engine.handle.load(case)
    assert state is not None
    (leg,) = state.orders[call].legs
    desk, scene = tale.desk, tale.scene
    leader = scene.actor("sd-01", "leadership_member")
    desk.must(
        case, leader, odo.ReportLeg(leg=leg, outcome="done", evidence=1), result="已吹哨", evidence="哨单"
    )
    desk.must(case, scene.actor(scene.community, "community_secretary"), odo.AcceptLeg(leg=leg))


def _returned(tale: Story, case: str, leg: str) -> None:
    desk, scene = tale.desk, tale.scene
    ask = odo.RequestReturn(leg=leg, ground="not_our_duty", basis="law:duty-list-2026")
    desk.must(case, scene.actor("dept-housing", "leader"), ask)
    tale.scene.wait(1)
    ruling = odo.DecideReturn(leg=leg, granted=True, ground="duty_elsewhere")
    desk.must(case, scene.actor("centre", "dispatcher"), ruling)


def _late(tale: Story, case: str, leg: str) -> None:
    """The squad signs in time, comes 5 s late, has its finish clock extended in time, and reports."""
    desk, scene, clock = tale.desk, tale.scene, tale.clock
    body = "organ-urban"
    desk.must(case, scene.actor(body, "duty_officer"), odo.AcknowledgeLeg(leg=leg))
    state = tale.engine.handle.load(case)
    assert state is not None
    due = state.clocks[f"{leg}/check_in"].due
    clock.at = due + timedelta(seconds=5)
    tale.steps(case)
    officer = scene.actor(body, "officer")
    desk.must(case, officer, odo.CheckIn(leg=leg, place=scene.community, proof="photo"), proof="现场照片")
    until = state.clocks[f"{leg}/finish"].due + timedelta(seconds=4)
    ask = odo.RequestExtension(leg=leg, until=until, reason="material_ordered")
    desk.must(case, scene.actor(body, "leader"), ask)
    scene.wait(1)
    desk.must(
        case,
        scene.actor("centre", "supervisor"),
        odo.DecideExtension(leg=leg, granted=True, requester_told=True),
    )
    desk.reports(case, body, leg)
    desk.releases(case, leg)


def _deferred(tale: Story, case: str) -> None:
    desk, clock = tale.desk, tale.clock
    leader = tale.scene.actor("sd-01", "secretary")
    review = clock.at + timedelta(seconds=6)
    plan_ = do.DeferMatter(ground="needs_funds", review_by=review, requester_told=True)
    desk.must(case, leader, plan_, plan="纳入明年计划")
    clock.turn(3)
    desk.must(case, leader, do.HoldReview(review_by=clock.at + timedelta(seconds=6)))
    clock.turn(2)
    desk.must(case, leader, do.ResumeMatter())
    tale.steps(case)


LIVES = (
    turns.refused, turns.withdrawn, turns.merged, turns.split, turns.deferred, turns.escalated, turns.reopened,
    turns.accusation, turns.nobody_reached, turns.urged,
)  # fmt: skip
"""Short lives of every turn; more are in adapters.demo.lives."""
