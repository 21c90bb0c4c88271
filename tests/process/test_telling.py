"""Whom an event concerns: a process told only of what cannot wait never sleeps past a due moment (DESIGN.md §6)."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.demo.desk import Desk
from domain.event import Recorded
from domain.matter.order_commands import RejectLeg
from tests.process.world import DISTRICT, THREE, World, copied, world_in
from workflows.advance import advance
from workflows.agenda_view import Ahead, LawOf, Watched, ahead
from workflows.messages import Look

NEVER = datetime.max.replace(tzinfo=UTC)


class Watch:
    """A clock that stands unless the test turns it."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.at

    def turn(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def still_world(demo_folder: Path, tmp_path: Path, watch: Watch) -> Iterator[World]:
    """A store alone, with a clock that is turned by hand; there is no Temporal."""
    with world_in(copied(demo_folder, tmp_path / "data"), "127.0.0.1:1", clock=watch) as made:
        yield made


def law_of(world: World) -> LawOf:
    return world.engine.handle.standing.caught_up().laws.__getitem__


def busy_life(world: World, watch: Watch, chance: random.Random) -> str:
    """A life with pauses of any length, in which the processes look whenever something is due, or do not."""
    desk = Desk(world.engine.handle, DISTRICT, chance)

    def pause() -> None:
        watch.turn(chance.choice((0, 0.5, 2, 5)))
        if chance.random() < 0.6:
            state = world.engine.handle.load(case)
            for owner in ["", *(leg.id for leg in state.legs())] if state else []:
                if chance.random() < 0.8:
                    advance(world.engine.handle, Look(case, owner, 0))

    resident, case = desk.resident(), ""
    case = desk.registers(resident)
    pause()
    desk.accepted_and_triaged(case)
    pause()
    legs = desk.whistles(case, THREE[: chance.randint(1, 3)])
    for body, leg in legs.items():
        pause()
        desk.arrives(case, body, leg)
        pause()
        desk.reports(case, body, leg)
        pause()
        if chance.random() < 0.5:
            leader = DISTRICT.actor("sd-01", "leadership_member")
            desk.must(case, leader, RejectLeg(leg=leg, reason="not_done"))
            pause()
            desk.reports(case, body, leg)
        desk.releases(case, leg)
    pause()
    desk.submits(case)
    pause()
    desk.calls_back(case, resident.person)
    desk.closes(case)
    pause()
    for owner in ("", *legs.values()):
        advance(world.engine.handle, Look(case, owner, 0))
    return case


def views_of(history: list[Recorded[Any]], law: LawOf) -> list[dict[str, Ahead]]:
    """What each owner has before it, at every version from 1 on."""
    watched, found = Watched(), []
    for event in history:
        watched.catch_up([event], law)
        assert watched.state is not None
        found.append(ahead(watched.state, law))
    return found


def sleeps_past(owner: str, told: frozenset[str], seen: Ahead | None, now: Ahead) -> bool:
    """Whether a process that saw `seen` and was not told now sleeps past what is before it, or past its end."""
    if seen is None or seen.closed:
        return not now.closed and "" not in told  # nobody brings it up
    if owner in told:
        return False
    return now.closed or (seen.due or NEVER) > (now.due or NEVER)


@pytest.mark.parametrize("seed", range(4))
def test_a_process_that_is_not_told_sleeps_past_nothing(still_world: World, watch: Watch, seed: int) -> None:
    case = busy_life(still_world, watch, random.Random(seed))
    history, law = still_world.history(case), law_of(still_world)
    views = views_of(history, law)

    for begin in range(1, len(history)):
        watched = Watched()
        watched.catch_up(history[:begin], law)
        end = min(len(history), begin + 5)
        told = watched.hear(history[begin:end], law)
        for seen in views[begin - 1 : end - 1]:
            for owner, now in views[end - 1].items():
                assert not sleeps_past(owner, told, seen.get(owner), now), (begin, end, owner)


def test_most_acts_concern_no_process(still_world: World, watch: Watch) -> None:
    case = busy_life(still_world, watch, random.Random(7))
    history, law = still_world.history(case), law_of(still_world)
    watched = Watched()

    told = [watched.hear([event], law) for event in history]

    assert sum(map(bool, told)) <= len(told) * 2 / 3
    assert told[0] == {""}


def test_a_report_concerns_its_summons_for_the_blower_has_a_moment_too(still_world: World) -> None:
    world, desk = still_world, still_world.desk
    case = desk.registers(desk.resident())
    desk.accepted_and_triaged(case)
    legs = desk.whistles(case, THREE)
    desk.arrives(case, "dept-fire", legs["dept-fire"])
    watched = Watched()
    watched.catch_up(world.history(case), law_of(world))
    known = watched.version
    desk.reports(case, "dept-fire", legs["dept-fire"])

    assert watched.hear(world.history(case)[known:], law_of(world)) == {legs["dept-fire"]}
