"""The law run again over leaves alone: no false alarm over lives as they are, and for each breach its own finding."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant

from adapters.bundle import verify
from adapters.demo import lives as demo_lives
from adapters.rulebooks import packaged_notices, template
from domain.acting import CLOCK, Actor, When
from domain.calendar import Length
from domain.event import Basis, Event, encode
from domain.instant import written
from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter import order_commands as odo
from domain.matter import order_events as oev
from domain.refusal import Refused
from domain.rulebook.releases import RulebookReleased, digest_of
from tests.story import LIVES, Story, eventful, story
from tests.unit.law_leaves import (
    Leaf,
    codes,
    found_in,
    late_clocks,
    law_rules,
    leaves,
    run,
    same_state,
    soon,
)
from tests.unit.matter_lives import (
    ASKER,
    CALLER,
    HANDLER,
    INTAKE,
    KINDS,
    LEADER,
    LEGS,
    ORDER,
    SD_OFFICER,
    SUPERVISOR,
    TO_CALLED_BACK,
    TO_CLOSED,
    TO_COMPLETED,
    TO_HANDLING,
    TO_TRIAGED,
    Role,
    accepted,
    acknowledged,
    blown,
    checked_in,
    closed,
    excused,
    hand,
    merged,
    not_solved,
    registered,
    released,
    reported,
    submitted,
    working,
)
from tests.unit.matter_world import GROUND, NOON, World, envelope, law, officer, resident, uid
from tests.unit.test_matter_legs import LEG_ACTS, LEG_REACH, LEG_TABLE
from tests.unit.test_matter_lifecycle import ACTS, REACH, TABLE, reached
from tests.unit.test_matter_properties import Matters

SERVICE = KINDS["whistle.service"]
WHISTLED = (*TO_TRIAGED, blown(SERVICE, SERVICE.receivers))
DEPARTMENTS = officer("dept-a", "officer")
RELEASED = RulebookReleased.TYPE


# -- lives as they are ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "act"), [(s, a) for s in REACH for a in TABLE if s in TABLE[a]], ids=str)
def test_no_act_that_the_lifecycle_allows_is_found_fault_with(state: str, act: str) -> None:
    world = reached(state, act)
    world.do(*ACTS[act](world))

    found = run(leaves(world))

    assert [one for one in found.finish(soon(world)) if not one.note] == []
    for case, matter in world.states.items():
        if matter.status != "archived" or "legs" in found._cases[case]:
            same_state(found._cases[case], matter)


@pytest.mark.parametrize("kind", KINDS)
def test_no_life_of_a_leg_is_found_fault_with(kind: str) -> None:
    role = KINDS[kind]
    for state in LEG_REACH:
        for act in (act for act in LEG_TABLE if state in LEG_TABLE[act]):
            world = World().given(*TO_TRIAGED, blown(role, role.receivers))
            for step in LEG_REACH[state](role):
                _tried(world, step)
            _tried(world, functools.partial(_done, act, role))

            assert found_in(leaves(world), soon(world)) == []


def _done(act: str, role: Role, world: World) -> None:
    world.do(*LEG_ACTS[act](world, role))


def _tried(world: World, step: Callable[[World], object]) -> None:
    """A step that the kind may not know."""
    with suppress(Refused):
        step(world)


class Judged(Matters):
    """The random matters, judged after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.law: verify.Law | None = None
        self.read = 0
        self.versions: dict[str, int] = {}

    @invariant()
    def the_law_finds_nothing_but_lateness_and_knows_what_the_domain_knows(self) -> None:
        if self.law is None:
            self.law = run(leaves(World(self.world.register, self.world.book, entered=self.world.entered)))
        for one in self.world.log[self.read :]:
            version = self.versions[one.stream] = self.versions.get(one.stream, 0) + 1
            place = {"_position": self.read, "_prev": None, "version": version}
            self.law.take(self.read, {**json.loads(encode(one)), **place})
            self.read += 1
        found = self.law.finish(written(self.world.now))
        assert [one for one in found if not one.note and one.code != "due_silent"] == []
        assert sum(one.code == "due_missed" for one in found) == late_clocks(self.world)
        for case, matter in self.world.states.items():
            same_state(self.law._cases[case], matter)


TestJudged = Judged.TestCase
TestJudged.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_a_joint_time_moved_in_time_is_found_fault_with_by_nobody() -> None:
    joint = NOON + timedelta(seconds=10)
    world = World().given(*TO_TRIAGED, blown(SERVICE, summoned_at=joint), acknowledged).later(2)
    world.do(LEADER, odo.ChangeSummonsTime(leg=LEGS[0], to=joint + timedelta(seconds=3), ground="rain"))

    assert codes(leaves(world), soon(world)) == []


def test_a_check_in_by_word_of_mouth_that_was_confirmed_is_not_late() -> None:
    emergency = KINDS["whistle.emergency"]
    world = World().given(*TO_TRIAGED, blown(emergency)).later(6)
    arrived = NOON + timedelta(seconds=1)
    spoken = odo.CheckIn(leg=LEGS[0], place="com-01", proof="word_of_mouth", arrived_at=arrived)
    world.do(hand("dept-a", 1), spoken)
    before = [one.code for one in run(leaves(world)).finish(soon(world))]
    world.do(LEADER, odo.ConfirmWordOfMouth(leg=LEGS[0]))

    assert before == ["due_missed"] * 3
    assert run(leaves(world)).finish(soon(world)) == []


def test_a_life_in_working_time_is_found_fault_with_by_nobody() -> None:
    world = World(book=law("gulou")).given(*WHISTLED, acknowledged).later(3 * 86_400)
    world.given(checked_in, working, reported).given(lambda w: released(w, LEGS[0]))

    said = run(leaves(world, ("gulou",)), verify.Law(law_rules("gulou"), None)).finish(soon(world))

    assert {one.code for one in said if not one.note} <= {"due_silent"}
    assert any(one.code == "due_missed" for one in said)


def _stored(tale: Story) -> list[Leaf]:
    """Everything in a store, as parsed leaves."""
    found: list[Leaf] = []
    after = 0
    while rows := tale.engine.store.read(after, 1000):
        for row in rows:
            place = {"_position": row.position, "_prev": None, "version": row.version}
            found.append({**json.loads(row.body), **place})
        after = rows[-1].position
    return found


DEMO = (
    demo_lives.counter, demo_lives.grid_finding, demo_lives.late_whistle, demo_lives.never_came, demo_lives.returned,
    demo_lives.return_denied, demo_lives.disputed, demo_lives.extended, demo_lives.project, demo_lives.emergency,
    demo_lives.self_handled_call, demo_lives.call_out, demo_lives.dispatch,
)  # fmt: skip


def test_the_demonstrations_lives_are_found_late_where_they_were_and_nothing_else(tmp_path: Path) -> None:
    with story(tmp_path / "data") as tale:
        eventful(tale)
        for life in (*LIVES, *DEMO):
            life(tale.scene)
            for case in tale.scene.cases:
                tale.steps(case)
        found = run(_stored(tale))
        states = {case: tale.engine.handle.load(case) for case in found._cases}
        now = tale.clock.at

    said = found.finish(written(now))
    clocks = [c for state in states.values() if state for c in (*state.past_clocks, *state.clocks.values())]
    assert [one for one in said if not one.note] == []
    assert sum(one.code == "due_missed" for one in said) == sum(clock.late(now) for clock in clocks) > 5
    assert {one.code for one in said} == {"due_missed"}


def test_the_due_moments_of_a_case_without_an_event_in_the_month_are_judged_from_the_state() -> None:
    world = World().given(*TO_HANDLING)
    kept = json.loads(json.dumps(run(leaves(world)).state()))
    a_year_later = written(world.now + timedelta(days=365))

    said = verify.Law(law_rules(), kept).finish(a_year_later)

    assert {one.code for one in said} == {"due_missed", "due_silent"}
    assert {one.case for one in said} == {world.case}
    assert said == run(leaves(world)).finish(a_year_later)


def test_a_board_may_put_the_state_aside_after_any_leaf() -> None:
    world = World().given(*WHISTLED, acknowledged, checked_in, working, reported).later(40)
    world.tick()
    world.given(lambda w: released(w, LEGS[0]))
    all_of_it = leaves(world)
    whole = run(all_of_it)

    parts: verify.Law | None = None
    for index, leaf in enumerate(all_of_it):
        state = json.loads(json.dumps(parts.state())) if parts else None
        parts = verify.Law(law_rules(), state)
        parts.take(index, leaf)

    assert parts is not None
    assert parts.state() == json.loads(json.dumps(whole.state()))


def test_an_archived_case_is_kept_by_its_status_alone() -> None:
    world = World().given(*TO_CLOSED)
    world.do(*ACTS["archive_matter"](world))
    state = run(leaves(world)).state()

    assert state["cases"][world.case] == {"status": "archived"}
    again = verify.Law(law_rules(), json.loads(json.dumps(state)))
    told = leaves(world)[-1] | {"version": 99}
    again.take(0, _as(told, ev.MatterAccepted(), "accept_matter"))
    assert [one.code for one in again.finish(soon(world))] == ["closed_case"]


def test_a_case_whose_beginning_was_not_seen_is_not_judged_and_that_is_said() -> None:
    world = World().given(*TO_CLOSED)
    seen = [leaf for leaf in leaves(world) if leaf["type"] != "matter_registered.v1"]

    found = run(seen).finish(soon(world))

    assert [(one.code, one.note) for one in found] == [("case_unknown", True)]


# -- forging --------------------------------------------------------------------------------------------------------


def _in_a_row(given: list[Leaf]) -> list[Leaf]:
    """The leaves as a forger seals them: every stream's versions without a gap."""
    versions: dict[str, int] = {}
    found = []
    for position, leaf in enumerate(given):
        version = versions[leaf["stream"]] = versions.get(leaf["stream"], 0) + 1
        found.append({**leaf, "_position": position, "version": version})
    return found


@pytest.mark.parametrize("before", ["matter_registered.v1", "attempt_recorded.v1"])
def test_an_event_of_no_case_that_was_put_into_one_hides_nothing(before: str) -> None:
    world = World().given(*TO_HANDLING)
    forged(world, ev.AttemptRecorded(tier="community", settled=False), HANDLER, "record_attempt")
    forged(world, ev.MatterClosed(), HANDLER, "close_matter")
    honest = leaves(world)
    at = next(n for n, leaf in enumerate(honest) if leaf["type"] == before)
    read = honest[at] | {"type": "sealed_read.v1", "pub": {}, "rule": "read"}

    said = codes(_in_a_row([*honest[:at], read, *honest[at:]]), soon(world))

    assert said[0] == "illegal_transition"
    assert set(codes(honest, soon(world))) <= set(said)
    assert "case_unknown" not in said


@pytest.mark.parametrize("kept_between", [False, True])
def test_a_case_that_another_stream_has_begun(kept_between: bool) -> None:
    world = World().given(*TO_HANDLING)
    case = [leaf for leaf in leaves(world) if leaf["stream"] == world.case]
    read = case[0] | {"type": "sealed_read.v1", "pub": {}, "rule": "read"}
    beside_it = [leaf for leaf in leaves(world) if leaf["stream"] != world.case]
    *before, after = _in_a_row([*beside_it, read, case[1]])
    law = run(before)
    if kept_between:
        law = verify.Law(law_rules(), json.loads(json.dumps(law.state())))
    law.take(len(before), after)

    assert [one.code for one in law.finish(soon(world)) if not one.note] == ["illegal_transition"]


@pytest.mark.parametrize("before", [{}, {"rule": "erase_data"}, {"person": uid(4711)}], ids=str)
def test_an_act_that_hides_behind_another_case_s(before: dict[str, Any]) -> None:
    world = World().given(*TO_CLOSED)
    erased = ev.DataErased(ground="request", authority=GROUND, subject=None, digests=(), boards=())
    forged(world, erased, HANDLER, "erase_data")
    *honest, last = leaves(world)
    other = honest[-1] | {"stream": uid(4712), "command": last["command"], "rule": "accept_matter"} | before
    first = next(leaf for leaf in honest if leaf["type"] == "matter_registered.v1")

    said = codes(_in_a_row([*honest, first | {"stream": uid(4712)}, other, last]), soon(world))

    assert "post_not_named" in said


@pytest.mark.parametrize("withheld", ["register", "releases"])
def test_a_law_whose_register_or_rulebooks_were_kept_back_passes_nothing(withheld: str) -> None:
    world = World().given(*TO_HANDLING)
    stream = law_rules()["streams"][withheld]
    shown = [leaf for leaf in leaves(world) if leaf["stream"] != stream]
    cut = [leaf for leaf in leaves(world) if leaf["stream"] != stream or leaf["version"] != 1]

    assert "standing_unseen" in codes(shown, soon(world))
    assert "standing_unseen" in codes(cut, soon(world))


def _as(leaf: Leaf, event: Event, rule: str) -> Leaf:
    """The same leaf as another event."""
    return leaf | {"type": event.TYPE, "pub": json.loads(event.model_dump_json()), "rule": rule}


def forged(world: World, event: Event, actor: Actor, rule: str, **told: Any) -> World:
    """An event that nobody decided, written into the record."""
    when = When(occurred_at=world.now, recorded_at=world.now)
    basis = Basis(calendar="cn", code="test", register=1, rulebook=world.book.book.name)
    given = {"rule": rule, "command": f"forged:{len(world.log)}", "basis": basis, "authority": GROUND} | told
    world.log.append(envelope(event, actor, when, world.case, **given))
    return world


def edited(world: World, kind: str, change: Callable[[Leaf], None]) -> list[Leaf]:
    """The record with the last event of that type changed."""
    found = leaves(world)
    change(next(leaf for leaf in reversed(found) if leaf["type"] == kind))
    return found


def clock(stage: str, of: str, at: Any, **more: Any) -> ev.StartedClock:
    return ev.StartedClock(stage=stage, of=of, due=at, **more)


def seconds(world: World, n: float) -> Any:
    return world.now + timedelta(seconds=n)


# -- transitions ----------------------------------------------------------------------------------------------------


def test_an_act_that_the_state_forbids() -> None:
    world = World().given(registered, accepted)
    forged(
        world, ev.MatterAccepted(clocks=(clock("triage", "*", seconds(world, 4)),)), INTAKE, "accept_matter"
    )

    assert codes(leaves(world), soon(world)) == ["illegal_transition"]


def test_a_case_that_is_closed_before_anything_was_done() -> None:
    world = forged(World().given(registered), ev.MatterClosed(), SUPERVISOR, "close_matter")

    assert set(codes(leaves(world), soon(world))) == {"illegal_transition", "requester_unanswered"}


def test_an_event_that_its_act_does_not_make() -> None:
    world = forged(World().given(*TO_HANDLING), ev.ResultReviewed(), HANDLER, "record_attempt")

    assert codes(leaves(world), soon(world)) == ["illegal_transition"]


def test_an_act_on_a_closed_case() -> None:
    world = forged(
        World().given(*TO_CLOSED),
        ev.MatterEscalated(from_tier="community", tier="subdistrict", ground="emergency"),
        officer("com-01", "community_secretary"),
        "escalate_matter",
    )

    assert codes(leaves(world), soon(world)) == ["closed_case"]


def test_a_check_in_before_the_body_was_summoned() -> None:
    world = World().given(*TO_TRIAGED)
    checked = oev.LegCheckedIn(order=ORDER, leg=LEGS[0], place="com-01", proof="code", arrived_at=world.now)
    forged(world, checked, DEPARTMENTS, "check_in")

    assert codes(leaves(world), soon(world)) == ["illegal_transition"]


def test_a_body_let_go_as_if_the_matter_had_been_withdrawn() -> None:
    world = World().given(*WHISTLED)
    forged(world, oev.LegExcused(order=ORDER, leg=LEGS[0], ground="withdrawn"), CALLER, "confirm_withdrawal")
    world.do(LEADER, odo.UrgeLeg(leg=LEGS[1]))

    assert codes(leaves(world), soon(world)) == ["illegal_transition"]


def test_a_matter_completed_while_a_body_was_still_summoned() -> None:
    world = World().given(*WHISTLED)
    result = ev.ResultSubmitted(
        disposition="solved", evidence=1, clocks=(clock("callback", "*", seconds(world, 6)),)
    )
    forged(world, result, SD_OFFICER, "submit_result")

    assert codes(leaves(world), soon(world)) == ["completed_with_open"]


def test_a_matter_completed_while_a_mandatory_child_was_open() -> None:
    world = World().given(*TO_HANDLING)
    world.do(*ACTS["split_matter"](world))
    result = ev.ResultSubmitted(
        disposition="solved", evidence=1, clocks=(clock("callback", "*", seconds(world, 6)),)
    )
    forged(world, result, SD_OFFICER, "submit_result")

    assert codes(leaves(world), soon(world)) == ["completed_with_open"]


def test_a_child_that_is_called_ended_and_is_not() -> None:
    world = World().given(*TO_HANDLING)
    world.do(*ACTS["split_matter"](world))
    forged(world, ev.ChildEnded(child=uid(3)), SUPERVISOR, "close_matter")

    assert codes(leaves(world), soon(world)) == ["illegal_transition", "child_not_ended"]


# -- what another case's act put there ------------------------------------------------------------------------------

LATE_CHILD = ev.MatterReopened(ground="late_child", count=0)


def test_a_parent_opened_again_though_no_child_was() -> None:
    world = forged(World().given(*TO_CLOSED), LATE_CHILD, SUPERVISOR, "reopen_matter")

    assert codes(leaves(world), soon(world)) == ["illegal_transition"]


@pytest.mark.parametrize(
    "event",
    [
        ev.MatterSupplemented(what="supplement", source="phone", merged=uid(3)),
        ev.MatterAbsorbed(merged=uid(3), requesters=()),
    ],
    ids=lambda event: event.TYPE,
)
def test_what_no_act_of_the_merged_matter_put_there(event: Event) -> None:
    act = "add_supplement" if isinstance(event, ev.MatterSupplemented) else "merge_matter"
    world = forged(World().given(*TO_TRIAGED), event, SUPERVISOR, act)

    assert "illegal_transition" in codes(leaves(world), soon(world))


@pytest.mark.parametrize("change", ["person", "basis", "command"])
def test_a_merge_put_there_by_somebody_else_or_on_another_basis(change: str) -> None:
    world = World().given(*TO_TRIAGED, merged)

    def other(leaf: Leaf) -> None:
        given = {"person": uid(99), "basis": leaf["basis"] | {"register": 0}, "command": "another:1"}
        leaf[change] = given[change]

    assert codes(leaves(world), soon(world)) == []
    assert codes(edited(world, "matter_absorbed.v1", other), soon(world)) == ["illegal_transition"]


def test_what_an_act_that_was_not_shown_put_there_is_said() -> None:
    world = World().given(*TO_TRIAGED, merged)
    shown = [(index, leaf) for index, leaf in enumerate(leaves(world)) if leaf["type"] != "matter_merged.v1"]
    again = verify.Law(law_rules(), None)
    for index, leaf in shown:
        again.take(index, leaf)

    found = again.finish(soon(world))

    assert [(one.code, one.note) for one in found if one.code == "told_unseen"] == [("told_unseen", True)]
    assert "illegal_transition" not in [one.code for one in found]


def test_an_urgent_matter_completed_with_nobody_there() -> None:
    world = World().given(registered, accepted)
    world.do(INTAKE, do.TriageMatter(scale="hard", urgent=True, demand="help", tier="community"))
    world.do(HANDLER, do.StartHandling(how="self_handling"))
    result = ev.ResultSubmitted(
        disposition="solved", evidence=1, clocks=(clock("callback", "*", seconds(world, 6)),)
    )
    forged(world, result, SD_OFFICER, "submit_result")

    assert codes(leaves(world), soon(world)) == ["no_on_site_response"]


def test_a_requester_who_was_never_called_back() -> None:
    world = World().given(*TO_COMPLETED)
    world.do(resident(7), do.JoinRequester(requester=resident(7).person, source="phone"))
    done = ev.CallbackDone(
        how="callback", requester=ASKER.person, reached=True, solved=True, satisfaction="satisfied",
        complete=True, clocks=(clock("close", "*", seconds(world, 8)),),
    )  # fmt: skip
    forged(world, done, CALLER, "record_callback")

    assert codes(leaves(world), soon(world)) == ["requester_unanswered"]


def test_a_merge_that_drops_a_requester() -> None:
    world = World().given(*TO_TRIAGED, merged)

    def drop(leaf: Leaf) -> None:
        leaf["pub"]["requesters"] = []

    assert codes(edited(world, "matter_absorbed.v1", drop), soon(world)) == ["requester_lost"]


def test_a_merge_that_its_master_never_heard_of() -> None:
    world = World().given(*TO_TRIAGED, merged)
    found = [leaf for leaf in leaves(world) if leaf["type"] != "matter_absorbed.v1"]

    assert codes(found, soon(world)) == ["requester_lost"]


def test_data_erased_while_the_matter_goes_on() -> None:
    world = World().given(*TO_HANDLING)
    gone = ev.DataErased(ground="consent_withdrawn", authority="law:pipl-47", digests=())
    forged(world, gone, officer("archive", "archivist"), "erase_data")

    assert codes(leaves(world), soon(world)) == ["erased_too_early"]


def test_a_leaf_whose_public_fields_are_broken() -> None:
    world = World().given(*TO_TRIAGED)

    def broken(leaf: Leaf) -> None:
        leaf["pub"] = {"clocks": "none"}

    assert "malformed" in codes(edited(world, "matter_triaged.v1", broken), soon(world))


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_leaf_however_broken_stops_the_law(data: st.DataObject) -> None:
    given_leaves = _long_life()
    place = data.draw(st.integers(0, len(given_leaves) - 1))
    pub = json.loads(json.dumps(given_leaves[place]["pub"]))
    key = data.draw(st.sampled_from(sorted(pub) or ["none"]))
    pub[key] = data.draw(JSON)

    law_ = run([*given_leaves[:place], given_leaves[place] | {"pub": pub}, *given_leaves[place + 1 :]])

    assert isinstance(law_.finish("2026-03-02T05:00:00Z"), list)
    json.dumps(law_.state())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2**53) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["stage", "due", "leg"]), inner)
    ),
    max_leaves=4,
)


@functools.cache
def _long_life() -> list[Leaf]:
    world = World().given(*WHISTLED, acknowledged, checked_in, working, reported).later(40)
    world.tick()
    world.given(released, lambda w: excused(w, LEGS[1]), submitted, not_solved, closed)
    return leaves(world)


# -- persons --------------------------------------------------------------------------------------------------------


def test_who_did_the_work_releases_the_body() -> None:
    world = World()
    second = world.also(hand("dept-a", 1), "sd-01", "leadership_member")
    world.given(*WHISTLED, acknowledged, checked_in, working, reported)
    accepted_ = oev.ResultAccepted(order=ORDER, leg=LEGS[0], signed_as="issuer", discharged=True)
    forged(world, accepted_, second, "accept_leg:whistle.service")

    found = found_in(leaves(world), soon(world))
    assert [one.code for one in found] == ["same_person"]
    assert found[0].index == len(leaves(world)) - 1
    assert (found[0].case, found[0].version) == (world.case, len(world.log))


def test_who_blew_the_whistle_checks_in() -> None:
    world = World()
    second = world.also(SD_OFFICER, "dept-a", "officer")
    world.given(*WHISTLED, acknowledged)
    checked = oev.LegCheckedIn(order=ORDER, leg=LEGS[0], place="com-01", proof="code", arrived_at=world.now)
    forged(world, checked, second, "check_in:whistle.service")

    assert codes(leaves(world), soon(world)) == ["same_person"]


def test_one_officer_refuses_alone() -> None:
    world = World()
    world.given(registered).do(INTAKE, do.ProposeRefusal(ground="in_court", other_channel="court"))
    forged(world, ev.MatterRefused(ground="in_court", other_channel="court"), INTAKE, "confirm_refusal")

    assert codes(leaves(world), soon(world)) == ["same_person"]


def test_a_callback_by_somebody_who_handled_the_matter() -> None:
    world = World()
    second = world.also(HANDLER, "sd-01", "callback_officer")
    world.given(*TO_COMPLETED)
    done = ev.CallbackDone(
        how="callback", requester=ASKER.person, reached=True, solved=True, satisfaction="satisfied",
        complete=True, clocks=(clock("close", "*", seconds(world, 8)),),
    )  # fmt: skip
    forged(world, done, second, "record_callback")

    assert codes(leaves(world), soon(world)) == ["callback_not_independent"]


def test_a_closing_by_somebody_who_handled_the_matter() -> None:
    world = World()
    second = world.also(HANDLER, "sd-01", "supervisor")
    world.given(*TO_CALLED_BACK)
    forged(world, ev.MatterClosed(), second, "close_matter")

    assert codes(leaves(world), soon(world)) == ["closing_not_independent"]


def test_an_act_by_a_body_that_was_not_summoned() -> None:
    world = World().given(*TO_TRIAGED, blown(SERVICE))
    forged(
        world,
        oev.LegAcknowledged(order=ORDER, leg=LEGS[0]),
        officer("dept-c", "duty_officer"),
        "acknowledge_leg",
    )

    assert codes(leaves(world), soon(world)) == ["wrong_capacity"]


def test_a_department_that_releases_itself() -> None:
    world = World().given(*WHISTLED, acknowledged, checked_in, working, reported)
    accepted_ = oev.ResultAccepted(order=ORDER, leg=LEGS[0], signed_as="issuer", discharged=True)
    forged(world, accepted_, officer("dept-a", "duty_officer"), "accept_leg:whistle.service")

    assert set(codes(leaves(world), soon(world))) <= {"wrong_capacity", "same_person"}
    assert "wrong_capacity" in codes(leaves(world), soon(world))


def test_a_timer_act_by_hand() -> None:
    world = World().given(registered).later(4)
    due = NOON + timedelta(seconds=3)
    item = f"/accept/1/{int(due.timestamp() * 1000)}/urge0"
    urged = oev.UrgedByClock(item=item, stage="accept", due=due, body="com-01")
    forged(world, urged, SD_OFFICER, "take_due_steps")

    assert codes(leaves(world), soon(world)) == ["wrong_capacity"]


def test_a_person_without_the_post() -> None:
    world = World().given(registered)
    forged(
        world,
        ev.MatterAccepted(clocks=(clock("triage", "*", seconds(world, 4)),)),
        Actor(person=uid(77), body="com-01", post="intake_officer"),
        "accept_matter",
    )

    assert codes(leaves(world), soon(world)) == ["post_not_held"]


def test_a_post_that_the_rulebook_does_not_name() -> None:
    world = World().given(registered)
    started = ev.MatterAccepted(clocks=(clock("triage", "*", seconds(world, 4)),))
    forged(world, started, officer("com-01", "officer"), "accept_matter")

    assert codes(leaves(world), soon(world)) == ["post_not_named"]


def test_a_whistle_without_the_power_to_blow_it() -> None:
    world = World().given(*WHISTLED)

    def without(leaf: Leaf) -> None:
        leaf["authority"] = GROUND

    assert codes(edited(world, "order_issued.v1", without), soon(world)) == ["power_not_in_force"]


# -- on which basis -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("basis", "code"),
    [
        ({"rulebook": "demo/2025.9"}, "rulebook_not_in_force"),
        ({"calendar": "cn-2031"}, "calendar_not_in_force"),
        ({"register": 99_999}, "basis_ahead"),
    ],
)
def test_a_decision_on_a_basis_that_was_not_in_force(basis: dict[str, Any], code: str) -> None:
    world = World().given(*TO_HANDLING)
    forged(world, ev.AttemptRecorded(tier="community", settled=False), HANDLER, "record_attempt")

    def stand(leaf: Leaf) -> None:
        leaf["basis"] |= basis

    assert codes(edited(world, "attempt_recorded.v1", stand), soon(world)) == [code]


def test_a_rulebook_text_that_is_not_the_released_one() -> None:
    world = World().given(*TO_HANDLING)
    rules = json.loads(json.dumps(law_rules()))
    rules["rulebooks"] = {digest: text + "# later" for digest, text in rules["rulebooks"].items()}

    found = run(leaves(world), verify.Law(rules, None)).finish(soon(world))

    assert [(one.code, one.note) for one in found] == [("rulebook_text_forged", False)]


@pytest.mark.parametrize("text", ["no rulebook at all", 'zone = "Nowhere/At_all"\n', "name = 1\n", ""])
def test_a_released_text_that_is_no_rulebook(text: str) -> None:
    world = World().given(*TO_HANDLING)
    digest = digest_of(text)

    def release(leaf: Leaf) -> Leaf:
        return leaf | {"pub": leaf["pub"] | {"digest": digest}} if leaf["type"] == RELEASED else leaf

    rules = json.loads(json.dumps(law_rules())) | {"rulebooks": {digest: text}}
    found = run(map(release, leaves(world)), verify.Law(rules, None)).finish(soon(world))

    assert [(one.code, one.note) for one in found] == [("rulebook_malformed", False)]


def test_a_rulebook_text_that_was_kept_back() -> None:
    world = World().given(*TO_HANDLING)
    rules = json.loads(json.dumps(law_rules())) | {"rulebooks": {}}

    found = run(leaves(world), verify.Law(rules, None)).finish(soon(world))

    assert [(one.code, one.note) for one in found] == [("rulebook_missing", False)]


def test_what_cannot_be_read_here_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World().given(*TO_HANDLING)
    monkeypatch.setitem(sys.modules, "tomllib", None)  # a Python older than 3.11

    found = run(leaves(world)).finish(soon(world))

    assert [(one.code, one.note) for one in found] == [("rulebook_unread", True)]


# -- clocks ---------------------------------------------------------------------------------------------------------


def test_a_report_that_came_late_is_told_with_how_late() -> None:
    world = World().given(*TO_HANDLING).later(50)
    world.tick()
    world.given(submitted)

    found = [one for one in run(leaves(world)).finish(soon(world)) if one.code == "due_missed"]

    assert [(one.note, one.en) for one in found] == [
        (True, "finish was due at 2026-03-02T04:00:45Z, late by 5 s.")
    ]
    assert "迟 5秒" in found[0].zh


def test_an_act_that_is_still_owed_is_told_with_how_late_so_far() -> None:
    world = World().given(*TO_TRIAGED).later(75)
    world.tick()

    (found,) = run(leaves(world)).finish(written(world.now))

    assert found.en == "finish was due at 2026-03-02T04:00:45Z, still owed, late by 30 s so far."


def test_a_due_moment_that_passed_in_silence() -> None:
    world = World().given(*TO_TRIAGED).later(7200)

    found = run(leaves(world)).finish(written(world.now))

    assert sorted(one.code for one in found) == ["due_missed", "due_silent"]
    world.tick()
    assert [one.code for one in run(leaves(world)).finish(written(world.now))] == ["due_missed"]


def test_a_missed_moment_on_record_that_no_clock_missed() -> None:
    world = World().given(registered).later(1)
    due = NOON + timedelta(seconds=3)
    item = f"/accept/1/{int(due.timestamp() * 1000)}/miss"
    forged(world, ev.DueMissed(item=item, stage="accept", due=due, body="com-01"), CLOCK, "take_due_steps")

    assert codes(leaves(world), soon(world)) == ["false_miss"]


def _extended(world: World, late: bool) -> World:
    """An extension of the finish clock that was asked for in time, and granted in time or not, as it claims."""
    due = NOON + timedelta(seconds=45)
    until = due + timedelta(seconds=10)
    world.given(*TO_HANDLING).do(
        SD_OFFICER, do.RequestMatterExtension(until=until, reason="material_ordered")
    )
    world.later(50 if late else 1)
    granted = oev.ExtensionDecided(owner="", stage="finish", granted=True, in_time=True, due=until)
    forged(world, granted, officer("centre", "supervisor"), "decide_matter_extension")
    return world


def test_an_extension_granted_after_the_due_moment_does_not_count() -> None:
    world = _extended(World(), late=True)

    found = run(leaves(world)).finish(written(world.now))

    assert [one.code for one in found if not one.note] == ["late_extension"]
    assert "finish was due at 2026-03-02T04:00:45Z, still owed, late by 5 s so far." in [
        one.en for one in found
    ]


def test_an_extension_granted_in_time_moves_the_due_moment() -> None:
    world = _extended(World(), late=False).later(50)

    found = run(leaves(world)).finish(written(world.now))

    assert found == []


def test_an_extension_asked_for_when_the_moment_had_passed() -> None:
    world = World().given(*TO_HANDLING).later(46)
    asked = oev.ExtensionRequested(
        owner="", stage="finish", until=seconds(world, 10), reason="material_ordered",
        clocks=(clock("decide_extension", "help", NOON + timedelta(seconds=45)),),
    )  # fmt: skip
    forged(world, asked, SD_OFFICER, "request_matter_extension")

    assert codes(leaves(world), soon(world)) == ["late_extension"]


def test_an_extension_that_reaches_further_than_asked_for() -> None:
    world = _extended(World(), late=False)

    def further(leaf: Leaf) -> None:
        leaf["pub"]["due"] = written(NOON + timedelta(days=9))

    assert codes(edited(world, "extension_decided.v1", further), soon(world)) == ["extension_too_far"]


def test_a_clock_that_is_longer_than_the_rulebook_says() -> None:
    world = World().given(*TO_TRIAGED)

    def longer(leaf: Leaf) -> None:
        leaf["pub"]["clocks"][0]["due"] = written(NOON + timedelta(days=1))

    assert codes(edited(world, "matter_triaged.v1", longer), soon(world)) == ["clock_wrong"]


def test_a_clock_held_as_another_kind_than_the_matter_is() -> None:
    world = World().given(*TO_TRIAGED)

    def other(leaf: Leaf) -> None:
        leaf["pub"]["clocks"][0] |= {"of": "complaint", "due": written(NOON + timedelta(seconds=60))}

    assert set(codes(edited(world, "matter_triaged.v1", other), soon(world))) == {"clock_wrong"}


def test_a_clock_that_was_never_started() -> None:
    world = World().given(*TO_TRIAGED)

    def none(leaf: Leaf) -> None:
        leaf["pub"]["clocks"] = []

    assert codes(edited(world, "matter_triaged.v1", none), soon(world)) == ["clock_missing"]


def test_a_deferral_that_gives_more_time_back_than_it_took() -> None:
    world = World().given(*TO_HANDLING).later(5)
    world.do(*ACTS["defer_matter"](world))
    world.later(3).do(*ACTS["resume_matter"](world))

    def more(leaf: Leaf) -> None:
        leaf["pub"]["clocks"][0]["due"] = written(NOON + timedelta(seconds=99))

    assert codes(leaves(world), soon(world)) == []
    assert codes(edited(world, "matter_resumed.v1", more), soon(world)) == ["clock_wrong"]


def test_a_clock_that_a_notice_could_not_move() -> None:
    world = World().given(*TO_TRIAGED)
    reset = ev.ClockReset(stage="finish", due=NOON + timedelta(days=9), provisional=False)
    forged(world, reset, CLOCK, "reset_clocks")

    assert codes(leaves(world), soon(world)) == ["clock_moved"]


def test_a_joint_time_moved_when_the_body_was_late_already() -> None:
    joint = NOON + timedelta(seconds=10)
    world = World().given(*TO_TRIAGED, blown(SERVICE, summoned_at=joint), acknowledged).later(12)
    moved = clock("check_in", "whistle.service", seconds(world, 5))
    event = oev.SummonsTimeChanged(order=ORDER, leg=LEGS[0], ground="rain", clocks=(moved,))
    forged(world, event, LEADER, "change_summons_time:whistle.service")

    assert codes(leaves(world), soon(world)) == ["clock_moved"]


def test_a_check_in_by_word_of_mouth_outside_an_emergency() -> None:
    world = World().given(*WHISTLED, acknowledged)
    spoken = oev.LegCheckedIn(
        order=ORDER, leg=LEGS[0], place="com-01", proof="word_of_mouth", arrived_at=world.now
    )
    forged(world, spoken, DEPARTMENTS, "check_in:whistle.service")

    assert codes(leaves(world), soon(world)) == ["word_of_mouth"]


# -- working time ---------------------------------------------------------------------------------------------------

LENGTHS = st.builds(
    Length,
    st.integers(0, 40),
    st.sampled_from(["s", "min", "h", "d", "wd", "wh", "wmin"]),
)


@given(
    start=st.datetimes(
        min_value=NOON.replace(year=2025, tzinfo=None), max_value=NOON.replace(year=2027, tzinfo=None)
    ),
    length=LENGTHS,
)
@settings(max_examples=300, deadline=None)
def test_the_verifier_counts_time_as_the_calendar_does(start: Any, length: Length) -> None:
    moment = start.replace(tzinfo=NOON.tzinfo)
    notices = packaged_notices()
    entered = {one.id: [[str(day) for day in one.off], [str(day) for day in one.makeup]] for one in notices}
    book = verify._Book(template("gulou"))

    counted = book.after(written(moment)[:-1], length.amount, length.unit, entered, tuple(entered))

    assert counted == written(law("gulou", notices).calendar.due(moment, length).at)[:-1]
