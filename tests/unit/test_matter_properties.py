"""Whatever anybody tries, these things hold: random acts by random people, thrown at three matters at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.acting import CLOCK, Actor
from domain.matter import Clock, Matter, evolve, replay
from domain.matter import commands as do
from domain.matter import order_commands as odo
from domain.matter.lifecycle import LEG, MATTER, Row
from domain.matter.order_events import Receiver
from domain.refusal import Refused
from tests.unit.matter_lives import ASKER, KINDS, LEGS, MASTER, Role, accepted, blown, registration, triaged
from tests.unit.matter_lives import ORDER as FIRST_ORDER
from tests.unit.matter_world import BODIES, World, officer, resident, uid
from tests.unit.test_matter_legs import LEG_ACTS
from tests.unit.test_matter_lifecycle import ACTS
from tests.unit.test_matter_orders import ORDER_ACTS

OFFICERS = [officer(body, post) for body, row in BODIES.items() for post in row[2]]
MAIN, CHILD = uid(1), uid(3)
PEOPLE = st.sampled_from([*OFFICERS, ASKER, resident(2), resident(5), CLOCK])
IN_TWO_POSTS = (
    (officer("com-01", "officer"), "sd-01", "supervisor"),
    (officer("sd-01", "officer"), "dept-a", "officer"),
    (officer("dept-a", "officer"), "sd-01", "leadership_member"),
    (officer("dept-a", "leader"), "centre", "supervisor"),
)
ROLES = st.sampled_from(list(KINDS.values()))
SELDOM = st.integers(0, 9).map(lambda n: n == 0)


ENDS = {
    "confirm_refusal",
    "divert_matter",
    "confirm_withdrawal",
    "merge_matter",
    "archive_matter",
    "excuse_leg",
}


NEXT = {
    "registered": "accept_matter", "accepted": "triage_matter", "triaged": "start_handling", "deferred": "resume_matter",
    "in_handling": "submit_result", "completed": "review_result", "called_back": "close_matter",
}  # fmt: skip
NEXT_OF_LEG = {
    "issued": "acknowledge_leg", "acknowledged": "check_in", "checked_in": "note_work", "working": "report_leg",
    "reported": "accept_leg", "return_requested": "decide_return", "disputed": "adjudicate_dispute",
}  # fmt: skip
"""How it goes when nothing gets in the way."""


STARTS = [
    (),
    (accepted, triaged),
    *(
        (accepted, triaged, blown(role, role.receivers))
        for name, role in KINDS.items()
        if name not in ("visit", "agency")
    ),
]
"""How far the matter has come when the machine begins."""


def likely(table: dict[str, Row], status: str) -> list[str]:
    """The acts that the lifecycle allows in a state; those that end everything less often."""
    allowed = [act for act, row in sorted(table.items()) if status in row.allowed]
    return [act for act in allowed if act in ACTS or act in LEG_ACTS for _ in range(1 if act in ENDS else 4)]


def rebased(command: Any, order: str, leg: str) -> Any:
    """The same command about another order and leg."""
    given = {"order": order, "leg": leg}
    return command.model_copy(update={k: v for k, v in given.items() if k in type(command).model_fields})


class Matters(RuleBasedStateMachine):
    """Three matters, everybody who might act in them, and a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.others = [self.world.also(*posts) for posts in IN_TWO_POSTS]
        self.first: dict[tuple[str, str], datetime] = {}
        self.late: dict[tuple[str, str], datetime] = {}
        self.asked: dict[str, set[str]] = {}
        self.verified: dict[str, set[str]] = {}
        self.orders = 0

    @initialize(
        emergency=st.booleans(), kind=st.sampled_from(["request", "hazard", "task"]), start=st.sampled_from(STARTS)
    )  # fmt: skip
    def registered(self, emergency: bool, kind: str, start: tuple[Callable[[World], None], ...]) -> None:
        for case, who in ((MASTER, resident(2)), (MAIN, ASKER)):
            self.world.case = case
            given = {
                "requesters": (who.person,),
                "emergency": emergency,
                "kind": kind,
                "number": f"450305-20260302-000000{case[-1]}",
            }
            self.world.do(who, registration(seen_at=self.world.now, **given))
            self.asked[case] = {who.person}
            self.world.given(*start[: None if case == MAIN else 2])

    # -- what may be tried

    @rule(data=st.data(), case=st.sampled_from([MAIN, MAIN, MAIN, MASTER, CHILD]), odd=SELDOM, who=PEOPLE)
    def matter_act(self, data: st.DataObject, case: str, odd: bool, who: Actor) -> None:
        state = self._at(case)
        if state is not None:
            act = data.draw(st.sampled_from(sorted(ACTS) if odd else likely(MATTER, state.status)))
            right, command = ACTS[act](self.world)
            self._try(who if odd else right, command)

    @rule(case=st.sampled_from([MAIN, MAIN, MASTER, CHILD]), steps=st.integers(1, 5))
    def the_matter_goes_on(self, case: str, steps: int) -> None:
        for _ in range(steps):
            state = self._at(case)
            act = NEXT.get(state.status) if state else None
            if act is not None:
                self._try(*ACTS[act](self.world))

    @rule(leg=st.integers(0, 3), steps=st.integers(1, 6))
    def a_leg_goes_on(self, leg: int, steps: int) -> None:
        found = [(case, one) for case in (MAIN, MASTER) for o in self._orders(case) for one in o.legs]
        for _ in range(steps if found else 0):
            case, one = found[leg % len(found)]
            state = self._at(case)
            assert state is not None, "it has legs"
            order = next(o for o in state.orders.values() if one in o.legs)
            act = NEXT_OF_LEG.get(order.legs[one].status)
            if act == "check_in" and not order.shape.checks_in:
                act = "note_work"
            for releaser in KINDS[order.full_kind].releasers if act == "accept_leg" else ():
                self._try(releaser, odo.AcceptLeg(leg=one))
            if act is not None and act != "accept_leg":
                right, command = self._leg_act(act, one, KINDS[order.full_kind])
                self._try(right, rebased(command, FIRST_ORDER, one))

    @rule(case=st.sampled_from([MAIN, MASTER]), role=ROLES, two=st.booleans(), odd=SELDOM, who=PEOPLE)
    def draft(self, case: str, role: Role, two: bool, odd: bool, who: Actor) -> None:
        if self._at(case) is None or len(self._orders(case)) > 2:
            return
        self.orders += 1
        bodies = role.receivers if two else role.receivers[:1]
        receivers = tuple(
            Receiver(
                leg=uid(5000 + 10 * self.orders + n),
                body=body,
                role="assist" if n else "lead",
                mandatory=n == 0,
            )
            for n, body in enumerate(bodies)
        )
        order = uid(4000 + self.orders)
        draft = odo.DraftOrder(order=order, kind=role.kind, whistle=role.whistle, receivers=receivers)  # type: ignore[arg-type]
        self._try(who if odd else role.drafter, draft)
        for signer in role.signers:
            self._try(signer, odo.AuthoriseOrder(order=order))
        self._try(who if odd else role.drafter, odo.IssueOrder(order=order))

    @rule(
        data=st.data(), act=st.sampled_from(sorted(set(ORDER_ACTS) - {"draft_order"})), odd=SELDOM, who=PEOPLE
    )
    def order_act(self, data: st.DataObject, act: str, odd: bool, who: Actor) -> None:
        found = [(case, o) for case in (MAIN, MASTER) for o in self._orders(case)]
        if found:
            case, order = data.draw(st.sampled_from(found))
            self._at(case)
            right, command = ORDER_ACTS[act](self.world, KINDS[order.full_kind])
            legs = list(order.legs) or [LEGS[0]]
            self._try(who if odd else right, rebased(command, order.id, legs[-1]))

    @rule(data=st.data(), odd=SELDOM, who=PEOPLE)
    def leg_act(self, data: st.DataObject, odd: bool, who: Actor) -> None:
        found = [(case, leg) for case in (MAIN, MASTER) for o in self._orders(case) for leg in o.legs]
        if found:
            case, leg = data.draw(st.sampled_from(found))
            state = self._at(case)
            assert state is not None, "it has legs"
            order = state.orders[state.leg(leg).order]  # type: ignore[union-attr]
            acts = sorted(LEG_ACTS) if odd else likely(LEG, order.legs[leg].status)
            act = data.draw(st.sampled_from(acts or sorted(LEG_ACTS)))
            right, command = self._leg_act(act, leg, KINDS[order.full_kind])
            self._try(who if odd else right, rebased(command, FIRST_ORDER, leg))

    @rule(
        leg=st.integers(0, 3),
        who=st.integers(0, len(IN_TWO_POSTS) - 1),
        act=st.sampled_from(sorted(LEG_ACTS)),
    )
    def act_in_a_second_post(self, leg: int, who: int, act: str) -> None:
        legs = [found for order in self._orders(MAIN) for found in order.legs]
        if legs:
            self._at(MAIN)
            _, command = self._leg_act(act, legs[leg % len(legs)], KINDS["whistle.service"])
            self._try(self.others[who], rebased(command, FIRST_ORDER, legs[leg % len(legs)]))

    @rule(who=st.sampled_from([ASKER, resident(5), resident(6)]))
    def somebody_joins(self, who: Actor) -> None:
        if self._at(MAIN) is not None and self._try(
            who, do.JoinRequester(requester=who.person, source="phone")
        ):
            self.asked[MAIN].add(who.person)

    @rule(case=st.sampled_from([MAIN, MASTER]), solved=st.booleans(), who=PEOPLE, odd=SELDOM)
    def everybody_is_called_back(self, case: str, solved: bool, who: Actor, odd: bool) -> None:
        state = self._at(case)
        for one in state.owed() if state else ():
            said = "satisfied" if solved else "dissatisfied"
            command = do.RecordCallback(requester=one.id, solved=solved, satisfaction=said)
            self._try(who if odd else officer("sd-01", "callback_officer"), command)

    @rule(seconds=st.sampled_from([0.5, 1, 2, 3, 30]))
    def time_passes(self, seconds: float) -> None:
        self.world.later(seconds)

    @rule(case=st.sampled_from([MAIN, MASTER, CHILD]))
    def the_clock_acts(self, case: str) -> None:
        if self._at(case) is not None:
            self.world.tick()

    @rule(
        case=st.sampled_from([MAIN, MASTER]), back=st.sampled_from([1, 4]), act=st.sampled_from(sorted(ACTS))
    )
    def somebody_writes_down_late(self, case: str, back: int, act: str) -> None:
        if self._at(case) is not None:
            self._try(*ACTS[act](self.world), occurred=self.world.now - timedelta(seconds=back))

    # -- what always holds

    @invariant()
    def every_version_is_an_event(self) -> None:
        assert all(
            state.version == len(self.world.stories[case]) for case, state in self.world.states.items()
        )

    @invariant()
    def the_fold_gives_the_same_again(self) -> None:
        assert all(replay(self.world.stories[case]) == state for case, state in self.world.states.items())

    @invariant()
    def what_had_happened_by_any_time_can_be_told(self) -> None:
        for story in self.world.stories.values():
            for moment in {recorded.occurred_at for recorded in story[-3:]}:
                state: Matter | None = None
                for recorded in story:
                    if recorded.occurred_at <= moment:
                        state = evolve(state, recorded)

    @invariant()
    def nothing_mandatory_is_open_in_what_is_closed(self) -> None:
        for state in self.world.states.values():
            if state.status in ("completed", "called_back", "closed", "archived", "refused", "withdrawn"):
                assert not any(leg.live and leg.mandatory for leg in state.legs())
            if state.status in ("completed", "called_back", "closed"):
                assert not any(state.children[child] for child in state.mandatory_children)

    @invariant()
    def nobody_issues_performs_and_verifies_one_leg(self) -> None:
        for state in self.world.states.values():
            for leg in state.legs():
                assert not leg.performers & self.verified.get(leg.id, set())
                assert not leg.performers & state.orders[leg.order].issuers

    @invariant()
    def an_order_that_runs_has_exactly_one_lead(self) -> None:
        for state in self.world.states.values():
            for order in state.orders.values():
                if order.status == "issued":
                    leads = [leg for leg in order.legs.values() if leg.role == "lead"]
                    assert [leg.id for leg in leads] == [order.lead]
                    assert leads[0].live or leads[0].status in ("discharged", "rejected")

    @invariant()
    def first_due_moments_never_change(self) -> None:
        for key, clock in self._clocks():
            assert self.first.setdefault(key, clock.first_due) == clock.first_due

    @invariant()
    def late_stays_late(self) -> None:
        for key, clock in self._clocks():
            if key in self.late:
                assert clock.late(self.world.now)
                assert clock.due == self.late[key]
            elif clock.late(self.world.now):
                self.late[key] = clock.due

    @invariant()
    def no_requester_is_lost(self) -> None:
        for case, asked in self.asked.items():
            assert asked <= set(self.world.states[case].requesters)
            master = self.world.states[case].master
            if master is not None and self.world.states[case].status == "merged":
                left = {r.id for r in self.world.states[case].requesters.values() if not r.withdrawn}
                assert left <= set(self.world.states[master].requesters)

    @invariant()
    def no_step_of_the_agenda_comes_twice(self) -> None:
        for case, state in self.world.states.items():
            self.world.case = case
            ids = [item.id for item in self.world.agenda()]
            assert len(ids) == len(set(ids))
            assert not set(ids) & state.done

    # -- small things

    def _at(self, case: str) -> Matter | None:
        self.world.case = case
        return self.world.states.get(case)

    def _orders(self, case: str) -> list[Any]:
        state = self.world.states.get(case)
        return list(state.orders.values()) if state else []

    def _leg_act(self, act: str, leg: str, role: Role) -> tuple[Actor, Any]:
        """The act as the walk builds it, for a leg of another id."""
        order, found = self.world.state, self.world.state.leg(leg)
        assert found is not None, "it was issued"
        parent = order.orders[found.order]
        keep = dict(parent.legs), dict(order.orders)
        try:
            order.orders[found.order].legs = {**parent.legs, LEGS[0]: found}
            return LEG_ACTS[act](self.world, role)
        finally:
            parent.legs = keep[0]

    def _try(self, actor: Actor, command: Any, **how: Any) -> bool:
        try:
            self.world.do(actor, command, **how)
        except Refused:
            return False
        if isinstance(command, odo.AcceptLeg | odo.RejectLeg):
            self.verified.setdefault(command.leg, set()).add(actor.person)
        if isinstance(command, odo.ConfirmWordOfMouth):
            self.late = {key: due for key, due in self.late.items() if f"{command.leg}/" not in key[1]}
        return True

    def _clocks(self) -> list[tuple[tuple[str, str], Clock]]:
        return [
            ((case, clock.key), clock)
            for case, state in self.world.states.items()
            for clock in (*state.past_clocks, *state.clocks.values())
        ]


TestMatters = Matters.TestCase
TestMatters.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
