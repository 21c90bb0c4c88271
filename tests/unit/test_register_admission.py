"""Admission of work items: three lists, applications, and refusal of everything else."""

from __future__ import annotations

import pytest

from domain.acting import Actor
from domain.register import commands as c
from tests.unit.register_world import AUDIT, DAY, HOUR, SECURITY, SYSTEM, World, district, person, refused

OFFICER = Actor(person=person(5), body="cg", post="officer")
LEADER = Actor(person=person(6), body="gl", post="district_leader")


def item(name: str, code: str, on_list, approved_by=("gl",), **more) -> c.EnterAdmissionItem:
    return c.EnterAdmissionItem(item=name, code=code, on_list=on_list, approved_by=approved_by, **more)


def application(world: World, name: str = "a1", **more) -> c.ApplyAdmission:
    given = {"department": "cg", "code": "0907", "place": "mch"} | more
    term = {"valid_from": world.now + HOUR, "valid_until": world.now + 30 * DAY}
    return c.ApplyAdmission(application=name, **(term | given))


def decision(name: str = "a1", admit: bool = True, decided_by=("gl",)) -> c.DecideAdmission:
    return c.DecideAdmission(application=name, admit=admit, decided_by=decided_by, ground="joint-meeting:3")


def meeting() -> World:
    """A district with an officer of a department and a district leader."""
    world = district()
    world.fill(5, "cg", "officer")
    world.fill(6, "gl", "district_leader")
    return world


def test_what_is_on_no_list_is_not_admitted() -> None:
    world = district()
    assert world.register.admitted("mch-1", "0907", world.now) is None
    assert not world.register.negative("0907", world.now)


def test_statutory_and_assisting_work_is_admitted() -> None:
    world = district()
    world.act(item("s", "01", "statutory_duty"), SECURITY)
    world.act(item("h", "0107", "assist_duty", department="cg", conditions="with funds"), SECURITY)
    at = world.now
    assert world.register.admitted("mch-1", "0102", at).ground == "statutory_duty"
    closest = world.register.admitted("mch-1", "010701", at)
    assert (closest.id, closest.ground, closest.conditions) == ("h", "assist_duty", "with funds")


def test_a_negative_class_beats_every_closer_item() -> None:
    world = district()
    world.act(item("n", "08", "negative_class"), SECURITY)
    world.act(item("h", "0801", "assist_duty"), SECURITY)
    assert world.register.negative("0801", world.now)
    assert world.register.admitted("mch-1", "0801", world.now) is None


def test_an_item_leaves_its_list_at_a_moment() -> None:
    world = district()
    world.act(item("s", "01", "statutory_duty"), SECURITY)
    world.act(c.WithdrawAdmissionItem(item="s", until=world.now + DAY), SECURITY)
    assert world.register.admitted("mch-1", "01", world.now) is not None
    assert world.register.admitted("mch-1", "01", world.now + DAY) is None


def test_an_admitted_application_holds_for_its_place_and_term() -> None:
    world = meeting()
    world.act(application(world), OFFICER)
    inside = world.now + 2 * DAY
    assert world.register.admitted("mch-1", "0907", inside) is None
    world.act(decision(), LEADER)
    register = world.register
    assert register.admitted("mch-1", "0907", inside).id == "a1"
    assert register.admitted("hn-1", "0907", inside) is None
    assert register.admitted("mch-1", "0907", world.now) is None
    assert register.admitted("mch-1", "0907", world.now + 30 * DAY) is None
    assert register.admitted("mch-1", "09", inside) is None


def test_an_application_admitted_late_is_never_in_force_before() -> None:
    world = meeting()
    start = world.now
    world.act(application(world), OFFICER)
    world.later(3 * DAY)
    world.act(decision(), LEADER)
    assert world.register.admitted("mch-1", "0907", start + DAY) is None
    assert world.register.admitted("mch-1", "0907", world.now) is not None


def test_a_refused_application_admits_nothing_and_is_not_decided_again() -> None:
    world = meeting()
    world.act(application(world), OFFICER)
    world.act(decision(admit=False), LEADER)
    assert world.register.admitted("mch-1", "0907", world.now + DAY) is None
    refused(world, decision(), LEADER, "already_decided")


def test_an_admission_may_be_ended_early() -> None:
    world = meeting()
    world.act(application(world), OFFICER)
    refused(world, c.EndAdmission(application="a1"), SECURITY, "not_in_force")
    world.act(decision(), LEADER)
    world.act(c.EndAdmission(application="a1", until=world.now + DAY), SECURITY)
    assert world.register.admitted("mch-1", "0907", world.now + DAY) is None
    refused(world, c.EndAdmission(application="a1", until=world.now - HOUR), SECURITY, "back_dated")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"approved_by": ("cg",), "department": "cg"}, "approved_by_gainer"),
        ({"approved_by": ("cg-squad",), "department": "cg"}, "approved_by_gainer"),
        ({"approved_by": ()}, "not_approved"),
        ({"department": "nowhere"}, "unknown_body"),
    ],
)
def test_a_list_item_wrongly_approved_is_refused(more, code: str) -> None:
    refused(district(), item("s", "01", "assist_duty", **more), SECURITY, code)


@pytest.mark.parametrize(("actor", "code"), [(SYSTEM, "not_allowed"), (AUDIT, "audit_admin_changes_nothing")])
def test_only_a_security_administrator_keeps_the_lists(actor, code: str) -> None:
    world = district()
    refused(world, item("s", "01", "statutory_duty"), actor, code)
    refused(world, c.WithdrawAdmissionItem(item="s"), actor, code)
    refused(world, c.EndAdmission(application="a1"), actor, code)


def test_back_dated_known_and_unknown_items_are_refused() -> None:
    world = district()
    refused(world, item("s", "01", "statutory_duty", valid_from=world.now - HOUR), SECURITY, "back_dated")
    world.act(item("s", "01", "statutory_duty"), SECURITY)
    refused(world, item("s", "01", "statutory_duty"), SECURITY, "already_known")
    refused(world, c.WithdrawAdmissionItem(item="zz"), SECURITY, "not_in_force")
    refused(world, c.EndAdmission(application="zz"), SECURITY, "unknown_application")


def test_a_department_applies_for_itself_alone() -> None:
    world = meeting()
    refused(world, application(world, department="hn"), OFFICER, "not_allowed")
    false = Actor(person=person(7), body="cg", post="officer")
    refused(world, application(world), false, "post_not_held")


def test_an_application_back_in_time_known_or_negative_is_refused() -> None:
    world = meeting()
    refused(world, application(world, valid_from=world.now - HOUR), OFFICER, "back_dated")
    refused(world, application(world, place="nowhere"), OFFICER, "unknown_body")
    world.act(item("n", "08", "negative_class"), SECURITY)
    refused(world, application(world, code="0801"), OFFICER, "negative_class")
    world.act(application(world), OFFICER)
    refused(world, application(world), OFFICER, "already_known")


def test_nobody_decides_what_they_gain_from_or_applied_for() -> None:
    world = meeting()
    world.fill(5, "gl", "leadership_member")
    world.fill(7, "cg", "director")
    world.act(application(world), OFFICER)
    own = Actor(person=person(7), body="cg", post="director")
    refused(world, decision(decided_by=("cg",)), own, "approved_by_gainer")
    refused(world, decision(decided_by=("cg", "gl")), own, "not_allowed")
    refused(world, decision(), own, "not_allowed")
    twice = Actor(person=person(5), body="gl", post="leadership_member")
    refused(world, decision(), twice, "same_person")


def test_a_decision_by_no_leader_or_by_one_who_left_is_refused() -> None:
    world = meeting()
    world.act(application(world), OFFICER)
    world.fill(8, "gl", "officer")
    refused(world, decision(), Actor(person=person(8), body="gl", post="officer"), "not_allowed")
    refused(world, decision(), Actor(person=person(9), body="gl", post="district_leader"), "post_not_held")
    refused(world, decision("zz"), LEADER, "unknown_application")


def test_nothing_is_admitted_after_its_term_or_once_the_class_is_negative() -> None:
    world = meeting()
    world.act(application(world), OFFICER)
    world.act(item("n", "09", "negative_class"), SECURITY)
    refused(world, decision(), LEADER, "negative_class")
    world.later(31 * DAY)
    refused(world, decision(), LEADER, "term_over")
    world.act(decision(admit=False), LEADER)
