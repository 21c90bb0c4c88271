"""The trail: a case's events as they were known at a moment, or had happened by one (DESIGN.md §9).

Known at T are the events up to the last position that was recorded by T. Happened by T are, in store order, the
events whose claimed time is not after T. The two differ where something was written down afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from adapters.engine import Engine
from adapters.reading import Seen
from adapters.views.work import owes
from domain.acting import CLOCK_PERSON
from domain.event import Recorded, decode
from domain.matter import Clock, Matter, replay
from domain.refusal import NotFound
from domain.register import Register
from domain.register.evolve import evolve as register_evolve
from workflows.ports import Stored
from workflows.records import notices_of, reads_of, refusals_of
from workflows.standing import REGISTER, Standing

DEFAULT_ZONE = "Asia/Shanghai"


class Fact(NamedTuple):
    """One event with its place in the store."""

    stored: Stored
    recorded: Recorded[Any]

    @property
    def pub(self) -> Any:
        """The event itself."""
        return self.recorded.pub

    @property
    def human(self) -> bool:
        """Whether a person did it, and not the clock."""
        return self.recorded.person != CLOCK_PERSON


@dataclass(frozen=True, slots=True)
class Trail:
    """A case as of `at`: its events, the state they make, and what surrounded them.

    `registers(version)` is the register as it stood at a version: what a decision knew of posts and powers.
    """

    matter: Matter
    facts: tuple[Fact, ...]
    refusals: tuple[Fact, ...]
    reads: tuple[Fact, ...]
    notices: tuple[Fact, ...]
    standing: Standing
    registers: Callable[[int], Register]
    at: datetime

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the rulebook under which the case was last decided."""
        for fact in reversed(self.facts):
            law = self.standing.laws.get(fact.recorded.basis.rulebook)
            if law is not None:
                return ZoneInfo(law.book.zone)
        return ZoneInfo(DEFAULT_ZONE)

    def of(self, *types: type) -> list[Fact]:
        """The facts of these events, in order."""
        return [fact for fact in self.facts if isinstance(fact.pub, types)]

    def body(self, body: str | None) -> str:
        """A body's name, Chinese first, with its id; `-` for none."""
        if body is None:
            return "-"
        found = self.standing.register.body(body, self.at)
        return (
            f"{found.name_zh} {body}"
            if found
            else {"resident": "诉求人 requester", "system": "系统 system"}.get(body, body)
        )

    def owes(self, clock: Clock) -> str:
        """Who owed the act that a clock waited for."""
        body = owes(self.matter, clock)
        return self.body(body) if body else {"adjudicate": "会商组 panel"}.get(clock.stage, "派单中心 centre")

    def clocks(self) -> list[Clock]:
        """Every clock that ever ran, by its start."""
        found = [*self.matter.past_clocks, *self.matter.clocks.values()]
        return sorted(found, key=lambda clock: (clock.started, clock.key))


def as_of(
    engine: Engine, seen: Seen, *, known: datetime | None = None, happened: datetime | None = None,
    version: int | None = None,
) -> Trail:  # fmt: skip
    """The trail of a case that the viewer may see, as known, as it had happened, or as of a version of it.

    Raises NotFound if there was nothing of it then, Unavailable.
    """
    case, standing = seen.matter.id, engine.handle.standing.caught_up()
    last, at = _end(engine, seen, known, version)

    def chosen(stored: Iterable[Stored]) -> tuple[Fact, ...]:
        facts = (
            Fact(row, decode(row.type, row.body)) for row in stored if last is None or row.position <= last
        )
        return tuple(f for f in facts if happened is None or f.recorded.occurred_at <= happened)

    def beside(stream: str) -> tuple[Fact, ...]:
        rows = engine.store.load(stream)
        return chosen(row for row in rows if seen.last is None or row.position <= seen.last)

    facts = chosen(seen.events)
    matter = replay(fact.recorded for fact in facts)
    if matter is None:
        raise NotFound("Nothing of this case was there at that time; ask for a later one.")
    return Trail(
        matter, facts, beside(refusals_of(case)), beside(reads_of(case)), beside(notices_of(case)), standing,
        _registers(engine), at or happened or engine.handle.clock(),
    )  # fmt: skip


def _end(
    engine: Engine, seen: Seen, known: datetime | None, version: int | None
) -> tuple[int | None, datetime | None]:
    """The last position that counts, and the moment of it: what comes first of those that were asked for."""
    last = engine.store.known_at(known) if known is not None else None
    if version is None:
        return last, known
    row = next((one for one in seen.events if one.version == version), None)
    if row is None:
        raise NotFound("There is no such version of this case; ask for an earlier one.")
    recorded: datetime = decode(row.type, row.body).recorded_at
    if known is None or last is None or row.position <= last:
        return row.position, recorded
    return last, known


def _registers(engine: Engine) -> Callable[[int], Register]:
    """The register's versions, folded when they are first asked for; each is an immutable value."""
    versions = [Register()]
    stored = iter(engine.store.load(REGISTER))

    def at(version: int) -> Register:
        while len(versions) <= version:
            row = next(stored, None)
            if row is None:
                break
            versions.append(register_evolve(versions[-1], decode(row.type, row.body)))
        return versions[min(version, len(versions) - 1)]

    return at
