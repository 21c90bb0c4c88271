"""Every state of an order and of a leg against every act (domain.md D.2), by a transcription of our own.

Walked for every kind: call, whistle (service, enforcement, project, emergency), call-out, dispatch, and the kinds
of a later issue (service, visit, agency, rectification), which the same machine runs.

Where it says more than D.2, on purpose:
- a disputed leg keeps its state underneath: its acts are judged by that, and it goes back there when it stays;
- an emergency whistle may be issued without a signature, and checked in to without acknowledgement;
- an order that the rulebook wants no signature for (dispatch) is authorised as soon as it is drafted.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest

from domain.acting import Actor, Command
from domain.matter import order_commands as odo
from domain.matter.lifecycle import ORDER
from tests.unit.matter_lives import (
    DUTY_LEADER,
    KINDS,
    LEADER,
    LEGS,
    SECRETARY,
    TO_TRIAGED,
    Role,
    authorised,
    blown,
    drafted,
    drafting,
    excused,
    hand,
)
from tests.unit.matter_lives import ORDER as ORDER_ID
from tests.unit.matter_world import World, officer, uid

Act = Callable[[World, Role], tuple[Actor, Command]]
Step = Callable[[World], None]

# -- orders


def cancelled(role: Role) -> Step:
    def step(world: World) -> None:
        world.do(canceller(role), odo.CancelOrder(order=ORDER_ID, reason="other_way"))

    return step


def canceller(role: Role) -> Actor:
    return officer("gl", "district_leader") if role.kind == "rectification" else role.leader


ORDER_REACH: dict[str, Callable[[Role], tuple[Step, ...]]] = {
    "none": lambda role: (),
    "drafted": lambda role: (drafted(role, role.receivers),),
    "authorised": lambda role: (drafted(role, role.receivers), authorised(role)),
    "issued": lambda role: (blown(role, role.receivers),),
    "settled": lambda role: (blown(role), excused),
    "cancelled": lambda role: (blown(role), cancelled(role)),
}
ORDER_TABLE: dict[str, dict[str, str]] = {
    "draft_order": {"none": "drafted"},
    "authorise_order": {"drafted": "authorised"},
    "issue_order": {"authorised": "issued"},
    "cancel_order": {"drafted": "cancelled", "authorised": "cancelled", "issued": "cancelled"},
    "add_leg": {"issued": "issued"},
    "change_lead": {"issued": "issued"},
    "confirm_authority": {"issued": "issued", "settled": "settled"},
    "answer_call": {"issued": "issued"},
}
ORDER_ACTS: dict[str, Act] = {
    "draft_order": lambda w, r: (r.drafter, drafting(r, r.receivers)),
    "authorise_order": lambda w, r: ((r.signers or (r.leader,))[0], odo.AuthoriseOrder(order=ORDER_ID)),
    "issue_order": lambda w, r: (r.drafter, odo.IssueOrder(order=ORDER_ID)),
    "cancel_order": lambda w, r: (canceller(r), odo.CancelOrder(order=ORDER_ID, reason="other_way")),
    "add_leg": lambda w, r: (
        r.leader,
        odo.AddLeg(order=ORDER_ID, leg=uid(120), body=third(r), ground="needed"),
    ),
    "change_lead": lambda w, r: (r.leader, odo.ChangeLead(order=ORDER_ID, leg=LEGS[1], ground="nearer")),
    "confirm_authority": lambda w, r: (LEADER, odo.ConfirmAuthority(order=ORDER_ID)),
    "answer_call": lambda w, r: (hand("sd-01", 0), odo.AnswerCall(order=ORDER_ID, how="self_handling")),
}


def third(role: Role) -> str:
    """A third body that this kind may summon."""
    given = {"dept": "dept-a-1", "organ": "dept-a-1", "sd": "sd-03", "com": "com-02", "team": "team-03"}
    return "team-02" if role.kind in ("visit", "agency") else given[role.receivers[0].split("-")[0]]


def order_code(role: Role, state: str, act: str) -> str | None:
    """What an act that D.2 lists is refused with, because the kind has no such thing; None where it goes."""
    if act == "confirm_authority" and role.whistle != "emergency":
        return "not_your_body" if role.drafter.body != "sd-01" else "nothing_to_confirm"
    if act == "answer_call" and role.kind != "call":
        return "not_a_call"
    if act == "change_lead" and role.leader == SECRETARY:
        return "not_your_post"  # no post of a community is named for it
    if act == "add_leg" and third(role) in ("sd-03", "team-03"):
        return "unknown_body"
    if act == "add_leg" and role.kind == "call_out":
        return "power_reaches_not"
    return None


def order_states(role: Role) -> list[str]:
    return [state for state in ORDER_REACH if role.signers or state != "drafted"]


ORDER_CELLS = [
    (k, state, act) for k, role in KINDS.items() for state in order_states(role) for act in ORDER_TABLE
]


@functools.cache
def order_in(kind: str, state: str) -> World:
    role = KINDS[kind]
    return World().given(*TO_TRIAGED, *ORDER_REACH[state](role))


def status_of(world: World) -> str:
    order = world.state.orders.get(ORDER_ID)
    return order.status if order else "none"


@pytest.mark.parametrize(("kind", "state"), [(k, s) for k, role in KINDS.items() for s in order_states(role)])
def test_every_state_of_an_order_is_reached(kind: str, state: str) -> None:
    assert status_of(order_in(kind, state)) == state


def test_the_transcription_names_every_act_of_an_order() -> None:
    assert set(ORDER_TABLE) - {"draft_order"} == set(ORDER)
    assert set(ORDER_ACTS) == set(ORDER_TABLE)


@pytest.mark.parametrize(("kind", "state", "act"), ORDER_CELLS)
def test_an_order_goes_as_the_lifecycle_says_and_no_other_way(kind: str, state: str, act: str) -> None:
    role, world = KINDS[kind], order_in(kind, state).copy()
    end = ORDER_TABLE[act].get(state)
    tried = world.when(*ORDER_ACTS[act](world, role))

    if end is None and (kind, state, act) == ("whistle.emergency", "drafted", "issue_order"):
        tried.refused("not_the_duty_leader")
    elif end is None:
        tried.refused(
            "order_exists" if act == "draft_order" else "wrong_state" if state != "none" else "unknown_order"
        )
    elif code := order_code(role, state, act):
        tried.refused(code)
    else:
        tried.allowed()
        assert status_of(world) == (_end_by_hand(role, act) or end)


def _end_by_hand(role: Role, act: str) -> str | None:
    """Two signatures are two acts; and where none is wanted, drafting is authorising."""
    if act == "draft_order" and not role.signers:
        return "authorised"
    return "drafted" if act == "authorise_order" and len(role.signers) > 1 else None


def test_an_emergency_whistle_goes_from_drafted_to_issued() -> None:
    world = order_in("whistle.emergency", "drafted").copy()

    world.when(DUTY_LEADER, odo.IssueOrder(order=ORDER_ID)).allowed()

    assert status_of(world) == "issued"


@pytest.mark.parametrize(
    "kind", [kind for kind, role in KINDS.items() if role.signers and role.whistle != "emergency"]
)
def test_no_other_order_does(kind: str) -> None:
    world = order_in(kind, "drafted").copy()

    world.when(KINDS[kind].drafter, odo.IssueOrder(order=ORDER_ID)).refused("wrong_state")
