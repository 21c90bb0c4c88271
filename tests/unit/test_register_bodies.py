"""Bodies of the register: what holds when, who may enter them, and what is refused."""

from __future__ import annotations

import pytest

from domain.refusal import Refused
from domain.register import Register
from domain.register import commands as c
from domain.register.events import BodyEntered
from domain.register.evolve import evolve
from domain.register.words import KINDS, RANK
from tests.unit.register_world import (
    AUDIT,
    DAY,
    HOUR,
    NOON,
    OPERATOR,
    SECURITY,
    SYSTEM,
    administered,
    body_command,
    district,
    recorded,
    refused,
)


def test_an_empty_register_holds_the_body_system_and_nothing_else() -> None:
    register = Register()
    assert register.version == 0
    assert [body.id for body in register.bodies("system", NOON)] == ["system"]
    assert register.body("system", NOON).kind == "system"
    assert register.body("gl", NOON) is None


def test_a_body_is_in_force_from_its_day_and_not_before() -> None:
    world = administered()
    world.body("gl", "district", valid_from=world.now + DAY)
    assert world.register.body("gl", world.now) is None
    assert world.register.body("gl", world.now + DAY).name_zh == "gl"


def test_a_grid_lies_within_its_community_sub_district_and_district() -> None:
    world = district()
    register, at = world.register, world.now
    assert [register.within("mch-1-g1", up, at) for up in ("mch-1-g1", "mch-1", "mch", "gl")] == [True] * 4
    assert not register.within("mch-1-g1", "hn", at)
    assert not register.within("nobody", "gl", at)
    assert register.ancestor("mch-1-g1", "subdistrict", at) == "mch"
    assert register.ancestor("cg", "subdistrict", at) is None
    assert [body.id for body in register.bodies("community", at)] == ["mch-1", "mch-2", "hn-1"]


def test_a_community_that_moves_lies_in_each_sub_district_in_its_time() -> None:
    world = district()
    before = world.now
    world.body("mch-2", "community", "hn", valid_from=before + DAY)
    assert world.register.ancestor("mch-2", "subdistrict", before) == "mch"
    assert world.register.ancestor("mch-2", "subdistrict", before + DAY) == "hn"
    assert [version.number for version in world.register.body_history.get("mch-2", ())] == [1, 2]


def test_the_version_of_the_register_counts_its_events() -> None:
    world = district()
    version = world.register.version
    world.body("mch-3", "community", "mch")
    assert world.register.version == version + 1


@pytest.mark.parametrize("actor", [SECURITY, OPERATOR])
def test_only_a_system_administrator_enters_or_closes_a_body(actor) -> None:
    world = district()
    refused(world, body_command("mch-3", "community", "mch"), actor, "not_allowed")
    refused(world, c.CloseBody(body="hn-1"), actor, "not_allowed")


def test_an_audit_administrator_changes_nothing() -> None:
    world = district()
    refused(world, body_command("mch-3", "community", "mch"), AUDIT, "audit_admin_changes_nothing")


def test_a_lapsed_system_administrator_cannot_act_even_by_an_earlier_date() -> None:
    world = district()
    before = world.now
    world.later(HOUR)
    world.act(c.VacatePost(person=SYSTEM.person, body="system", post="system_admin"), SECURITY)
    with pytest.raises(Refused) as refusal:
        world.act(body_command("mch-3", "community", "mch"), SYSTEM, occurred=before)
    assert refusal.value.code == "post_not_held"


def test_the_same_body_entered_again_is_known() -> None:
    world = district()
    refused(world, body_command("mch-1", "community", "mch"), SYSTEM, "already_known")


def test_a_back_dated_version_is_refused() -> None:
    world = district()
    command = body_command("mch-3", "community", "mch", valid_from=world.now - HOUR)
    refused(world, command, SYSTEM, "back_dated")
    refused(world, c.CloseBody(body="hn-1", until=world.now - HOUR), SYSTEM, "back_dated")


def test_a_version_that_would_overlap_a_planned_one_is_refused() -> None:
    world = district()
    world.body("mch-2", "community", "hn", valid_from=world.now + 2 * DAY)
    command = body_command("mch-2", "community", "mch", name_zh="新名", valid_from=world.now + DAY)
    refused(world, command, SYSTEM, "overlap")


def test_a_version_that_ends_before_it_begins_is_refused() -> None:
    world = district()
    command = body_command("mch-3", "community", "mch", valid_until=world.now)
    refused(world, command, SYSTEM, "ends_before_it_begins")


def test_an_unknown_parent_is_refused() -> None:
    world = district()
    refused(world, body_command("x", "community", "nowhere"), SYSTEM, "unknown_body")


@pytest.mark.parametrize(
    ("kind", "parent"), [("district", "mch"), ("community", "mch-1"), ("grid", "system")]
)
def test_a_body_under_one_that_is_no_higher_is_refused(kind: str, parent: str) -> None:
    refused(district(), body_command("x", kind, parent), SYSTEM, "wrong_parent")


def test_the_kind_of_a_body_never_changes() -> None:
    refused(district(), body_command("mch-1", "grid", "mch"), SYSTEM, "kind_fixed")


@pytest.mark.parametrize(("body", "kind"), [("system", "archive"), ("resident", "archive"), ("x", "system")])
def test_ids_and_kinds_of_the_engine_are_refused(body: str, kind: str) -> None:
    refused(district(), body_command(body, kind), SYSTEM, "reserved_body")


def test_the_body_system_cannot_be_closed() -> None:
    refused(district(), c.CloseBody(body="system"), SYSTEM, "reserved_body")


def test_a_body_that_outlives_its_parent_is_refused() -> None:
    world = district()
    world.body("fair", "district", valid_until=world.now + DAY)
    refused(world, body_command("fair-1", "community", "fair"), SYSTEM, "outlives_body")
    world.body("fair-2", "community", "fair", valid_until=world.now + DAY)
    assert world.register.within("fair-2", "fair", world.now)


def test_a_body_with_bodies_below_cannot_be_closed_or_shortened() -> None:
    world = district()
    refused(world, c.CloseBody(body="mch-1"), SYSTEM, "still_in_use")
    shorter = body_command("mch-1", "community", "mch", valid_until=world.now + DAY)
    refused(world, shorter, SYSTEM, "still_in_use")


def test_a_body_with_posts_cannot_be_closed_until_they_are_vacated() -> None:
    world = district()
    world.fill(4, "hn-1", "officer", valid_until=world.now + DAY)
    refused(world, c.CloseBody(body="hn-1"), SYSTEM, "still_in_use")
    world.act(c.CloseBody(body="hn-1", until=world.now + DAY), SYSTEM)
    assert world.register.body("hn-1", world.now) is not None
    assert world.register.body("hn-1", world.now + DAY) is None


def test_a_body_with_powers_or_duties_cannot_be_closed() -> None:
    world = district()
    world.act(c.EnterDuty(item="d1", body="cg", code="04", place="*"), SECURITY)
    refused(world, c.CloseBody(body="cg-squad", until=world.now - HOUR), SYSTEM, "back_dated")
    world.act(c.CloseBody(body="cg-squad"), SYSTEM)
    refused(world, c.CloseBody(body="cg"), SYSTEM, "still_in_use")
    world.act(c.WithdrawDuty(item="d1"), SECURITY)
    world.act(c.CloseBody(body="cg"), SYSTEM)
    power = c.EnterPower(item="p", kind="whistle", holder="hn", basis="law", approved_by=("gl",))
    world.act(power, SECURITY)
    world.act(c.CloseBody(body="hn-1"), SYSTEM)
    refused(world, c.CloseBody(body="hn"), SYSTEM, "still_in_use")


def test_an_unknown_body_cannot_be_closed() -> None:
    refused(district(), c.CloseBody(body="nowhere"), SYSTEM, "unknown_body")


def test_a_body_with_a_planned_version_cannot_be_closed_before_it() -> None:
    world = district()
    world.body("hn-1", "community", "mch", valid_from=world.now + DAY)
    refused(world, c.CloseBody(body="hn-1"), SYSTEM, "overlap")


def test_a_command_of_another_room_is_refused() -> None:
    class Strange(c.Command):
        pass

    refused(district(), Strange(), SYSTEM, "unknown_command")


def test_the_fold_accepts_a_stored_history_that_no_rule_would_allow() -> None:
    circle = [
        BodyEntered(
            body=body,
            version=1,
            kind="community",
            parent=parent,
            name_zh=body,
            name_en=body,
            district="d",
            valid_from=NOON,
            valid_until=None,
        )
        for body, parent in (("a", "b"), ("b", "a"))
    ]
    register = Register()
    for event in circle:
        register = evolve(register, recorded(event, NOON))
    assert register.within("a", "b", NOON)
    assert not register.within("a", "c", NOON)


def test_every_kind_of_body_has_a_rank() -> None:
    assert set(RANK) == set(KINDS)


def test_an_older_view_does_not_see_what_came_after_it() -> None:
    world = district()
    before = world.register
    world.body("mch-3", "community", "mch")
    assert before.body("mch-3", world.now) is None
    assert world.register.body("mch-3", world.now) is not None
