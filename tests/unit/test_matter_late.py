"""Late stays late (law 6): nothing that is done afterwards removes it, and no restart moves a due moment (law 7)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.matter import Clock
from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter import order_commands as odo
from domain.matter import order_events as oev
from tests.unit.matter_lives import (
    ASKER,
    CALLER,
    CENTRE_SUPERVISOR,
    DUTY_LEADER,
    HANDLER,
    INTAKE,
    KINDS,
    LEADER,
    LEGS,
    MASTER,
    REVIEWER,
    SD_OFFICER,
    TO_CALLED_BACK,
    TO_HANDLING,
    TO_TRIAGED,
    accepted,
    acknowledged,
    blown,
    checked_in,
    deferring,
    drafted,
    hand,
    registered,
    registration,
    reported,
    submitted,
    triaged,
    with_master,
    working,
)
from tests.unit.matter_lives import ORDER as ORDER_ID
from tests.unit.matter_world import NOON, World, uid

SERVICE = KINDS["whistle.service"]
LEG = LEGS[0]


def clock(world: World, stage: str, owner: str = "") -> Clock:
    found = world.state.clock(owner, stage)
    assert found is not None, "it was started"
    return found


def whistled() -> World:
    return World().given(*TO_TRIAGED, blown(SERVICE))


def extending(world: World, stage: Any = "finish", seconds: float = 5) -> odo.RequestExtension:
    until = clock(world, stage, LEG).due + timedelta(seconds=seconds)
    return odo.RequestExtension(leg=LEG, stage=stage, until=until, reason="material")


def granting(stage: Any = "finish") -> odo.DecideExtension:
    return odo.DecideExtension(leg=LEG, stage=stage, granted=True, requester_told=True)


# -- whatever follows


def deferred_late(world: World) -> None:
    world.do(LEADER, deferring(world))


def resumed_late(world: World) -> None:
    world.given(deferred_late).later(3)
    world.do(LEADER, do.ResumeMatter())


def merged_late(world: World) -> None:
    world.do(INTAKE, do.MergeMatter(master=MASTER, reason="same_lamp"))


def regraded_late(world: World) -> None:
    grade = do.RetriageMatter(scale="minor", urgent=False, demand="complaint", reason="another_class")
    world.do(INTAKE, grade)


def withdrawn_late(world: World) -> None:
    world.do(ASKER, do.RequestWithdrawal(requester=ASKER.person))
    world.do(CALLER, do.ConfirmWithdrawal())


def sent_back_late(world: World) -> None:
    world.given(submitted)
    world.do(REVIEWER, do.SendBackResult(reason="unclear"))


def reopened_late(world: World) -> None:
    world.given(submitted, *TO_CALLED_BACK[5:])
    world.do(CALLER, do.ReopenMatter(ground="not_solved"))


@pytest.mark.parametrize(
    "what",
    [
        deferred_late,
        resumed_late,
        merged_late,
        regraded_late,
        withdrawn_late,
        submitted,
        sent_back_late,
        reopened_late,
    ],
)
def test_a_late_matter_stays_late_whatever_is_done_with_it(what: Callable[[World], None]) -> None:
    world = World().given(with_master, *TO_HANDLING)
    due = clock(world, "finish").due
    world.later(46).given(what)

    every = [*world.state.past_clocks, *world.state.clocks.values()]
    assert any(one.stage == "finish" and one.first_due == due and one.late(world.now) for one in every)
    world.tick()
    missed = [e.pub.due for e in world.story if e.type == ev.DueMissed.TYPE and e.pub.stage == "finish"]
    assert missed == [due]


@pytest.mark.parametrize("act", ["cancel", "excuse", "return"])
def test_a_late_department_stays_late_whatever_becomes_of_its_leg(act: str) -> None:
    world = whistled().later(4)
    if act == "cancel":
        world.do(LEADER, odo.CancelOrder(order=ORDER_ID, reason="other_way"))
    elif act == "excuse":
        world.do(LEADER, odo.ExcuseLeg(leg=LEG, ground="nearer"))
    else:
        world.do(hand("dept-a", 2), odo.RequestReturn(leg=LEG, ground="not_ours", basis="law:1"))
        world.do(KINDS["dispatch"].drafter, odo.DecideReturn(leg=LEG, granted=True, ground="elsewhere"))

    assert clock(world, "acknowledge", LEG).late(world.now + timedelta(days=1))
    world.tick()
    assert [
        (e.pub.stage, e.pub.body) for e in world.story if e.type == ev.DueMissed.TYPE and e.pub.owner
    ] == [("acknowledge", "dept-a")]


# -- extensions


def test_an_extension_granted_in_time_moves_the_due_moment_and_keeps_the_first() -> None:
    world = whistled()
    first = clock(world, "finish", LEG).due
    world.do(hand("dept-a", 2), extending(world))
    world.do(LEADER, granting())

    assert clock(world, "finish", LEG).due == first + timedelta(seconds=5)
    assert clock(world, "finish", LEG).first_due == first


def test_an_extension_decided_late_moves_nothing_and_the_authoriser_is_late_too() -> None:
    world = whistled().given(working)
    due = clock(world, "finish", LEG).due
    world.now = due - timedelta(seconds=1)
    world.do(hand("dept-a", 2), extending(world))
    world.now = due + timedelta(seconds=1)
    world.do(LEADER, granting())

    assert not world.story[-1].pub.in_time
    assert clock(world, "finish", LEG).due == due
    assert clock(world, "finish", LEG).late(world.now)
    assert clock(world, "decide_extension", LEG).late(world.now)
    world.tick()
    missed = {(e.pub.stage, e.pub.body) for e in world.story if e.type == ev.DueMissed.TYPE}
    assert {("finish", "dept-a"), ("decide_extension", "sd-01")} <= missed


@pytest.mark.parametrize("late", [0, 1, 60])
def test_no_extension_is_asked_for_at_or_after_the_due_moment(late: int) -> None:
    world = whistled().given(working)
    command = extending(world)
    world.now = clock(world, "finish", LEG).due + timedelta(seconds=late)

    world.when(hand("dept-a", 2), command).refused("too_late_to_extend")


def test_an_extension_claimed_for_an_earlier_time_does_not_count() -> None:
    world = whistled().given(working)
    command, due = extending(world), clock(world, "finish", LEG).due
    world.now = due + timedelta(seconds=1)

    world.when(hand("dept-a", 2), command, occurred=due - timedelta(seconds=5)).refused("too_late_to_extend")


def test_an_extension_granted_while_the_report_lies_there_counts_when_it_is_rejected() -> None:
    world = whistled().given(working)
    due = clock(world, "finish", LEG).due
    world.do(hand("dept-a", 2), extending(world))
    world.given(reported)
    world.do(LEADER, granting())
    world.do(LEADER, odo.RejectLeg(leg=LEG, reason="unclear"))

    assert clock(world, "finish", LEG).due == due + timedelta(seconds=5)


def test_a_matters_own_extension_is_decided_by_somebody_else() -> None:
    world = World().given(*TO_HANDLING)
    due = clock(world, "finish").due
    ask = do.RequestMatterExtension(until=due + timedelta(seconds=5), reason="material")
    world.do(LEADER, ask)

    world.when(LEADER, do.DecideMatterExtension(granted=True)).refused("own_clock")


def test_deferral_answers_an_extension_that_was_still_open() -> None:
    world = World().given(*TO_HANDLING)
    due = clock(world, "finish").due
    world.do(SD_OFFICER, do.RequestMatterExtension(until=due + timedelta(seconds=5), reason="material"))
    world.do(LEADER, deferring(world))
    world.do(LEADER, do.ResumeMatter())

    world.when(CENTRE_SUPERVISOR, do.DecideMatterExtension(granted=True)).refused("nothing_asked")


# -- undone acts, breaks, grades


def test_sending_a_result_back_does_not_restart_the_handlers_clock() -> None:
    world = World().given(*TO_HANDLING)
    before = clock(world, "finish")
    due, started = before.due, before.started
    world.later(10).given(submitted).later(10)
    world.do(REVIEWER, do.SendBackResult(reason="unclear"))

    assert (clock(world, "finish").due, clock(world, "finish").started) == (due, started)
    assert clock(world, "finish").stopped is None


def test_rejecting_a_report_does_not_restart_the_departments_clock() -> None:
    world = whistled().given(working)
    due = clock(world, "finish", LEG).due
    world.later(2).given(reported).later(2)
    world.do(LEADER, odo.RejectLeg(leg=LEG, reason="unclear"))

    assert (clock(world, "finish", LEG).due, clock(world, "finish", LEG).stopped) == (due, None)


def test_resuming_gives_exactly_the_time_of_the_deferral_back() -> None:
    world = World().given(*TO_HANDLING)
    due = clock(world, "finish").due
    for _ in range(2):
        world.later(5).do(LEADER, deferring(world))
        world.later(7).do(LEADER, do.ResumeMatter())

    assert clock(world, "finish").due == due + timedelta(seconds=14)


def test_a_deferral_gives_no_further_extension() -> None:
    world = World().given(*TO_HANDLING)
    until = clock(world, "finish").due + timedelta(seconds=5)
    world.do(SD_OFFICER, do.RequestMatterExtension(until=until, reason="material"))
    world.do(CENTRE_SUPERVISOR, do.DecideMatterExtension(granted=True, requester_told=True))
    world.later(2).do(LEADER, deferring(world))
    world.later(4).do(LEADER, do.ResumeMatter())

    assert clock(world, "finish").due == until + timedelta(seconds=4)
    again = do.RequestMatterExtension(until=until + timedelta(seconds=9), reason="material")
    world.when(SD_OFFICER, again).refused("no_extension")


def test_an_urgent_matters_clock_on_site_is_not_deferred() -> None:
    world = World().given(registered, accepted, lambda w: triaged(w, urgent=True))
    world.do(HANDLER, do.StartHandling(how="self_handling"))
    world.do(LEADER, deferring(world))

    assert clock(world, "onsite").stopped is None
    assert clock(world, "onsite").late(world.later(7).now)


def test_grading_again_counts_from_where_the_first_grade_did() -> None:
    world = World().given(*TO_TRIAGED)
    start = world.now
    for demand in ("complaint", "help", "complaint"):
        world.later(5)
        world.do(INTAKE, do.RetriageMatter(scale="hard", urgent=False, demand=demand, reason="class"))

    assert clock(world, "finish").due == start + timedelta(seconds=60)


def test_grading_again_never_sets_a_moment_that_has_passed() -> None:
    world = World().given(*TO_TRIAGED).later(40)
    world.do(INTAKE, do.RetriageMatter(scale="hard", urgent=True, demand="help", reason="came_worse"))

    assert clock(world, "finish").due == world.now
    assert clock(world, "onsite").due == world.now + timedelta(seconds=6)


def test_a_regrade_shortly_before_the_due_moment_is_flagged() -> None:
    world = World().given(*TO_TRIAGED).later(36)
    world.do(INTAKE, do.RetriageMatter(scale="hard", urgent=False, demand="complaint", reason="class"))

    assert world.story[-1].pub.near_due


def test_the_clock_on_site_of_an_emergency_runs_from_its_registration() -> None:
    world = World().given(lambda w: registered(w, emergency=True))
    due = clock(world, "onsite").due
    world.later(1).given(accepted, lambda w: triaged(w, urgent=True))

    assert clock(world, "onsite").due == due


@pytest.mark.parametrize("how", ["attempt", "check_in"])
def test_somebody_there_stops_the_clock_on_site(how: str) -> None:
    world = World().given(registered, accepted, lambda w: triaged(w, urgent=True)).later(1)
    if how == "attempt":
        world.do(INTAKE, do.RecordAttempt(settled=False), sealed=("text", "place"))
    else:
        world.given(blown(SERVICE), acknowledged, checked_in)

    assert clock(world, "onsite").stopped == world.now


def test_a_new_grade_of_a_late_matter_leaves_the_breach_where_it_is() -> None:
    world = World().given(*TO_TRIAGED)
    due = clock(world, "finish").due
    world.later(46)
    world.do(INTAKE, do.RetriageMatter(scale="hard", urgent=False, demand="complaint", reason="class"))

    assert (clock(world, "finish").due, clock(world, "finish").stopped) == (due, None)


@pytest.mark.parametrize("what", ["supplement", "urging"])
def test_no_word_moves_a_due_moment(what: Any) -> None:
    world = World().given(*TO_HANDLING)
    before = {key: one.due for key, one in world.state.clocks.items()}
    world.later(3).do(ASKER, do.AddSupplement(what=what, source="phone"))

    assert {key: one.due for key, one in world.state.clocks.items()} == before


def test_a_dispute_stops_no_clock() -> None:
    world = whistled().given(acknowledged)
    before = clock(world, "check_in", LEG)
    due = before.due
    world.do(hand("dept-a", 2), odo.OpenDispute(leg=LEG, ground="pipe"))

    assert (clock(world, "check_in", LEG).due, clock(world, "check_in", LEG).stopped) == (due, None)


def test_a_joint_time_moved_in_time_keeps_the_first_due_moment_on_record() -> None:
    first = NOON + timedelta(seconds=5)
    world = World().given(*TO_TRIAGED, blown(SERVICE, summoned_at=first))
    moving = odo.ChangeSummonsTime(leg=LEG, to=first + timedelta(seconds=5), ground="rain")
    world.when(LEADER, moving).then(oev.SummonsTimeChanged)

    assert clock(world, "check_in", LEG).due == first + timedelta(seconds=5)
    assert clock(world, "check_in", LEG).first_due == first


def test_reopening_starts_a_clock_beside_the_one_that_was_late() -> None:
    world = World().given(*TO_HANDLING).later(50).given(submitted, *TO_CALLED_BACK[5:])
    world.do(CALLER, do.ReopenMatter(ground="not_solved"))

    assert [one.late(world.now) for one in world.state.past_clocks if one.stage == "finish"] == [True]
    assert clock(world, "finish").due == world.now + timedelta(seconds=45)


def test_lateness_is_judged_by_the_time_of_recording() -> None:
    world = World().given(*TO_HANDLING)
    claimed = world.now
    world.later(46).do(SD_OFFICER, do.SubmitResult(disposition="solved", evidence=1), occurred=claimed)

    assert clock(world, "finish").late(world.now)


# -- by word of mouth, in an emergency


def spoken(world: World, after: float = 0) -> odo.CheckIn:
    arrived = world.now + timedelta(seconds=after)
    return odo.CheckIn(leg=LEG, place="com-01", proof="word_of_mouth", arrived_at=arrived)


def emergency() -> World:
    world = World().given(*TO_TRIAGED, drafted(KINDS["whistle.emergency"]))
    world.do(DUTY_LEADER, odo.IssueOrder(order=ORDER_ID))
    return world


def test_a_check_in_by_word_of_mouth_counts_once_the_blower_confirms_it() -> None:
    world = emergency().later(3)
    command = spoken(world)
    world.later(9).do(hand("dept-a", 1), command)
    assert clock(world, "check_in", LEG).late(world.now)

    world.when(LEADER, odo.ConfirmWordOfMouth(leg=LEG)).allowed()

    assert not clock(world, "check_in", LEG).late(world.now)
    assert clock(world, "check_in", LEG).stopped == command.arrived_at
    world.when(LEADER, odo.ConfirmWordOfMouth(leg=LEG)).refused("nothing_to_confirm")


def test_whoever_is_there_by_word_of_mouth_has_acknowledged_then_too() -> None:
    world = emergency().later(1)
    command = spoken(world)
    world.later(5).do(hand("dept-a", 1), command)
    world.do(LEADER, odo.ConfirmWordOfMouth(leg=LEG))

    assert clock(world, "acknowledge", LEG).stopped == command.arrived_at


def test_word_of_mouth_comes_too_late_after_the_grace() -> None:
    world = emergency().later(3)
    command = spoken(world)

    world.later(11).when(hand("dept-a", 1), command).refused("grace_over")


def test_nothing_but_an_emergency_is_done_by_word_of_mouth() -> None:
    world = whistled().given(acknowledged)

    world.when(hand("dept-a", 1), spoken(world)).refused("word_of_mouth")
    issue = odo.IssueOrder(order=uid(300), by_word_of_mouth=True, witness=uid(7))
    world.given(drafted(SERVICE, order=uid(300), receivers=(_receiver(),)))
    world.do(LEADER, odo.AuthoriseOrder(order=uid(300)), authority="power-whistle")
    world.when(SD_OFFICER, issue).refused("word_of_mouth")


def _receiver() -> oev.Receiver:
    return oev.Receiver(leg=uid(301), body="dept-b", role="lead")


def test_the_department_does_not_confirm_its_own_word() -> None:
    world = emergency()
    world.do(hand("dept-a", 1), spoken(world))
    also = world.also(hand("dept-a", 1), "sd-01", "officer")

    world.when(hand("dept-a", 1), odo.ConfirmWordOfMouth(leg=LEG)).refused("not_your_body")
    world.when(also, odo.ConfirmWordOfMouth(leg=LEG)).refused("same_person")


def test_a_whistle_by_word_of_mouth_has_a_witness_and_is_written_down_within_the_grace() -> None:
    world = World().given(*TO_TRIAGED, drafted(KINDS["whistle.emergency"]))
    blow = odo.IssueOrder(order=ORDER_ID, by_word_of_mouth=True, witness=uid(7))

    world.later(11).when(DUTY_LEADER, blow, occurred=NOON).refused("grace_over")
    world.later(-2)
    world.when(DUTY_LEADER, blow.model_copy(update={"witness": None}), occurred=NOON).refused("word_of_mouth")
    mine = blow.model_copy(update={"witness": DUTY_LEADER.person})
    world.when(DUTY_LEADER, mine, occurred=NOON).refused("word_of_mouth")
    world.when(DUTY_LEADER, blow, occurred=NOON).allowed()
    assert world.story[-1].pub.witness == uid(7)


# -- times that cannot be


def test_nothing_happens_in_the_future() -> None:
    world = World().given(*TO_HANDLING)

    world.when(
        SD_OFFICER, do.SubmitResult(disposition="aided"), occurred=NOON + timedelta(seconds=3)
    ).refused("future")


@pytest.mark.parametrize(
    ("command", "actor"),
    [(do.AcceptMatter(), INTAKE), (do.AddSupplement(what="supplement", source="phone"), ASKER)],
)
def test_nothing_happens_before_the_matter_itself(command: Any, actor: Any) -> None:
    world = World().given(registered)

    world.when(actor, command, occurred=NOON - timedelta(seconds=1)).refused("before_its_cause")


def test_no_act_precedes_the_step_it_builds_on() -> None:
    world = World().given(registered).later(5).given(accepted)
    early = NOON + timedelta(seconds=1)

    world.when(
        INTAKE, do.TriageMatter(scale="hard", demand="help", tier="community"), occurred=early
    ).refused("before_its_cause")


def test_a_result_does_not_precede_the_departments_report() -> None:
    world = World().given(*TO_TRIAGED, blown(SERVICE)).later(5).given(reported)
    world.do(LEADER, odo.AcceptLeg(leg=LEG))

    result = do.SubmitResult(disposition="solved", evidence=1)
    world.when(SD_OFFICER, result, occurred=NOON + timedelta(seconds=1)).refused("before_its_cause")


def test_a_reminder_of_the_clock_holds_up_nobody_who_writes_down_what_happened_before_it() -> None:
    world = World().given(*TO_TRIAGED).later(2)
    happened = world.now
    world.later(40)
    assert "reminded.v1" in world.tick()

    world.when(INTAKE, do.RecordAttempt(settled=False), occurred=happened).then(ev.AttemptRecorded)


def test_it_was_first_seen_before_it_was_registered() -> None:
    seen = NOON + timedelta(seconds=1)

    World().when(ASKER, registration(seen_at=seen)).refused("seen_after")
