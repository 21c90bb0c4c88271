"""The duty roster: who is on duty, the deputy who steps in, and the gaps."""

from __future__ import annotations

import pytest

from domain.acting import Actor
from domain.register import commands as c
from tests.unit.register_world import DAY, HOUR, SECURITY, SYSTEM, World, district, person, refused

LEADER = Actor(person=person(4), body="mch", post="leadership_member")


def staffed() -> World:
    """A sub-district with persons 4, 5 and 6 in it."""
    world = district()
    world.fill(4, "mch", "leadership_member")
    world.fill(5, "mch", "duty_officer")
    world.fill(6, "mch", "duty_officer")
    return world


def shift(
    world: World, first: int = 5, deputies: tuple[int, ...] = (6,), begins=HOUR, ends=DAY, post="duty_officer"
):
    return c.AssignShift(
        body="mch",
        post=post,
        person=person(first),
        deputies=tuple(person(number) for number in deputies),
        begins=world.now + begins,
        ends=world.now + ends,
    )


def test_the_person_of_the_shift_is_on_duty_in_its_span_only() -> None:
    world = staffed()
    world.act(shift(world), LEADER)
    on_duty = [world.register.on_duty("mch", world.now + span) for span in (0 * HOUR, HOUR, DAY - HOUR, DAY)]
    assert on_duty == [[], [person(5)], [person(5)], []]


def test_the_deputy_steps_in_while_the_person_is_absent() -> None:
    world = staffed()
    world.act(shift(world), LEADER)
    away = c.MarkAbsent(person=person(5), body="mch", begins=world.now + 2 * HOUR, ends=world.now + 4 * HOUR)
    world.act(away, LEADER)
    on_duty = [world.register.on_duty("mch", world.now + hours * HOUR) for hours in (1, 2, 4)]
    assert on_duty == [[person(5)], [person(6)], [person(5)]]


def test_who_has_left_the_body_is_not_on_duty() -> None:
    world = staffed()
    world.act(shift(world), LEADER)
    world.act(c.VacatePost(person=person(5), body="mch", post="duty_officer"), SECURITY)
    assert world.register.on_duty("mch", world.now + HOUR) == [person(6)]


def test_the_duty_leader_and_the_duty_officer_are_two_seats() -> None:
    world = staffed()
    world.act(shift(world), LEADER)
    world.act(shift(world, first=4, deputies=(), post="duty_leader"), LEADER)
    at = world.now + HOUR
    assert world.register.on_duty("mch", at) == [person(4), person(5)]
    assert world.register.on_duty("mch", at, "duty_leader") == [person(4)]


def test_gaps_show_where_nobody_is_there() -> None:
    world = staffed()
    start = world.now
    world.act(shift(world, deputies=(), begins=HOUR, ends=4 * HOUR), LEADER)
    world.act(shift(world, deputies=(), begins=4 * HOUR, ends=6 * HOUR), LEADER)
    away = c.MarkAbsent(person=person(5), body="mch", begins=start + 3 * HOUR, ends=start + 5 * HOUR)
    world.act(away, LEADER)
    gaps = world.register.duty_gaps("mch", "duty_officer", start, start + 8 * HOUR)
    assert [((a - start) / HOUR, (b - start) / HOUR) for a, b in gaps] == [(0, 1), (3, 5), (6, 8)]


def test_cover_round_the_clock_has_no_gap() -> None:
    world = staffed()
    start = world.now
    for eight in range(3):
        world.act(shift(world, begins=eight * 8 * HOUR, ends=(eight + 1) * 8 * HOUR), LEADER)
    assert world.register.duty_gaps("mch", "duty_officer", start, start + DAY) == []


def test_a_roster_is_kept_by_the_body_itself_those_above_it_or_a_security_administrator() -> None:
    world = staffed()
    world.fill(7, "mch-1", "officer")
    own = c.AssignShift(
        body="mch-1", post="duty_officer", person=person(7), begins=world.now + HOUR, ends=world.now + DAY
    )
    world.fill(8, "hn", "director")
    refused(world, own, Actor(person=person(8), body="hn", post="director"), "not_allowed")
    refused(world, own, Actor(person=person(7), body="mch-1", post="officer"), "not_allowed")
    refused(world, own, SYSTEM, "not_allowed")
    refused(world, own, Actor(person=person(9), body="mch", post="director"), "post_not_held")
    world.act(own, LEADER)
    world.act(shift(world), SECURITY)


def test_a_shift_that_overlaps_another_of_the_same_seat_is_refused() -> None:
    world = staffed()
    world.act(shift(world), LEADER)
    refused(world, shift(world, first=6, deputies=(), begins=2 * HOUR, ends=3 * HOUR), LEADER, "overlap")
    refused(world, shift(world), LEADER, "already_known")


def test_a_back_dated_shift_is_refused() -> None:
    world = staffed()
    refused(world, shift(world, begins=-HOUR), LEADER, "back_dated")


def test_a_shift_of_someone_without_a_post_there_is_refused() -> None:
    world = staffed()
    refused(world, shift(world, first=9), LEADER, "no_post_there")
    refused(world, shift(world, deputies=(9,)), LEADER, "no_post_there")


def test_nobody_is_their_own_deputy() -> None:
    world = staffed()
    refused(world, shift(world, deputies=(5,)), LEADER, "own_deputy")


def test_a_shift_is_withdrawn_before_it_begins_and_not_after() -> None:
    world = staffed()
    world.act(shift(world), LEADER)
    take_back = c.WithdrawShift(body="mch", post="duty_officer", begins=world.now + HOUR)
    later = world.now + 2 * HOUR
    world.act(take_back, LEADER)
    assert world.register.on_duty("mch", later) == []
    refused(world, take_back, LEADER, "not_in_force")
    world.act(shift(world), LEADER)
    world.later(2 * HOUR)
    refused(world, take_back, LEADER, "back_dated")


def test_a_person_marks_their_own_absence_and_nobody_elses() -> None:
    world = staffed()
    officer = Actor(person=person(5), body="mch", post="duty_officer")
    world.act(c.MarkAbsent(person=person(5), body="mch", ends=world.now + DAY), officer)
    refused(world, c.MarkAbsent(person=person(6), body="mch", ends=world.now + DAY), officer, "not_allowed")


@pytest.mark.parametrize(
    ("number", "begins", "code"),
    [(9, HOUR, "no_post_there"), (5, -HOUR, "back_dated"), (5, 3 * DAY, "ends_before_it_begins")],
)
def test_an_absence_that_cannot_be_is_refused(number: int, begins, code: str) -> None:
    world = staffed()
    away = c.MarkAbsent(
        person=person(number), body="mch", begins=world.now + begins, ends=world.now + 2 * DAY
    )
    refused(world, away, LEADER, code)


def test_an_absence_marked_twice_is_known() -> None:
    world = staffed()
    away = c.MarkAbsent(person=person(5), body="mch", begins=world.now + HOUR, ends=world.now + DAY)
    world.act(away, LEADER)
    refused(world, away, LEADER, "already_known")
