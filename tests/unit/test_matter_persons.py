"""Who, as what, on what ground (law 4, G1, G4); the binding readings for the people concerned (A.1b, law 14)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from domain.acting import CLOCK, Actor
from domain.event import known_types
from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter import order_commands as odo
from domain.matter import order_events as oev
from domain.matter.order_events import Receiver
from domain.matter.words import NEVER_A_GROUND, Source
from domain.register import events as reg
from tests.unit.matter_lives import (
    ASKER,
    CENTRE,
    DUTY_LEADER,
    HOTLINE,
    INTAKE,
    KINDS,
    LEADER,
    LEGS,
    SD_OFFICER,
    SECRETARY,
    TO_COMPLETED,
    TO_HANDLING,
    TO_TRIAGED,
    accepted,
    acknowledged,
    authorised,
    blown,
    drafted,
    drafting,
    hand,
    registered,
    registration,
    released,
    working,
)
from tests.unit.matter_lives import ORDER as ORDER_ID
from tests.unit.matter_world import LONG_AGO, NOON, World, enter, officer, resident, uid

SERVICE = KINDS["whistle.service"]
LEG = LEGS[0]

# -- who, as what, on what ground


def test_an_act_cites_its_ground() -> None:
    World().given(registered).when(INTAKE, do.AcceptMatter(), authority=None).refused("authority_missing")


def test_an_act_belongs_to_a_post_that_the_rulebook_names() -> None:
    World().given(registered).when(officer("com-01", "officer"), do.AcceptMatter()).refused("not_your_post")


def test_an_act_belongs_to_the_body_that_the_matter_is_with() -> None:
    World().given(registered).when(officer("com-02", "intake_officer"), do.AcceptMatter()).refused(
        "not_your_body"
    )


@pytest.mark.parametrize("actor", [ASKER, CLOCK], ids=["resident", "clock"])
def test_an_officers_act_is_done_by_neither_a_resident_nor_the_clock(actor: Actor) -> None:
    World().given(registered).when(actor, do.AcceptMatter()).refused("not_an_officer")


def test_a_post_that_was_never_held_lets_nobody_act() -> None:
    stranger = Actor(person=resident(77).person, body="com-01", post="intake_officer")

    World().given(registered).when(stranger, do.AcceptMatter()).refused("post_lapsed")


def test_nobody_who_left_a_post_reaches_back_by_an_early_time() -> None:
    world = World().given(registered).later(5)
    left = reg.PostVacated(
        person=INTAKE.person, body="com-01", post="intake_officer", until=NOON + timedelta(seconds=3)
    )
    world.register = enter(world.register, left)

    world.when(INTAKE, do.AcceptMatter(), occurred=NOON + timedelta(seconds=1)).refused("post_lapsed")


def test_nobody_acts_in_a_post_before_they_got_it() -> None:
    world = World().given(registered)
    person = resident(77).person
    got = reg.PostFilled(
        person=person,
        body="com-01",
        post="intake_officer",
        valid_from=NOON + timedelta(seconds=1),
        valid_until=None,
    )
    world.register = enter(world.register, got)
    newcomer = Actor(person=person, body="com-01", post="intake_officer")

    world.later(2).when(newcomer, do.AcceptMatter(), occurred=NOON).refused("post_lapsed")
    world.when(newcomer, do.AcceptMatter()).then(ev.MatterAccepted)


def test_a_body_that_the_register_does_not_know_is_not_summoned() -> None:
    receivers = (Receiver(leg=LEG, body="dept-z", role="lead"),)

    World().given(*TO_TRIAGED).when(SD_OFFICER, drafting(SERVICE, receivers=receivers)).refused(
        "unknown_body"
    )


@pytest.mark.parametrize("kind", ["department", "subdistrict"])
def test_a_matter_is_hosted_by_a_community(kind: str) -> None:
    host = {"department": "dept-a", "subdistrict": "sd-01"}[kind]

    World().when(ASKER, registration(host=host)).refused("wrong_body")


def test_several_communities_share_a_matter_and_one_of_them_hosts_it() -> None:
    world = World()

    world.when(ASKER, registration(communities=("com-02",))).refused("host_missing")
    world.when(ASKER, registration(communities=("com-01", "com-02"))).then(ev.MatterRegistered)


def test_a_community_under_no_sub_district_is_corrected_first() -> None:
    world = World()
    lonely = reg.BodyEntered(
        body="com-99", version=1, kind="community", parent=None, name_zh="x", name_en="x", district="450305",
        valid_from=LONG_AGO, valid_until=None,
    )  # fmt: skip
    world.register = enter(world.register, lonely)

    world.when(ASKER, registration(host="com-99")).refused("no_subdistrict")


def test_triage_belongs_to_the_body_that_the_rulebook_names_for_the_source() -> None:
    world = World()
    world.do(officer("hotline", "intake_officer"), registration(source="hotline_12345"))
    world.do(officer("centre", "intake_officer"), do.AcceptMatter())
    grade = do.TriageMatter(scale="hard", demand="help", tier="community")

    world.when(INTAKE, grade).refused("not_your_triage")
    world.when(CENTRE, grade).then(ev.MatterTriaged)


@pytest.mark.parametrize(
    ("scale", "urgent", "channel"),
    [
        ("minor", False, "online"),
        ("minor", True, "on_site"),
        ("hard", True, "on_site"),
        ("hard", False, "hall"),
    ],
)
def test_scale_and_urgency_fix_the_channel(scale: Any, urgent: bool, channel: str) -> None:
    world = World().given(registered, accepted)
    grade = do.TriageMatter(scale=scale, urgent=urgent, demand="help", tier="community")
    other = "hall" if channel != "hall" else "online"

    world.when(INTAKE, grade.model_copy(update={"channel": other})).refused("channel_fixed")
    world.when(INTAKE, grade).then(ev.MatterTriaged)
    assert world.state.channel == channel


def test_a_tier_that_the_rulebook_does_not_know_is_refused() -> None:
    world = World().given(registered, accepted)

    world.when(INTAKE, do.TriageMatter(scale="hard", demand="help", tier="planet")).refused("unknown_tier")


# -- one person in two posts is one person (A60)


def test_whoever_summons_a_body_does_not_act_for_it_in_another_post() -> None:
    world = World().given(*TO_TRIAGED, blown(SERVICE))

    for actor in (SD_OFFICER, LEADER):
        world.when(world.also(actor, "dept-a", "officer"), odo.AcknowledgeLeg(leg=LEG)).refused("same_person")


def test_nobody_issues_performs_and_verifies_one_leg() -> None:
    world = World().given(*TO_TRIAGED, blown(SERVICE), working)
    worker = hand("dept-a", 1)

    world.when(world.also(worker, "sd-01", "leadership_member"), odo.RejectLeg(leg=LEG, reason="x")).refused(
        "wrong_state"
    )
    world.do(hand("dept-a", 2), odo.ReportLeg(leg=LEG, evidence=1))
    world.when(world.also(worker, "sd-01", "leadership_member"), odo.AcceptLeg(leg=LEG)).refused(
        "same_person"
    )


def test_whoever_called_does_not_answer_the_call_in_another_post() -> None:
    world = World().given(*TO_TRIAGED, blown(KINDS["call"]))
    also = world.also(INTAKE, "sd-01", "duty_officer")

    world.when(also, odo.AnswerCall(order=ORDER_ID, how="self_handling")).refused("same_person")


def test_whoever_summoned_or_worked_does_not_adjudicate_in_another_post() -> None:
    world = World().given(*TO_TRIAGED, blown(SERVICE), acknowledged)
    world.do(hand("dept-a", 2), odo.OpenDispute(leg=LEG, ground="pipe"))
    ruling = odo.AdjudicateDispute(leg=LEG, outcome="stays", basis="ruling:1")

    for actor in (SD_OFFICER, hand("dept-a", 0)):
        world.when(world.also(actor, "panel", "adjudicator"), ruling).refused("same_person")
    world.when(world.also(HOTLINE, "hotline", "adjudicator"), ruling).refused("not_the_centre")


def test_the_supervisor_who_releases_has_neither_summoned_nor_worked() -> None:
    world = World().given(*TO_TRIAGED, blown(KINDS["whistle.project"]), working)
    world.do(hand("dept-a", 2), odo.ReportLeg(leg=LEG, evidence=1))

    for actor in (officer("sd-01", "secretary"), hand("dept-a", 1)):
        world.when(world.also(actor, "gl", "district_leader"), odo.AcceptLeg(leg=LEG)).refused("same_person")


# -- across a district border


def test_a_joint_blower_across_the_border_signs_and_the_first_blower_releases() -> None:
    world = World().given(*TO_TRIAGED, drafted(SERVICE, joint_blowers=("sd-02",)), authorised(SERVICE))
    joint, signing = officer("sd-02", "leadership_member"), odo.AuthoriseOrder(order=ORDER_ID)
    world.when(SD_OFFICER, odo.IssueOrder(order=ORDER_ID)).refused("wrong_state")
    world.do(joint, signing, authority="power-whistle-2")
    world.do(SD_OFFICER, odo.IssueOrder(order=ORDER_ID))
    world.given(working).do(hand("dept-a", 2), odo.ReportLeg(leg=LEG, evidence=1))

    world.when(joint, odo.AcceptLeg(leg=LEG)).refused("not_the_first_blower")
    world.when(LEADER, odo.AcceptLeg(leg=LEG)).then(oev.ResultAccepted, oev.OrderSettled)


def test_a_dual_dispatch_measures_territory_and_trade() -> None:
    receivers = (
        Receiver(leg=LEGS[0], body="sd-01", role="lead", measured_as="territory"),
        Receiver(leg=LEGS[1], body="dept-a", role="assist", measured_as="trade"),
    )
    world = World().given(*TO_TRIAGED, blown(KINDS["dispatch"], receivers=receivers))

    assert [leg.measured_as for leg in world.state.legs()] == ["territory", "trade"]


# -- how the people concerned are protected (A.1b)


@pytest.mark.parametrize("source", [source for source in get_args(Source) if source != "import"])
def test_a_requester_may_use_any_channel(source: Any) -> None:
    World().when(ASKER, registration(source=source)).then(ev.MatterRegistered)


@pytest.mark.parametrize("ground", sorted(NEVER_A_GROUND))
def test_nobody_is_refused_or_returned_for_skipping_a_level(ground: str) -> None:
    world = World().given(registered)
    world.when(INTAKE, do.ProposeRefusal(ground=ground, other_channel="community")).refused("no_ground")

    world.given(accepted, TO_TRIAGED[2], blown(SERVICE))
    world.when(hand("dept-a", 2), odo.RequestReturn(leg=LEG, ground=ground, basis="law:1")).refused(
        "no_ground"
    )


def test_tiers_bind_offices_and_no_requester_waits_for_an_attempt() -> None:
    world = World()
    world.do(ASKER, registration(source="petition"))

    world.when(officer("sd-01", "intake_officer"), do.AcceptMatter()).then(ev.MatterAccepted)


def test_nobody_registers_for_another_without_being_an_officer() -> None:
    World().when(resident(9), registration(mandate="mandate:1")).refused("not_the_requester")


def test_a_requester_is_named_or_wishes_to_stay_anonymous() -> None:
    World().when(INTAKE, registration(requesters=(), source="phone")).refused("requester_missing")
    World().when(INTAKE, registration(requesters=(), source="phone", anonymous=True)).then(
        ev.MatterRegistered
    )


def test_every_requester_has_an_id_of_their_own() -> None:
    twice = (ASKER.person, ASKER.person)

    World().when(ASKER, registration(requesters=twice)).refused("requester_twice")


def test_a_request_has_words() -> None:
    World().when(ASKER, registration(), sealed=()).refused("text_missing")


def test_tasks_name_an_officer_and_a_matter_and_never_a_resident() -> None:
    receivers = (Receiver(leg=LEG, body="resident", role="lead"),)

    World().given(*TO_TRIAGED).when(CENTRE, drafting(KINDS["dispatch"], receivers=receivers)).refused(
        "unknown_body"
    )


def test_declining_a_service_has_no_effect_but_that_it_is_not_done() -> None:
    world = World().given(*TO_TRIAGED, blown(KINDS["service"]))
    before = world.state.status
    world.do(hand("team-01", 2), odo.DeclineLeg(leg=LEG, reason="no_time"))

    assert world.state.status == before
    assert world.state.orders[ORDER_ID].status == "settled"
    world.when(ASKER, odo.RateLeg(leg=LEG, speed=1, result=1)).refused("wrong_state")


def test_withdrawing_is_the_requesters_own_wish_and_never_counts_as_solved() -> None:
    world = World().given(*TO_HANDLING)
    world.when(INTAKE, do.ConfirmWithdrawal()).refused("not_your_post")
    world.do(ASKER, do.RequestWithdrawal(requester=ASKER.person))
    world.do(officer("sd-01", "callback_officer"), do.ConfirmWithdrawal())

    assert world.state.disposition is None
    assert world.state.requesters[ASKER.person].solved is None


def test_only_bodies_are_appraised_and_no_event_scores_a_person() -> None:
    scored = {"score", "grade", "mark", "mood", "rank", "points", "stars", "risk"}
    rooms = [event for event in known_types().values() if event.__module__.startswith("domain.matter")]

    assert not any(scored & set(event.model_fields) for event in rooms)
    assert [event.TYPE for event in rooms if "speed" in event.model_fields] == ["leg_rated.v1"]


def test_a_requester_reopens_and_supplements_whatever_else_they_said() -> None:
    world = World().given(*TO_COMPLETED)

    world.when(ASKER, do.AddSupplement(what="urging", source="hotline_12345")).then(ev.MatterSupplemented)


# -- bad input


@pytest.mark.parametrize(
    ("command", "given"),
    [
        (do.RegisterMatter, {"number": "x y", "source": "phone", "seen_at": NOON}),
        (do.RegisterMatter, {"number": "x", "source": "telepathy", "seen_at": NOON}),
        (do.RegisterMatter, {"number": "x", "source": "phone", "seen_at": NOON.replace(tzinfo=None)}),
        (do.RegisterMatter, {"number": "x", "source": "phone", "seen_at": NOON, "requesters": ("Mr Wang",)}),
        (do.SubmitResult, {"disposition": "forgotten"}),
        (do.SubmitResult, {"disposition": "solved", "evidence": -1}),
        (do.ProposeRefusal, {"ground": "words that people write", "other_channel": "court"}),
        (odo.DraftOrder, {"order": "1", "kind": "whistle", "receivers": ()}),
        (odo.CheckIn, {"leg": LEG, "place": "com-01", "proof": "honour"}),
    ],
)
def test_a_malformed_command_is_not_built(command: type[Any], given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        command(**given)


def test_acts_on_orders_and_legs_that_are_not_there_are_refused() -> None:
    world = World().given(*TO_TRIAGED)

    world.when(LEADER, odo.AuthoriseOrder(order=ORDER_ID)).refused("unknown_order")
    world.when(hand("dept-a", 0), odo.AcknowledgeLeg(leg=LEG)).refused("unknown_leg")
    world.when(SECRETARY, do.StartHandling(how="order", ref=ORDER_ID)).refused("unknown_order")
    world.when(SECRETARY, do.StartHandling(how="deliberation")).refused("deliberation_missing")


def test_legs_and_orders_have_fresh_ids() -> None:
    world = World().given(*TO_TRIAGED, blown(SERVICE))
    again = drafting(SERVICE, order="00000000-0000-0000-0000-0000000000c8")

    world.when(SD_OFFICER, again).refused("leg_exists")
    world.when(LEADER, odo.AddLeg(order=ORDER_ID, leg=LEG, body="dept-b", ground="x")).refused("leg_exists")


def test_a_command_of_another_room_is_no_act_of_a_matter() -> None:
    from domain.register.commands import CloseBody

    World().given(registered).when(INTAKE, CloseBody(body="com-01")).refused("unknown_act")


def test_a_call_and_its_whistle_belong_together() -> None:
    world = World().given(*TO_TRIAGED, blown(KINDS["call"]))
    receivers = (Receiver(leg=LEGS[1], body="dept-a", role="lead"),)
    world.given(
        blown(SERVICE, call=ORDER_ID, order="00000000-0000-0000-0000-0000000000c8", receivers=receivers)
    )
    answer = odo.AnswerCall(order=ORDER_ID, how="whistle", whistle="00000000-0000-0000-0000-0000000000c8")

    world.when(officer("sd-01", "duty_officer"), answer).then(oev.CallAnswered)
    world.given(lambda w: released(w, LEGS[1]), released)
    assert all(order.status == "settled" for order in world.state.orders.values())


@pytest.mark.parametrize(
    ("kind", "act"),
    [
        ("whistle.service", odo.AddLeg(order=ORDER_ID, leg=uid(120), body="dept-a-1", ground="needed")),
        ("whistle.service", odo.ChangeLead(order=ORDER_ID, leg=LEGS[1], ground="nearer")),
        ("whistle.service", odo.CancelOrder(order=ORDER_ID, reason="other_way")),
        ("whistle.emergency", odo.ConfirmAuthority(order=ORDER_ID)),
    ],
)
def test_whoever_acted_for_a_summoned_body_does_not_act_for_its_issuer_in_a_second_post(
    kind: str, act: odo.OrderCommand
) -> None:
    world, worker = World(), officer("dept-a", "duty_officer")
    second = world.also(worker, "sd-01", "leadership_member")
    world.given(*TO_TRIAGED, drafted(KINDS[kind], KINDS[kind].receivers))
    if kind == "whistle.emergency":
        world.do(DUTY_LEADER, odo.IssueOrder(order=ORDER_ID))
    else:
        world.given(authorised(KINDS[kind]))
        world.do(SD_OFFICER, odo.IssueOrder(order=ORDER_ID))
    world.do(worker, odo.AcknowledgeLeg(leg=LEG))

    world.when(second, act).refused("same_person")
