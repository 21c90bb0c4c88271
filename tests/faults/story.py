"""One life of the fault runs: a whistle to five departments, one of them perhaps late, or never coming.

A life is a timetable: the same seed and the same beginning give the same acts under the same keys, in the same
order. A driver that was killed and is started again repeats what it has done, and goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from adapters.demo.district import DEPARTMENTS, SUBDISTRICT, WHISTLE_POWER
from adapters.demo.scene import CODES, Scene, blown, rated
from domain.matter import commands as do
from domain.matter import order_commands as odo

SUMMONED = 5
MANNERS = ("in time", "late", "in time", "never")
"""How the last department of a life behaves, by the life's number."""

ARRIVAL = {"in time": (1.0, 4.0, 6.5), "late": (4.5, 10.0, 13.5)}
"""Seconds after the whistle at which a department signs, reaches the sub-district, checks in; due at 3, 8 and 12."""
DIVERTED = 9.0
"""Seconds after the whistle; by then two signatures and two first contacts are overdue."""
REPORTS, LATE_REPORTS, EXCUSED, RATED = 11.0, 15.0, 18.0, 19.0
"""Seconds after the whistle; a department that does not come is let go when it is already supervised (at 16)."""


@dataclass(slots=True)
class Story(Scene):
    """A scene in story time: seconds since `began`, so that a life that was held up does not dawdle as well."""

    began: datetime = field(kw_only=True)
    at: float = 0.0
    hold: Path | None = None
    """A file: as long as it is there, the life does not come to its end."""

    def wait(self, seconds: float) -> None:
        """Let the story's time pass; what has passed already costs nothing."""
        self.until(self.at + seconds)

    def until(self, at: float) -> None:
        """Be at this second of the story."""
        self.at = at
        time.sleep(max(0.0, self.began.timestamp() + at - time.time()))

    def is_let_go(self) -> None:
        """Wait until nothing holds this life back any more."""
        while self.hold is not None and self.hold.exists():
            time.sleep(0.1)


Act = tuple[float, Callable[[], None]]


def five_departments(scene: Story, manner: str) -> None:
    """呼叫—吹哨—报到—办结—回访—结案."""
    resident = scene.desk.resident()
    bodies = tuple(scene.chance.sample(DEPARTMENTS, SUMMONED))
    case = scene.opened(CODES[bodies[0]], resident)
    legs = blown(scene, case, bodies)
    whistled = scene.at
    acts = [act for body in bodies[:-1] for act in _comes(scene, case, body, legs[body], "in time")]
    last = bodies[-1]
    acts += (
        _stays_away(scene, case, legs[last])
        if manner == "never"
        else _comes(scene, case, last, legs[last], manner)
    )
    for second, act in sorted(acts, key=lambda one: one[0]):
        scene.until(whistled + second)
        act()
    scene.until(whistled + RATED)
    rated(scene, case, legs)
    scene.is_let_go()
    scene.ended(case, resident)


def diverted(scene: Story) -> None:
    """转纪检: two departments that did not sign for their summons, and then it turns out to be an accusation."""
    resident = scene.desk.resident()
    case = scene.opened("MS-01", resident)
    blown(scene, case, ("dept-civil", "dept-fire"))
    scene.until(scene.at + DIVERTED)
    officer = scene.actor(scene.community, "intake_officer")
    scene.desk.must(case, officer, do.DivertMatter(to="discipline"))


def _comes(scene: Story, case: str, body: str, leg: str, manner: str) -> Iterator[Act]:
    """A department signs, reaches the sub-district, checks in, works, reports, and is let go."""
    desk, duty, officer = scene.desk, scene.actor(body, "duty_officer"), scene.actor(body, "officer")
    signs, contacts, arrives = (at + scene.chance.uniform(0, 1.5) for at in ARRIVAL[manner])
    reports = (LATE_REPORTS if manner == "late" else REPORTS) + scene.chance.uniform(0, 2)
    here = odo.CheckIn(leg=leg, place=scene.community, proof="code")
    yield signs, lambda: _did(desk.must(case, duty, odo.AcknowledgeLeg(leg=leg)))
    yield contacts, lambda: _did(desk.must(case, officer, odo.ContactLeg(leg=leg)))
    yield arrives, lambda: _did(desk.must(case, officer, here, proof="现场码"))
    yield reports, lambda: desk.reports(case, body, leg)
    yield reports + 0.5, lambda: desk.releases(case, leg)


def _stays_away(scene: Story, case: str, leg: str) -> Iterator[Act]:
    """不应哨: nobody comes; the sub-district lets the department go, with that on record."""
    leader = scene.actor(SUBDISTRICT, "leadership_member")
    ground = odo.ExcuseLeg(leg=leg, ground="never_came")
    yield EXCUSED, lambda: _did(scene.desk.must(case, leader, ground, WHISTLE_POWER))


def _did(_answer: object) -> None:
    """An act is done for what it does; its answer has been written down by the driver."""
