"""Powers and the duty list: who may, who must, where and when."""

from __future__ import annotations

import pytest

from domain.register import commands as c
from tests.unit.register_world import AUDIT, DAY, HOUR, SECURITY, SYSTEM, World, district, refused


def power(item: str = "p1", kind="whistle", holder: str = "mch", approved_by=("gl",), **more) -> c.EnterPower:
    return c.EnterPower(
        item=item,
        kind=kind,
        holder=holder,
        basis="Measures on sub-districts, art. 12",
        approved_by=approved_by,
        **more,
    )


def duty(item: str, body: str, code: str, place: str = "*", **more) -> c.EnterDuty:
    return c.EnterDuty(item=item, body=body, code=code, place=place, **more)


def test_a_body_may_do_what_an_item_in_force_says() -> None:
    world = district()
    world.act(power(valid_until=world.now + DAY), SECURITY)
    register, at = world.register, world.now
    assert register.may("mch", "whistle", at).id == "p1"
    assert register.power("p1", at).basis.startswith("Measures")
    assert register.may("mch", "whistle", at + DAY) is None
    assert register.may("hn", "whistle", at) is None
    assert register.may("mch", "call_out", at) is None


def test_a_call_out_names_the_organs_that_it_reaches() -> None:
    world = district()
    world.act(power("p2", "call_out", over=("cg-squad",)), SECURITY)
    assert world.register.may("mch", "call_out", world.now, over="cg-squad").id == "p2"
    assert world.register.may("mch", "call_out", world.now, over="cg") is None


def test_a_body_may_hold_several_powers_of_one_kind() -> None:
    world = district()
    world.act(power("p1", "call_out", over=("cg-squad",)), SECURITY)
    world.act(power("p2", "call_out", over=("panel",)), SECURITY)
    register, at = world.register, world.now
    assert [item.id for item in register.powers("mch", "call_out", at)] == ["p1", "p2"]
    assert [item.id for item in register.powers("mch", "call_out", at, over="panel")] == ["p2"]


def test_a_power_of_another_holder_from_its_next_version_on() -> None:
    world = district()
    world.act(power(), SECURITY)
    world.act(power(holder="hn", valid_from=world.now + DAY), SECURITY)
    later = world.now + DAY
    assert world.register.may("mch", "whistle", world.now) is not None
    assert world.register.may("mch", "whistle", later) is None
    assert world.register.may("hn", "whistle", later).id == "p1"


def test_a_suspended_power_rests_and_comes_back() -> None:
    world = district()
    world.act(power(), SECURITY)
    world.act(c.SuspendPower(item="p1", begins=world.now + HOUR, ends=world.now + DAY), SECURITY)
    held = [world.register.power("p1", world.now + span) is not None for span in (0 * HOUR, HOUR, DAY)]
    assert held == [True, False, True]


def test_a_withdrawn_power_ends() -> None:
    world = district()
    world.act(power(), SECURITY)
    world.act(c.WithdrawPower(item="p1", until=world.now + HOUR), SECURITY)
    assert world.register.power("p1", world.now) is not None
    assert world.register.power("p1", world.now + HOUR) is None


@pytest.mark.parametrize("approved_by", [("mch",), ("mch", "mch-1")])
def test_a_power_approved_by_its_holder_alone_is_refused(approved_by) -> None:
    refused(district(), power(approved_by=approved_by), SECURITY, "approved_by_gainer")


def test_a_power_that_its_holder_approved_together_with_another_body_stands() -> None:
    world = district()
    world.act(power(approved_by=("mch", "gl")), SECURITY)
    assert world.register.power("p1", world.now) is not None


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"approved_by": ()}, "not_approved"),
        ({"approved_by": ("nowhere",)}, "unknown_body"),
        ({"holder": "nowhere"}, "unknown_body"),
        ({"over": ("nowhere",)}, "unknown_body"),
    ],
)
def test_a_power_on_nothing_real_is_refused(more, code: str) -> None:
    refused(district(), power(**more), SECURITY, code)


def test_back_dated_known_and_overlapping_powers_are_refused() -> None:
    world = district()
    refused(world, power(valid_from=world.now - HOUR), SECURITY, "back_dated")
    world.act(power(), SECURITY)
    refused(world, power(), SECURITY, "already_known")
    world.act(power(holder="hn", valid_from=world.now + 2 * DAY), SECURITY)
    refused(world, power(limits=("30 days",), valid_from=world.now + DAY), SECURITY, "overlap")


@pytest.mark.parametrize(("actor", "code"), [(SYSTEM, "not_allowed"), (AUDIT, "audit_admin_changes_nothing")])
def test_only_a_security_administrator_keeps_powers_and_duties(actor, code: str) -> None:
    world = district()
    commands = [
        power(),
        c.SuspendPower(item="p1", ends=world.now + DAY),
        c.WithdrawPower(item="p1"),
        duty("d1", "cg", "04"),
        c.WithdrawDuty(item="d1"),
    ]
    for command in commands:
        refused(world, command, actor, code)


def test_what_is_not_in_force_cannot_be_ended_or_suspended() -> None:
    world = district()
    for command in (
        c.WithdrawPower(item="p9"),
        c.SuspendPower(item="p9", ends=world.now + DAY),
        c.WithdrawDuty(item="d9"),
    ):
        refused(world, command, SECURITY, "not_in_force")


def test_ending_or_suspending_back_in_time_is_refused() -> None:
    world = district()
    world.act(power(), SECURITY)
    world.act(duty("d1", "cg", "04"), SECURITY)
    world.later(DAY)
    past = world.now - HOUR
    refused(world, c.WithdrawPower(item="p1", until=past), SECURITY, "back_dated")
    refused(world, c.SuspendPower(item="p1", begins=past, ends=world.now + DAY), SECURITY, "back_dated")
    refused(world, c.WithdrawDuty(item="d1", until=past), SECURITY, "back_dated")


def listed() -> World:
    """A duty list with a line for the whole district, one for a sub-district and one for a closer code."""
    world = district()
    world.act(duty("d1", "cg", "04"), SECURITY)
    world.act(duty("d2", "mch", "04", "mch"), SECURITY)
    world.act(duty("d3", "hn", "0402", "*"), SECURITY)
    return world


def test_a_body_answers_for_the_codes_below_its_own_in_its_territory() -> None:
    world = listed()
    register, at = world.register, world.now
    assert register.answers_for("cg", "0401", "mch-1", at)
    assert register.answers_for("mch", "0401", "mch-1-g1", at)
    assert not register.answers_for("mch", "0401", "hn-1", at)
    assert not register.answers_for("cg", "05", "mch-1", at)
    assert not register.answers_for("cg", "0", "mch-1", at)


def test_the_closest_code_comes_first_and_then_the_closest_place() -> None:
    world = listed()
    assert world.register.duty_bodies("0402", "mch-1", world.now) == ["hn", "mch", "cg"]
    assert world.register.duty_bodies("0402", "hn-1", world.now) == ["hn", "cg"]
    assert world.register.duty_bodies("05", "mch-1", world.now) == []


def test_a_line_for_every_code_is_the_last_resort() -> None:
    world = listed()
    world.act(duty("d4", "gl", "*"), SECURITY)
    assert world.register.duty_bodies("05", "mch-1", world.now) == ["gl"]
    assert world.register.duty_bodies("0401", "mch-1", world.now) == ["mch", "cg", "gl"]


def test_a_withdrawn_duty_is_nobodys_from_that_moment() -> None:
    world = listed()
    world.act(c.WithdrawDuty(item="d1", until=world.now + DAY), SECURITY)
    assert world.register.answers_for("cg", "04", "mch", world.now)
    assert not world.register.answers_for("cg", "04", "mch", world.now + DAY)


def test_the_next_version_of_a_line_moves_the_duty() -> None:
    world = listed()
    world.act(duty("d1", "cg", "05", valid_from=world.now + DAY), SECURITY)
    later = world.now + DAY
    assert not world.register.answers_for("cg", "04", "hn-1", later)
    assert world.register.answers_for("cg", "05", "hn-1", later)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (duty("d9", "nowhere", "04"), "unknown_body"),
        (duty("d9", "cg", "04", "nowhere"), "unknown_body"),
        (duty("d1", "cg", "04"), "already_known"),
    ],
)
def test_a_line_of_nothing_real_or_known_is_refused(command, code: str) -> None:
    refused(listed(), command, SECURITY, code)
