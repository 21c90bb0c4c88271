"""Ways round the rules of orders that an audit found: each is tried, and refused (domain.md D.2; A10, A11, A26)."""

from __future__ import annotations

from datetime import timedelta

from domain.acting import Actor
from domain.matter import order_commands as odo
from domain.register import commands as register_commands
from domain.register import events as reg
from tests.unit.matter_lives import (
    ADJUDICATOR,
    CENTRE,
    CENTRE_SUPERVISOR,
    DUTY_LEADER,
    KINDS,
    LEADER,
    LEGS,
    ORDER,
    TO_TRIAGED,
    acknowledged,
    blown,
    drafted,
    hand,
)
from tests.unit.matter_world import WHISTLE, World, enter, powered, uid
from tests.unit.register_world import DAY, HOUR, district, person
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
