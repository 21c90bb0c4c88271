"""Small steps shared by the folds: starting, stopping and reviving clocks, ending legs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from domain.matter.state import Clock, Leg, Matter, Order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.event import Recorded
    from domain.matter.events import CarriedOn, StartedClock


def start(state: Matter, owner: str, clocks: Iterable[StartedClock], rec: Recorded[Any]) -> None:
    """Start clocks of an owner; one already there under that stage becomes a past clock."""
    for given in clocks:
        key = f"{owner}/{given.stage}"
        before = state.clocks.get(key)
        if before is not None:
            before.stopped = before.stopped or rec.recorded_at
            state.past_clocks.append(before)
        state.clocks[key] = Clock(
            owner=owner, stage=given.stage, of=given.of, n=before.n + 1 if before else 1,
            rulebook=rec.basis.rulebook, started=rec.recorded_at, first_due=given.due, due=given.due,
            provisional=given.provisional, since=rec.recorded_at,
        )  # fmt: skip
        if given.carried is not None:
            _carry_on(state.clocks[key], given.carried)


def _carry_on(clock: Clock, given: CarriedOn) -> None:
    clock.rulebook, clock.since, clock.paused = given.rulebook, given.since, given.paused
    clock.extensions = given.extensions


def stop(state: Matter, owner: str, *stages: str, at: datetime) -> None:
    """The acts that these clocks waited for have been recorded."""
    for stage in stages:
        clock = state.clocks.get(f"{owner}/{stage}")
        if clock is not None and clock.stopped is None:
            clock.stopped = at


def revive(state: Matter, owner: str, stage: str) -> None:
    """The act was undone (sent back, rejected): the clock goes on as if it had never stopped."""
    clock = state.clocks.get(f"{owner}/{stage}")
    if clock is not None:
        clock.stopped = None
        clock.cancelled = False


def cancel(state: Matter, owner: str, at: datetime, stage: str | None = None) -> None:
    """Nothing (or nothing of this stage) is owed by this owner any more; lateness so far stays (law 6)."""
    for clock in state.clocks.values():
        if clock.owner == owner and clock.stopped is None and stage in (None, clock.stage):
            clock.stopped = at
            clock.cancelled = True


def cancel_all(state: Matter, at: datetime) -> None:
    """The case has ended otherwise than by its result."""
    for clock in state.clocks.values():
        if clock.stopped is None:
            clock.stopped = at
            clock.cancelled = True


def end_leg(state: Matter, leg: Leg, status: str, rec: Recorded[Any]) -> None:
    """A leg has ended; its clocks stop."""
    leg.status = status
    cancel(state, leg.id, rec.recorded_at)


def met(state: Matter, rec: Recorded[Any]) -> None:
    """Somebody was there: an urgent matter has had its response on site (A13)."""
    state.met = True
    stop(state, "", "onsite", at=rec.recorded_at)


def touched(order: Order, leg: Leg | None, rec: Recorded[Any]) -> None:
    """Remember the claimed time, which later acts on the same order or leg may not precede."""
    order.last_at = later(order.last_at, rec.occurred_at)
    if leg is not None:
        leg.last_at = later(leg.last_at, rec.occurred_at)


def performed(state: Matter, leg: Leg, rec: Recorded[Any]) -> None:
    """This person acted for the summoned body: neither its issuer nor its verifier may be the same person (G4)."""
    leg.performers.add(rec.person)
    state.handlers.add(rec.person)


def later(a: datetime | None, b: datetime) -> datetime:
    """The later of the two moments; `a` may be missing."""
    return b if a is None or b > a else a
