"""Doors beside a rule: a task in parts, a time set by hand, a part at the end, one's own clock, a deputy's right, a scale."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.rulebooks import template
from adapters.views.work import work_of
from domain.acting import Actor
from domain.context import Law
from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter import order_commands as odo
from domain.matter import order_events as oev
from domain.register import events as reg
from domain.rulebook import BadRulebook, parse
from tests.unit.matter_lives import (
    CENTRE_SUPERVISOR,
    HANDLER,
    INTAKE,
    KINDS,
    LEADER,
    LEGS,
    ORDER,
    SD_OFFICER,
    TO_CALLED_BACK,
    TO_COMPLETED,
    TO_HANDLING,
    TO_TRIAGED,
    acknowledged,
    blown,
    called_back,
    closed,
    drafting,
    released,
    submitted,
)
from tests.unit.matter_world import World, enter, officer, uid
from tests.unit.test_matter_audit_orders import on_duty, own_task, to_community
from tests.unit.test_matter_families import reopen_child, with_asked_child

CHILD = uid(3)
SPLIT = do.SplitMatter(child=CHILD, number="450305-20260302-0000003")
SERVICE, EMERGENCY = KINDS["whistle.service"], KINDS["whistle.emergency"]
SD_INTAKE = officer("sd-01", "intake_officer")


def under(world: World, *changes: tuple[str, str]) -> World:
    """The same world under a demonstration rulebook that says something else."""
    text = template("demo")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    book = parse(text)
    world.book = Law(book, book.calendar(()))
    return world


# -- A26: a part of a task is a task


def split_by_the_sub_district(world: World) -> World:
    """The sub-district makes a matter of its own of it, and grades it."""
    world.do(SD_INTAKE, SPLIT)
    world.case = CHILD
    world.do(SD_INTAKE, do.AcceptMatter())
    world.do(SD_INTAKE, do.TriageMatter(scale="minor", demand="report", tier="community"))
    return world


@pytest.mark.parametrize(
    ("kind", "source"), [("request", "duty_desk"), ("request", "inspection"), ("task", "duty_desk")]
)
def test_a_part_of_a_departments_unasked_request_reaches_no_community_without_admission(
    kind: str, source: str
) -> None:
    world = split_by_the_sub_district(own_task(World(), kind=kind, source=source))

    for sender in (SD_INTAKE, officer("dept-a", "duty_officer")):
        if sender.body == "sd-01" or kind == "task":
            world.when(sender, to_community()).refused("not_admitted")
    assert world.state.kind == "task" or source == "inspection"


def test_a_part_of_what_a_resident_asked_a_department_for_passes() -> None:
    asked = own_task(World(), kind="request", source="duty_desk", requesters=(uid(77),))

    world = split_by_the_sub_district(asked)

    assert world.state.kind == "request"
    world.when(SD_INTAKE, to_community()).then(oev.OrderDrafted, oev.OrderAuthorised)


# -- a joint time is no longer than the rulebook's


@pytest.mark.parametrize("kind", ["whistle.service", "whistle.enforcement"])
def test_a_joint_time_is_set_no_further_off_than_the_rulebooks_own_check_in(kind: str) -> None:
    world = World().given(*TO_TRIAGED)
    rule = world.book.book.clock("check_in", kind)
    assert rule is not None
    latest = world.book.calendar.due(world.now, rule.length).at

    world.when(SD_OFFICER, drafting(KINDS[kind], summoned_at=latest + timedelta(seconds=1))).refused(
        "summons_too_far"
    )
    world.when(SD_OFFICER, drafting(KINDS[kind], summoned_at=latest)).then(oev.OrderDrafted)


# -- no fresh clock by a part at the end


@pytest.mark.parametrize("state", [TO_COMPLETED, TO_CALLED_BACK], ids=["completed", "called_back"])
def test_a_late_child_gives_its_parent_no_fresh_clock(state: tuple[object, ...]) -> None:
    first = World().given(*TO_HANDLING).state.clocks["/finish"]
    world = World().given(*state).later(5)  # type: ignore[arg-type]

    world.when(INTAKE, SPLIT).then(ev.ChildOpened, ev.MatterReopened, status="in_handling")

    clock = world.state.clocks["/finish"]
    assert (clock.due, clock.n, clock.stopped) == (first.due, first.n, None)


@pytest.mark.parametrize(
    "steps", [(submitted, called_back), (submitted, called_back, closed)], ids=["called_back", "closed"]
)
def test_a_child_that_comes_back_gives_its_parent_no_fresh_clock(steps: tuple[object, ...]) -> None:
    world = with_asked_child()
    before = world.state.clocks["/finish"]
    due, n = before.due, before.n

    world = reopen_child(world.given(*steps))  # type: ignore[arg-type]

    clock = world.state.clocks["/finish"]
    assert world.state.status == "in_handling"
    assert (clock.due, clock.n, clock.stopped) == (due, n, None)


def test_a_parent_reopened_by_a_late_child_is_late_when_its_own_moment_passes() -> None:
    world = World().given(*TO_CALLED_BACK)
    world.do(INTAKE, SPLIT)

    world.later(90)

    assert world.state.clocks["/finish"].late(world.now)
    assert any(item.do == "miss" and item.stage == "finish" for item in world.due())


# -- who stands above


def asking(world: World) -> do.RequestMatterExtension:
    return do.RequestMatterExtension(
        until=world.state.clocks["/finish"].due + timedelta(seconds=5), reason="material"
    )


def in_district(world: World, post: str = "leader") -> Actor:
    return world.also(officer("gl", "supervisor"), "gl", post)


def test_nobody_above_the_district_could_give_it_more_time_so_it_asks_for_none() -> None:
    world = World().given(*TO_HANDLING)

    world.when(in_district(world), asking(world)).refused("nobody_above")


@pytest.mark.parametrize("decider", ["com-01", "sd-01", "centre", "gl"])
def test_an_extension_is_decided_above_whoever_asked(decider: str) -> None:
    world = World().given(*TO_HANDLING)
    world.do(SD_OFFICER, asking(world))
    posts = {
        "com-01": "leadership_member",
        "sd-01": "leadership_member",
        "centre": "supervisor",
        "gl": "supervisor",
    }
    decided = do.DecideMatterExtension(granted=True, requester_told=True)

    tried = world.when(officer(decider, posts[decider]), decided)

    if decider in ("com-01", "sd-01"):
        tried.refused("own_clock")
    else:
        tried.then(oev.ExtensionDecided)


def test_the_office_below_a_centre_does_not_decide_what_the_centre_asked_for() -> None:
    world = World().given(*TO_HANDLING)
    asker = world.also(officer("hotline", "dispatcher"), "hotline", "leader")
    world.do(asker, asking(world))
    decided = do.DecideMatterExtension(granted=True, requester_told=True)

    world.when(LEADER, decided).refused("not_your_body")
    world.when(CENTRE_SUPERVISOR, decided).then(oev.ExtensionDecided)


@pytest.mark.parametrize(
    ("asker", "owes"), [(HANDLER, ("sd-01", None)), (SD_OFFICER, (None, "dispatch_centre"))]
)
def test_the_work_list_asks_those_above_and_by_the_posts_held_for_the_matter_itself(
    asker: Actor, owes: tuple[str | None, str | None]
) -> None:
    world = World().given(*TO_HANDLING)
    world.do(asker, asking(world))

    (item,) = [one for one in work_of(world.state, "community") if one.act == "decide_extension"]

    assert (item.body, item.body_kind, item.of) == (*owes, "matter")


# -- the deputy's right


def test_a_deputy_blows_though_the_rulebook_gives_their_own_post_no_right_to() -> None:
    call = 'call = ["community_secretary", "grid_chief", "duty_officer", "intake_officer"]\n'
    begins = f"[posts.issue_order]\n{call}"
    narrow = f'{begins}"whistle.emergency" = ["duty_leader"]\n'
    world = under(World(), (begins, narrow)).given(*TO_TRIAGED)
    world.do(SD_OFFICER, drafting(EMERGENCY))
    issuing_it = odo.IssueOrder(order=ORDER)

    world.when(LEADER, issuing_it).refused("not_your_post")
    duty = officer("sd-01", "duty_leader")
    on_duty(world, duty, LEADER.person)
    world.register = enter(
        world.register,
        reg.AbsenceMarked(
            person=duty.person, body="sd-01", begins=world.now, ends=world.now + timedelta(hours=1)
        ),
    )

    world.when(LEADER, issuing_it).allowed()


# -- the scale of the appraisal


def test_the_scale_of_an_appraisal_is_the_rulebooks() -> None:
    world = under(
        World().given(*TO_TRIAGED, blown(SERVICE), released), ("[rating]\nbest = 5", "[rating]\nbest = 10")
    )
    rating = odo.RateLeg(leg=LEGS[0], speed=10, result=1)

    world.when(LEADER, rating.model_copy(update={"speed": 11})).refused("score_range")
    world.when(LEADER, rating.model_copy(update={"result": 0})).refused("score_range")
    world.when(LEADER, rating).then(oev.LegRated)


def test_a_rulebook_that_was_released_without_a_scale_is_held_to_five() -> None:
    text = template("demo")
    without = text[: text.index("[rating]")] + text[text.index("[limits.backfill_after]") :]

    assert parse(without, released=True).best_score == 5
    assert parse(without).best_score == 5
    with pytest.raises(BadRulebook):
        parse(text.replace("[rating]\nbest = 5\nassumption = true", "[rating]\nbest = 5"))


def test_the_demonstration_gives_a_supervised_body_a_moment_too() -> None:
    world = World().given(*TO_TRIAGED, blown(SERVICE), acknowledged)
    world.later(60).tick()

    assert any(clock.stage == "supervise" for clock in world.state.clocks.values())
