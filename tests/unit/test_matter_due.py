"""The agenda: what is due, when, and what then; each step once, however late anybody looks (law 3, 6, 7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from adapters.rulebooks import packaged_notices
from domain.acting import CLOCK
from domain.calendar import Notice
from domain.matter import Item, owner_of
from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter import order_commands as odo
from tests.unit.matter_lives import (
    ASKER,
    CALLER,
    CENTRE_SUPERVISOR,
    DUTY_LEADER,
    INTAKE,
    KINDS,
    LEADER,
    LEGS,
    MASTER,
    SD_OFFICER,
    TO_CLOSED,
    TO_HANDLING,
    TO_TRIAGED,
    acknowledged,
    blown,
    deferring,
    drafted,
    hand,
    merged,
    registered,
    submitted,
    with_master,
    working,
)
from tests.unit.matter_lives import ORDER as ORDER_ID
from tests.unit.matter_world import NOON, World, law

SERVICE = KINDS["whistle.service"]
LEG = LEGS[0]


def steps(items: list[Item], stage: str) -> list[tuple[str, float]]:
    """What is done when, in seconds from noon."""
    return [(item.do, (item.at - NOON).total_seconds()) for item in items if item.stage == stage]


def play(world: World, seconds: int, every: float = 1) -> list[str]:
    """Let time pass and the clock take what has come due, so often."""
    taken: list[str] = []
    for _ in range(int(seconds / every)):
        taken += world.later(every).tick()
    return taken


def test_a_clock_reminds_then_misses_then_takes_the_rulebooks_steps_in_order() -> None:
    world = World().given(*TO_HANDLING)

    assert steps(world.agenda(), "finish") == [
        ("remind", 35), ("miss", 45), ("urge", 45), ("supervise", 49), ("escalate", 57),
    ]  # fmt: skip


def test_the_next_step_comes_first() -> None:
    moments = [item.at for item in World().given(*TO_TRIAGED, blown(SERVICE)).agenda()]

    assert moments == sorted(moments)


@pytest.mark.parametrize("every", [1, 7, 200])
def test_each_step_is_taken_once_however_often_or_late_the_clock_looks(every: int) -> None:
    world = World().given(*TO_HANDLING)

    assert play(world, 400, every) == [
        "reminded.v1", "due_missed.v1", "urged_by_clock.v1", "supervised_by_clock.v1", "breach_escalated.v1",
    ]  # fmt: skip
    assert world.agenda() == []


def test_due_steps_taken_twice_do_nothing_the_second_time() -> None:
    world = World().given(registered).later(3)
    command = do.TakeDueSteps(items=tuple(item.id for item in world.agenda() if item.at <= world.now))
    world.do(CLOCK, command)
    version = world.state.version

    world.when(CLOCK, command).then()
    assert world.state.version == version


def test_no_step_is_taken_before_it_is_due() -> None:
    world = World().given(registered)

    world.when(CLOCK, do.TakeDueSteps(items=tuple(item.id for item in world.agenda()))).refused("not_due")


def test_only_the_clock_takes_due_steps_and_sets_clocks_again() -> None:
    world = World().given(registered).later(9)
    items = tuple(item.id for item in world.agenda())

    world.when(LEADER, do.TakeDueSteps(items=items)).refused("not_the_clock")
    world.when(LEADER, do.ResetClocks()).refused("not_the_clock")


def test_a_step_that_nobody_knows_is_passed_over() -> None:
    World().given(registered).when(CLOCK, do.TakeDueSteps(items=("/accept/9/0/miss",))).then()


@pytest.mark.parametrize("looked", [True, False])
def test_a_clock_that_was_stopped_late_was_missed_exactly_once(looked: bool) -> None:
    world = World().given(*TO_HANDLING).later(46)
    if looked:
        world.tick()
    world.given(submitted).tick()

    missed = [recorded for recorded in world.story if recorded.type == ev.DueMissed.TYPE]
    assert len(missed) == 1
    assert not world.due("miss", "finish")


def test_a_clock_that_was_stopped_in_time_leaves_nothing_to_do() -> None:
    world = World().given(*TO_CLOSED)

    assert play(world, 100, 10) == []


def test_an_act_takes_the_later_steps_off_the_agenda() -> None:
    world = World().given(*TO_HANDLING).later(46).given(submitted)

    assert steps(world.agenda(), "finish") == [("miss", 45)]


def test_an_extended_clock_reminds_and_is_missed_again_at_its_new_moment() -> None:
    world = World().given(*TO_TRIAGED, blown(SERVICE), working)
    due = NOON + timedelta(seconds=30)
    world.later(25).tick()
    ask = odo.RequestExtension(leg=LEG, until=due + timedelta(seconds=10), reason="material")
    world.do(hand("dept-a", 2), ask)
    world.do(LEADER, odo.DecideExtension(leg=LEG, granted=True, requester_told=True))

    assert [item.at for item in world.due("remind", "finish", LEG)] == [due + timedelta(seconds=4)]
    play(world, 120)
    missed = [recorded.pub.due for recorded in world.story if recorded.type == ev.DueMissed.TYPE]
    assert due + timedelta(seconds=10) in missed
    assert due not in missed


def test_a_joint_time_that_was_moved_is_missed_at_its_new_moment() -> None:
    joint = KINDS["whistle.enforcement"]
    world = (
        World()
        .given(*TO_TRIAGED, blown(joint, summoned_at=NOON + timedelta(seconds=10)), acknowledged)
        .later(9)
    )
    world.do(LEADER, odo.ChangeSummonsTime(leg=LEG, to=NOON + timedelta(seconds=20), ground="rain"))
    play(world, 40)

    missed = [r.pub.due for r in world.story if r.type == ev.DueMissed.TYPE and r.pub.stage == "check_in"]
    assert missed == [NOON + timedelta(seconds=20)]


def test_a_regraded_clock_that_is_late_is_missed_once() -> None:
    world = World().given(*TO_TRIAGED).later(46)
    world.tick()
    world.do(INTAKE, do.RetriageMatter(scale="hard", urgent=False, demand="complaint", reason="class"))

    assert play(world, 60).count("due_missed.v1") == 0


def test_a_late_matter_that_was_deferred_goes_on_late_and_its_steps_with_it() -> None:
    world = World().given(*TO_HANDLING).later(46)
    world.tick()
    world.do(LEADER, deferring(world))
    world.later(2).do(LEADER, do.ResumeMatter())

    assert [do_ for do_, _ in steps(world.agenda(), "finish")] == ["supervise", "escalate"]
    assert play(world, 30).count("due_missed.v1") == 0


def test_a_missed_review_comes_back() -> None:
    world = World().given(*TO_HANDLING)
    world.do(LEADER, deferring(world))
    play(world, 12)

    assert [r.pub.stage for r in world.story if r.type == ev.DueMissed.TYPE] == ["review"]


def test_backfilled_history_has_no_agenda() -> None:
    world = World()
    opened = ev.MatterBackfilled(
        number="450305-20260302-B000001",
        source="import",
        opened_at=world.now,
        status="in_handling",
        due_at=world.now,
    )

    assert world.given(opened).later(999).agenda() == []


def test_what_has_ended_still_has_its_missed_moments_recorded() -> None:
    world = World().given(*TO_HANDLING).later(46)
    world.do(ASKER, do.RequestWithdrawal(requester=ASKER.person))
    world.do(CALLER, do.ConfirmWithdrawal())

    assert world.tick() == ["due_missed.v1"]


# -- whose step it is


def test_a_reminder_names_the_body_that_owes_the_act() -> None:
    world = World().given(*TO_TRIAGED, blown(SERVICE))
    play(world, 60)
    owed = {(r.pub.stage, r.pub.owner != "", r.pub.body) for r in world.story if r.type == ev.DueMissed.TYPE}

    assert {("check_in", True, "dept-a"), ("finish", True, "dept-a"), ("finish", False, "sd-01")} <= owed


def test_the_blower_owes_the_acceptance_of_a_report() -> None:
    world = World().given(*TO_TRIAGED, blown(SERVICE), working)
    world.do(hand("dept-a", 2), odo.ReportLeg(leg=LEG, evidence=1))
    play(world, 8)

    assert [(r.pub.stage, r.pub.body) for r in world.story if r.type == ev.DueMissed.TYPE] == [
        ("accept_result", "sd-01")
    ]


def test_a_legs_items_belong_to_its_own_process_and_all_others_to_the_matters() -> None:
    world = World().given(with_master, *TO_TRIAGED, merged)
    world.case = MASTER
    world.given(drafted(KINDS["whistle.emergency"]))
    world.do(DUTY_LEADER, odo.IssueOrder(order=ORDER_ID))

    owners = {item.owner: owner_of(world.state, item.owner) for item in world.agenda()}
    assert owners == {"": "", LEG: LEG, ORDER_ID: "", "00000000-0000-0000-0000-000000000001": ""}


# -- an emergency whistle that nobody confirms


def unconfirmed() -> World:
    world = World().given(*TO_TRIAGED, drafted(KINDS["whistle.emergency"]))
    world.do(DUTY_LEADER, odo.IssueOrder(order=ORDER_ID))
    return world


def test_an_emergency_whistle_that_nobody_confirms_lapses_once_and_is_shown_above() -> None:
    world = unconfirmed()
    taken = play(world, 40)
    shown = [r.pub.level for r in world.story if r.type == "breach_escalated.v1" and r.pub.owner == ORDER_ID]

    assert taken.count("authority_lapsed.v1") == 1
    assert shown == ["subdistrict", "district"]
    world.do(LEADER, odo.ConfirmAuthority(order=ORDER_ID))
    assert not world.story[-1].pub.in_time
    assert "authority_lapsed.v1" in world.types()


def test_a_confirmed_emergency_whistle_does_not_lapse() -> None:
    world = unconfirmed()
    world.do(LEADER, odo.ConfirmAuthority(order=ORDER_ID))

    assert play(world, 40).count("authority_lapsed.v1") == 0


def test_an_unconfirmed_whistle_that_was_cancelled_late_has_lapsed_all_the_same() -> None:
    world = unconfirmed().later(11)
    world.do(LEADER, odo.CancelOrder(order=ORDER_ID, reason="false_alarm"))

    assert "authority_lapsed.v1" in world.tick()
    assert not any(r.type == ev.DueMissed.TYPE and r.pub.stage == "confirm_authority" for r in world.story)


def test_an_emergency_whistle_that_was_signed_is_confirmed_by_the_leadership_too() -> None:
    world = World().given(*TO_TRIAGED, blown(KINDS["whistle.emergency"]))

    assert world.due("lapse", "confirm_authority", ORDER_ID)
    world.when(LEADER, odo.ConfirmAuthority(order=ORDER_ID)).allowed()


# -- a new notice

NEXT = Notice(
    id="cn-2027", years=(2027,), off=("2027-01-01..2027-01-03",), makeup=(), source="made up for a test"
)  # type: ignore[arg-type]
BEFORE, AFTER = law("gulou", packaged_notices()), law("gulou", (*packaged_notices(), NEXT))
YEAR_END = datetime(2026, 12, 29, 2, 0, tzinfo=UTC)


def at_year_end() -> World:
    return World(book=BEFORE, now=YEAR_END).given(*TO_TRIAGED)


def noticed(world: World) -> World:
    """The notice has been entered; the clocks are set again."""
    world.book = AFTER
    world.do(CLOCK, do.ResetClocks())
    return world


def test_a_notice_sets_a_provisional_clock_again_and_keeps_its_first_moment() -> None:
    world = at_year_end()
    clock = world.state.clocks["/finish"]
    assert clock.provisional
    first = clock.due
    noticed(world)

    reset = world.state.clocks["/finish"]
    assert (reset.due, reset.provisional) == (first + timedelta(days=1), False)
    assert reset.first_due == first


def test_a_notice_leaves_clocks_alone_that_no_year_without_notice_touches() -> None:
    world = World(book=BEFORE).given(*TO_TRIAGED)
    due = {key: clock.due for key, clock in world.state.clocks.items()}

    world.book = AFTER
    world.when(CLOCK, do.ResetClocks()).then()
    assert {key: clock.due for key, clock in world.state.clocks.items()} == due


def test_a_notice_leaves_clocks_alone_that_have_stopped_or_run_out() -> None:
    world = at_year_end()
    over = world.copy().later(40 * 24 * 3600)
    over.book = AFTER
    over.when(CLOCK, do.ResetClocks()).then()

    world.do(INTAKE, do.StartHandling(how="self_handling"))
    world.given(submitted)
    world.book = AFTER
    changed = world.decide(CLOCK, do.ResetClocks()).events
    assert "finish" not in [getattr(event, "stage", "") for event in changed]


def test_a_notice_that_was_entered_twice_changes_nothing_the_second_time() -> None:
    noticed(at_year_end()).when(CLOCK, do.ResetClocks()).then()


def test_a_notice_does_not_take_an_extension_back() -> None:
    world = at_year_end()
    until = world.state.clocks["/finish"].due + timedelta(days=2)
    world.do(SD_OFFICER, do.RequestMatterExtension(until=until, reason="material"))
    world.do(CENTRE_SUPERVISOR, do.DecideMatterExtension(granted=True, requester_told=True))

    assert noticed(world).state.clocks["/finish"].due == until


def test_a_notice_keeps_the_time_of_a_deferral() -> None:
    world = at_year_end()
    world.do(INTAKE, do.StartHandling(how="self_handling"))
    plan = do.DeferMatter(ground="funds", review_by=world.now + timedelta(days=2), requester_told=True)
    world.do(LEADER, plan)
    world.later(24 * 3600).do(LEADER, do.ResumeMatter())
    due = world.state.clocks["/finish"].due
    friday_to_monday = timedelta(days=3)

    assert noticed(world).state.clocks["/finish"].due == due + friday_to_monday


def test_a_notice_counts_a_regraded_clock_from_its_first_start() -> None:
    world = at_year_end().later(24 * 3600)
    world.do(INTAKE, do.RetriageMatter(scale="hard", urgent=False, demand="complaint", reason="class"))
    due = world.state.clocks["/finish"].due

    assert noticed(world).state.clocks["/finish"].due == due + timedelta(days=1)


@pytest.mark.parametrize("moved", [False, True])
def test_a_notice_does_not_move_a_joint_time(moved: bool) -> None:
    joint = datetime(2026, 12, 31, 1, 0, tzinfo=UTC)
    world = at_year_end().given(blown(KINDS["whistle.enforcement"], summoned_at=joint), acknowledged)
    if moved:
        world.later(24 * 3600)
        joint += timedelta(minutes=30)
        world.do(LEADER, odo.ChangeSummonsTime(leg=LEG, to=joint, ground="rain"))

    assert noticed(world).state.clock(LEG, "check_in").due == joint  # type: ignore[union-attr]


def test_a_notice_sets_the_clock_of_a_merged_matter_as_if_it_stood_alone() -> None:
    alone = at_year_end()
    world = World(book=BEFORE, now=YEAR_END).given(*TO_TRIAGED).later(24 * 3600).given(merged)
    world.case = MASTER
    merged_clock = noticed(world).state.clock("00000000-0000-0000-0000-000000000001", "finish")

    assert merged_clock is not None, "it runs on in the master"
    assert merged_clock.due == noticed(alone).state.clocks["/finish"].due


def test_a_reset_clock_is_missed_at_its_new_moment_only() -> None:
    world = noticed(at_year_end())
    due = world.state.clocks["/finish"].due

    assert [item.at for item in world.due("miss", "finish")] == [due]


def test_a_clock_keeps_the_rulebook_that_it_started_under() -> None:
    world = World().given(*TO_HANDLING)
    world.laws = {"demo/2026.1": law(), "gulou/2026.1": law("gulou")}
    world.book = law("gulou")
    world.do(LEADER, deferring(world))
    world.later(3).do(LEADER, do.ResumeMatter())

    assert world.state.clocks["/finish"].rulebook == "demo/2026.1"
    assert world.state.clocks["/finish"].due == NOON + timedelta(seconds=48)
