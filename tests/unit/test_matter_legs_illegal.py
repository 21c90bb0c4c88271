"""What must not happen to a leg (domain.md D.2, "Illegal"): check-in, return, extension, release, tried wrongly."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.matter import commands as do
from domain.matter import order_commands as odo
from domain.matter import order_events as oev
from domain.matter.order_events import Receiver
from tests.unit.matter_lives import (
    ASKER,
    HOTLINE,
    KINDS,
    LEADER,
    LEGS,
    SD_OFFICER,
    SECRETARY,
    TO_TRIAGED,
    acknowledged,
    authorised,
    blown,
    checked_in,
    disputed,
    drafted,
    hand,
    leg_of,
    reported,
    return_asked,
    returned,
    working,
)
from tests.unit.matter_lives import ORDER as ORDER_ID
from tests.unit.matter_world import World, officer, uid

SERVICE = KINDS["whistle.service"]
EMERGENCY = KINDS["whistle.emergency"]
DISPATCH = KINDS["dispatch"]
LEG = LEGS[0]


def whistled(*bodies: str) -> World:
    return World().given(*TO_TRIAGED, blown(SERVICE, bodies or ("dept-a",)))


def arriving(world: World, **more: Any) -> odo.CheckIn:
    return odo.CheckIn(**{"leg": LEG, "place": "com-01", "proof": "code"} | more)


# -- check-in


def test_nobody_checks_in_before_the_whistle_was_blown() -> None:
    world = World().given(*TO_TRIAGED, drafted(SERVICE), authorised(SERVICE))

    world.when(hand("dept-a", 1), arriving(world)).refused("unknown_leg")


@pytest.mark.parametrize("kind", ["whistle.service", "whistle.emergency"])
def test_nobody_arrived_before_they_were_summoned(kind: str) -> None:
    world = World().given(*TO_TRIAGED, blown(KINDS[kind]), acknowledged)
    early = world.now - timedelta(seconds=1)

    world.when(hand("dept-a", 1), arriving(world, arrived_at=early)).refused("before_its_cause")


def test_nobody_checks_in_for_another_department() -> None:
    world = whistled().given(acknowledged)

    world.when(hand("dept-b", 1), arriving(world)).refused("not_your_body")
    world.when(SD_OFFICER, arriving(world)).refused("not_your_body")
    world.when(ASKER, arriving(world)).refused("not_an_officer")


def test_a_check_in_has_its_proof() -> None:
    world = whistled().given(acknowledged)

    world.when(hand("dept-a", 1), arriving(world), sealed=()).refused("proof_missing")


def test_nobody_checks_in_with_an_arrival_still_to_come() -> None:
    world = whistled().given(acknowledged)
    soon = world.now + timedelta(seconds=1)

    world.when(hand("dept-a", 1), arriving(world, arrived_at=soon)).refused("future")


def test_a_disputed_leg_that_never_checked_in_does_no_work() -> None:
    world = whistled().given(acknowledged, disputed)

    world.when(hand("dept-a", 1), odo.NoteWork(leg=LEG)).refused("wrong_state")


# -- returns


def test_nothing_is_returned_after_check_in() -> None:
    world = whistled().given(acknowledged, checked_in)
    command = odo.RequestReturn(leg=LEG, ground="not_ours", basis="law:1")

    world.when(hand("dept-a", 2), command).refused("wrong_state")


def test_nothing_is_returned_twice_on_one_ground() -> None:
    world = whistled().given(return_asked)
    world.do(HOTLINE, odo.DecideReturn(leg=LEG, granted=False, ground="no_basis"))
    again = odo.RequestReturn(leg=LEG, ground="not_our_duty", basis="law:2")

    world.when(hand("dept-a", 2), again).refused("ground_used")


def test_a_granted_ground_is_not_used_again_when_the_body_is_summoned_anew() -> None:
    world = whistled().given(returned)
    world.given(
        blown(SERVICE, order=uid(200), receivers=(Receiver(leg=uid(201), body="dept-a", role="lead"),))
    )
    again = odo.RequestReturn(leg=uid(201), ground="not_our_duty", basis="law:2")

    world.when(hand("dept-a", 2), again).refused("ground_used")


def test_there_are_no_more_returns_than_the_rulebook_allows() -> None:
    world = whistled().given(return_asked)
    world.do(HOTLINE, odo.DecideReturn(leg=LEG, granted=False, ground="no_basis"))
    another = odo.RequestReturn(leg=LEG, ground="another_ground", basis="law:2")

    world.when(hand("dept-a", 2), another).refused("returns_used_up")


def test_silence_returns_nothing() -> None:
    world = whistled().given(return_asked).later(300)
    world.tick()

    assert leg_of(world)[1].live
    assert world.state.clock(LEG, "check_in").late(world.now)  # type: ignore[union-attr]
    world.when(SD_OFFICER, do.SubmitResult(disposition="solved", evidence=1)).refused("leg_open")


def test_nothing_is_returned_after_the_window() -> None:
    world = whistled().later(7)

    world.when(hand("dept-a", 2), odo.RequestReturn(leg=LEG, ground="not_ours", basis="law:1")).refused(
        "return_window"
    )


def test_the_receiver_does_not_rule_on_its_own_return() -> None:
    world = whistled().given(return_asked)
    ruling = odo.DecideReturn(leg=LEG, granted=True, ground="ours_not")

    world.when(hand("dept-a", 2), ruling).refused("not_your_post")
    world.when(world.also(hand("dept-a", 2), "centre", "dispatcher"), ruling).refused("same_person")
    world.when(world.also(officer("dept-b", "leader"), "dept-b", "dispatcher"), ruling).refused(
        "not_the_centre"
    )


def test_whoever_blew_the_whistle_does_not_rule_on_its_return_in_another_post() -> None:
    world = whistled().given(return_asked)
    ruling = odo.DecideReturn(leg=LEG, granted=False, ground="no_basis")

    world.when(world.also(SD_OFFICER, "centre", "dispatcher"), ruling).refused("same_person")


def test_the_lead_is_not_returned_without_another_lead() -> None:
    world = whistled("dept-a", "dept-b").given(return_asked)

    world.when(HOTLINE, odo.DecideReturn(leg=LEG, granted=True, ground="elsewhere")).refused("lead_leaves")
    ruling = odo.DecideReturn(leg=LEG, granted=True, ground="elsewhere", lead=LEGS[1])
    world.when(HOTLINE, ruling).then(oev.ReturnDecided, oev.LeadChanged)
    assert leg_of(world)[0].lead == LEGS[1]


# -- extensions and release


def extension(world: World, stage: Any = "finish", seconds: int = 5) -> odo.RequestExtension:
    clock = world.state.clock(LEG, stage)
    assert clock is not None, "it runs"
    until = clock.due + timedelta(seconds=seconds)
    return odo.RequestExtension(leg=LEG, stage=stage, until=until, reason="material")


def test_a_department_does_not_extend_its_own_clock() -> None:
    world = whistled()
    world.do(hand("dept-a", 2), extension(world))
    granting = odo.DecideExtension(leg=LEG, granted=True, requester_told=True)

    world.when(
        world.also(officer("dept-a", "duty_officer"), "dept-a", "leadership_member"), granting
    ).refused("own_clock")
    world.when(officer("dept-a-1", "leadership_member"), granting).refused("own_clock")
    world.when(world.also(hand("dept-a", 2), "centre", "supervisor"), granting).refused("same_person")
    world.when(world.also(officer("dept-b", "leader"), "dept-b", "leadership_member"), granting).refused(
        "not_your_body"
    )
    world.when(LEADER, granting).then(oev.ExtensionDecided)


def test_a_worker_of_the_department_does_not_extend_its_clock_in_another_post() -> None:
    world = whistled().given(working)
    world.do(hand("dept-a", 2), extension(world))

    world.when(
        world.also(hand("dept-a", 1), "sd-01", "leadership_member"),
        odo.DecideExtension(leg=LEG, granted=True, requester_told=True),
    ).refused("same_person")


def test_an_extension_goes_no_further_and_no_more_often_than_the_rulebook_says() -> None:
    world = whistled()
    world.when(hand("dept-a", 2), extension(world, seconds=11)).refused("extension_length")
    world.when(hand("dept-a", 2), extension(world, seconds=0)).refused("extension_length")
    world.do(hand("dept-a", 2), extension(world))
    world.when(hand("dept-a", 2), extension(world)).refused("asked_already")
    world.do(LEADER, odo.DecideExtension(leg=LEG, granted=True, requester_told=True))

    world.when(hand("dept-a", 2), extension(world)).refused("no_extension")


def test_a_department_does_not_release_itself() -> None:
    world = whistled().given(reported)
    also = world.also(officer("dept-a", "duty_officer"), "dept-a", "leadership_member")

    world.when(also, odo.AcceptLeg(leg=LEG)).refused("self_release")
    world.when(also, odo.ExcuseLeg(leg=LEG, ground="done")).refused("self_release")


@pytest.mark.parametrize("rank", [1, 2])
def test_nobody_who_worked_for_the_department_releases_it_in_another_post(rank: int) -> None:
    world = whistled().given(reported)
    also = world.also(hand("dept-a", rank), "sd-01", "leadership_member")

    world.when(also, odo.AcceptLeg(leg=LEG)).refused("same_person")
    world.when(also, odo.RejectLeg(leg=LEG, reason="unclear")).refused("same_person")
    world.when(also, odo.ExcuseLeg(leg=LEG, ground="done")).refused("same_person")


def test_nobody_but_the_blower_releases() -> None:
    world = whistled().given(reported)

    world.when(officer("sd-02", "leadership_member"), odo.AcceptLeg(leg=LEG)).refused("not_your_body")
    world.when(SECRETARY, odo.AcceptLeg(leg=LEG)).refused("not_your_body")


def test_the_blower_accepts_no_leg_that_never_checked_in() -> None:
    world = whistled().given(
        acknowledged, oev.LegReported(order=ORDER_ID, leg=LEG, outcome="done", evidence=1)
    )

    world.when(LEADER, odo.AcceptLeg(leg=LEG)).refused("never_checked_in")


def test_a_report_has_a_result_and_work_that_is_done_has_evidence() -> None:
    world = whistled().given(working)
    leader = hand("dept-a", 2)

    world.when(leader, odo.ReportLeg(leg=LEG, evidence=1), sealed=("evidence",)).refused("text_missing")
    world.when(leader, odo.ReportLeg(leg=LEG)).refused("evidence_missing")
    world.when(leader, odo.ReportLeg(leg=LEG, evidence=1), sealed=("result",)).refused("text_missing")
    world.when(leader, odo.ReportLeg(leg=LEG, outcome="not_possible"), sealed=("result",)).then(
        oev.LegReported
    )


def test_one_signature_does_not_release_from_a_project_whistle() -> None:
    world = World().given(*TO_TRIAGED, blown(KINDS["whistle.project"]), reported)
    world.do(LEADER, odo.AcceptLeg(leg=LEG))

    assert leg_of(world)[1].live
    world.when(LEADER, odo.AcceptLeg(leg=LEG)).refused("signed_already")
