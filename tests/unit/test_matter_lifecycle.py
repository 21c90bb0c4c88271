"""Every state of a matter against every act (domain.md D.1), by a transcription of our own.

Where it says more than D.1, on purpose:
- a matter is diverted up to `closed`: that it is an accusation may be recognised only later;
- its requester reopens it from `closed` too, inside the window; an officer only from `called_back`;
- a split of a matter that has been completed opens it again: the part that comes late is mandatory;
- words of requesters and outside systems are taken in every state but `archived` (any channel, at any time);
- history taken over from another system stands still until somebody takes it over; it is opened and erased all the same.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.acting import Actor, Command
from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter import order_commands as odo
from domain.matter.lifecycle import MATTER
from domain.matter.order_events import Receiver
from tests.unit.matter_lives import (
    ARCHIVIST,
    ASKER,
    CALLER,
    CENTRE,
    CENTRE_SUPERVISOR,
    DISCIPLINE,
    HANDLER,
    INTAKE,
    KINDS,
    LEADER,
    MASTER,
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
    accusation,
    archived,
    archiving,
    deferred,
    deferring,
    drafting,
    merged,
    refused,
    registered,
    registration,
    with_master,
    withdrawn,
)
from tests.unit.matter_world import World, officer, resident, uid

REACH: dict[str, tuple[Callable[[World], None], ...]] = {
    "registered": (registered,),
    "accepted": (registered, accepted),
    "triaged": TO_TRIAGED,
    "in_handling": TO_HANDLING,
    "deferred": (*TO_HANDLING, deferred),
    "completed": TO_COMPLETED,
    "called_back": TO_CALLED_BACK,
    "closed": TO_CLOSED,
    "archived": (*TO_CLOSED, archived),
    "refused": (registered, refused),
    "merged": (*TO_TRIAGED, merged),
    "withdrawn": (*TO_TRIAGED, withdrawn),
}
LIVE = ("registered", "accepted", "triaged", "in_handling", "deferred")
LED = ("triaged", "in_handling")


def same(*states: str) -> dict[str, str]:
    return {state: state for state in states}


def to(end: str, *states: str) -> dict[str, str]:
    return dict.fromkeys(states, end)


TABLE: dict[str, dict[str, str]] = {
    "accept_matter": to("accepted", "registered"),
    "propose_refusal": same("registered"),
    "confirm_refusal": to("refused", "registered"),
    "divert_matter": to("refused", *LIVE, "completed", "called_back", "closed"),
    "triage_matter": to("triaged", "accepted"),
    "retriage_matter": same(*LED),
    "record_attempt": same(*LED),
    "escalate_matter": same(*LED),
    "start_handling": to("in_handling", "triaged"),
    "defer_matter": to("deferred", "in_handling"),
    "hold_review": same("deferred"),
    "resume_matter": to("in_handling", "deferred"),
    "submit_result": to("completed", "in_handling"),
    "review_result": same("completed"),
    "send_back_result": to("in_handling", "completed"),
    "record_callback": to("called_back", "completed"),
    "reopen_matter": to("in_handling", "called_back", "closed"),
    "close_matter": to("closed", "called_back"),
    "archive_matter": to("archived", "closed"),
    "merge_matter": to("merged", *LIVE),
    "reverse_merge": to("triaged", "merged"),
    "request_withdrawal": same(*LIVE),
    "confirm_withdrawal": to("withdrawn", *LIVE),
    "deny_withdrawal": same(*LIVE),
    "split_matter": same("accepted", "triaged", "in_handling", "deferred")
    | to("in_handling", "completed", "called_back"),
    "add_supplement": same(*(state for state in REACH if state != "archived")),
    "join_requester": same(*LIVE, "completed"),
    "state_notice_wish": same(*(state for state in REACH if state != "archived")),
    "request_exclusion": same(*(s for s in REACH if s not in ("archived", "merged", "refused"))),
    "decide_exclusion": same(*(s for s in REACH if s not in ("archived", "merged", "refused"))),
    "request_matter_extension": same(*LED),
    "decide_matter_extension": same(*LED, "completed", "called_back"),
    "declare_recusal": same(*(s for s in REACH if s not in ("archived", "merged"))),
    "disclose_case": same(*REACH),
    "erase_data": same("closed", "archived", "refused", "withdrawn"),
    "lift_lock": same("closed", "refused", "withdrawn"),
    "draft_order": same(*LED),
    "take_over_matter": {},
}

Act = Callable[[World], tuple[Actor, Command]]


def until(world: World) -> do.RequestMatterExtension:
    clock = world.state.clock("", "finish")
    due = clock.due if clock else world.now
    return do.RequestMatterExtension(until=due + timedelta(seconds=5), reason="material_ordered")


def reopening(world: World) -> tuple[Actor, Command]:
    who = ASKER if world.state.status == "closed" else CALLER
    return who, do.ReopenMatter(ground="not_solved")


def calling_back(world: World) -> tuple[Actor, Command]:
    return CALLER, do.RecordCallback(requester=ASKER.person, solved=True, satisfaction="satisfied")


ACTS: dict[str, Act] = {
    "accept_matter": lambda w: (INTAKE, do.AcceptMatter()),
    "propose_refusal": lambda w: (INTAKE, do.ProposeRefusal(ground="in_court", other_channel="court")),
    "confirm_refusal": lambda w: (SECRETARY, do.ConfirmRefusal()),
    "divert_matter": lambda w: (INTAKE, do.DivertMatter(to="jw")),
    "triage_matter": lambda w: (INTAKE, do.TriageMatter(scale="minor", demand="help", tier="community")),
    "retriage_matter": lambda w: (
        INTAKE,
        do.RetriageMatter(scale="minor", urgent=True, demand="help", reason="came_worse"),
    ),
    "record_attempt": lambda w: (SECRETARY, do.RecordAttempt(settled=False)),
    "escalate_matter": lambda w: (SECRETARY, do.EscalateMatter(tier="subdistrict", ground="attempt")),
    "start_handling": lambda w: (HANDLER, do.StartHandling(how="self_handling")),
    "defer_matter": lambda w: (LEADER, deferring(w)),
    "hold_review": lambda w: (LEADER, do.HoldReview(review_by=w.now + timedelta(seconds=9))),
    "resume_matter": lambda w: (LEADER, do.ResumeMatter()),
    "submit_result": lambda w: (SD_OFFICER, do.SubmitResult(disposition="solved", evidence=1)),
    "review_result": lambda w: (REVIEWER, do.ReviewResult()),
    "send_back_result": lambda w: (REVIEWER, do.SendBackResult(reason="reply_unclear")),
    "record_callback": calling_back,
    "reopen_matter": reopening,
    "close_matter": lambda w: (SUPERVISOR, do.CloseMatter()),
    "archive_matter": lambda w: (ARCHIVIST, archiving()),
    "merge_matter": lambda w: (INTAKE, do.MergeMatter(master=MASTER, reason="same_lamp")),
    "reverse_merge": lambda w: (INTAKE, do.ReverseMerge(master=MASTER)),
    "request_withdrawal": lambda w: (ASKER, do.RequestWithdrawal(requester=ASKER.person)),
    "confirm_withdrawal": lambda w: (CALLER, do.ConfirmWithdrawal()),
    "deny_withdrawal": lambda w: (CALLER, do.DenyWithdrawal()),
    "split_matter": lambda w: (INTAKE, do.SplitMatter(child=uid(3), number="450305-20260302-0000003")),
    "add_supplement": lambda w: (ASKER, do.AddSupplement(what="urging", source="phone")),
    "join_requester": lambda w: (
        resident(7),
        do.JoinRequester(requester=resident(7).person, source="phone"),
    ),
    "state_notice_wish": lambda w: (ASKER, do.StateNoticeWish(requester=ASKER.person, wanted=False)),
    "request_exclusion": lambda w: (LEADER, do.RequestExclusion(ground="policy_outside")),
    "decide_exclusion": lambda w: (CENTRE_SUPERVISOR, do.DecideExclusion(body="sd-01", granted=True)),
    "request_matter_extension": lambda w: (SD_OFFICER, until(w)),
    "decide_matter_extension": lambda w: (
        CENTRE_SUPERVISOR,
        do.DecideMatterExtension(granted=True, requester_told=True),
    ),
    "declare_recusal": lambda w: (
        CENTRE_SUPERVISOR,
        do.DeclareRecusal(person=SD_OFFICER.person, ground="kin"),
    ),
    "disclose_case": lambda w: (CENTRE_SUPERVISOR, do.DiscloseCase(to="board", ground="sample:2026-03")),
    "erase_data": lambda w: (ARCHIVIST, do.EraseData(ground="purpose_achieved")),
    "lift_lock": lambda w: (ARCHIVIST, do.LiftLock(ground="request_withdrawn")),
    "draft_order": lambda w: (SD_OFFICER, drafting(KINDS["whistle.service"])),
    "take_over_matter": lambda w: (INTAKE, do.TakeOverMatter(host="com-01")),
}

FIRST = {
    "confirm_refusal": "propose_refusal",
    "escalate_matter": "record_attempt",
    "confirm_withdrawal": "request_withdrawal",
    "deny_withdrawal": "request_withdrawal",
    "decide_exclusion": "request_exclusion",
    "decide_matter_extension": "request_matter_extension",
    "lift_lock": "erase_data",
}
"""Acts that answer another one, which must have been done."""


@functools.cache
def _reached(state: str) -> World:
    return World().given(with_master, *REACH[state])


def reached(state: str, act: str) -> World:
    """A world in that state, in which the act that this one answers has been done as soon as it could be."""
    before = FIRST.get(act)
    if before is None or state not in TABLE[act]:
        return _reached(state).copy()
    world = World().given(with_master)
    for n, step in enumerate(REACH[state]):
        world.given(step)
        if world.state.status in TABLE[before]:
            return world.given(lambda w: w.do(*ACTS[before](w)), *REACH[state][n + 1 :])
    raise AssertionError(f"{before} is nowhere possible on the way to {state}")


CELLS = [(state, act) for state in REACH for act in TABLE]


@pytest.mark.parametrize("state", REACH)
def test_every_state_is_reached(state: str) -> None:
    assert _reached(state).state.status == state


def test_the_transcription_names_every_act_of_the_lifecycle() -> None:
    assert set(TABLE) == set(MATTER) == set(ACTS)
    assert {ACTS[act](_reached("triaged"))[1].NAME for act in TABLE} == set(TABLE)


@pytest.mark.parametrize(("state", "act"), [cell for cell in CELLS if cell[0] in TABLE[cell[1]]])
def test_an_act_that_the_lifecycle_allows_leads_where_it_says(state: str, act: str) -> None:
    world = reached(state, act)
    version = world.state.version

    world.when(*ACTS[act](world)).allowed()

    assert world.state.status == TABLE[act][state]
    assert world.state.version == len(world.story) > version


@pytest.mark.parametrize(("state", "act"), [cell for cell in CELLS if cell[0] not in TABLE[cell[1]]])
def test_an_act_that_the_lifecycle_forbids_is_refused_and_changes_nothing(state: str, act: str) -> None:
    world = reached(state, act)
    code = "not_backfilled" if act == "take_over_matter" and state == "in_handling" else "wrong_state"
    if act == "lift_lock":
        code = "not_locked"  # one requester's may be lifted in any state

    world.when(*ACTS[act](world)).refused(code)


@pytest.mark.parametrize("act", TABLE)
def test_no_act_goes_before_the_matter_exists(act: str) -> None:
    command = ACTS[act](_reached("triaged"))[1]

    World().when(INTAKE, command).refused("not_found")


def test_a_matter_is_registered_once() -> None:
    World().given(registered).when(ASKER, registration()).refused("exists_already")


def test_an_officer_does_not_reopen_what_is_closed() -> None:
    World().given(*TO_CLOSED).when(CALLER, do.ReopenMatter(ground="not_solved")).refused("wrong_state")


# -- history of another system

OF_HISTORY = ("take_over_matter", "add_supplement", "disclose_case", "erase_data", "lift_lock")


def backfilled(status: str) -> World:
    world = World()
    opened = ev.MatterBackfilled(
        number="450305-20260302-B000001",
        source="import",
        opened_at=world.now,
        status=status,
        demand="help",
        requesters=(ASKER.person,),
    )  # type: ignore[arg-type]
    return world.given(opened)


@pytest.mark.parametrize("act", [act for act in TABLE if act not in OF_HISTORY])
@pytest.mark.parametrize("status", ["in_handling", "closed"])
def test_backfilled_history_stands_still(status: str, act: str) -> None:
    world = backfilled(status)

    world.when(*ACTS[act](world)).refused("not_taken_over")


def test_a_backfilled_matter_runs_like_any_other_once_taken_over() -> None:
    world = backfilled("in_handling")

    world.when(INTAKE, do.TakeOverMatter(host="com-01")).then(ev.MatterTakenOver, status="accepted")

    intake = officer("sd-01", "intake_officer")
    world.do(intake, do.TriageMatter(scale="hard", demand="help", tier="community"))
    world.given(*REACH["closed"][3:])
    assert world.state.status == "closed"


def test_what_ended_elsewhere_is_not_taken_over() -> None:
    backfilled("closed").when(INTAKE, do.TakeOverMatter(host="com-01")).refused("wrong_state")


def test_only_the_offices_it_goes_to_take_a_matter_over() -> None:
    world = backfilled("in_handling")

    world.when(officer("com-02", "intake_officer"), do.TakeOverMatter(host="com-01")).refused("not_your_body")
    world.when(officer("centre", "dispatcher"), do.TakeOverMatter(host="com-01")).allowed()


def test_words_are_taken_for_backfilled_history_too() -> None:
    backfilled("closed").when(ASKER, do.AddSupplement(what="supplement", source="phone")).then(
        ev.MatterSupplemented, status="closed"
    )


# -- the same life for a confidential matter, in the hands of discipline inspection alone


def test_an_accusation_is_accepted_and_graded_by_discipline_inspection() -> None:
    world = World()
    world.do(ASKER, accusation())

    world.when(DISCIPLINE, do.AcceptMatter()).then(ev.MatterAccepted)
    world.when(DISCIPLINE, do.TriageMatter(scale="hard", tier="district")).then(ev.MatterTriaged)
    world.when(DISCIPLINE, do.StartHandling(how="self_handling")).then(
        ev.HandlingStarted, status="in_handling"
    )


def test_a_dispatch_needs_nothing_but_a_matter_in_handling() -> None:
    world = World().given(*TO_HANDLING)
    receivers = (Receiver(leg=uid(101), body="dept-a", role="lead"),)

    world.do(CENTRE, odo.DraftOrder(order=uid(100), kind="dispatch", receivers=receivers))

    assert world.state.orders[uid(100)].status == "authorised"
