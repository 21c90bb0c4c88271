"""A small district for the tests of the register: acts in, a register out."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from domain.acting import Actor, When
from domain.event import Basis, Recorded
from domain.refusal import Refused
from domain.register import Register
from domain.register import commands as c
from domain.register.decide import decide
from domain.register.evolve import evolve
from domain.register.first_link import digest_of

if TYPE_CHECKING:
    from domain.acting import Command, Decision

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SECRET = "a secret that is long enough"
OPERATOR = Actor(person=str(UUID(int=999)), body="system")
_BASIS = Basis(calendar="none", code="test", register=0, rulebook="none")


def person(number: int) -> str:
    """The same made-up person for the same number."""
    return str(UUID(int=number))


SECURITY = Actor(person=person(1), body="system", post="security_admin")
SYSTEM = Actor(person=person(2), body="system", post="system_admin")
AUDIT = Actor(person=person(3), body="system", post="audit_admin")


@dataclass(frozen=True)
class Given:
    """What `decide` is told: the room's own part of the context."""

    actor: Actor
    when: When
    authority: str | None = None
    sealed: frozenset[str] = frozenset({"name"})


@dataclass
class World:
    """A register under commands, and the moment that it is."""

    register: Register = field(default_factory=Register)
    now: datetime = NOON
    _numbers: Any = field(default_factory=itertools.count)

    def allow(
        self, command: Command, actor: Actor, authority: str | None = None, occurred: datetime | None = None
    ) -> Decision:
        """What `decide` answers now; raises Refused; changes nothing."""
        when = When(occurred_at=occurred or self.now, recorded_at=self.now)
        return decide(self.register, command, Given(actor, when, authority))

    def act(
        self, command: Command, actor: Actor, authority: str | None = None, occurred: datetime | None = None
    ) -> Decision:
        """Decide, and fold what was decided."""
        decision = self.allow(command, actor, authority, occurred)
        for event in decision.events:
            self.register = evolve(self.register, recorded(event, self.now, actor, decision.rule))
        return decision

    def later(self, span: timedelta) -> datetime:
        """Let time pass."""
        self.now += span
        return self.now

    def fill(self, who: int, body: str, post: Any, **more: Any) -> Decision:
        """The security administrator fills a post."""
        return self.act(
            c.FillPost(person=person(who), body=body, post=post, **more), SECURITY, authority="mandate"
        )

    def body(self, body_id: str, kind: Any, parent: str | None = None, **more: Any) -> Decision:
        """The system administrator enters a body."""
        return self.act(body_command(body_id, kind, parent, **more), SYSTEM)


def refused(world: World, command: Command, actor: Actor, code: str) -> None:
    """The command is refused with that code and advice, and nothing changes."""
    before = world.register
    with pytest.raises(Refused) as refusal:
        world.act(command, actor, authority="mandate")
    assert refusal.value.code == code
    assert refusal.value.advice.endswith(".")
    assert world.register is before


def body_command(body_id: str, kind: Any, parent: str | None = None, **more: Any) -> c.EnterBody:
    """A body whose names are its id."""
    names = {"name_zh": body_id, "name_en": body_id} | more
    return c.EnterBody(body=body_id, kind=kind, parent=parent, district="320106", **names)


def recorded(event: Any, now: datetime, actor: Actor = OPERATOR, rule: str = "test") -> Recorded[Any]:
    """The event in an envelope."""
    return Recorded[Any](
        basis=_BASIS,
        capacity=actor.body,
        command="c",
        correlation="c",
        nonce="0" * 32,
        occurred_at=now,
        person=actor.person,
        post=actor.post,
        pub=event,
        recorded_at=now,
        rule=rule,
        stream="register",
        type=event.TYPE,
    )


def administered() -> World:
    """A register with its three administrators and persons 4 to 12, and nothing else."""
    world = World()
    world.act(c.IssueFirstLink(digest=digest_of(SECRET), expires_at=world.now + DAY), OPERATOR)
    world.act(c.ClaimFirstLink(secret=SECRET), SECURITY)
    for number in range(2, 13):
        world.act(c.EnterPerson(person=person(number)), SECURITY)
    world.fill(2, "system", "system_admin")
    world.fill(3, "system", "audit_admin")
    return world


def district() -> World:
    """A district with two sub-districts, communities and grids, a department, a board and its own bodies."""
    world = administered()
    for body_id, kind, parent in (
        ("gl", "district", None),
        ("mch", "subdistrict", "gl"),
        ("hn", "subdistrict", "gl"),
        ("mch-1", "community", "mch"),
        ("mch-2", "community", "mch"),
        ("hn-1", "community", "hn"),
        ("mch-1-g1", "grid", "mch-1"),
        ("cg", "department", "gl"),
        ("cg-squad", "organ", "cg"),
        ("board", "supervisory_board", "mch-1"),
        ("jw", "discipline_inspection", "gl"),
        ("panel", "panel", "gl"),
    ):
        world.body(body_id, kind, parent)
    world.later(HOUR)
    return world
