"""What must not happen to a matter (domain.md D.1, "Illegal"): each forbidden act, tried."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter import order_commands as odo
from tests.unit.matter_lives import (
    ARCHIVIST,
    ASKER,
    CALLER,
    CENTRE_SUPERVISOR,
    HANDLER,
    INTAKE,
    KINDS,
    LEADER,
    LEGS,
    REVIEWER,
    SD_OFFICER,
    SECRETARY,
    SUPERVISOR,
    TO_CALLED_BACK,
    TO_CLOSED,
    TO_COMPLETED,
    TO_HANDLING,
    TO_TRIAGED,
    accepted,
    archived,
    archiving,
    blown,
    called_back,
    deferring,
    drafting,
    excused,
    hand,
    merged,
    not_solved,
    registered,
    released,
    submitted,
    triaged,
)
from tests.unit.matter_lives import ORDER as ORDER_ID
from tests.unit.matter_world import WHISTLE as WHISTLE_POWER
from tests.unit.matter_world import World, officer, resident

WHISTLE = KINDS["whistle.service"]
BY_TALK = do.StartHandling(how="deliberation", ref="meeting-1")
RESULT = do.SubmitResult(disposition="solved", evidence=1)


def test_a_registered_matter_is_not_closed() -> None:
    World().given(registered).when(SUPERVISOR, do.CloseMatter()).refused("wrong_state")


def test_an_accepted_matter_is_not_completed_without_triage() -> None:
    World().given(registered, accepted).when(SD_OFFICER, RESULT).refused("wrong_state")


def test_a_completed_matter_is_not_archived() -> None:
    World().given(*TO_COMPLETED).when(ARCHIVIST, archiving()).refused("wrong_state")


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_nobody_who_handled_a_leg_closes_the_matter(rank: int) -> None:
    world = World().given(*TO_TRIAGED, blown(WHISTLE), released, submitted, not_solved)
    same_person = world.also(hand("dept-a", rank), "sd-01", "supervisor")

    world.when(same_person, do.CloseMatter()).refused("same_person")


def test_nobody_who_handled_the_matter_closes_it() -> None:
    world = World().given(*TO_CALLED_BACK)
    for actor in (HANDLER, SD_OFFICER):
        world.when(world.also(actor, "sd-01", "supervisor"), do.CloseMatter()).refused("same_person")


def test_an_urgent_matter_with_only_a_meeting_is_not_completed() -> None:
    world = World().given(registered, accepted, lambda w: triaged(w, urgent=True))
    world.do(HANDLER, BY_TALK)

    world.when(SD_OFFICER, RESULT).refused("no_on_site_response")

    world.do(SECRETARY, do.RecordAttempt(settled=True))  # a call to the requester, say
    world.when(SD_OFFICER, RESULT).refused("no_on_site_response")
    world.do(SECRETARY, do.RecordAttempt(settled=True), sealed=("text", "place"))
    world.when(SD_OFFICER, RESULT).then(ev.ResultSubmitted)


def test_a_matter_that_is_not_urgent_may_be_settled_by_a_meeting() -> None:
    world = World().given(*TO_TRIAGED)
    world.do(HANDLER, BY_TALK)

    world.when(SD_OFFICER, RESULT).then(ev.ResultSubmitted)


def test_the_scale_is_not_lowered_once_a_deliberation_has_taken_it_up() -> None:
    world = World().given(*TO_TRIAGED)
    world.do(HANDLER, BY_TALK)
    lower = do.RetriageMatter(scale="minor", urgent=False, demand="help", reason="looks_small")

    world.when(INTAKE, lower).refused("scale_resolved")


def test_a_reserved_matter_is_not_graded_out_of_its_resolution() -> None:
    world = World().given(registered, accepted, lambda w: triaged(w, reserved=True))
    command = do.RetriageMatter(scale="hard", urgent=False, demand="help", reason="looks_small")

    world.when(INTAKE, command).refused("reserved_stays")


def test_a_tier_is_not_jumped_without_a_ground() -> None:
    world = World().given(*TO_HANDLING)

    world.when(SECRETARY, do.EscalateMatter(tier="subdistrict", ground="attempt")).refused("attempt_missing")
    world.do(SECRETARY, do.RecordAttempt(settled=False))
    world.when(SECRETARY, do.EscalateMatter(tier="district", ground="attempt")).refused("tier_jump")
    world.when(SECRETARY, do.EscalateMatter(tier="district", ground="emergency")).refused("not_urgent")
    world.when(SECRETARY, do.EscalateMatter(tier="subdistrict", ground="attempt")).then(ev.MatterEscalated)


def test_a_matter_is_not_graded_above_the_tier_of_whoever_grades_it() -> None:
    world = World().given(registered, accepted)

    world.when(INTAKE, do.TriageMatter(scale="hard", demand="help", tier="district")).refused("tier_jump")


def test_a_matter_does_not_go_down_by_escalation() -> None:
    command = do.EscalateMatter(tier="building", ground="power_above")

    World().given(*TO_HANDLING).when(SECRETARY, command).refused("not_higher")


def test_escalation_does_not_escape_a_due_moment() -> None:
    world = World().given(*TO_HANDLING)
    due = world.state.clocks["/finish"].due
    above = do.EscalateMatter(tier="subdistrict", ground="power_above")
    world.later(60).do(SECRETARY, above, authority=WHISTLE_POWER)

    assert world.state.clocks["/finish"].due == due
    assert world.state.clocks["/finish"].late(world.now)
    assert "due_missed.v1" in world.tick()


def test_nothing_is_refused_after_it_was_accepted() -> None:
    world = World().given(registered, accepted)
    command = do.ProposeRefusal(ground="in_court", other_channel="court")

    world.when(INTAKE, command).refused("wrong_state")
    world.when(SECRETARY, do.ConfirmRefusal()).refused("wrong_state")


def test_beyond_duty_is_a_result_with_an_answer_and_not_a_refusal() -> None:
    world = World().given(*TO_HANDLING)
    command = do.SubmitResult(disposition="beyond_duty")

    world.when(SD_OFFICER, command, sealed=()).refused("text_missing")
    world.when(SD_OFFICER, command, sealed=("reply",)).then(ev.ResultSubmitted, status="completed")


def test_an_archived_matter_is_not_reopened_but_repeated() -> None:
    world = World().given(*TO_CLOSED, archived)
    old = world.case

    world.when(ASKER, do.ReopenMatter(ground="not_solved")).refused("wrong_state")

    world.case, again = "00000000-0000-0000-0000-0000000000aa", resident(8)
    command = do.RegisterMatter(
        number="450305-20260302-0000009",
        source="phone",
        seen_at=world.now,
        host="com-01",
        requesters=(again.person,),
        repeat_of=old,
    )
    world.when(again, command).then(ev.MatterRegistered)


def test_merging_drops_no_requester() -> None:
    world = World().given(registered)
    world.do(resident(5), do.JoinRequester(requester=resident(5).person, source="phone"))
    world.given(merged)

    master = world.states[world.state.master or ""]
    assert {ASKER.person, resident(5).person} <= set(master.requesters)
    assert {one.id for one in master.owed()} == set(master.requesters)


def test_a_matter_that_others_were_merged_into_is_neither_merged_nor_diverted() -> None:
    world = World().given(*TO_TRIAGED, merged)
    mine, world.case = world.case, world.state.master or ""

    world.when(INTAKE, do.MergeMatter(master=mine, reason="same_lamp")).refused("master_ended")
    world.when(INTAKE, do.DivertMatter(to="jw")).refused("absorbed_waits")


@pytest.mark.parametrize("body", ["com-01", "sd-01"])
def test_no_exclusion_is_granted_by_a_body_that_gains_from_it(body: str) -> None:
    world = World().given(*TO_HANDLING)
    world.do(LEADER, do.RequestExclusion(ground="policy_outside"))
    judge = world.also(officer("board", "supervisor"), body, "supervisor")

    world.when(judge, do.DecideExclusion(body="sd-01", granted=True)).refused("beneficiary")
    world.when(CENTRE_SUPERVISOR, do.DecideExclusion(body="sd-01", granted=True)).then(ev.ExclusionDecided)


def test_nobody_decides_on_an_exclusion_that_they_asked_for_in_another_post() -> None:
    world = World().given(*TO_HANDLING)
    world.do(LEADER, do.RequestExclusion(ground="policy_outside"))

    world.when(
        world.also(LEADER, "centre", "supervisor"), do.DecideExclusion(body="sd-01", granted=True)
    ).refused("same_person")


def test_an_exclusion_that_nobody_asked_for_is_not_granted() -> None:
    world = World().given(*TO_HANDLING)

    world.when(CENTRE_SUPERVISOR, do.DecideExclusion(body="sd-01", granted=True)).refused("nothing_asked")


def test_the_handler_does_not_defer() -> None:
    world = World().given(*TO_HANDLING)
    also = world.also(HANDLER, "sd-01", "leadership_member")

    world.when(also, deferring(world)).refused("same_person")


def test_the_handler_neither_reviews_nor_ends_a_deferral() -> None:
    world = World().given(*TO_HANDLING)
    world.do(LEADER, deferring(world))
    also = world.also(HANDLER, "sd-01", "leadership_member")

    world.when(also, do.HoldReview(review_by=world.now + timedelta(seconds=5))).refused("same_person")
    world.when(also, do.ResumeMatter()).refused("same_person")


def test_a_community_does_not_defer() -> None:
    world = World().given(*TO_HANDLING)

    world.when(officer("com-01", "leadership_member"), deferring(world)).refused("not_your_body")


@pytest.mark.parametrize("seconds", [0, -5, 31])
def test_nothing_is_deferred_without_a_review_that_comes(seconds: int) -> None:
    world = World().given(*TO_HANDLING)
    review = world.now + timedelta(seconds=seconds)

    world.when(LEADER, do.DeferMatter(ground="funds", review_by=review, requester_told=True)).refused(
        "review_date"
    )


def test_nothing_is_deferred_behind_the_requesters_back() -> None:
    world = World().given(*TO_HANDLING)
    command = deferring(world).model_copy(update={"requester_told": False})

    world.when(LEADER, command).refused("requester_not_told")
    world.when(LEADER, deferring(world), sealed=()).refused("text_missing")


def test_the_reply_is_sealed_and_in_no_event() -> None:
    assert set(ev.ResultSubmitted.model_fields) == {"disposition", "evidence", "clocks"}


def test_a_solved_matter_has_evidence() -> None:
    world = World().given(*TO_HANDLING)

    world.when(SD_OFFICER, do.SubmitResult(disposition="solved")).refused("evidence_missing")
    world.when(SD_OFFICER, RESULT, sealed=("reply",)).refused("text_missing")


def test_the_handler_neither_reviews_nor_sends_back_the_result() -> None:
    world = World().given(*TO_COMPLETED)
    also = world.also(SD_OFFICER, "sd-01", "reviewer")

    world.when(also, do.ReviewResult()).refused("same_person")
    world.when(also, do.SendBackResult(reason="unclear")).refused("same_person")
    world.when(REVIEWER, do.ReviewResult()).then(ev.ResultReviewed)


def test_the_handler_does_not_grade_their_own_matter_again() -> None:
    world = World().given(*TO_HANDLING)
    command = do.RetriageMatter(scale="minor", urgent=False, demand="help", reason="looks_small")

    world.when(world.also(HANDLER, "com-01", "intake_officer"), command).refused("same_person")


def test_a_refusal_needs_two_persons() -> None:
    world = World().given(registered)
    world.when(SECRETARY, do.ConfirmRefusal()).refused("nothing_proposed")
    world.do(INTAKE, do.ProposeRefusal(ground="in_court", other_channel="court"))

    world.when(world.also(INTAKE, "com-01", "community_secretary"), do.ConfirmRefusal()).refused(
        "same_person"
    )


def test_nothing_completes_while_a_summoned_body_has_not_been_let_go() -> None:
    world = World().given(*TO_TRIAGED, blown(WHISTLE))

    world.when(SD_OFFICER, RESULT).refused("leg_open")
    world.given(excused).when(SD_OFFICER, RESULT).then(ev.ResultSubmitted)


def test_a_department_that_was_let_go_does_not_submit_the_result_of_the_matter() -> None:
    world = World().given(*TO_TRIAGED, blown(WHISTLE), excused)

    world.when(hand("dept-a", 2), RESULT).refused("not_your_body")


def test_the_department_that_led_submits_the_result() -> None:
    world = World().given(*TO_TRIAGED, blown(WHISTLE), released)

    world.when(hand("dept-a", 2), RESULT).then(ev.ResultSubmitted)


def test_nothing_is_archived_before_the_departments_were_appraised() -> None:
    world = World().given(*TO_TRIAGED, blown(WHISTLE), released, submitted, called_back)
    world.do(SUPERVISOR, do.CloseMatter())

    world.when(ARCHIVIST, archiving()).refused("appraisal_missing")
    for rater in WHISTLE.raters:
        world.do(rater, odo.RateLeg(leg=LEGS[0], speed=4, result=4))
    world.when(ARCHIVIST, archiving()).then(ev.MatterArchived)


@pytest.mark.parametrize("failed", ["authentic", "complete", "usable", "safe"])
def test_nothing_is_archived_that_fails_one_of_the_four_properties(failed: str) -> None:
    World().given(*TO_CLOSED).when(ARCHIVIST, archiving(**{failed: False})).refused("four_property_check")


@pytest.mark.parametrize("state", [TO_COMPLETED, TO_CALLED_BACK, TO_CLOSED])
def test_nobody_is_summoned_for_a_matter_that_is_not_handled_any_more(state: tuple[object, ...]) -> None:
    world = World().given(*TO_TRIAGED, lambda w: w.do(WHISTLE.drafter, drafting(WHISTLE)))
    world.given(*state[3:])  # type: ignore[arg-type]

    world.when(LEADER, odo.AuthoriseOrder(order=ORDER_ID)).refused("wrong_state")


def test_an_officer_reopens_only_what_somebody_said_at_the_callback() -> None:
    world = World().given(*TO_COMPLETED, called_back)

    world.when(CALLER, do.ReopenMatter(ground="not_solved")).refused("nobody_said_so")
    world.when(CALLER, do.ReopenMatter(ground="dissatisfied")).refused("nobody_said_so")
    world.when(ASKER, do.ReopenMatter(ground="dissatisfied")).then(ev.MatterReopened)


def test_reopening_has_a_limit_beyond_which_it_is_reviewed() -> None:
    world = World().given(*TO_CALLED_BACK)
    for _ in range(2):
        world.do(CALLER, do.ReopenMatter(ground="not_solved"))
        world.given(submitted, not_solved)

    world.when(CALLER, do.ReopenMatter(ground="not_solved")).refused("reopen_limit")
    world.when(REVIEWER, do.ReopenMatter(ground="not_solved")).then(ev.MatterReopened)


def test_the_requesters_window_for_reopening_ends() -> None:
    world = World().given(*TO_CLOSED)

    world.later(21).when(ASKER, do.ReopenMatter(ground="not_solved")).refused("window_over")
    world.later(-1).when(ASKER, do.ReopenMatter(ground="not_solved")).then(ev.MatterReopened)


def test_nobody_but_its_requester_reopens_as_a_resident() -> None:
    World().given(*TO_CLOSED).when(resident(9), do.ReopenMatter(ground="not_solved")).refused(
        "not_the_requester"
    )
