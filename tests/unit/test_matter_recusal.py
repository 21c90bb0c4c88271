"""Recusal (G4): whoever is recused does nothing more in the case, in whatever post, and nothing undoes it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from adapters.rulebooks import template
from domain.acting import CLOCK, Actor
from domain.matter import commands as do
from domain.matter import events as ev
from domain.rulebook import parse
from tests.unit.law_leaves import found_in, leaves, soon
from tests.unit.matter_lives import (
    ARCHIVIST,
    ASKER,
    CALLER,
    CENTRE,
    CENTRE_SUPERVISOR,
    HANDLER,
    INTAKE,
    LEADER,
    MASTER,
    SD_OFFICER,
    TO_CLOSED,
    TO_COMPLETED,
    TO_HANDLING,
    TO_TRIAGED,
    registered,
    with_master,
)
from tests.unit.matter_world import World, officer, uid
from tests.unit.test_law_again import forged
from tests.unit.test_matter_families import CHILD
from tests.unit.test_matter_lifecycle import ACTS, REACH, TABLE, reached


def recusal(of: Actor, ground: str = "kin") -> do.DeclareRecusal:
    return do.DeclareRecusal(person=of.person, ground=ground)  # type: ignore[arg-type]


def recused(world: World, who: Actor) -> World:
    world.do(CENTRE_SUPERVISOR, recusal(who))
    return world


# -- who may say so


def test_an_officer_recuses_themselves_in_any_post_of_a_body_that_takes_part() -> None:
    world = World().given(*TO_HANDLING)

    world.when(SD_OFFICER, recusal(SD_OFFICER, "interest")).then(ev.PersonRecused, status="in_handling")

    assert world.state.recused == {SD_OFFICER.person: "interest"}


@pytest.mark.parametrize(
    "who", [CENTRE, CENTRE_SUPERVISOR, officer("panel", "adjudicator"), ARCHIVIST], ids=str
)
def test_whoever_calls_back_supervises_rules_or_archives_recuses_themselves_too(who: Actor) -> None:
    World().given(*TO_HANDLING).when(who, recusal(who)).then(ev.PersonRecused)


def test_an_officer_of_a_body_without_part_has_nothing_to_be_recused_from() -> None:
    stranger = officer("sd-02", "officer")

    World().given(*TO_HANDLING).when(stranger, recusal(stranger)).refused("not_your_body")


def test_another_is_recused_by_a_post_that_the_rulebook_names() -> None:
    world = World().given(*TO_HANDLING)

    world.when(SD_OFFICER, recusal(HANDLER)).refused("not_your_post")
    world.when(CENTRE_SUPERVISOR, recusal(HANDLER, "prior_part")).then(ev.PersonRecused)
    world.when(LEADER, recusal(SD_OFFICER, "other")).then(ev.PersonRecused)


def test_a_recusal_cites_its_ground_and_one_of_the_four() -> None:
    world = World().given(*TO_HANDLING)

    world.when(SD_OFFICER, recusal(SD_OFFICER), authority=None).refused("authority_missing")
    with pytest.raises(ValidationError):
        recusal(SD_OFFICER, "tired")


@pytest.mark.parametrize("who", [ASKER, CLOCK], ids=["requester", "clock"])
def test_neither_a_requester_nor_the_clock_recuses_anybody(who: Actor) -> None:
    World().given(*TO_HANDLING).when(who, recusal(SD_OFFICER)).refused("not_an_officer")


def test_a_requester_is_not_recused() -> None:
    World().given(*TO_HANDLING).when(CENTRE_SUPERVISOR, recusal(ASKER)).refused("is_requester")


def test_nobody_is_recused_who_holds_no_post() -> None:
    nobody = Actor(person=uid(777), body="com-01", post="officer")

    World().given(*TO_HANDLING).when(CENTRE_SUPERVISOR, recusal(nobody)).refused("unknown_person")


def test_the_unit_complained_about_does_not_choose_who_looks_into_it() -> None:
    world = World().given(*TO_HANDLING)
    world.state.subject = "sd-01"

    world.when(LEADER, recusal(HANDLER)).refused("not_your_body")


def test_a_person_is_recused_once() -> None:
    world = recused(World().given(*TO_HANDLING), HANDLER)

    world.when(LEADER, recusal(HANDLER)).refused("already_recused")


@pytest.mark.parametrize("state", ["archived", "merged"])
def test_of_what_is_archived_or_merged_nobody_is_recused_any_more(state: str) -> None:
    World().given(with_master, *REACH[state]).when(SD_OFFICER, recusal(SD_OFFICER)).refused("wrong_state")


# -- what it does

OFFICERS = [
    (state, act)
    for state in REACH
    for act in TABLE
    if state in TABLE[act]
    and state not in ("archived", "merged")
    and act
    not in (
        "add_supplement",
        "join_requester",
        "request_withdrawal",
        "declare_recusal",
        "state_notice_wish",
        "lift_lock",  # nobody is recused in a locked case any more: its ground could not be sealed
    )
    and (state, act) != ("closed", "reopen_matter")
]


@pytest.mark.parametrize(("state", "act"), OFFICERS)
def test_a_recused_person_does_no_act_that_was_open_to_them(state: str, act: str) -> None:
    world = reached(state, act)
    who, command = ACTS[act](world)
    leader = CENTRE_SUPERVISOR if who.person != CENTRE_SUPERVISOR.person else LEADER
    world.do(leader, recusal(who))

    world.when(who, command).refused("recused")


def test_who_was_recused_before_a_case_was_locked_does_not_lift_the_lock() -> None:
    world = recused(World().given(*TO_CLOSED), ARCHIVIST)
    colleague = world.also(Actor(person=uid(0xA2), body="resident"), ARCHIVIST.body, ARCHIVIST.post or "")
    world.do(colleague, do.EraseData(ground="consent_withdrawn"))

    world.when(ARCHIVIST, do.LiftLock(ground="request_withdrawn")).refused("recused")
    world.when(colleague, do.LiftLock(ground="request_withdrawn")).allowed()


def test_another_post_does_not_bring_a_recused_person_back() -> None:
    world = World().given(*TO_COMPLETED)
    world.do(INTAKE, recusal(INTAKE))
    caller = world.also(INTAKE, "centre", "callback_officer")
    call = do.RecordCallback(requester=ASKER.person, solved=True, satisfaction="satisfied")

    world.when(caller, call).refused("recused")
    world.when(CALLER, call).allowed()


def test_nothing_undoes_it_not_even_a_reopening() -> None:
    world = recused(World().given(*TO_CLOSED), SD_OFFICER)
    world.do(ASKER, do.ReopenMatter(ground="not_solved"))

    world.when(SD_OFFICER, do.SubmitResult(disposition="solved", evidence=1)).refused("recused")
    world.when(SD_OFFICER, recusal(HANDLER)).refused("recused")


def test_a_requester_and_the_clock_go_on() -> None:
    world = recused(World().given(*TO_HANDLING), SD_OFFICER)

    world.when(ASKER, do.AddSupplement(what="urging", source="phone")).allowed()
    assert world.later(3600).tick()


def test_recusal_in_the_master_stops_a_merge_into_it() -> None:
    world = World().given(with_master, *TO_TRIAGED)
    case, world.case = world.case, MASTER
    recused(world, INTAKE)
    world.case = case

    world.when(INTAKE, do.MergeMatter(master=MASTER, reason="same_lamp")).refused("recused")


# -- it goes along


def split_off(world: World) -> None:
    world.do(INTAKE, do.SplitMatter(child=CHILD, number="450305-20260302-0000003"))


def merged(world: World, by: Actor = INTAKE) -> None:
    world.do(by, do.MergeMatter(master=MASTER, reason="same_lamp"))


def test_who_is_recused_is_recused_in_the_part_that_is_split_off() -> None:
    world = recused(World().given(*TO_HANDLING), HANDLER).given(split_off)

    assert world.states[CHILD].recused == {HANDLER.person: "kin"}
    world.case = CHILD
    world.when(HANDLER, do.AcceptMatter()).refused("recused")
    world.when(INTAKE, do.AcceptMatter()).allowed()


def test_who_is_recused_after_a_split_is_recused_in_the_parts_too() -> None:
    world = World().given(*TO_HANDLING, split_off)

    decision = world.decide(CENTRE_SUPERVISOR, recusal(HANDLER, "interest"))

    assert decision.elsewhere == ((CHILD, ev.PersonRecused(person=HANDLER.person, ground="interest")),)


def test_a_part_in_which_the_person_is_recused_already_hears_nothing() -> None:
    world = World().given(*TO_HANDLING, split_off)
    parent, world.case = world.case, CHILD
    recused(world, HANDLER)
    world.case = parent

    assert world.decide(CENTRE_SUPERVISOR, recusal(HANDLER)).elsewhere == ()


def test_recusal_in_a_part_stays_in_the_part() -> None:
    world = World().given(*TO_HANDLING, split_off)
    parent, world.case = world.case, CHILD
    recused(world, HANDLER)

    assert world.states[parent].recused == {}


def test_who_is_recused_is_recused_in_the_master_after_a_merge() -> None:
    world = recused(World().given(with_master, *TO_HANDLING), HANDLER).given(merged)

    assert world.states[MASTER].recused == {HANDLER.person: "kin"}
    world.case = MASTER
    world.when(HANDLER, do.AddSupplement(what="urging", source="phone")).refused("recused")


def test_a_merge_says_nothing_twice_that_the_master_knows() -> None:
    world = recused(World().given(with_master, *TO_TRIAGED), HANDLER)
    mine, world.case = world.case, MASTER
    recused(world, HANDLER)
    world.case = mine

    decision = world.decide(INTAKE, do.MergeMatter(master=MASTER, reason="same_lamp"))
    assert [event.TYPE for _, event in decision.elsewhere] == ["matter_absorbed.v1"]


def test_a_merge_that_is_reversed_leaves_the_recusal_in_the_master() -> None:
    world = recused(World().given(with_master, *TO_HANDLING), HANDLER).given(merged)
    world.do(INTAKE, do.ReverseMerge(master=MASTER))

    assert HANDLER.person in world.states[MASTER].recused
    assert HANDLER.person in world.state.recused


def test_whoever_takes_no_part_in_a_merge_by_recusal_cannot_make_it_either() -> None:
    world = recused(World().given(with_master, *TO_HANDLING), SD_OFFICER)

    world.when(SD_OFFICER, do.MergeMatter(master=MASTER, reason="same_lamp")).refused("recused")


def test_a_part_that_is_over_hears_nothing_more() -> None:
    world = World().given(*TO_HANDLING, split_off)
    world.states[CHILD].status = "archived"

    assert world.decide(CENTRE_SUPERVISOR, recusal(HANDLER)).elsewhere == ()


def test_what_was_done_before_stands() -> None:
    world = World().given(*TO_COMPLETED)

    world.when(SD_OFFICER, recusal(SD_OFFICER)).then(ev.PersonRecused, status="completed")
    assert world.state.submitter == SD_OFFICER.person


def test_a_rulebook_of_the_time_before_lets_officers_recuse_only_themselves() -> None:
    text = template("demo")
    start = text.index("recuse = [")
    before = text[:start] + text[text.index("# Who keeps the files") :]
    old = parse(before, released=True)
    world = World().given(*TO_HANDLING)
    world.book = world.book._replace(book=old)

    world.when(CENTRE_SUPERVISOR, recusal(HANDLER)).refused("not_your_post")
    world.when(HANDLER, recusal(HANDLER)).then(ev.PersonRecused)


# -- the verifier


def test_the_verifier_passes_a_recusal_and_what_others_do_after_it() -> None:
    world = recused(World().given(*TO_COMPLETED), HANDLER)
    world.do(SD_OFFICER, recusal(SD_OFFICER))
    world.do(CALLER, do.RecordCallback(requester=ASKER.person, solved=True, satisfaction="satisfied"))

    assert found_in(leaves(world), soon(world)) == []


def test_the_verifier_passes_a_recusal_that_came_along() -> None:
    split = recused(World().given(*TO_HANDLING), HANDLER).given(split_off)
    split.do(CENTRE_SUPERVISOR, recusal(SD_OFFICER))
    world = recused(World().given(with_master, *TO_HANDLING), HANDLER).given(merged)

    assert found_in(leaves(split), soon(split)) == []
    assert found_in(leaves(world), soon(world)) == []


def test_the_verifier_finds_an_act_in_the_part_by_whom_the_parent_recused() -> None:
    world = recused(World().given(*TO_HANDLING), HANDLER).given(split_off)
    (accepted,) = World().given(registered).decide(INTAKE, do.AcceptMatter()).events
    world.case = CHILD
    forged(world, accepted, HANDLER, "accept_matter")

    assert "recused_person" in [one.code for one in found_in(leaves(world), soon(world))]


def test_the_verifier_finds_a_recusal_by_a_merge_that_nobody_made() -> None:
    world = World().given(*TO_HANDLING)
    forged(world, ev.PersonRecused(person=INTAKE.person, ground="kin"), CENTRE_SUPERVISOR, "merge_matter")

    assert "illegal_transition" in [one.code for one in found_in(leaves(world), soon(world))]


def test_the_verifier_finds_an_act_of_a_recused_person() -> None:
    world = recused(World().given(registered), INTAKE)
    (accepted,) = World().given(registered).decide(INTAKE, do.AcceptMatter()).events
    forged(world, accepted, INTAKE, "accept_matter")

    assert [one.code for one in found_in(leaves(world), soon(world))] == ["recused_person"]
