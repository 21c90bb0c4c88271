"""The stored events of the register: their names are fixed, and what is stored comes back the same."""

from __future__ import annotations

from domain.event import Event, decode, encode, known_types
from domain.register import Register
from domain.register import commands as c
from domain.register.evolve import evolve
from tests.unit.register_world import (
    DAY,
    HOUR,
    SECURITY,
    SYSTEM,
    World,
    body_command,
    district,
    person,
    recorded,
)

STORED = {
    "first_link_issued.v1",
    "first_link_used.v1",
    "body_entered.v1",
    "body_closed.v1",
    "person_entered.v1",
    "post_filled.v1",
    "post_vacated.v1",
    "shift_assigned.v1",
    "shift_withdrawn.v1",
    "absence_marked.v1",
    "power_entered.v1",
    "power_suspended.v1",
    "power_withdrawn.v1",
    "duty_entered.v1",
    "duty_withdrawn.v1",
    "admission_item_entered.v1",
    "admission_item_withdrawn.v1",
    "admission_applied.v1",
    "admission_decided.v1",
    "admission_ended.v1",
    "system_key_issued.v1",
    "system_key_ended.v1",
    "signin_linked.v1",
    "signin_unlinked.v1",
    "contact_changed.v1",
    "subscription_made.v1",
    "subscription_secret_changed.v1",
    "subscription_paused.v1",
    "subscription_resumed.v1",
    "subscription_ended.v1",
}


def test_the_stored_names_are_these_for_ever() -> None:
    own = {name for name, event in known_types().items() if event.__module__ == "domain.register.events"}
    assert own == STORED


def test_a_register_read_back_from_its_bytes_answers_the_same() -> None:
    world = district()
    commands = [
        (
            c.FillPost(person=person(5), body="mch", post="duty_leader", valid_until=world.now + 9 * DAY),
            SECURITY,
        ),
        (
            c.EnterPower(
                item="p", kind="whistle", holder="mch", basis="条例", limits=("一", "二"), approved_by=("gl",)
            ),
            SECURITY,
        ),
        (c.SuspendPower(item="p", begins=world.now + HOUR, ends=world.now + DAY), SECURITY),
        (c.EnterDuty(item="d", body="cg", code="04"), SECURITY),
        (body_command("mch-2", "community", "hn", valid_from=world.now + DAY), SYSTEM),
    ]
    events = [event for command, actor in commands for event in world.act(command, actor).events]
    register, again = district().register, district().register
    for event in events:
        envelope = recorded(event, world.now)
        register = evolve(register, envelope)
        again = evolve(again, decode(event.TYPE, encode(envelope)))
    for at in (world.now, world.now + 2 * HOUR, world.now + 2 * DAY, world.now + 10 * DAY):
        assert _answers(again, at) == _answers(register, at) == _answers(world.register, at)


def _answers(register: Register, at) -> list[object]:
    return [
        register.version,
        register.posts_of(person(5), at),
        register.power("p", at),
        register.duty_items("0401", "mch-2", at),
        [register.ancestor(body.id, "subdistrict", at) for body in register.bodies("community", at)],
    ]


def test_an_event_of_another_room_only_counts() -> None:
    class Foreign(Event):
        """Whatever stands in a stream of ours that we do not know."""

    world = World()
    register = evolve(world.register, recorded(Foreign(), world.now))
    assert register.version == 1
    assert register.body("gl", world.now) is None
