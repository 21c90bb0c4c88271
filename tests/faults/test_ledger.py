"""The ledger can fail: each thing that it asserts of a store is broken here once, and noticed."""

import random
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from adapters.demo import lives
from adapters.demo.desk import Desk
from domain.matter import events as ev
from domain.matter import order_events as oev
from tests.faults import ledger
from tests.faults.driver import CLIENT
from tests.faults.ledger import Ledger
from tests.story import DISTRICT, Played, Story, story
from workflows.submission import Answer, Submission


class Told:
    """`handle` that keeps what it was answered, as the driver's file does."""

    def __init__(self, tale: Story) -> None:
        self.handle = tale.engine.handle
        self.clock, self.load = self.handle.clock, self.handle.load
        self.rows: list[dict[str, Any]] = []

    def __call__(self, submission: Submission) -> Answer:
        answer = self.handle(submission)
        named = {"command": self.handle.command_id(submission), "key": submission.key}
        self.rows.append({**asdict(answer), **named})
        return answer


@dataclass(slots=True)
class Watched(Played):
    """A scene in which the clock takes its steps whenever time has passed."""

    tale: Story = field(kw_only=True)

    def wait(self, seconds: float) -> None:
        """Turn the clock, and let it act."""
        self.tale.clock.turn(seconds)
        for case in self.cases:
            self.tale.steps(case)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Story, Told]]:
    """One life with a late department, closed, with every step of the clock taken."""
    with story(tmp_path_factory.mktemp("ledger") / "data") as tale:
        told, chance = Told(tale), random.Random(3)
        desk = Desk(told, DISTRICT, chance, CLIENT)
        scene = Watched(desk, DISTRICT.communities[0], chance, tale=tale)
        lives.late_whistle(scene)
        tale.steps(scene.cases[0])
        yield tale, told


@pytest.fixture
def read(played: tuple[Story, Told]) -> Ledger:
    """A ledger of one's own, to be broken."""
    return ledger.read(played[0].engine.store)


def refold(read: Ledger) -> None:
    """Fold the broken histories anew."""
    read.states = {case: ledger.folded(history) for case, history in read.histories.items()}


def one(read: Ledger, kind: type) -> tuple[list[Any], int]:
    """The first event of a kind: its history, and where it stands there."""
    (history,) = read.histories.values()
    return history, next(n for n, recorded in enumerate(history) if isinstance(recorded.pub, kind))


def test_a_sound_store_is_found_sound(played: tuple[Story, Told], read: Ledger) -> None:
    tale, told = played

    ledger.no_act_stands_twice(read)
    ledger.every_command_is_whole(read, tale.engine.store, told.rows)
    ledger.recorded_in_order(read)
    ledger.answers_are_kept(read, told.rows)
    ledger.steps_were_due(read)
    ledger.nothing_is_left(read, tale.engine.handle)
    assert ledger.due_moments_fired_once(read) >= 2
    assert [state.status for state in read.states.values()] == ["closed"]


@pytest.mark.parametrize(
    "kind", [oev.LegCheckedIn, ev.DueMissed, oev.UrgedByClock, oev.LegRated, ev.MatterClosed]
)
def test_an_act_that_stands_twice_is_noticed(read: Ledger, kind: type) -> None:
    history, place = one(read, kind)
    history.append(history[place])

    with pytest.raises(AssertionError):
        ledger.no_act_stands_twice(read)


def test_a_missed_moment_without_record_is_noticed(read: Ledger) -> None:
    history, place = one(read, ev.DueMissed)
    del history[place]
    refold(read)

    with pytest.raises(AssertionError, match="recorded lateness"):
        ledger.due_moments_fired_once(read)


def test_a_recorded_miss_that_was_none_is_noticed(read: Ledger) -> None:
    history, place = one(read, ev.DueMissed)
    wrong = history[place].pub.model_copy(update={"due": history[place].pub.due + timedelta(seconds=1)})
    history[place] = history[place].model_copy(update={"pub": wrong})
    refold(read)

    with pytest.raises(AssertionError, match="recorded lateness"):
        ledger.due_moments_fired_once(read)


def test_a_step_before_its_moment_is_noticed(read: Ledger) -> None:
    history, place = one(read, oev.UrgedByClock)
    early = history[place].pub.due - timedelta(milliseconds=1)
    history[place] = history[place].model_copy(update={"recorded_at": early})

    with pytest.raises(AssertionError):
        ledger.steps_were_due(read)


def test_a_case_that_goes_back_in_time_is_noticed(read: Ledger) -> None:
    (history,) = read.histories.values()
    history.reverse()

    with pytest.raises(AssertionError):
        ledger.recorded_in_order(read)


def test_a_step_that_was_not_taken_is_noticed(played: tuple[Story, Told], read: Ledger) -> None:
    history, place = one(read, ev.DueMissed)
    del history[place]
    refold(read)

    with pytest.raises(AssertionError):
        ledger.nothing_is_left(read, played[0].engine.handle)


ANSWERS: dict[str, Callable[[list[dict[str, Any]]], object]] = {
    "an answer whose events are not there": lambda rows: rows[0].update(events=(*rows[0]["events"], "x.v1")),
    "events that nobody was told of": lambda rows: rows.pop(),
    "a repeat with another answer": lambda rows: rows.append({**rows[0], "version": 99}),
    "a command that the store does not know": lambda rows: rows.append({**rows[0], "command": "faults:lost"}),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_answers_that_the_store_does_not_bear_out_are_noticed(
    played: tuple[Story, Told], read: Ledger, what: str
) -> None:
    rows = [dict(row) for row in played[1].rows]
    ANSWERS[what](rows)

    with pytest.raises(AssertionError):
        ledger.answers_are_kept(read, rows)


def test_half_a_command_is_noticed(played: tuple[Story, Told], read: Ledger) -> None:
    tale, told = played
    whole = next(
        rows for rows in read.commands.values() if len(rows) > 1 and rows[0].command.startswith(CLIENT)
    )
    whole.pop()

    with pytest.raises(AssertionError):
        ledger.every_command_is_whole(read, tale.engine.store, told.rows)


def test_a_command_that_stands_in_two_places_is_noticed(played: tuple[Story, Told], read: Ledger) -> None:
    tale, told = played
    read.order.append(read.order[0])

    with pytest.raises(AssertionError):
        ledger.every_command_is_whole(read, tale.engine.store, told.rows)
