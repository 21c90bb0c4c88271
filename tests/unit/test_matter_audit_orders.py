"""Ways round the rules of orders that an audit found: each is tried, and refused (domain.md D.2; A10, A11, A26)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain.acting import Actor
from domain.matter import commands as do
from domain.matter import order_commands as odo
from domain.matter import order_events as oev
from domain.matter.order_events import Receiver
from domain.register import commands as register_commands
from domain.register import events as reg
from domain.register.words import KINDS as BODY_KINDS
from tests.unit.matter_lives import (
    ADJUDICATOR,
    CENTRE,
    CENTRE_SUPERVISOR,
    DUTY_LEADER,
    INTAKE,
    KINDS,
    LEADER,
    LEGS,
    ORDER,
    SD_OFFICER,
    SECRETARY,
    TO_HANDLING,
    TO_TRIAGED,
    acknowledged,
    blown,
    checked_in,
    deferring,
    drafted,
    drafting,
    hand,
    reported,
    working,
)
from tests.unit.matter_world import LONG_AGO, NOON, WHISTLE, World, enter, law, officer, powered, uid
from tests.unit.register_world import DAY, HOUR, SYSTEM, district, person
from tests.unit.register_world import refused as register_refused

SERVICE, EMERGENCY, PROJECT, DISPATCH, CALL = (
    KINDS[name] for name in ("whistle.service", "whistle.emergency", "whistle.project", "dispatch", "call")
)
LEG = LEGS[0]


def withdrawn_power(world: World) -> None:
    """The power item ends now."""
    world.register = enter(world.register, reg.PowerWithdrawn(item=WHISTLE, until=world.now))


def on_duty(world: World, whoever: Actor, *deputies: str) -> None:
    """From now on the roster names somebody else."""
    span = {"begins": world.now, "ends": world.now + timedelta(days=1)}
    shift = reg.ShiftAssigned(
        body="sd-01", post="duty_leader", person=whoever.person, deputies=deputies, **span
    )
    world.register = enter(world.register, shift)


# -- powers, then and now


def test_a_withdrawn_power_is_not_reached_back_to() -> None:
    world = World().given(*TO_TRIAGED, drafted(SERVICE)).later(10)
    then = world.now
    world.later(10).given(withdrawn_power)

    world.when(LEADER, odo.AuthoriseOrder(order=ORDER), occurred=then).refused("no_power")


def test_a_power_that_begins_later_gives_nothing_now() -> None:
    world = World().given(*TO_TRIAGED, drafted(SERVICE), withdrawn_power).later(1)
    later = powered("power-next", "whistle", "sd-01", ()).model_copy(
        update={"valid_from": world.now + timedelta(seconds=1)}
    )
    world.register = enter(world.register, later)
    command = odo.AuthoriseOrder(order=ORDER)

    world.when(LEADER, command, authority="power-next", occurred=world.now + timedelta(seconds=1)).refused(
        "no_power"
    )


def test_dispatching_cites_the_power_where_the_register_lists_one() -> None:
    world = World().given(*TO_TRIAGED, drafted(DISPATCH))
    world.register = enter(world.register, powered("power-dispatch", "dispatch", "centre", ("dept-b",)))
    issuing = odo.IssueOrder(order=ORDER)

    world.when(CENTRE, issuing).refused("power_not_cited")
    world.when(CENTRE, issuing, authority="power-dispatch").refused("power_reaches_not")


def test_supervising_and_ruling_cite_the_power_where_the_register_lists_one() -> None:
    world = World().given(*TO_TRIAGED, blown(SERVICE), acknowledged)
    for item, kind, holder in (("power-s", "supervise", "centre"), ("power-a", "adjudicate", "panel")):
        world.register = enter(world.register, powered(item, kind, holder, ()))
    supervising = odo.SuperviseLeg(
        leg=LEG, number="db-1", level="district", due=world.now + timedelta(hours=1)
    )
    world.do(hand("dept-a", 2), odo.OpenDispute(leg=LEG, ground="pipe"))
    ruling = odo.AdjudicateDispute(leg=LEG, outcome="stays", basis="ruling:1")

    world.when(CENTRE_SUPERVISOR, supervising).refused("power_not_cited")
    world.when(ADJUDICATOR, ruling).refused("power_not_cited")
    world.when(CENTRE_SUPERVISOR, supervising, authority="power-s").allowed()
    world.when(ADJUDICATOR, ruling, authority="power-a").allowed()


# -- the duty leader


def test_a_duty_leader_off_duty_does_not_sign_an_emergency_either() -> None:
    world = World().given(*TO_TRIAGED, drafted(EMERGENCY)).later(1)
    on_duty(world, LEADER)

    world.when(DUTY_LEADER, odo.AuthoriseOrder(order=ORDER)).refused("not_on_duty")
    world.when(DUTY_LEADER, odo.IssueOrder(order=ORDER)).refused("not_on_duty")


def test_an_hour_on_duty_long_ago_is_no_whistle_now() -> None:
    world = World().given(*TO_TRIAGED, drafted(EMERGENCY))
    then = world.now
    world.later(60)
    on_duty(world, LEADER)
    witness = uid(77)

    world.when(DUTY_LEADER, odo.IssueOrder(order=ORDER), occurred=then).refused("written_late")
    spoken = odo.IssueOrder(order=ORDER, by_word_of_mouth=True, witness=witness)
    world.when(DUTY_LEADER, spoken, occurred=then).refused("grace_over")


def test_whoever_the_roster_names_blows_in_their_own_leading_post() -> None:
    world = World().given(*TO_TRIAGED, drafted(EMERGENCY)).later(1)
    on_duty(world, LEADER)

    world.when(LEADER, odo.IssueOrder(order=ORDER)).allowed()


def test_the_deputy_blows_while_the_duty_leader_is_absent() -> None:
    world = World().given(*TO_TRIAGED, drafted(EMERGENCY)).later(1)
    on_duty(world, DUTY_LEADER, LEADER.person)
    away = reg.AbsenceMarked(
        person=DUTY_LEADER.person, body="sd-01", begins=world.now, ends=world.now + timedelta(hours=1)
    )
    world.register = enter(world.register, away)

    world.when(DUTY_LEADER, odo.IssueOrder(order=ORDER)).refused("not_on_duty")
    world.when(LEADER, odo.IssueOrder(order=ORDER)).allowed()


def test_nobody_without_a_leading_post_stands_on_the_duty_leaders_roster() -> None:
    world = district()
    world.fill(4, "mch", "leadership_member")
    world.fill(5, "mch", "officer")
    keeper = Actor(person=person(4), body="mch", post="leadership_member")
    shift = register_commands.AssignShift(
        body="mch", post="duty_leader", person=person(4), deputies=(person(5),),
        begins=world.now + HOUR, ends=world.now + DAY,
    )  # fmt: skip

    register_refused(world, shift, keeper, "no_leading_post")


# -- a department's own task (A26)


def own_task(world: World, **more: Any) -> World:
    """A department writes down what it wants done, and the sub-district grades it."""
    given: dict[str, Any] = {
        "number": "450305-20260302-T000001", "source": "inspection", "seen_at": world.now, "kind": "task",
        "code": "RW-01", "demand": "report", "host": "com-01",
    }  # fmt: skip
    world.do(officer("dept-a", "officer"), do.RegisterMatter(**given | more))
    intake = officer("sd-01", "intake_officer")
    world.do(intake, do.AcceptMatter())
    world.do(intake, do.TriageMatter(scale="minor", demand="report", tier="community"))
    return world


def to_community(**more: Any) -> odo.DraftOrder:
    receivers = (Receiver(leg=LEG, body="com-02", role="lead"),)
    return odo.DraftOrder(**{"order": ORDER, "kind": "dispatch", "receivers": receivers} | more)


def admitted(world: World, code: str) -> None:
    """The lists admit this code."""
    item = reg.AdmissionItemEntered(
        item="adm-1", version=1, code=code, on_list="statutory_duty", department=None, conditions=None,
        approved_by=("gl",), valid_from=LONG_AGO, valid_until=None,
    )  # fmt: skip
    world.register = enter(world.register, item)


def test_the_admission_of_another_code_admits_nothing() -> None:
    world = own_task(World())
    admitted(world, "MS")

    world.when(officer("dept-a", "duty_officer"), to_community(admission="adm-1")).refused("not_admitted")
    with pytest.raises(ValidationError):
        to_community(task_code="MS-03")


def test_an_emergency_of_the_departments_own_saying_needs_admission() -> None:
    world = own_task(World(), emergency=True)

    world.when(officer("dept-a", "duty_officer"), to_community()).refused("not_admitted")
    urgent = do.RetriageMatter(scale="minor", urgent=True, demand="report", reason="danger")
    world.do(officer("sd-01", "leadership_member"), urgent)
    world.when(officer("dept-a", "duty_officer"), to_community()).allowed()


@pytest.mark.parametrize("source", ["inspection", "duty_desk"])
def test_a_task_called_a_request_is_not_handed_on_by_the_sub_district(source: str) -> None:
    world = own_task(World(), kind="request", source=source)
    sender = officer("sd-01", "intake_officer")

    world.when(sender, to_community()).refused("not_admitted")
    admitted(world, "RW")
    world.when(sender, to_community(admission="adm-1")).allowed()


# -- rulings


def test_any_word_is_no_ruling() -> None:
    world = World().given(*TO_TRIAGED, drafted(SERVICE, ("dept-c",)))
    world.do(LEADER, odo.AuthoriseOrder(order=ORDER))

    world.when(SD_OFFICER, odo.IssueOrder(order=ORDER, adjudication="whatever")).refused("not_on_duty_list")


def test_a_ruling_lets_in_the_body_that_it_names_and_no_other() -> None:
    world = World().given(*TO_TRIAGED, blown(SERVICE), acknowledged)
    world.do(hand("dept-a", 2), odo.OpenDispute(leg=LEG, ground="pipe"))
    ruling = odo.AdjudicateDispute(leg=LEG, outcome="stays", basis="ruling:7", given_to="dept-c")
    world.when(ADJUDICATOR, ruling.model_copy(update={"given_to": "dept-a"})).refused("given_to_itself")
    world.when(ADJUDICATOR, ruling.model_copy(update={"given_to": "com-01"})).refused("wrong_body")
    world.do(ADJUDICATOR, ruling)
    world.register = enter(
        world.register, reg.BodyEntered(
            body="dept-d", version=1, kind="department", parent="gl", name_zh="d", name_en="d", district="450305",
            valid_from=LONG_AGO, valid_until=None,
        ),
    )  # fmt: skip
    adding = odo.AddLeg(order=ORDER, leg=uid(120), body="dept-d", ground="help", adjudication="ruling:7")

    world.when(LEADER, adding).refused("not_on_duty_list")
    world.when(LEADER, adding.model_copy(update={"body": "dept-c"})).allowed()


def test_the_issuer_does_not_undo_what_a_panel_ruled() -> None:
    world = World().given(*TO_TRIAGED, blown(SERVICE, ("dept-a", "dept-b")), acknowledged)
    world.do(hand("dept-a", 2), odo.OpenDispute(leg=LEG, ground="pipe"))
    world.do(ADJUDICATOR, odo.AdjudicateDispute(leg=LEG, outcome="stays", basis="ruling:1", lead=LEGS[1]))
    back = odo.ChangeLead(order=ORDER, leg=LEG, ground="favour")

    world.when(LEADER, back).refused("ruled_by_panel")
    world.when(ADJUDICATOR, back).then(oev.LeadChanged)


def test_a_panels_own_change_is_not_undone_either_where_the_lead_stayed() -> None:
    world = World().given(*TO_TRIAGED, blown(SERVICE, ("dept-a", "dept-b")), acknowledged)
    world.do(hand("dept-a", 2), odo.OpenDispute(leg=LEG, ground="pipe"))
    world.do(ADJUDICATOR, odo.AdjudicateDispute(leg=LEG, outcome="stays", basis="ruling:1"))

    world.when(LEADER, odo.ChangeLead(order=ORDER, leg=LEGS[1], ground="favour")).refused("ruled_by_panel")


# -- disputes


def test_a_dispute_stops_no_report_and_no_report_ends_a_dispute() -> None:
    world = World().given(*TO_TRIAGED, blown(SERVICE), working)
    world.do(LEADER, odo.OpenDispute(leg=LEG, ground="pipe"))
    world.do(hand("dept-a", 2), odo.ReportLeg(leg=LEG, evidence=1))
    leg = world.state.leg(LEG)

    assert leg is not None
    assert (leg.status, leg.under) == ("disputed", "reported")
    assert world.state.clocks[f"{LEG}/finish"].stopped == world.now
    assert f"{LEG}/accept_result" not in world.state.clocks
    world.when(LEADER, odo.AcceptLeg(leg=LEG)).refused("wrong_state")
    world.when(hand("dept-a", 1), odo.NoteWork(leg=LEG)).refused("wrong_state")

    world.later(1).do(ADJUDICATOR, odo.AdjudicateDispute(leg=LEG, outcome="stays", basis="ruling:1"))
    assert world.state.leg(LEG).status == "reported"  # type: ignore[union-attr]
    assert world.state.clocks[f"{LEG}/accept_result"].started == world.now
    world.when(LEADER, odo.AcceptLeg(leg=LEG)).allowed()


def test_a_ground_that_was_adjudicated_is_not_disputed_again() -> None:
    world = World().given(*TO_TRIAGED, blown(SERVICE), working)
    opening = odo.OpenDispute(leg=LEG, ground="pipe")
    world.do(LEADER, opening)
    world.do(ADJUDICATOR, odo.AdjudicateDispute(leg=LEG, outcome="stays", basis="ruling:1"))

    world.when(LEADER, opening).refused("ground_used")
    world.when(hand("dept-a", 2), opening).refused("ground_used")
    world.when(hand("dept-a", 2), opening.model_copy(update={"ground": "wall"})).allowed()


# -- signatures


def test_one_person_does_not_sign_a_release_twice_in_two_posts() -> None:
    world = World().given(*TO_TRIAGED, blown(PROJECT), reported)
    world.do(LEADER, odo.AcceptLeg(leg=LEG))

    world.when(world.also(LEADER, "gl", "district_leader"), odo.AcceptLeg(leg=LEG)).refused("same_person")


def test_a_project_whistle_is_supervised_by_the_post_that_the_rulebook_names() -> None:
    world = World().given(*TO_TRIAGED, blown(PROJECT), reported)

    for actor in (officer("gl", "supervisor"), CENTRE_SUPERVISOR):
        world.when(actor, odo.AcceptLeg(leg=LEG)).refused("not_your_post")
    world.when(officer("gl", "district_leader"), odo.AcceptLeg(leg=LEG)).then(oev.ResultAccepted)


def joint(world: World) -> None:
    """Drafted with another sub-district, and signed by the first."""
    world.do(SD_OFFICER, drafting(SERVICE, joint_blowers=("sd-02",)))
    world.do(LEADER, odo.AuthoriseOrder(order=ORDER))


def test_no_joint_whistle_is_blown_before_every_blower_has_signed() -> None:
    world = World().given(*TO_TRIAGED, joint)
    second = officer("sd-02", "leadership_member")
    signing = odo.AuthoriseOrder(order=ORDER)

    world.when(SD_OFFICER, odo.IssueOrder(order=ORDER)).refused("wrong_state")
    world.when(second, signing).refused("power_not_cited")
    world.when(second, signing, authority="power-whistle-2").then(oev.OrderAuthorised)
    world.when(SD_OFFICER, odo.IssueOrder(order=ORDER)).allowed()


def test_a_joint_blower_lets_nobody_go_alone() -> None:
    world = World().given(*TO_TRIAGED, joint)
    second = officer("sd-02", "leadership_member")
    world.do(second, odo.AuthoriseOrder(order=ORDER), authority="power-whistle-2")
    world.do(SD_OFFICER, odo.IssueOrder(order=ORDER))
    world.when(second, odo.CancelOrder(order=ORDER, reason="no")).refused("not_your_body")
    world.when(second, odo.ExcuseLeg(leg=LEG, ground="no")).refused("not_the_first_blower")
    world.given(reported)

    world.when(second, odo.AcceptLeg(leg=LEG)).refused("not_the_first_blower")
    world.when(second, odo.RejectLeg(leg=LEG, reason="no")).refused("not_the_first_blower")


@pytest.mark.parametrize(
    ("role", "blowers", "code"),
    [
        (EMERGENCY, ("sd-02",), "no_joint_blowers"),
        (SERVICE, ("sd-01",), "blower_twice"),
        (SERVICE, ("sd-02", "sd-02"), "blower_twice"),
        (SERVICE, ("com-01",), "wrong_body"),
    ],
)
def test_only_a_signed_order_has_joint_blowers_each_once(
    role: Any, blowers: tuple[str, ...], code: str
) -> None:
    World().given(*TO_TRIAGED).when(SD_OFFICER, drafting(role, joint_blowers=blowers)).refused(code)


def test_a_dispatch_which_nobody_signs_has_no_joint_blowers() -> None:
    World().given(*TO_TRIAGED).when(CENTRE, drafting(DISPATCH, joint_blowers=("hotline",))).refused(
        "no_joint_blowers"
    )


# -- an emergency that nobody confirmed


def test_nobody_more_is_summoned_on_an_authority_that_has_run_out() -> None:
    world = World().given(*TO_TRIAGED, drafted(EMERGENCY))
    world.do(DUTY_LEADER, odo.IssueOrder(order=ORDER))
    adding = odo.AddLeg(order=ORDER, leg=LEGS[1], body="dept-b", ground="help")
    world.copy().when(LEADER, adding).allowed()
    unseen = world.later(11).copy()
    unseen.when(LEADER, adding).refused("authority_lapsed")
    assert "authority_lapsed.v1" in world.tick()

    world.when(LEADER, adding).refused("authority_lapsed")
    world.do(LEADER, odo.ConfirmAuthority(order=ORDER))
    assert world.story[-1].pub.in_time is False
    world.when(LEADER, adding).allowed()


# -- clocks that nobody may move


def test_the_rulebooks_check_in_is_not_moved_by_hand() -> None:
    world = World().given(*TO_TRIAGED, blown(SERVICE))
    moving = odo.ChangeSummonsTime(leg=LEG, to=world.now + timedelta(seconds=5), ground="favour")

    world.when(LEADER, moving).refused("no_joint_time")


def test_a_joint_time_moves_no_further_than_the_rulebooks_own_check_in() -> None:
    joint_time = NOON + timedelta(seconds=6)
    world = World().given(*TO_TRIAGED, blown(SERVICE, summoned_at=joint_time)).later(2)
    moving = odo.ChangeSummonsTime(leg=LEG, to=NOON + timedelta(days=3000), ground="favour")

    world.when(LEADER, moving).refused("summons_too_far")
    world.when(LEADER, moving.model_copy(update={"to": NOON + timedelta(seconds=15)})).refused(
        "summons_too_far"
    )
    world.when(LEADER, moving.model_copy(update={"to": NOON + timedelta(seconds=14)})).allowed()


def test_a_body_that_is_let_go_and_summoned_again_owes_what_it_owed() -> None:
    world = World().given(*TO_TRIAGED, blown(SERVICE, ("dept-a", "dept-b")))
    world.given(lambda w: acknowledged(w, LEGS[1])).later(11)
    due = {stage: world.state.clocks[f"{LEGS[1]}/{stage}"].due for stage in ("contact", "check_in", "finish")}
    world.do(LEADER, odo.ExcuseLeg(leg=LEGS[1], ground="reassigned"))
    again = uid(120)
    world.later(2).do(LEADER, odo.AddLeg(order=ORDER, leg=again, body="dept-b", ground="again"))

    assert {stage: world.state.clocks[f"{again}/{stage}"].due for stage in due} == due
    assert world.state.clocks[f"{again}/check_in"].late(world.now)
    assert world.state.clocks[f"{again}/acknowledge"].due > world.now
    assert f"{again}/check_in" in {f"{item.owner}/{item.stage}" for item in world.due("miss", owner=again)}


# -- calls


def test_a_call_goes_to_one_sub_district() -> None:
    world = World().given(*TO_TRIAGED)

    world.when(INTAKE, drafting(CALL, ("sd-01", "sd-02"))).refused("one_receiver")
    world.given(blown(CALL))
    world.register = enter(world.register, reg.PostFilled(
        person=SECRETARY.person, body="com-01", post="leadership_member", valid_from=LONG_AGO, valid_until=None
    ))  # fmt: skip
    adding = odo.AddLeg(order=ORDER, leg=LEGS[1], body="sd-02", ground="help")
    world.when(SECRETARY, adding).refused("one_receiver")


def test_a_call_is_answered_by_a_whistle_that_was_blown_for_it() -> None:
    world = World().given(*TO_TRIAGED, blown(CALL))
    whistle, desk = uid(130), hand("sd-01", 0)
    answer = odo.AnswerCall(order=ORDER, how="whistle", whistle=whistle)
    legs = (Receiver(leg=uid(131), body="dept-a", role="lead"),)
    drawn = drafting(SERVICE, order=whistle, receivers=legs, call=ORDER)
    world.do(SD_OFFICER, drawn)
    world.when(desk, answer).refused("unknown_order")
    gone = world.copy()
    gone.do(LEADER, odo.CancelOrder(order=whistle, reason="no"))
    gone.when(desk, answer).refused("unknown_order")
    other = world.copy()
    strange = drawn.model_copy(
        update={
            "order": uid(140),
            "call": None,
            "receivers": (Receiver(leg=uid(141), body="dept-b", role="lead"),),
        }
    )
    for one in (other,):
        one.do(SD_OFFICER, strange)
        one.do(LEADER, odo.AuthoriseOrder(order=uid(140)))
        one.do(SD_OFFICER, odo.IssueOrder(order=uid(140)))
    other.when(desk, answer.model_copy(update={"whistle": uid(140)})).refused("unknown_order")

    world.do(LEADER, odo.AuthoriseOrder(order=whistle))
    world.do(SD_OFFICER, odo.IssueOrder(order=whistle))
    world.when(desk, answer).then(oev.CallAnswered)


# -- two sides, notes, marks, places


@pytest.mark.parametrize("sides", [("territory", "territory"), ("trade", None), ("trade", "trade")])
def test_a_dual_dispatch_has_both_sides_or_neither(sides: tuple[Any, ...]) -> None:
    receivers = tuple(
        Receiver(leg=LEGS[n], body=body, role="assist" if n else "lead", measured_as=sides[n])
        for n, body in enumerate(("dept-a", "dept-b"))
    )

    World().given(*TO_TRIAGED).when(CENTRE, drafting(DISPATCH, receivers=receivers)).refused("one_side")


def test_a_side_is_filled_again_only_when_its_body_has_gone() -> None:
    receivers = (
        Receiver(leg=LEGS[0], body="sd-01", role="lead", measured_as="territory"),
        Receiver(leg=LEGS[1], body="dept-a", role="assist", measured_as="trade"),
    )
    world = World().given(*TO_TRIAGED, blown(DISPATCH, receivers=receivers))
    adding = odo.AddLeg(order=ORDER, leg=uid(120), body="dept-b", ground="help", measured_as="trade")
    world.when(CENTRE, adding).refused("one_side")
    world.do(CENTRE, odo.ExcuseLeg(leg=LEGS[1], ground="reassigned"))

    world.when(CENTRE, adding).allowed()
    assert world.state.leg(uid(120)).measured_as == "trade"  # type: ignore[union-attr]
    plain = World().given(*TO_TRIAGED, blown(DISPATCH))
    plain.when(CENTRE, adding).refused("one_side")


def test_the_issuer_notes_beside_the_leg_and_moves_nothing() -> None:
    world = World().given(*TO_TRIAGED, blown(SERVICE), acknowledged, checked_in)

    for command in (odo.NoteWork(leg=LEG), odo.RequestHelp(leg=LEG, needs="crane")):
        world.when(SD_OFFICER, command).allowed()
        assert world.story[-1].pub.by == "issuer"
    leg = world.state.leg(LEG)
    assert leg is not None
    assert leg.status == "checked_in"
    assert SD_OFFICER.person not in leg.performers | world.state.handlers
    world.when(officer("dept-b", "officer"), odo.NoteWork(leg=LEG)).refused("not_your_body")


def test_a_mark_is_a_small_number() -> None:
    with pytest.raises(ValidationError):
        odo.RateLeg(leg=LEG, speed=2**60, result=1)


def test_nobody_checks_in_at_a_place_that_the_register_does_not_know() -> None:
    world = World().given(*TO_TRIAGED, blown(SERVICE), acknowledged)

    world.when(hand("dept-a", 1), odo.CheckIn(leg=LEG, place="LiSi-Building7", proof="code")).refused(
        "unknown_body"
    )


def test_a_team_is_a_body_of_the_register() -> None:
    world = district()
    world.act(
        register_commands.EnterBody(
            body="team-1", kind="team", parent="mch", name_zh="服务队", name_en="Service team", district="d"
        ),
        SYSTEM,
    )

    assert "team" in BODY_KINDS
    assert world.register.body("team-1", world.now).kind == "team"  # type: ignore[union-attr]


# -- supervision by the clock


def test_a_clocks_supervision_has_a_number_and_by_the_rulebook_a_due_moment() -> None:
    world = World(book=law("gulou")).given(*TO_TRIAGED, blown(SERVICE, ("dept-a", "dept-b")), acknowledged)
    for _ in range(12):
        world.later(86400).tick()
    opened = [r.pub for r in world.story if r.type == "supervised_by_clock.v1" and r.pub.owner in LEGS]
    late = {r.pub.owner for r in world.story if r.type == "due_missed.v1" and r.pub.stage == "supervise"}

    assert {one.number for one in opened} == {f"450305-20260302-0000001-DB{n + 1}" for n in range(2)}
    assert [clock.stage for one in opened for clock in one.clocks] == ["supervise", "supervise"]
    assert late == set(LEGS)


def test_deferring_cites_the_power_where_the_register_lists_one() -> None:
    world = World().given(*TO_HANDLING)
    world.register = enter(world.register, powered("power-defer", "defer", "sd-01", ()))

    world.when(LEADER, deferring(world)).refused("power_not_cited")
    world.when(LEADER, deferring(world), authority="power-defer").allowed()
