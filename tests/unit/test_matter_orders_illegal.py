"""What must not happen to an order and its legs (domain.md D.2, "Illegal"; A10, A11, A26): each forbidden act, tried."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter import order_commands as odo
from domain.matter import order_events as oev
from domain.matter.order_events import Receiver
from domain.register import events as reg
from tests.unit.matter_lives import (
    ASKER,
    CENTRE,
    CENTRE_SUPERVISOR,
    DUTY_LEADER,
    HOTLINE,
    INTAKE,
    KINDS,
    LEADER,
    LEGS,
    SD_OFFICER,
    SECRETARY,
    SUPERVISOR,
    TO_TRIAGED,
    acknowledged,
    authorised,
    blown,
    checked_in,
    disputed,
    drafted,
    drafting,
    excused,
    hand,
    released,
    reported,
    submitted,
    working,
)
from tests.unit.matter_lives import ORDER as ORDER_ID
from tests.unit.matter_world import CALL_OUT, LONG_AGO, WHISTLE, World, enter, officer, resident, uid

SERVICE = KINDS["whistle.service"]
EMERGENCY = KINDS["whistle.emergency"]
DISPATCH = KINDS["dispatch"]
LEG = LEGS[0]


def whistled(*bodies: str) -> World:
    return World().given(*TO_TRIAGED, blown(SERVICE, bodies or ("dept-a",)))


def arriving(world: World, **more: Any) -> odo.CheckIn:
    return odo.CheckIn(**{"leg": LEG, "place": "com-01", "proof": "code"} | more)


# -- who blows, and whom


def test_no_whistle_is_blown_without_its_authoriser() -> None:
    world = World().given(*TO_TRIAGED, drafted(SERVICE))

    world.when(SD_OFFICER, odo.IssueOrder(order=ORDER_ID)).refused("wrong_state")
    world.when(SD_OFFICER, odo.AuthoriseOrder(order=ORDER_ID)).refused("not_your_post")


def test_whoever_drafts_does_not_authorise_in_another_post() -> None:
    world = World().given(*TO_TRIAGED, drafted(SERVICE))

    world.when(
        world.also(SD_OFFICER, "sd-01", "leadership_member"), odo.AuthoriseOrder(order=ORDER_ID)
    ).refused("same_person")


def test_the_two_signatures_of_a_project_whistle_come_from_two_persons() -> None:
    world = World().given(*TO_TRIAGED, drafted(KINDS["whistle.project"]))
    secretary = officer("sd-01", "secretary")
    world.do(secretary, odo.AuthoriseOrder(order=ORDER_ID))

    world.when(secretary, odo.AuthoriseOrder(order=ORDER_ID)).refused("signed_already")
    world.when(world.also(secretary, "sd-01", "director"), odo.AuthoriseOrder(order=ORDER_ID)).refused(
        "same_person"
    )


def test_only_the_duty_leader_on_duty_blows_an_emergency_whistle_unsigned() -> None:
    world = World().given(*TO_TRIAGED, drafted(EMERGENCY))
    other = world.also(officer("sd-02", "duty_leader"), "sd-01", "duty_leader")

    world.when(SD_OFFICER, odo.IssueOrder(order=ORDER_ID)).refused("not_the_duty_leader")
    world.when(other, odo.IssueOrder(order=ORDER_ID)).refused("not_on_duty")
    world.when(DUTY_LEADER, odo.IssueOrder(order=ORDER_ID)).allowed()


def test_an_emergency_whistle_is_confirmed_in_time_and_by_somebody_else() -> None:
    world = World().given(*TO_TRIAGED, drafted(EMERGENCY))
    world.do(DUTY_LEADER, odo.IssueOrder(order=ORDER_ID))

    world.when(
        world.also(DUTY_LEADER, "sd-01", "leadership_member"), odo.ConfirmAuthority(order=ORDER_ID)
    ).refused("same_person")
    late = world.copy().later(11)
    late.when(LEADER, odo.ConfirmAuthority(order=ORDER_ID)).then(oev.AuthorityConfirmed)
    assert late.story[-1].pub.in_time is False
    world.when(LEADER, odo.ConfirmAuthority(order=ORDER_ID)).then(oev.AuthorityConfirmed)
    world.when(LEADER, odo.ConfirmAuthority(order=ORDER_ID)).refused("nothing_to_confirm")


@pytest.mark.parametrize("role", [SERVICE, KINDS["call_out"]], ids=["whistle", "call_out"])
def test_nobody_is_summoned_without_a_power_in_force_that_is_cited(role: Any) -> None:
    world = World().given(*TO_TRIAGED, drafted(role))
    command = odo.AuthoriseOrder(order=ORDER_ID)

    world.when(LEADER, command, authority="law:any").refused("power_not_cited")
    for power in (WHISTLE, CALL_OUT):
        world.register = enter(
            world.register, reg.PowerWithdrawn(item=power, until=LONG_AGO + timedelta(days=1))
        )
    world.when(LEADER, command).refused("no_power")


def test_an_organ_outside_the_power_item_is_not_called_out() -> None:
    world = World().given(*TO_TRIAGED, drafted(KINDS["call_out"], ("dept-a-1",)))

    world.when(LEADER, odo.AuthoriseOrder(order=ORDER_ID)).refused("power_reaches_not")


def ruled_for(body: str) -> Callable[[World], None]:
    """The centre lets another body go and gives the duty to this one."""

    def step(world: World) -> None:
        legs = (Receiver(leg=uid(131), body="organ-a", role="lead"),)
        world.do(SD_OFFICER, drafting(SERVICE, receivers=legs, order=uid(130)))
        world.given(authorised(SERVICE, uid(130)))
        world.do(SD_OFFICER, odo.IssueOrder(order=uid(130)))
        world.do(hand("organ-a", 2), odo.RequestReturn(leg=uid(131), ground="not_ours", basis="law:1"))
        world.do(HOTLINE, odo.DecideReturn(leg=uid(131), granted=True, ground="ruling:1", given_to=body))

    return step


def test_no_whistle_goes_to_a_body_outside_the_duty_list_without_an_adjudication() -> None:
    world = World().given(*TO_TRIAGED, drafted(SERVICE, ("dept-c",)), authorised(SERVICE))

    world.when(SD_OFFICER, odo.IssueOrder(order=ORDER_ID)).refused("not_on_duty_list")
    word = odo.IssueOrder(order=ORDER_ID, adjudication="ruling:1")
    world.when(SD_OFFICER, word).refused("not_on_duty_list")
    world.given(ruled_for("dept-c"))
    world.when(SD_OFFICER, word).allowed()
    assert world.story[-1].pub.adjudication == "ruling:1"


@pytest.mark.parametrize(
    ("roles", "code"),
    [(("assist", "assist"), "one_lead"), (("lead", "lead"), "one_lead"), ((), "no_receiver")],
)
def test_an_order_has_exactly_one_lead(roles: tuple[Any, ...], code: str) -> None:
    receivers = tuple(
        Receiver(leg=LEGS[n], body=SERVICE.receivers[n], role=role) for n, role in enumerate(roles)
    )

    World().given(*TO_TRIAGED).when(SD_OFFICER, drafting(SERVICE, receivers=receivers)).refused(code)


def test_no_body_is_summoned_twice_by_one_order() -> None:
    receivers = (
        Receiver(leg=LEGS[0], body="dept-a", role="lead"),
        Receiver(leg=LEGS[1], body="dept-a", role="assist"),
    )

    World().given(*TO_TRIAGED).when(SD_OFFICER, drafting(SERVICE, receivers=receivers)).refused(
        "receiver_twice"
    )


def test_nobody_dispatches_to_themselves() -> None:
    world = World().given(*TO_TRIAGED)
    mine = (Receiver(leg=LEGS[0], body="sd-01", role="lead"),)
    leader = officer("sd-01", "leadership_member")

    world.when(leader, odo.DraftOrder(order=ORDER_ID, kind="dispatch", receivers=mine)).refused(
        "self_dispatch"
    )


def test_only_offices_that_the_matter_is_with_give_orders_in_it() -> None:
    world = World().given(*TO_TRIAGED)

    world.when(officer("sd-02", "officer"), drafting(SERVICE)).refused("not_your_body")
    world.when(INTAKE, drafting(SERVICE)).refused("not_an_issuer")


def test_an_order_says_why() -> None:
    World().given(*TO_TRIAGED).when(SD_OFFICER, drafting(SERVICE), sealed=()).refused("text_missing")


def test_a_whistle_and_only_a_whistle_names_its_kind() -> None:
    world = World().given(*TO_TRIAGED)

    world.when(SD_OFFICER, drafting(SERVICE, whistle=None)).refused("whistle_kind")
    world.when(CENTRE, drafting(DISPATCH, whistle="service")).refused("whistle_kind")


# -- admission (A26)


def tasked(world: World, source: str = "inspection", **more: Any) -> World:
    """A task that a department brings."""
    given = {
        "number": "450305-20260302-0000007", "source": source, "seen_at": world.now, "kind": "task", "code": "RW-01",
        "demand": "report", "host": "com-01",
    }  # fmt: skip
    world.do(officer("dept-a", "officer"), do.RegisterMatter(**given | more))  # type: ignore[arg-type]
    world.do(officer("sd-01", "intake_officer"), do.AcceptMatter())
    world.do(
        officer("sd-01", "intake_officer"), do.TriageMatter(scale="minor", demand="report", tier="community")
    )
    return world


def to_community(**more: Any) -> odo.DraftOrder:
    receivers = (Receiver(leg=LEG, body="com-02", role="lead"),)
    return odo.DraftOrder(**{"order": ORDER_ID, "kind": "dispatch", "receivers": receivers} | more)


def listed(on_list: Any) -> reg.AdmissionItemEntered:
    return reg.AdmissionItemEntered(
        item="adm-1", version=1, code="RW", on_list=on_list, department=None, conditions=None, approved_by=("gl",),
        valid_from=LONG_AGO, valid_until=None,
    )  # fmt: skip


def test_a_community_gets_no_task_of_a_department_that_was_not_admitted() -> None:
    tasked(World()).when(officer("dept-a", "duty_officer"), to_community()).refused("not_admitted")


def test_a_community_gets_no_task_of_the_negative_list() -> None:
    world = tasked(World())
    world.register = enter(world.register, listed("negative_class"))

    world.when(officer("dept-a", "duty_officer"), to_community(admission="adm-1")).refused("negative_list")


def test_an_admitted_task_cites_its_admission() -> None:
    world = tasked(World())
    world.register = enter(world.register, listed("assist_duty"))
    sender = officer("dept-a", "duty_officer")

    world.when(sender, to_community()).refused("admission_not_cited")
    world.when(sender, to_community(admission="adm-1")).allowed()


def test_no_community_is_added_to_a_task_by_the_back_door() -> None:
    world = tasked(World())
    sd_01 = (Receiver(leg=LEG, body="sd-01", role="lead"),)
    world.do(CENTRE, odo.DraftOrder(order=ORDER_ID, kind="dispatch", receivers=sd_01))
    world.do(CENTRE, odo.IssueOrder(order=ORDER_ID))
    adding = odo.AddLeg(order=ORDER_ID, leg=LEGS[1], body="com-02", ground="help")

    world.when(CENTRE, adding).refused("not_admitted")
    world.register = enter(world.register, listed("assist_duty"))
    world.when(CENTRE, adding.model_copy(update={"admission": "adm-1"})).then(oev.LegAdded)


def test_a_residents_request_and_an_emergency_reach_a_community_without_admission() -> None:
    World().given(*TO_TRIAGED).when(CENTRE, to_community()).allowed()
    urgent = do.RetriageMatter(scale="minor", urgent=True, demand="report", reason="danger")
    world = tasked(World(), emergency=True)
    world.when(officer("dept-a", "duty_officer"), to_community()).refused("not_admitted")
    world.do(officer("sd-01", "leadership_member"), urgent)
    world.when(officer("dept-a", "duty_officer"), to_community()).allowed()


# -- what comes after


def test_no_team_is_put_to_work_that_did_not_take_it_up() -> None:
    world = World().given(*TO_TRIAGED, blown(KINDS["service"]))

    world.when(hand("team-01", 1), odo.NoteWork(leg=LEG)).refused("wrong_state")
    world.when(hand("team-01", 2), odo.DeclineLeg(leg=LEG, reason="no_time")).then(
        oev.LegDeclined, oev.OrderSettled
    )


def test_no_leg_is_added_after_settlement() -> None:
    world = whistled().given(released)

    world.when(LEADER, odo.AddLeg(order=ORDER_ID, leg=LEGS[1], body="dept-b", ground="late")).refused(
        "wrong_state"
    )


def test_a_leg_is_added_once_and_never_as_a_second_lead() -> None:
    world = whistled()
    adding = odo.AddLeg(order=ORDER_ID, leg=LEGS[1], body="dept-b", ground="help")

    world.when(LEADER, adding.model_copy(update={"role": "lead"})).refused("one_lead")
    world.when(LEADER, adding.model_copy(update={"body": "dept-a"})).refused("receiver_twice")
    world.when(LEADER, adding.model_copy(update={"body": "sd-01"})).refused("self_dispatch")
    world.when(LEADER, adding).then(oev.LegAdded)


def test_the_joint_time_is_not_moved_once_the_department_is_late() -> None:
    world = whistled().later(12)
    moving = odo.ChangeSummonsTime(leg=LEG, to=world.now + timedelta(seconds=30), ground="rain")

    world.when(LEADER, moving).refused("late_stays_late")


def test_the_lead_is_not_let_go_while_others_stay() -> None:
    world = whistled("dept-a", "dept-b")

    world.when(LEADER, odo.ExcuseLeg(leg=LEG, ground="nearer")).refused("lead_leaves")
    world.do(LEADER, odo.ChangeLead(order=ORDER_ID, leg=LEGS[1], ground="nearer"))
    world.when(LEADER, odo.ExcuseLeg(leg=LEG, ground="nearer")).then(oev.LegExcused)


def test_the_appraised_does_not_appraise() -> None:
    world = whistled().given(released)
    rating = odo.RateLeg(leg=LEG, speed=5, result=5)
    also = world.also(hand("dept-a", 1), "dept-a", "leadership_member")

    world.when(also, rating).refused("appraised")
    world.when(world.also(hand("dept-a", 1), "sd-01", "leadership_member"), rating).refused("same_person")
    world.when(officer("sd-02", "leadership_member"), rating).refused("not_your_body")


def test_every_side_appraises_a_department_once_on_a_scale_of_five() -> None:
    world = whistled().given(released)

    world.when(LEADER, odo.RateLeg(leg=LEG, speed=0, result=5)).refused("score_range")
    world.when(LEADER, odo.RateLeg(leg=LEG, speed=4, result=5)).then(oev.LegRated)
    world.when(LEADER, odo.RateLeg(leg=LEG, speed=1, result=1)).refused("rated_already")
    world.when(SECRETARY, odo.RateLeg(leg=LEG, speed=3, result=4)).then(oev.LegRated)


def test_nothing_is_appraised_before_the_order_is_settled() -> None:
    world = whistled("dept-a", "dept-b").given(lambda w: released(w, LEGS[1]))

    world.when(LEADER, odo.RateLeg(leg=LEGS[1], speed=4, result=5)).refused("not_settled")


def test_cancelling_wipes_no_lateness() -> None:
    world = whistled().later(13)
    world.do(LEADER, odo.CancelOrder(order=ORDER_ID, reason="other_way"))

    late = {
        clock.stage for clock in world.state.clocks.values() if clock.owner == LEG and clock.late(world.now)
    }
    assert late == {"acknowledge", "contact", "check_in"}
    world.tick()
    missed = {one.pub.stage for one in world.story if one.type == ev.DueMissed.TYPE and one.pub.owner == LEG}
    assert missed == late


@pytest.mark.parametrize("step", [checked_in, working, reported])
def test_nothing_is_cancelled_once_a_body_has_come(step: Any) -> None:
    world = whistled().given(acknowledged, step)

    world.when(LEADER, odo.CancelOrder(order=ORDER_ID, reason="other_way")).refused("already_at_work")


def test_a_dispute_does_not_make_begun_work_cancellable() -> None:
    world = World().given(*TO_TRIAGED, blown(DISPATCH), working, disputed)

    world.when(CENTRE, odo.CancelOrder(order=ORDER_ID, reason="other_way")).refused("already_at_work")


def test_a_call_on_which_work_has_begun_is_not_returned() -> None:
    world = World().given(*TO_TRIAGED, blown(KINDS["call"]), working)

    world.when(hand("sd-01", 0), odo.AnswerCall(order=ORDER_ID, how="returned")).refused("already_at_work")


def test_a_call_is_answered_once_and_by_whom_it_was_made_to() -> None:
    world = World().given(*TO_TRIAGED, blown(KINDS["call"]))
    answer = odo.AnswerCall(order=ORDER_ID, how="self_handling")

    world.when(INTAKE, answer).refused("not_your_body")
    world.when(officer("sd-01", "duty_officer"), odo.AnswerCall(order=ORDER_ID, how="whistle")).refused(
        "unknown_order"
    )
    world.when(officer("sd-01", "duty_officer"), answer).then(oev.CallAnswered)
    world.when(officer("sd-01", "duty_officer"), answer).refused("answered_already")


def test_a_whistle_answers_only_a_call_of_its_matter() -> None:
    world = World().given(*TO_TRIAGED)

    world.when(SD_OFFICER, drafting(SERVICE, call=uid(77))).refused("unknown_call")


def test_a_joint_time_lies_ahead_and_belongs_to_orders_with_check_in() -> None:
    world = World().given(*TO_TRIAGED)
    soon = world.now + timedelta(seconds=3)

    world.when(SD_OFFICER, drafting(SERVICE, summoned_at=world.now)).refused("due_past")
    world.when(CENTRE, drafting(DISPATCH, summoned_at=soon)).refused("no_check_in")


def test_a_body_added_after_the_joint_time_is_not_late_before_it_was_asked() -> None:
    joint = KINDS["whistle.enforcement"]
    world = World().given(*TO_TRIAGED)
    world.given(blown(joint, summoned_at=world.now + timedelta(seconds=5))).later(6)
    world.do(LEADER, odo.AddLeg(order=ORDER_ID, leg=LEGS[1], body="dept-b", ground="help"))

    assert world.state.clock(LEGS[1], "check_in").due == world.now + timedelta(seconds=12)  # type: ignore[union-attr]


def test_a_supervised_due_moment_does_not_move_back() -> None:
    world = whistled()
    supervising = odo.SuperviseLeg(
        leg=LEG, number="db-1", level="district", due=world.now + timedelta(seconds=5)
    )
    world.do(CENTRE_SUPERVISOR, supervising)
    later = supervising.model_copy(update={"number": "db-2", "due": world.now + timedelta(seconds=50)})

    world.when(CENTRE_SUPERVISOR, later).refused("due_stays")
    world.later(6).when(CENTRE_SUPERVISOR, later).then(oev.LegSupervised)
    assert world.state.past_clocks[-1].late(world.now)


def test_nobody_supervises_what_they_work_on_or_for_the_past() -> None:
    world = whistled().given(working)
    command = odo.SuperviseLeg(leg=LEG, number="db-1", level="district", due=world.now + timedelta(seconds=5))

    world.when(world.also(hand("dept-a", 1), "sd-01", "supervisor"), command).refused("same_person")
    world.when(SUPERVISOR, command.model_copy(update={"due": world.now})).refused("due_past")
    world.when(SUPERVISOR, command).then(oev.LegSupervised)


def test_a_resident_of_another_matter_does_not_release_an_agent() -> None:
    world = World().given(*TO_TRIAGED, blown(KINDS["agency"]), reported)

    world.when(resident(9), odo.AcceptLeg(leg=LEG)).refused("not_the_requester")
    world.when(ASKER, odo.RejectLeg(leg=LEG, reason="not_done")).then(oev.ResultRejected)


def test_a_matter_is_not_submitted_past_a_leg_by_disputing_it() -> None:
    world = whistled().given(acknowledged, disputed)

    world.when(SD_OFFICER, do.SubmitResult(disposition="solved", evidence=1)).refused("leg_open")
    world.given(excused, submitted)
    assert world.types()[-1] == ev.ResultSubmitted.TYPE
