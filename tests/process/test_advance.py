"""Advance: due steps taken in one idempotent command, the whole snapshot given back."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.numbers import fresh_number
from domain.acting import CLOCK
from domain.matter import agenda
from domain.matter.commands import AcceptMatter, RegisterMatter
from domain.refusal import Unavailable
from tests.process.test_telling import Watch
from tests.process.world import DISTRICT, THREE, World, copied, world_in
from workflows.advance import ASK_AGAIN, advance, due_steps, snapshot
from workflows.handle import Handle
from workflows.messages import Look
from workflows.submission import Answer, Submission


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def world(demo_folder: Path, tmp_path: Path, watch: Watch) -> Iterator[World]:
    """A store alone, with a clock that is turned by hand; there is no Temporal."""
    with world_in(copied(demo_folder, tmp_path / "data"), "127.0.0.1:1", clock=watch) as made:
        yield made


class Hurried(Handle):
    """A handle before which something else happens, the first time the clock comes."""

    def __init__(self, world: World, first: Callable[[Submission], Answer | None]) -> None:
        inner = world.engine.handle
        super().__init__(inner.store, inner.vault, inner.keys, inner.clock, inner.code)
        self.first: Callable[[Submission], Answer | None] | None = first

    def __call__(self, submission: Submission) -> Answer:
        first, self.first = self.first, None
        given = first(submission) if first is not None else None
        return given or super().__call__(submission)


def registered(world: World) -> str:
    return world.desk.registers(world.desk.resident())


def items_taken(world: World, case: str) -> list[str]:
    return [event.pub.item for event in world.history(case) if hasattr(event.pub, "item")]


def test_nothing_is_taken_before_its_moment(world: World) -> None:
    case = registered(world)

    seen = advance(world.engine.handle, Look(case, "", 1))

    assert seen == snapshot(world.engine.handle, case)
    assert seen.due is not None
    assert seen.due > world.engine.handle.clock()
    assert items_taken(world, case) == []


def test_all_that_is_due_is_taken_at_once_and_the_next_moment_lies_ahead(world: World, watch: Watch) -> None:
    case = registered(world)
    watch.turn(4)

    seen = advance(world.engine.handle, Look(case, "", 1))

    clock_events = [event for event in world.history(case) if event.person == CLOCK.person]
    assert [event.type for event in clock_events] == ["reminded.v1", "due_missed.v1", "urged_by_clock.v1"]
    assert len({event.command for event in clock_events}) == 1
    assert (seen.version, seen.due) == (4, None)


def test_advancing_again_takes_nothing_twice(world: World, watch: Watch) -> None:
    case = registered(world)
    watch.turn(4)

    first = advance(world.engine.handle, Look(case, "", 1))
    again = advance(world.engine.handle, Look(case, "", 1))

    assert again == first
    assert len(items_taken(world, case)) == 3


def test_a_case_that_moved_on_meanwhile_is_looked_at_again(world: World, watch: Watch) -> None:
    case = registered(world)
    watch.turn(2.5)  # the reminder is due
    intake = DISTRICT.actor(DISTRICT.communities[0], "intake_officer")

    def accepted_first(_: Submission) -> None:
        world.desk.must(case, intake, AcceptMatter())

    seen = advance(Hurried(world, accepted_first), Look(case, "", 1))

    assert items_taken(world, case) == []  # nobody is reminded of what has just been done
    assert seen == snapshot(world.engine.handle, case)
    assert seen.phase == "accepted"


def test_a_refusal_that_time_may_mend_is_asked_again_in_a_minute(world: World, watch: Watch) -> None:
    case = registered(world)
    watch.turn(4)

    def refused(submission: Submission) -> Answer:
        return Answer("refused", submission.case, code="no_rulebook_in_force", advice="Release one.")

    seen = advance(Hurried(world, refused), Look(case, "", 1))

    assert seen.due is not None
    assert ASK_AGAIN - timedelta(seconds=5) < seen.due - world.engine.handle.clock() <= ASK_AGAIN
    assert items_taken(world, case) == []


def test_an_earlier_refusal_of_the_same_command_does_not_bind_the_clock(world: World, watch: Watch) -> None:
    case = registered(world)
    laws = world.engine.handle.standing.caught_up().laws
    state = world.engine.handle.load(case)
    assert state is not None
    items = tuple(item.id for item in agenda(state, laws.__getitem__))
    assert world.engine.handle(due_steps(case, 1, items)).code == "not_due"
    watch.turn(4)

    advance(world.engine.handle, Look(case, "", 1))

    assert len(items_taken(world, case)) == 3


def test_a_summons_takes_its_own_steps_and_its_matter_the_others(world: World, watch: Watch) -> None:
    case = registered(world)
    world.desk.accepted_and_triaged(case)
    legs = world.desk.whistles(case, THREE)
    watch.turn(4)

    advance(world.engine.handle, Look(case, legs["dept-fire"], 0))
    owners = {event.pub.owner for event in world.history(case) if hasattr(event.pub, "item")}
    assert owners == {legs["dept-fire"]}

    seen = advance(world.engine.handle, Look(case, "", 0))
    owners = {event.pub.owner for event in world.history(case) if hasattr(event.pub, "item")}
    assert owners == {legs["dept-fire"]}
    assert {leg.owner for leg in seen.legs} == set(legs.values())


def test_a_case_that_this_store_does_not_hold_is_over(world: World) -> None:
    seen = advance(world.engine.handle, Look(world.desk.id(), "", 7))

    assert seen.closed


def test_a_confidential_case_shows_neither_number_nor_place(world: World) -> None:
    desk, case = world.desk, world.desk.id()
    now = world.engine.handle.clock()
    resident = desk.resident()
    command = RegisterMatter(
        number=fresh_number(DISTRICT.code, now.date()), source="petition", seen_at=now, accusation=True,
        requesters=(resident.person,),
    )  # fmt: skip
    desk.must(case, resident, command, None, text="检举", name="甲", contact="1")

    seen = snapshot(world.engine.handle, case)

    assert (seen.number, seen.place, seen.body) == ("", "", "")
    assert not seen.closed


def test_a_store_out_of_reach_is_not_mistaken_for_a_case_that_is_over(world: World, watch: Watch) -> None:
    case = registered(world)
    watch.turn(4)

    def unavailable(_: Submission) -> Answer:
        raise Unavailable("gone")

    with pytest.raises(Unavailable):
        advance(Hurried(world, unavailable), Look(case, "", 1))

    assert items_taken(world, case) == []
