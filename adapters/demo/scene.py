"""What the lives of the demonstration are played with: the scene, and the steps that several of them take."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from adapters.demo.desk import Desk
from adapters.demo.district import DEPARTMENTS, SUBDISTRICT, WHISTLE_POWER
from domain.acting import Actor
from domain.matter import order_commands as odo
from domain.matter.order_events import Receiver
from domain.matter.words import WhistleKind

CODES = {
    "dept-housing": "FW-01", "dept-water": "GS-01", "dept-fire": "XF-01", "dept-civil": "MS-01",
    "dept-labour": "JF-02", "dept-traffic": "SL-01",
}  # fmt: skip
"""A catalogue code that each department answers for."""


@dataclass(slots=True)
class Scene:
    """What a life is played with: a desk, the community it happens in, chance for who and how long, and the pace."""

    desk: Desk
    community: str
    chance: random.Random
    pace: float = 1.0
    cases: list[str] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        """Let the story's time pass."""
        time.sleep(seconds * self.pace)

    def actor(self, body: str, post: str) -> Actor:
        """Somebody of the plan."""
        return self.desk.district.actor(body, post)

    def department(self) -> str:
        """A department, by chance."""
        return self.chance.choice(DEPARTMENTS)

    def opened(self, code: str, resident: Actor) -> str:
        """A resident's request, accepted and graded hard."""
        case = self.desk.registers(resident, code, self.community)
        self.cases.append(case)
        self.wait(self.chance.uniform(0.3, 1.2))
        self.desk.accepted_and_triaged(case, self.community)
        return case

    def ended(self, case: str, resident: Actor) -> None:
        """Result, callback, close."""
        self.desk.submits(case)
        self.wait(0.5)
        self.desk.calls_back(case, resident.person)
        self.desk.closes(case)


Life = Callable[[Scene], None]


def blown(
    scene: Scene, case: str, bodies: tuple[str, ...], kind: WhistleKind = "service", call: str | None = None
) -> dict[str, str]:
    """Drafted, authorised, issued; returns the legs by body."""
    desk, order = scene.desk, scene.desk.id()
    legs = {body: desk.id() for body in bodies}
    receivers = tuple(
        Receiver(leg=leg, body=body, role="assist" if n else "lead")
        for n, (body, leg) in enumerate(legs.items())
    )
    officer = scene.actor(SUBDISTRICT, "officer")
    draft = odo.DraftOrder(order=order, kind="whistle", whistle=kind, receivers=receivers, call=call)
    desk.must(case, officer, draft, reason="街道无力单独处置")
    for post in ("secretary", "director") if kind == "project" else ("leadership_member",):
        desk.must(case, scene.actor(SUBDISTRICT, post), odo.AuthoriseOrder(order=order), WHISTLE_POWER)
    desk.must(case, officer, odo.IssueOrder(order=order), WHISTLE_POWER)
    return legs


def done(scene: Scene, case: str, legs: dict[str, str]) -> None:
    """Every body arrives, works, reports and is let go."""
    for body, leg in legs.items():
        scene.wait(scene.chance.uniform(0.2, 0.6))
        scene.desk.arrives(case, body, leg)
    for body, leg in legs.items():
        scene.wait(scene.chance.uniform(0.5, 2))
        scene.desk.reports(case, body, leg)
        scene.desk.releases(case, leg)


def rated(scene: Scene, case: str, legs: dict[str, str]) -> None:
    """The blower and the calling community appraise each department."""
    desk, chance = scene.desk, scene.chance
    leader = scene.actor(SUBDISTRICT, "leadership_member")
    secretary = scene.actor(scene.community, "community_secretary")
    for leg in legs.values():
        for rater in (leader, secretary):
            desk.must(
                case, rater, odo.RateLeg(leg=leg, speed=chance.randint(2, 5), result=chance.randint(3, 5))
            )
