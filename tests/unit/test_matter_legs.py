"""Every state of a leg against every act (domain.md D.2), by a transcription of our own.

For every kind of order; where it says more than D.2 is written in `test_matter_orders`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.acting import Actor, Command
from domain.matter import order_commands as odo
from domain.matter.lifecycle import LEG
from tests.unit.matter_lives import (
    ADJUDICATOR,
    ASKER,
    CENTRE_SUPERVISOR,
    HOTLINE,
    INTAKE,
    KINDS,
    LEADER,
    LEGS,
    SECRETARY,
    TO_TRIAGED,
    Role,
    acknowledged,
    blown,
    checked_in,
    disputed,
    excused,
    hand,
    leg_of,
    released,
    reported,
    return_asked,
    returned,
    working,
)
from tests.unit.matter_world import World, officer
from tests.unit.test_matter_orders import cancelled, status_of

Act = Callable[[World, Role], tuple[Actor, Command]]
Step = Callable[[World], None]


LEG_REACH: dict[str, Callable[[Role], tuple[Step, ...]]] = {
    "issued": lambda role: (),
    "acknowledged": lambda role: (acknowledged,),
    "checked_in": lambda role: (acknowledged, checked_in),
    "working": lambda role: (working,),
    "reported": lambda role: (reported,),
    "discharged": lambda role: (released,),
    "return_requested": lambda role: (return_asked,),
    "disputed/acknowledged": lambda role: (acknowledged, disputed),
    "disputed/checked_in": lambda role: (acknowledged, checked_in, disputed),
    "disputed/working": lambda role: (working, disputed),
    "returned": lambda role: (returned,),
    "excused": lambda role: (excused,),
    "cancelled": lambda role: (cancelled(role),),
    "rejected": lambda role: (_declined,),
}
DISPUTED = ("disputed/acknowledged", "disputed/checked_in", "disputed/working")
BEFORE_REPORT = ("issued", "acknowledged", "checked_in", "working", "return_requested", *DISPUTED)
LIVE = (*BEFORE_REPORT, "reported")


def _declined(world: World) -> None:
    world.do(hand(leg_of(world)[1].body, 2), odo.DeclineLeg(leg=LEGS[0], reason="no_time"))


def same(*states: str) -> dict[str, str]:
    return {state: state for state in states}


def to(end: str, *states: str) -> dict[str, str]:
    return dict.fromkeys(states, end)


LEG_TABLE: dict[str, dict[str, str]] = {
    "acknowledge_leg": to("acknowledged", "issued"),
    "contact_leg": same(*BEFORE_REPORT),
    "request_return": to("return_requested", "issued", "acknowledged"),
    "decide_return": to("returned", "return_requested"),
    "open_dispute": {s: f"disputed/{s}" for s in ("acknowledged", "checked_in", "working")},
    "adjudicate_dispute": {s: s.split("/")[1] for s in DISPUTED},
    "check_in": to("checked_in", "acknowledged") | to("disputed/checked_in", "disputed/acknowledged"),
    "note_work": to("working", "checked_in", "working")
    | to("disputed/working", "disputed/checked_in", "disputed/working"),
    "request_help": to("working", "checked_in", "working")
    | to("disputed/working", "disputed/checked_in", "disputed/working"),
    "report_leg": to("reported", "working") | to("disputed/reported", "disputed/working"),
    "accept_leg": to("discharged", "reported"),
    "reject_leg": to("working", "reported"),
    "decline_leg": to("rejected", "issued"),
    "excuse_leg": to("excused", *LIVE),
    "request_extension": same(*BEFORE_REPORT),
    "decide_extension": same(*LIVE),
    "urge_leg": same(*LIVE),
    "supervise_leg": same(*LIVE),
    "change_summons_time": same("issued", "acknowledged"),
    "confirm_word_of_mouth": same(*LIVE, "discharged"),
    "rate_leg": same("discharged", "excused", "returned"),
}


def table(role: Role, checks_in: bool) -> dict[str, dict[str, str]]:
    """D.2 for one kind: without check-in the leg goes from acknowledged to working; an emergency skips a step."""
    found = {act: dict(row) for act, row in LEG_TABLE.items()}
    if not checks_in:
        for act in ("note_work", "request_help"):
            found[act] |= {"acknowledged": "working", "disputed/acknowledged": "disputed/working"}
        found["report_leg"] |= {"acknowledged": "reported", "disputed/acknowledged": "disputed/reported"}
        found["check_in"] = {}
    if role.whistle == "emergency":
        found["check_in"]["issued"] = "checked_in"
    return found


def until(world: World) -> odo.RequestExtension:
    clock = world.state.clock(LEGS[0], "finish")
    due = clock.due if clock else world.now
    return odo.RequestExtension(leg=LEGS[0], until=due + timedelta(seconds=5), reason="material_ordered")


def body(world: World) -> str:
    return leg_of(world)[1].body


LEG_ACTS: dict[str, Act] = {
    "acknowledge_leg": lambda w, r: (hand(body(w), 0), odo.AcknowledgeLeg(leg=LEGS[0])),
    "contact_leg": lambda w, r: (hand(body(w), 1), odo.ContactLeg(leg=LEGS[0])),
    "request_return": lambda w, r: (
        hand(body(w), 2),
        odo.RequestReturn(leg=LEGS[0], ground="other", basis="law:2"),
    ),
    "decide_return": lambda w, r: (HOTLINE, odo.DecideReturn(leg=LEGS[0], granted=True, ground="elsewhere")),
    "open_dispute": lambda w, r: (hand(body(w), 2), odo.OpenDispute(leg=LEGS[0], ground="pipe_not_wall")),
    "adjudicate_dispute": lambda w, r: (
        ADJUDICATOR,
        odo.AdjudicateDispute(leg=LEGS[0], outcome="stays", basis="ruling:1"),
    ),
    "check_in": lambda w, r: (hand(body(w), 1), odo.CheckIn(leg=LEGS[0], place="com-01", proof="code")),
    "note_work": lambda w, r: (hand(body(w), 1), odo.NoteWork(leg=LEGS[0])),
    "request_help": lambda w, r: (hand(body(w), 1), odo.RequestHelp(leg=LEGS[0], needs="crane")),
    "report_leg": lambda w, r: (hand(body(w), 2), odo.ReportLeg(leg=LEGS[0], evidence=1)),
    "accept_leg": lambda w, r: (r.releasers[0], odo.AcceptLeg(leg=LEGS[0])),
    "reject_leg": lambda w, r: (r.releasers[0], odo.RejectLeg(leg=LEGS[0], reason="unclear")),
    "decline_leg": lambda w, r: (hand(body(w), 2), odo.DeclineLeg(leg=LEGS[0], reason="no_time")),
    "excuse_leg": lambda w, r: (r.leader, odo.ExcuseLeg(leg=LEGS[0], ground="not_needed")),
    "request_extension": lambda w, r: (hand(body(w), 2), until(w)),
    "decide_extension": lambda w, r: (
        CENTRE_SUPERVISOR,
        odo.DecideExtension(leg=LEGS[0], granted=True, requester_told=True),
    ),
    "urge_leg": lambda w, r: (CENTRE_SUPERVISOR, odo.UrgeLeg(leg=LEGS[0])),
    "supervise_leg": lambda w, r: (
        CENTRE_SUPERVISOR,
        odo.SuperviseLeg(leg=LEGS[0], number="db-1", level="district", due=w.now + timedelta(seconds=9)),
    ),
    "change_summons_time": lambda w, r: (
        r.leader,
        odo.ChangeSummonsTime(leg=LEGS[0], to=w.now + timedelta(seconds=5), ground="rain"),
    ),
    "confirm_word_of_mouth": lambda w, r: (r.leader, odo.ConfirmWordOfMouth(leg=LEGS[0])),
    "rate_leg": lambda w, r: ((r.raters or (r.leader,))[0], odo.RateLeg(leg=LEGS[0], speed=4, result=5)),
}


def leg_code(world: World, role: Role, state: str, act: str) -> str | None:
    """What an act that D.2 lists is refused with, because the kind has no such thing; None where it goes."""
    order = leg_of(world)[0]
    contacted = order.shape.checks_in and state in ("checked_in", "working", *DISPUTED[1:])
    return {
        "contact_leg": "contacted_already" if contacted else None,
        "decline_leg": None if role.kind == "service" else "not_voluntary",
        "request_extension": "no_such_clock" if role.name in ("call", "whistle.emergency") else None,
        "decide_extension": "nothing_asked" if role.name in ("call", "whistle.emergency") else None,
        "change_summons_time": _no_joint_time(role, order.shape.checks_in),
        "confirm_word_of_mouth": "not_your_post" if role.kind == "dispatch" else "nothing_to_confirm",
        "rate_leg": None if role.raters else "not_the_rater",
    }.get(act)


def _no_joint_time(role: Role, checks_in: bool) -> str | None:
    if role.leader == SECRETARY:
        return "not_your_post"
    return "no_joint_time" if checks_in else "no_such_clock"


def leg_states(role: Role) -> list[str]:
    checks_in = role.kind in ("whistle", "call_out")
    states = [state for state in LEG_REACH if checks_in or "checked_in" not in state]
    return [state for state in states if state != "rejected" or role.kind == "service"]


@functools.cache
def leg_in(kind: str, state: str, asked: bool) -> World:
    role = KINDS[kind]
    world = World().given(*TO_TRIAGED, blown(role))
    if asked:
        world.do(*LEG_ACTS["request_extension"](world, role))
    return world.given(*LEG_REACH[state](role))


def shown(world: World) -> str:
    leg = leg_of(world)[1]
    return f"disputed/{leg.under}" if leg.status == "disputed" else leg.status


LEG_CELLS = [(kind, state) for kind, role in KINDS.items() for state in leg_states(role)]


def test_the_transcription_names_every_act_of_a_leg() -> None:
    assert set(LEG_TABLE) == set(LEG) == set(LEG_ACTS)


@pytest.mark.parametrize(("kind", "state"), LEG_CELLS)
def test_every_state_of_a_leg_is_reached(kind: str, state: str) -> None:
    assert shown(leg_in(kind, state, asked=False)) == state


@pytest.mark.parametrize("act", LEG_TABLE)
@pytest.mark.parametrize(("kind", "state"), LEG_CELLS)
def test_a_leg_goes_as_the_lifecycle_says_and_no_other_way(kind: str, state: str, act: str) -> None:
    role = KINDS[kind]
    asked = act == "decide_extension" and kind not in ("call", "whistle.emergency")
    world = leg_in(kind, state, asked).copy()
    rows = table(role, leg_of(world)[0].shape.checks_in)
    end = rows[act].get(state)
    tried = world.when(*LEG_ACTS[act](world, role))

    if end is None:
        tried.refused("wrong_state")
    elif code := leg_code(world, role, state, act):
        tried.refused(code)
    else:
        tried.allowed()
        assert shown(world) == ("reported" if act == "accept_leg" and len(role.releasers) > 1 else end)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_runs_from_its_draft_to_its_settlement(kind: str) -> None:
    role = KINDS[kind]
    world = World().given(*TO_TRIAGED, blown(role), released)

    assert leg_of(world)[1].status == "discharged"
    assert status_of(world) == "settled"


@pytest.mark.parametrize("granted", [True, False])
def test_a_return_is_granted_or_denied_by_the_centre(granted: bool) -> None:
    world = leg_in("whistle.service", "return_requested", asked=False).copy()

    world.do(HOTLINE, odo.DecideReturn(leg=LEGS[0], granted=granted, ground="ruled"))

    assert shown(world) == ("returned" if granted else "acknowledged")


@pytest.mark.parametrize("under", DISPUTED)
def test_an_adjudication_may_excuse_the_body_from_wherever_it_stands(under: str) -> None:
    world = leg_in("whistle.service", under, asked=False).copy()

    world.do(ADJUDICATOR, odo.AdjudicateDispute(leg=LEGS[0], outcome="excused", basis="ruling:1"))

    assert (shown(world), status_of(world)) == ("excused", "settled")


def test_a_project_whistle_is_released_by_the_blower_and_a_supervisor_in_any_order() -> None:
    world = leg_in("whistle.project", "reported", asked=False).copy()

    for releaser, state in ((officer("gl", "district_leader"), "reported"), (LEADER, "discharged")):
        world.do(releaser, odo.AcceptLeg(leg=LEGS[0]))
        assert shown(world) == state


def test_the_requester_of_a_service_rates_it() -> None:
    world = leg_in("service", "discharged", asked=False).copy()

    world.when(ASKER, odo.RateLeg(leg=LEGS[0], speed=5, result=5)).allowed()
    world.when(INTAKE, odo.RateLeg(leg=LEGS[0], speed=5, result=5)).refused("not_your_post")
