"""Posts: person is not post, incompatible posts, administrators apart, and the first one's link."""

from __future__ import annotations

import itertools

import pytest
from pydantic import ValidationError

from domain.acting import CLOCK, Actor, When
from domain.refusal import Refused
from domain.register import commands as c
from domain.register.decide import decide
from domain.register.events import ContactChanged
from domain.register.evolve import evolve
from domain.register.first_link import digest_of
from domain.register.words import ADMINS, HANDLING, POSTS, incompatible
from tests.unit.register_world import (
    AUDIT,
    DAY,
    HOUR,
    OPERATOR,
    SECRET,
    SECURITY,
    SYSTEM,
    Given,
    World,
    administered,
    district,
    person,
    recorded,
    refused,
)


def fill(number: int, body: str, post, **more) -> c.FillPost:
    return c.FillPost(person=person(number), body=body, post=post, **more)


def test_a_person_holds_a_post_from_its_day_until_its_end() -> None:
    world = district()
    start, end = world.now + DAY, world.now + 3 * DAY
    world.fill(4, "mch", "duty_leader", valid_from=start, valid_until=end)
    register = world.register
    held = [register.holds(person(4), "mch", "duty_leader", at) for at in (world.now, start, end - HOUR, end)]
    assert held == [False, True, True, False]
    assert register.holders("mch", "duty_leader", start) == [person(4)]
    assert register.holders("mch", "duty_leader", end) == []


def test_one_person_may_hold_several_posts() -> None:
    world = district()
    world.fill(4, "mch-1", "community_secretary")
    world.fill(4, "mch-1-g1", "grid_chief")
    assert world.register.posts_of(person(4), world.now) == [
        ("mch-1", "community_secretary"),
        ("mch-1-g1", "grid_chief"),
    ]
    assert world.register.staff("mch-1", world.now) == [person(4)]


@pytest.mark.parametrize(("post", "other"), list(itertools.permutations(sorted(ADMINS), 2)))
def test_administrators_exclude_each_other(post: str, other: str) -> None:
    world = administered()
    world.fill(5, "system", post)
    refused(world, fill(5, "system", other), SECURITY, "incompatible_posts")


def test_an_audit_administrator_holds_no_business_post_in_either_order() -> None:
    world = district()
    refused(world, fill(3, "mch", "officer"), SECURITY, "incompatible_posts")
    world.fill(5, "mch", "officer")
    refused(world, fill(5, "system", "audit_admin"), SECURITY, "incompatible_posts")


def test_a_member_of_a_supervisory_board_holds_no_post_in_a_supervised_body() -> None:
    world = district()
    world.fill(5, "board", "board_member")
    refused(world, fill(5, "mch-1", "officer"), SECURITY, "incompatible_posts")
    world.fill(6, "mch-1-g1", "grid_officer")
    refused(world, fill(6, "board", "board_member"), SECURITY, "incompatible_posts")


def test_who_keeps_the_money_does_not_handle() -> None:
    world = district()
    world.fill(5, "mch", "finance_officer")
    refused(world, fill(5, "mch-1", "officer"), SECURITY, "incompatible_posts")


def test_posts_that_exclude_each_other_may_follow_each_other() -> None:
    world = district()
    world.fill(5, "mch", "officer", valid_until=world.now + DAY)
    refused(world, fill(5, "mch", "finance_officer"), SECURITY, "incompatible_posts")
    world.fill(5, "mch", "finance_officer", valid_from=world.now + DAY)
    assert world.register.posts_of(person(5), world.now + DAY) == [("mch", "finance_officer")]


def test_the_table_of_incompatible_posts_does_not_depend_on_the_order() -> None:
    for post, other in itertools.product(POSTS, POSTS):
        assert incompatible(post, "community", other, "panel") == incompatible(
            other, "panel", post, "community"
        )
    assert not incompatible("officer", "community", "officer", "grid")
    assert all(incompatible("finance_officer", "community", post, "community") for post in HANDLING)


def test_only_a_security_administrator_fills_and_vacates() -> None:
    world = district()
    world.fill(4, "mch", "officer")
    for actor in (SYSTEM, OPERATOR, Actor(person=person(4), body="mch", post="officer")):
        refused(world, fill(5, "mch", "officer"), actor, "not_allowed")
        refused(world, c.VacatePost(person=person(4), body="mch", post="officer"), actor, "not_allowed")
        refused(world, c.EnterPerson(person=person(30)), actor, "not_allowed")


def test_a_security_administrator_of_another_body_is_none() -> None:
    false = Actor(person=person(1), body="mch", post="security_admin")
    refused(district(), fill(5, "mch", "officer"), false, "not_allowed")


def test_a_stated_post_that_is_not_held_is_refused() -> None:
    false = Actor(person=person(9), body="system", post="security_admin")
    refused(district(), fill(5, "mch", "officer"), false, "post_not_held")


def test_nobody_grants_themselves_a_post() -> None:
    refused(district(), fill(1, "mch", "officer"), SECURITY, "self_granting")


@pytest.mark.parametrize(
    ("body", "post"),
    [
        ("mch", "system_admin"),
        ("mch", "board_member"),
        ("mch", "community_secretary"),
        ("mch", "district_leader"),
        ("mch", "discipline_officer"),
        ("system", "officer"),
    ],
)
def test_a_post_that_the_body_does_not_have_is_refused(body: str, post: str) -> None:
    refused(district(), fill(5, body, post), SECURITY, "wrong_post_for_body")


def test_an_unknown_person_or_body_is_refused() -> None:
    world = district()
    refused(world, fill(99, "mch", "officer"), SECURITY, "unknown_person")
    refused(world, fill(5, "nowhere", "officer"), SECURITY, "unknown_body")


def test_a_back_dated_post_is_refused() -> None:
    world = district()
    refused(world, fill(5, "mch", "officer", valid_from=world.now - HOUR), SECURITY, "back_dated")


def test_a_post_filled_again_is_known_and_with_another_span_overlaps() -> None:
    world = district()
    world.fill(5, "mch", "officer")
    refused(world, fill(5, "mch", "officer"), SECURITY, "already_known")
    refused(world, fill(5, "mch", "officer", valid_until=world.now + DAY), SECURITY, "overlap")


def test_a_post_longer_than_its_body_is_refused() -> None:
    world = district()
    world.body("fair", "department", "gl", valid_until=world.now + DAY)
    refused(world, fill(5, "fair", "officer"), SECURITY, "outlives_body")


def test_a_vacated_post_is_held_until_that_moment() -> None:
    world = district()
    world.fill(5, "mch", "officer")
    world.act(c.VacatePost(person=person(5), body="mch", post="officer", until=world.now + DAY), SECURITY)
    assert world.register.holds(person(5), "mch", "officer", world.now + DAY - HOUR)
    assert not world.register.holds(person(5), "mch", "officer", world.now + DAY)
    assert world.register.holders("mch", "officer", world.now + DAY) == []


def test_vacating_drops_a_planned_term() -> None:
    world = district()
    world.fill(5, "mch", "officer", valid_from=world.now + DAY)
    world.act(c.VacatePost(person=person(5), body="mch", post="officer"), SECURITY)
    assert world.register.posts_of(person(5), world.now + 2 * DAY) == []


def test_vacating_back_in_time_or_what_nobody_holds_is_refused() -> None:
    world = district()
    world.fill(5, "mch", "officer")
    world.later(HOUR)
    late = c.VacatePost(person=person(5), body="mch", post="officer", until=world.now - HOUR)
    refused(world, late, SECURITY, "back_dated")
    refused(world, c.VacatePost(person=person(6), body="mch", post="officer"), SECURITY, "post_not_held")


def test_the_last_security_administrator_stays() -> None:
    world = district()
    leave = c.VacatePost(person=person(1), body="system", post="security_admin")
    refused(world, leave, SECURITY, "last_security_admin")
    world.fill(5, "system", "security_admin", valid_until=world.now + DAY)
    refused(world, leave, SECURITY, "last_security_admin")
    world.fill(6, "system", "security_admin")
    world.act(leave, SECURITY)
    assert person(1) not in world.register.holders("system", "security_admin", world.now)


def test_an_audit_administrator_is_appointed_only_on_a_stated_ground() -> None:
    world = district()
    with pytest.raises(Refused) as refusal:
        world.act(fill(5, "system", "audit_admin"), SECURITY)
    assert refusal.value.code == "authority_missing"


def test_an_audit_administrator_is_removed_by_a_board_not_by_other_administrators() -> None:
    world = district()
    remove = c.VacatePost(person=AUDIT.person, body="system", post="audit_admin")
    refused(world, remove, SECURITY, "audit_is_apart")
    refused(world, remove, SYSTEM, "audit_is_apart")
    false = Actor(person=person(5), body="board", post="board_member")
    refused(world, remove, false, "post_not_held")
    world.fill(5, "board", "board_member")
    world.act(remove, false)
    assert world.register.holders("system", "audit_admin", world.now) == []


@pytest.mark.parametrize(
    "command",
    [
        c.EnterPerson(person=person(30)),
        fill(5, "mch", "officer"),
        c.VacatePost(person=person(2), body="system", post="system_admin"),
        c.EnterDuty(item="d", body="cg", code="04"),
        c.MarkAbsent(person=AUDIT.person, body="system", ends=administered().now + DAY),
    ],
)
def test_an_audit_administrator_changes_nothing(command) -> None:
    refused(district(), command, AUDIT, "audit_admin_changes_nothing")


def test_a_person_entered_again_is_known() -> None:
    refused(district(), c.EnterPerson(person=person(5)), SECURITY, "already_known")


def test_a_person_without_a_sealed_name_is_refused() -> None:
    world = district()
    context = Given(SECURITY, When(occurred_at=world.now, recorded_at=world.now), sealed=frozenset())
    with pytest.raises(Refused) as refusal:
        decide(world.register, c.EnterPerson(person=person(30)), context)
    assert refusal.value.code == "name_missing"


def changing(world: World, actor, *sealed: str, who: int = 5):
    """What the register answers to a change of somebody's contact, with these values sealed beside it."""
    context = Given(actor, When(occurred_at=world.now, recorded_at=world.now), sealed=frozenset(sealed))
    return decide(world.register, c.ChangeContact(person=person(who)), context)


def test_a_contact_is_changed_as_often_as_it_must_be_and_says_nothing_itself() -> None:
    world = district()
    for _ in range(2):
        (event,) = changing(world, SECURITY, "contact").events
        assert event.model_dump() == {"person": person(5)}
        world.register = evolve(world.register, recorded(event, world.now, SECURITY))


def test_the_newest_contact_is_the_one_that_its_event_names() -> None:
    register = district().register
    for digests in (("first",), ("second",)):
        event = recorded(ContactChanged(person=person(5)), district().now)
        register = evolve(register, event.model_copy(update={"sd": digests}))
    assert register.contacts.get(person(5), ()) == ("second",)
    assert register.contacts.get(person(6), ()) == ()


@pytest.mark.parametrize(
    ("actor", "sealed", "who", "code"),
    [
        (SECURITY, (), 5, "contact_missing"),
        (SECURITY, ("name",), 5, "contact_missing"),
        (SECURITY, ("contact",), 30, "unknown_person"),
        (SYSTEM, ("contact",), 5, "not_allowed"),
        (AUDIT, ("contact",), 5, "audit_admin_changes_nothing"),
        (Actor(person=person(5), body="mch", post="officer"), ("contact",), 5, "not_allowed"),
        (Actor(person=person(5), body="system", post="security_admin"), ("contact",), 6, "post_not_held"),
    ],
)
def test_a_contact_is_changed_by_a_security_administrator_alone_and_never_to_nothing(
    actor, sealed, who, code
) -> None:
    with pytest.raises(Refused) as refusal:
        changing(district(), actor, *sealed, who=who)
    assert refusal.value.code == code


def test_a_person_id_that_could_be_a_name_is_no_command() -> None:
    with pytest.raises(ValidationError):
        c.EnterPerson(person="王小明")


def linked(secret: str = SECRET, span=DAY) -> World:
    world = World()
    world.act(c.IssueFirstLink(digest=digest_of(secret), expires_at=world.now + span), OPERATOR)
    return world


def test_the_first_security_administrator_comes_by_a_one_time_link() -> None:
    world = linked()
    world.act(c.ClaimFirstLink(secret=SECRET), SECURITY)
    assert world.register.holders("system", "security_admin", world.now) == [SECURITY.person]
    refused(
        world, c.ClaimFirstLink(secret=SECRET), Actor(person=person(9), body="system"), "already_administered"
    )


def test_a_link_is_made_at_the_machine_and_never_by_a_timer() -> None:
    world = World()
    link = c.IssueFirstLink(digest=digest_of(SECRET), expires_at=world.now + DAY)
    refused(world, link, Actor(person=person(1), body="gl", post="officer"), "not_allowed")
    refused(world, link, CLOCK, "not_allowed")
    refused(world, link, SYSTEM, "not_allowed")


def test_no_link_is_made_once_there_is_a_security_administrator() -> None:
    world = administered()
    link = c.IssueFirstLink(digest=digest_of(SECRET), expires_at=world.now + DAY)
    refused(world, link, OPERATOR, "already_administered")


def test_a_false_a_missing_and_an_expired_link_are_refused() -> None:
    refused(World(), c.ClaimFirstLink(secret=SECRET), SECURITY, "link_unknown")
    refused(linked(), c.ClaimFirstLink(secret="some other secret here"), SECURITY, "link_unknown")
    world = linked()
    world.later(DAY)
    refused(world, c.ClaimFirstLink(secret=SECRET), SECURITY, "link_expired")
    late = c.IssueFirstLink(digest=digest_of(SECRET), expires_at=world.now)
    refused(world, late, OPERATOR, "link_expired")


def test_a_new_link_voids_the_one_before() -> None:
    world = linked()
    again = c.IssueFirstLink(digest=digest_of("another secret, later"), expires_at=world.now + DAY)
    world.act(again, OPERATOR)
    refused(world, c.ClaimFirstLink(secret=SECRET), SECURITY, "link_unknown")


def test_the_secret_of_a_link_is_in_no_dump_and_no_event() -> None:
    world = linked()
    command = c.ClaimFirstLink(secret=SECRET)
    decision = world.act(command, SECURITY)
    assert SECRET not in command.model_dump_json()
    assert SECRET not in repr(command)
    assert all(SECRET not in event.model_dump_json() for event in decision.events)
