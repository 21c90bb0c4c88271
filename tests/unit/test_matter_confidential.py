"""Need to know (law 10): an accusation exists for discipline inspection and for whoever made it, and for nobody else."""

from __future__ import annotations

import pytest

from domain.acting import Actor
from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter import order_commands as odo
from tests.unit.matter_lives import (
    ASKER,
    CENTRE,
    DISCIPLINE,
    INTAKE,
    KINDS,
    LEADER,
    LEGS,
    MASTER,
    SD_OFFICER,
    SUPERVISOR,
    TO_CALLED_BACK,
    TO_HANDLING,
    TO_TRIAGED,
    accepted,
    accusation,
    blown,
    drafting,
    registered,
    registration,
)
from tests.unit.matter_world import World, officer, resident, uid

CHILD = uid(3)
ORDINARY = (INTAKE, SD_OFFICER, LEADER, SUPERVISOR, CENTRE, officer("board", "board_member"), resident(9))
ACTS = (
    do.AcceptMatter(),
    do.AddSupplement(what="urging", source="phone"),
    do.CloseMatter(),
    do.MergeMatter(master=MASTER, reason="same"),
    drafting(KINDS["whistle.service"]),
    odo.AcknowledgeLeg(leg=LEGS[0]),
)


def accused() -> World:
    world = World()
    world.do(ASKER, accusation())
    return world


def diverted() -> World:
    world = World().given(*TO_TRIAGED, blown(KINDS["whistle.service"]))
    world.do(INTAKE, do.DivertMatter(to="jw"))
    return world


@pytest.mark.parametrize("command", ACTS, ids=lambda command: command.NAME)
@pytest.mark.parametrize("actor", ORDINARY, ids=lambda actor: f"{actor.body}-{actor.post}")
@pytest.mark.parametrize("world", [accused(), diverted()], ids=["accused", "diverted"])
def test_it_looks_to_everybody_else_like_a_case_that_does_not_exist(
    world: World, actor: Actor, command: do.Command
) -> None:
    nothing = World()
    nothing.when(actor, command).refused("not_found")

    world.when(actor, command).refused("not_found")
    with pytest.raises(type(nothing.when(actor, command).refusal)) as refusal:  # type: ignore[arg-type]
        world.decide(actor, command)
    assert str(refusal.value) == str(nothing.when(actor, command).refusal)


def test_an_accusation_states_neither_kind_nor_place_nor_whom_it_accuses() -> None:
    event = accused().story[0].pub

    assert (event.kind, event.code, event.demand, event.grid, event.subject) == (None,) * 5
    assert (event.communities, event.host, event.subdistrict) == ((), None, None)
    assert event.confidential


def test_the_clock_of_an_accusation_says_nothing_of_its_kind() -> None:
    assert [clock.of for clock in accused().state.clocks.values()] == ["*"]


def test_whoever_made_an_accusation_may_say_more() -> None:
    accused().when(ASKER, do.AddSupplement(what="supplement", source="resident_app")).then(
        ev.MatterSupplemented
    )


def test_whoever_asked_may_say_more_after_the_diversion_and_do_nothing_else() -> None:
    diverted().when(ASKER, do.AddSupplement(what="supplement", source="resident_app")).then(
        ev.MatterSupplemented
    )
    for command in (do.RequestWithdrawal(requester=ASKER.person), do.ReopenMatter(ground="not_solved")):
        diverted().when(ASKER, command).refused("wrong_state")


@pytest.mark.parametrize("world", [accused(), diverted()], ids=["accused", "diverted"])
def test_its_id_used_again_is_told_to_be_taken_only_to_those_whom_it_exists_for(world: World) -> None:
    again = registration(number="450305-20260302-ABCDEFX")

    world.when(officer("com-01", "intake_officer"), again).refused("not_found")
    world.when(resident(1), again).refused("exists_already")


@pytest.mark.parametrize("world", [accused(), diverted()], ids=["accused", "diverted"])
def test_a_bad_registration_is_refused_alike_whether_or_not_its_id_is_that_of_a_hidden_case(
    world: World,
) -> None:
    wrong = registration(number="450305-20260302-ABCDEFX", host=None)

    world.when(INTAKE, wrong).refused("host_missing")
    World().when(INTAKE, wrong).refused("host_missing")


def test_a_child_is_split_off_under_the_id_of_a_hidden_case_as_little() -> None:
    world = World()
    world.case = CHILD
    world.do(resident(2), accusation(2))
    world.case = "00000000-0000-0000-0000-000000000001"
    world.given(*TO_TRIAGED)

    world.when(INTAKE, do.SplitMatter(child=CHILD, number="450305-20260302-ABCDEFX")).refused("not_found")


def test_discipline_inspection_takes_an_accusation_up() -> None:
    accused().when(DISCIPLINE, do.AcceptMatter()).then(ev.MatterAccepted, status="accepted")


def test_nobody_is_summoned_in_a_confidential_matter() -> None:
    world = accused()
    world.do(DISCIPLINE, do.AcceptMatter())
    world.do(DISCIPLINE, do.TriageMatter(scale="hard", tier="district"))
    chief = world.also(DISCIPLINE, "jw", "dispatcher")

    world.when(chief, drafting(KINDS["dispatch"])).refused("not_an_issuer")


@pytest.mark.parametrize(
    "steps", [(registered,), (registered, accepted), TO_TRIAGED, TO_HANDLING, TO_CALLED_BACK], ids=len
)
def test_what_is_recognised_as_an_accusation_later_is_handed_over_from_wherever_it_stands(
    steps: tuple[object, ...],
) -> None:
    world = World().given(*steps)  # type: ignore[arg-type]

    world.when(INTAKE, do.DivertMatter(to="jw")).then(ev.MatterDiverted, status="refused")
    assert world.state.confidential


def test_diverting_lets_the_summoned_bodies_go_and_stops_every_clock() -> None:
    world = diverted()

    assert not any(leg.live for leg in world.state.legs())
    assert all(clock.stopped for clock in world.state.clocks.values())


def test_an_accusation_is_handed_to_discipline_inspection_and_nobody_else() -> None:
    World().given(*TO_TRIAGED).when(INTAKE, do.DivertMatter(to="dept-a")).refused("wrong_body")


def test_nothing_is_merged_into_an_accusation() -> None:
    world = World()
    world.case = MASTER
    world.do(resident(2), accusation(2))
    world.case = "00000000-0000-0000-0000-000000000001"
    world.given(*TO_TRIAGED)

    world.when(INTAKE, do.MergeMatter(master=MASTER, reason="same")).refused("not_found")


def test_the_clock_still_runs_for_what_is_confidential() -> None:
    world = accused().later(4)

    assert "due_missed.v1" in world.tick()
    assert not any(getattr(recorded.pub, "body", None) for recorded in world.story)
