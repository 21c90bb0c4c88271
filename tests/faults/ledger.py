"""The ledger: what the store alone says after a fault run, held against what the driver was answered.

Every function asserts one thing about the whole store; together they are laws 1 to 3 and 6 after a disaster.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from domain.event import Recorded, decode
from domain.matter import Clock, Matter, agenda, replay
from domain.matter import events as ev
from domain.matter import order_events as oev
from domain.matter.evolve import FOLDS
from domain.matter.words import ENDED_MATTER
from tests.faults.driver import CLIENT
from workflows.advance import CLIENT as CLOCK
from workflows.handle import Handle
from workflows.ports import EventStore
from workflows.submission import answer_from

PAGE = 1000
ONCE_PER_CASE = (
    ev.MatterRegistered,
    ev.MatterAccepted,
    ev.MatterTriaged,
    ev.HandlingStarted,
    ev.MatterClosed,
)
ONCE_PER_ORDER = (oev.OrderDrafted, oev.OrderAuthorised, oev.OrderIssued, oev.OrderSettled)
ONCE_PER_LEG = (
    oev.LegAcknowledged, oev.LegContacted, oev.LegCheckedIn, oev.WorkNoted, oev.LegReported, oev.ResultAccepted,
    oev.LegExcused,
)  # fmt: skip
"""What a life of the fault runs does once: nothing in it is sent back, rejected or reopened."""


@dataclass(slots=True)
class Ledger:
    """The whole store: histories by case, events by the command that made them, and the commands in store order."""

    histories: dict[str, list[Recorded[Any]]] = field(default_factory=lambda: defaultdict(list))
    commands: dict[str, list[Recorded[Any]]] = field(default_factory=lambda: defaultdict(list))
    order: list[str] = field(default_factory=list)
    states: dict[str, Matter] = field(default_factory=dict)

    def of_client(self, client: str) -> dict[str, list[Recorded[Any]]]:
        """The events of a client's commands, by command."""
        return {name: rows for name, rows in self.commands.items() if name.startswith(f"{client}:")}

    def due_items(self) -> Iterator[tuple[str, ev.DueItem, Recorded[Any]]]:
        """Every step that the clock took, with its case."""
        for case, history in self.histories.items():
            yield from ((case, one.pub, one) for one in history if isinstance(one.pub, ev.DueItem))


def read(store: EventStore) -> Ledger:
    """Read the whole store once."""
    ledger = Ledger()
    for row in rows_of(store):
        recorded = decode(row.type, row.body)
        ledger.commands[recorded.command].append(recorded)
        ledger.order.append(recorded.command)
        if type(recorded.pub) in FOLDS:
            assert row.version == len(ledger.histories[row.stream]) + 1, "a stream has a gap"
            ledger.histories[row.stream].append(recorded)
    ledger.states = {case: folded(history) for case, history in ledger.histories.items()}
    return ledger


def folded(history: list[Recorded[Any]]) -> Matter:
    """The state at the end of a history."""
    state = replay(history)
    assert state is not None, "a history has at least one event"
    return state


def rows_of(store: EventStore) -> Iterator[Any]:
    """Every stored event, in store order."""
    position = 0
    while batch := store.read(position, PAGE):
        position = batch[-1].position
        yield from batch


def running(store: EventStore) -> int:
    """How many lives have begun and not ended."""
    types = Counter(row.type for row in rows_of(store))
    return types[ev.MatterRegistered.TYPE] - types[ev.MatterClosed.TYPE] - types[ev.MatterDiverted.TYPE]


def answers_in(folder: Path) -> list[dict[str, Any]]:
    """All that any driver was ever answered."""
    files = sorted(folder.glob("answers-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


# -- what must hold -------------------------------------------------------------------------------------------------


def every_life_has_closed(ledger: Ledger, lives: int) -> None:
    """So many lives began, and each has come to its end; one more was diverted."""
    assert Counter(state.status for state in ledger.states.values()) == {"closed": lives, "refused": 1}
    assert [state.diverted_to for state in ledger.states.values() if state.confidential] == ["discipline"]


def no_act_stands_twice(ledger: Ledger) -> None:
    """Neither the same fact about a case, an order or a leg, nor the same step of the clock."""
    facts: Counter[tuple[str, ...]] = Counter()
    for case, history in ledger.histories.items():
        facts.update(fact for one in history for fact in _facts(case, one))
    assert [fact for fact, count in facts.items() if count > 1] == []


def _facts(case: str, recorded: Recorded[Any]) -> Iterator[tuple[str, ...]]:
    match recorded.pub:
        case ev.DueItem() as step:
            yield case, "step", step.item
        case oev.LegRated() as rating:
            yield case, recorded.type, rating.leg, rating.rater
        case pub if isinstance(pub, ONCE_PER_CASE):
            yield case, recorded.type
        case pub if isinstance(pub, ONCE_PER_ORDER):
            yield case, recorded.type, pub.order
        case pub if isinstance(pub, ONCE_PER_LEG):
            yield case, recorded.type, pub.leg


def every_command_is_whole(ledger: Ledger, store: EventStore, answers: Iterable[dict[str, Any]]) -> None:
    """A command's events stand side by side and were recorded in one moment; and they are those of its answer."""
    runs = Counter(name for name, _ in groupby(ledger.order))
    assert [name for name, count in runs.items() if count > 1] == []
    for name, rows in ledger.commands.items():
        assert len({row.recorded_at for row in rows}) == 1, name
    for name, key in {row["command"]: row["key"] for row in answers}.items():
        answered = store.answered(CLIENT, key)
        assert answered is not None, f"{name} was answered, and the store does not know it"
        stored = tuple(row.type for row in ledger.commands[name])
        assert stored == (answer_from(answered.answer).events or ("command_refused.v1",)), name


def recorded_in_order(ledger: Ledger) -> None:
    """No case goes back in time."""
    for case, history in ledger.histories.items():
        assert all(a.recorded_at <= b.recorded_at for a, b in pairwise(history)), case


def answers_are_kept(ledger: Ledger, answers: Iterable[dict[str, Any]]) -> None:
    """What was answered stands there, once; a repeat got the first answer; and nothing stands there unanswered."""
    first: dict[str, tuple[Any, ...]] = {}
    for row in answers:
        said = (row["outcome"], row["case"], row["version"], tuple(row["events"]), row["code"])
        assert first.setdefault(row["command"], said) == said, f"{row['command']} was answered in two ways"
    stored = {name: tuple(one.type for one in rows) for name, rows in ledger.of_client(CLIENT).items()}
    assert {name: said[3] for name, said in first.items() if said[0] == "accepted"} == stored


def due_moments_fired_once(ledger: Ledger) -> int:
    """Every due moment that passed before the act has exactly one record, of that moment; none other has one.

    Returns how many there were.
    """
    derived = {
        (case, *fact)
        for case, state in ledger.states.items()
        for clock in _clocks(state)
        for fact in _missed(clock)
    }
    stored = [
        (case, step.owner, step.stage, step.due, step.item)
        for case, step, _ in ledger.due_items() if isinstance(step, ev.DueMissed)
    ]  # fmt: skip
    assert len(stored) == len(set(stored))
    assert set(stored) == derived, "recorded lateness is not the lateness that the clocks derive"
    return len(derived)


def _clocks(state: Matter) -> Iterator[Clock]:
    yield from state.past_clocks
    yield from state.clocks.values()


def _missed(clock: Clock) -> Iterator[tuple[Any, ...]]:
    assert clock.stopped is not None, "a closed case has a clock that runs"
    if clock.late(clock.stopped):
        item = f"{clock.key}/{int(clock.due.timestamp() * 1000)}/miss"
        yield clock.owner, clock.stage, clock.due, item


def steps_were_due(ledger: Ledger) -> None:
    """The clock took no step of a moment before that moment, but for reminders, and none after the case was closed
    that tells anybody to act."""
    for case, step, recorded in ledger.due_items():
        if isinstance(step, ev.Reminded):
            assert recorded.recorded_at < step.due + timedelta(minutes=5), case
        else:
            assert recorded.recorded_at >= step.due, case


def nothing_is_left(ledger: Ledger, handle: Handle) -> None:
    """No agenda holds anything any more."""
    law = handle.standing.caught_up().laws.__getitem__
    assert {case: agenda(state, law) for case, state in ledger.states.items() if agenda(state, law)} == {}


def at_rest(store: EventStore, handle: Handle) -> bool:
    """Whether every case has ended and no step is left to take."""
    law, states = handle.standing.caught_up().laws.__getitem__, read(store).states.values()
    return all(state.status in ENDED_MATTER and not agenda(state, law) for state in states)


def lags(ledger: Ledger) -> list[float]:
    """Seconds from each missed due moment to its record."""
    found = [(one.recorded_at - step.due).total_seconds() for _, step, one in ledger.due_items()
             if isinstance(step, ev.DueMissed)]  # fmt: skip
    return sorted(found)


def clock_commands(ledger: Ledger) -> int:
    """How many commands the clock gave."""
    return len(ledger.of_client(CLOCK))


def check(store: EventStore, handle: Handle, folder: Path, lives: int) -> Ledger:
    """All of it."""
    ledger, answers = read(store), answers_in(folder)
    every_life_has_closed(ledger, lives)
    no_act_stands_twice(ledger)
    every_command_is_whole(ledger, store, answers)
    recorded_in_order(ledger)
    answers_are_kept(ledger, answers)
    assert due_moments_fired_once(ledger) > 0, "no due moment fired in the whole run"
    steps_were_due(ledger)
    nothing_is_left(ledger, handle)
    return ledger
