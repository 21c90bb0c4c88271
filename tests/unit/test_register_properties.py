"""Whatever is asked of the register, what it accepts keeps its promises."""

from __future__ import annotations

import itertools
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.refusal import Refused
from domain.register import Register
from domain.register import commands as c
from domain.register.history import overlap
from domain.register.shelf import Shelf
from domain.register.words import incompatible
from tests.unit.register_world import DAY, SECURITY, SYSTEM, World, administered, body_command, person

_BODIES = ("gl", "mch", "mch-1", "board", "cg")
_KIND = dict(
    zip(_BODIES, ("district", "subdistrict", "community", "supervisory_board", "department"), strict=True)
)
_POSTS = (
    "officer",
    "finance_officer",
    "board_member",
    "audit_admin",
    "security_admin",
    "system_admin",
    "director",
)
_days = st.one_of(st.none(), st.integers(-1, 6))
_people = st.integers(4, 6)


def _spans(world: World, begins: int | None, ends: int | None) -> dict[str, object]:
    day = {"valid_from": begins, "valid_until": ends}
    return {name: None if count is None else world.now + count * DAY for name, count in day.items()}


def _until(world: World, days: int | None) -> object:
    return None if days is None else world.now + days * DAY


_bodies = st.tuples(
    st.just("body"), st.sampled_from(_BODIES), st.sampled_from((None, *_BODIES)), _days, _days
)
_closings = st.tuples(st.just("close"), st.sampled_from(_BODIES), _days)
_seats = st.tuples(st.sampled_from(("system", *_BODIES)), st.sampled_from(_POSTS))
_fillings = st.tuples(st.just("fill"), _people, _seats, _days, _days)
_leavings = st.tuples(st.just("vacate"), _people, _seats, _days)
_shift = st.tuples(st.just("shift"), _people, st.sampled_from(_BODIES), st.integers(0, 6), st.integers(0, 6))
_power = st.tuples(st.just("power"), st.sampled_from("pq"), st.sampled_from(_BODIES), _days, _days)
_rest = st.tuples(st.just("suspend"), st.sampled_from("pq"), _days, st.integers(0, 6))
_end = st.tuples(st.just("withdraw"), st.sampled_from("pq"), _days)
_pass = st.tuples(st.just("pass"), st.integers(1, 3))
_acts = st.lists(
    st.one_of(_bodies, _closings, _fillings, _fillings, _leavings, _shift, _power, _rest, _end, _pass),
    max_size=60,
)


def _command(world: World, act: tuple):
    match act:
        case "body", body, parent, begins, ends:
            return body_command(body, _KIND[body], parent, **_spans(world, begins, ends)), SYSTEM
        case "close", body, until:
            return c.CloseBody(body=body, until=_until(world, until)), SYSTEM
        case "fill", who, (body, post), begins, ends:
            return c.FillPost(
                person=person(who), body=body, post=post, **_spans(world, begins, ends)
            ), SECURITY
        case "vacate", who, (body, post), until:
            return c.VacatePost(
                person=person(who), body=body, post=post, until=_until(world, until)
            ), SECURITY
        case "shift", who, body, begins, ends:
            span = {"begins": world.now + begins * DAY, "ends": world.now + ends * DAY}
            return c.AssignShift(body=body, post="duty_officer", person=person(who), **span), SECURITY
        case "power", item, holder, begins, ends:
            span = _spans(world, begins, ends)
            power = {"kind": "whistle", "basis": "law", "approved_by": ("gl", "system")}
            return c.EnterPower(item=item, holder=holder, **power, **span), SECURITY
        case "suspend", item, begins, ends:
            return c.SuspendPower(
                item=item, begins=_until(world, begins), ends=world.now + ends * DAY
            ), SECURITY
        case "withdraw", item, until:
            return c.WithdrawPower(item=item, until=_until(world, until)), SECURITY
    raise AssertionError(act)


def _run(acts: list[tuple]) -> tuple[World, int]:
    world, accepted = administered(), 0
    for body in _BODIES:
        parent = None if body == "gl" else "mch" if body == "mch-1" else "gl"
        world.act(body_command(body, _KIND[body], parent), SYSTEM)
    for act in acts:
        if act[0] == "pass":
            world.later(act[1] * DAY)
            continue
        try:
            command, actor = _command(world, act)
            world.act(command, actor, authority="mandate")
            accepted += 1
        except Refused:
            continue
    return world, accepted


def _disjoint(spans: list[tuple]) -> bool:
    return not any(overlap(*one, *other) for one, other in itertools.combinations(spans, 2))


def _versions_are_disjoint(register: Register) -> bool:
    histories = itertools.chain(register.body_history.values(), register.power_history.values())
    return all(_disjoint([(v.valid_from, v.valid_until) for v in history]) for history in histories)


@settings(max_examples=200, deadline=None)
@given(_acts)
def test_no_two_versions_are_in_force_at_one_moment(acts) -> None:
    world, _ = _run(acts)
    assert _versions_are_disjoint(world.register)
    assert all(_disjoint([(s.begins, s.ends) for s in shifts]) for shifts in world.register.shifts.values())


@settings(max_examples=200, deadline=None)
@given(_acts)
def test_nobody_ever_holds_posts_that_exclude_each_other(acts) -> None:
    world, _ = _run(acts)
    kinds = _KIND | {"system": "system"}
    for posts in world.register.held_by.values():
        for one, other in itertools.combinations(posts, 2):
            if overlap(one.valid_from, one.valid_until, other.valid_from, other.valid_until):
                assert (one.body, one.post) != (other.body, other.post)
                assert not incompatible(one.post, kinds[one.body], other.post, kinds[other.body])


@settings(max_examples=100, deadline=None)
@given(_acts)
def test_whoever_holds_a_post_holds_it_in_a_body_that_stands(acts) -> None:
    world, _ = _run(acts)
    for day in range(-2, 12):
        at = world.now + day * DAY + timedelta(minutes=1)
        for number in (4, 5, 6):
            for body, _ in world.register.posts_of(person(number), at):
                assert world.register.body(body, at) is not None


@settings(max_examples=100, deadline=None)
@given(_acts, _acts)
def test_what_held_in_the_past_never_changes(before, after) -> None:
    world, _ = _run(before)
    earlier, moment = world.register, world.now - timedelta(seconds=1)
    for act in after:
        if act[0] == "pass":
            continue
        try:
            command, actor = _command(world, act)
            world.act(command, actor, authority="mandate")
        except Refused:
            continue
    for body in _BODIES:
        assert world.register.body(body, moment) == earlier.body(body, moment)
    for number in (4, 5, 6):
        assert sorted(world.register.posts_of(person(number), moment)) == sorted(
            earlier.posts_of(person(number), moment)
        )
    assert [world.register.power(item, moment) for item in "pq"] == [
        earlier.power(item, moment) for item in "pq"
    ]


def test_the_random_acts_are_not_all_refused() -> None:
    fill = ("fill", 4, ("mch", "officer"), 0, None)
    _, accepted = _run([fill, ("pass", 1), ("vacate", 4, ("mch", "officer"), 2), ("power", "p", "mch", 0, 3)])
    assert accepted == 3


@given(st.lists(st.tuples(st.integers(0, 600), st.integers())))
def test_a_shelf_keeps_what_a_dictionary_keeps_and_never_changes(pairs) -> None:
    shelf: Shelf[int, int] = Shelf()
    empty = shelf
    for key, value in pairs:
        shelf = shelf.put(key, value)
    assert dict(shelf.items()) == dict(pairs)
    assert all(shelf.get(key, None) == value for key, value in dict(pairs).items())
    assert dict(empty.items()) == {}
