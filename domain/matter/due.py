"""Due: the agenda of a matter, what is due, when, and what then (DESIGN.md §2, law 7).

Every running clock gives a reminder before its due moment, a missed due moment at it, and the rulebook's steps
after it. A step that was taken is never taken again; a due moment that passed while nobody looked is still
recorded, once, however late (law 6: lateness itself is derived and needs no record).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from domain.acting import CLOCK_PERSON
from domain.matter import commands as do
from domain.matter import events as mev
from domain.matter import keeping
from domain.matter import order_events as ev
from domain.matter.closing import not_called, sampled
from domain.matter.guards import started
from domain.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from domain.calendar import Calendar
    from domain.context import Context, Law
    from domain.event import Event
    from domain.matter.state import Clock, Matter
    from domain.rulebook import ClockRule


@dataclass(frozen=True, slots=True)
class Item:
    """One step: its id in the case, when it is due (UTC), whose it is ('' for the matter), and what to do."""

    id: str
    at: datetime
    owner: str
    do: Literal[
        "remind", "miss", "urge", "supervise", "escalate", "notify", "lapse", "skip_callback", "erase"
    ]
    stage: str
    due: datetime
    level: str | None = None


def agenda(state: Matter, law: Callable[[str], Law]) -> list[Item]:
    """The steps not taken yet, the next one first. `law` gives a rulebook and its calendar by name."""
    ends = [Item(item, at, "", "erase", "retention", at) for item, at in keeping.ends(state).items()]
    if state.backfilled:
        return sorted(ends, key=lambda item: (item.at, item.id))
    found = [item for clock in state.clocks.values() for item in _of_clock(clock, law(clock.rulebook))]
    found += [item for clock in state.past_clocks for item in _missed(clock)]
    found += [*_sample(state, law), *ends]
    return sorted((item for item in found if item.id not in state.done), key=lambda item: (item.at, item.id))


def owner_of(state: Matter, owner: str) -> str:
    """Which process carries an item: its leg's, or the matter's ('') for clocks of orders and absorbed matters."""
    return owner if state.leg(owner) is not None else ""


def _of_clock(clock: Clock, law: Law) -> Iterator[Item]:
    rule, calendar = law.book.clock(clock.stage, clock.of), law.calendar
    if clock.stopped is not None:
        yield from _missed(clock)
        return
    if rule is not None and rule.remind is not None:
        before = max(clock.started, clock.due - (calendar.due(clock.started, rule.remind).at - clock.started))
        yield Item(_id(clock, "remind"), before, clock.owner, "remind", clock.stage, clock.due)
    if clock.stage == "confirm_authority":
        yield Item(_id(clock, "lapse"), clock.due, clock.owner, "lapse", clock.stage, clock.due)
    else:
        yield Item(_id(clock, "miss"), clock.due, clock.owner, "miss", clock.stage, clock.due)
    if rule is not None:
        yield from _steps(clock, rule, calendar)


def _missed(clock: Clock) -> Iterator[Item]:
    """A clock that was stopped late missed its moment, whether or not anybody was watching."""
    if clock.stopped is not None and clock.stopped > clock.due:
        step: Literal["lapse", "miss"] = "lapse" if clock.stage == "confirm_authority" else "miss"
        yield Item(_id(clock, step), clock.due, clock.owner, step, clock.stage, clock.due)


def _steps(clock: Clock, rule: ClockRule, calendar: Calendar) -> Iterator[Item]:
    for n, step in enumerate(rule.on_miss):
        at = calendar.due(clock.due, step.after).at
        yield Item(_id(clock, f"{step.do}{n}"), at, clock.owner, step.do, clock.stage, clock.due, step.level)


def _id(clock: Clock, step: str) -> str:
    # The due moment is part of the id: an extended clock can be missed again at its new moment.
    return f"{clock.key}/{int(clock.due.timestamp() * 1000)}/{step}"


def _sample(state: Matter, law: Callable[[str], Law]) -> list[Item]:
    clock = state.clock("", "callback")
    if state.status != "completed" or clock is None or clock.stopped is not None or not state.owed():
        return []
    if sampled(state.draw, law(clock.rulebook).book, state.scale or "hard"):
        return []
    return [Item(_id(clock, "skip"), clock.started, "", "skip_callback", "callback", clock.due)]


def take(state: Matter, command: do.TakeDueSteps, ctx: Context) -> tuple[Event, ...]:
    """Take the named steps that have come due; those taken before are passed over (law 3)."""
    if ctx.actor.person != CLOCK_PERSON:
        raise Refused("not_the_clock", "Only the clock takes due steps; act yourself instead.")
    wanted = set(command.items) - state.done
    ready = [item for item in agenda(state, ctx.law) if item.id in wanted]
    if any(item.at > ctx.when.recorded_at for item in ready):
        raise Refused("not_due", "This step is not due yet.")
    found: list[Event] = []
    for item in ready:
        found.extend(_taken(state, item, ctx, found))
    return tuple(found)


def _supervised(state: Matter, item: Item, ctx: Context, before: Sequence[Event]) -> Event:
    """督办 has a number within its matter, and for a leg the rulebook's due moment where it names one."""
    now = [event for event in before if isinstance(event, ev.SupervisedByClock)]
    number = 1 + len(now) + sum("/supervise" in one for one in state.done)
    leg, running = state.leg(item.owner), state.clock(item.owner, "supervise")
    going = (running is not None and running.stopped is None) or any(one.owner == item.owner for one in now)
    of = state.orders[leg.order].full_kind if leg is not None and not going else None
    return ev.SupervisedByClock(
        item=item.id, owner=item.owner, stage=item.stage, due=item.due, body=_owes(state, item) or "",
        level=item.level or "", number=f"{state.number}-DB{number}",
        clocks=started(ctx, ("supervise", of)) if of else (),
    )  # fmt: skip


def _taken(state: Matter, item: Item, ctx: Context, before: Sequence[Event]) -> tuple[Event, ...]:
    given: dict[str, Any] = {"item": item.id, "owner": item.owner, "stage": item.stage, "due": item.due}
    body = _owes(state, item)
    match item.do:
        case "remind" | "notify":
            return (mev.Reminded(body=body, **given),)
        case "miss":
            return (mev.DueMissed(body=body, **given),)
        case "urge":
            return (ev.UrgedByClock(body=body or "", **given),)
        case "supervise":
            return (_supervised(state, item, ctx, before),)
        case "escalate":
            return (mev.BreachEscalated(level=item.level or "", **given),)
        case "lapse":
            return (ev.AuthorityLapsed(**given),)
        case "skip_callback":
            return not_called(state, ctx)
        case "erase":
            return keeping.term_ended(state, item.id, ctx, before)


_ISSUER_OWES = frozenset({"accept_result", "decide_extension"})
_CENTRE_OWES = frozenset({"decide_return", "adjudicate"})


def _owes(state: Matter, item: Item) -> str | None:
    """The body that owes the act: the leg's, or its issuer's, or the office that carries the matter."""
    leg = state.leg(item.owner)
    if leg is None:
        order = state.orders.get(item.owner)
        return order.issuer if order is not None else state.subdistrict or state.host
    if item.stage in _ISSUER_OWES:
        return state.orders[leg.order].issuer
    return None if item.stage in _CENTRE_OWES else leg.body


def reset(state: Matter, command: do.ResetClocks, ctx: Context) -> tuple[Event, ...]:
    """A notice was entered: provisional due moments later than it are computed again, and only those (law 7)."""
    if ctx.actor.person != CLOCK_PERSON:
        raise Refused("not_the_clock", "The notice itself sets clocks again; enter it.")
    found: list[Event] = []
    for clock in state.clocks.values():
        law = ctx.law(clock.rulebook)
        rule = law.book.clock(clock.stage, clock.of)
        if (
            not clock.provisional
            or clock.stopped is not None
            or rule is None
            or clock.due <= ctx.when.recorded_at
        ):
            continue
        due = law.calendar.due(clock.since, rule.length, clock.paused)
        if due.at != clock.due or due.provisional != clock.provisional:
            reset_to = max(due.at, ctx.when.recorded_at)
            found.append(
                mev.ClockReset(
                    owner=clock.owner, stage=clock.stage, due=reset_to, provisional=due.provisional
                )
            )
    return tuple(found)
