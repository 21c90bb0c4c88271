"""Telling: who hears of what happened, and who never does (laws 10, 13, 14; domain.md D.1, D.2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.event import Recorded
from domain.matter import commands as do
from domain.matter import order_commands as odo
from domain.matter import replay
from domain.matter.telling import TO_REQUESTER, TO_STAFF, Told, requesters_of, staff_of, told
from domain.register import events as reg
from tests.unit import matter_lives as lives
from tests.unit.matter_lives import (
    ASKER,
    CALLER,
    CENTRE_SUPERVISOR,
    INTAKE,
    KINDS,
    LEADER,
    LEGS,
    SD_OFFICER,
)
from tests.unit.matter_world import LONG_AGO, NOON, World, enter, law, officer, resident

OTHER = resident(2)


def heard(world: World) -> list[tuple[str, Told]]:
    """Each audience of each event, with the event's name, in order."""
    found, story = list[tuple[str, Told]](), list[Recorded[Any]]()
    for recorded in world.story:
        story.append(recorded)
        state = replay(story)
        assert state is not None
        found += [(recorded.type.partition(".")[0], one) for one in told(recorded.pub, state)]
    return found


def moments(world: World) -> list[str]:
    """What the requesters are told, in order."""
    return [str(one.moment) for _, one in heard(world) if one.moment in TO_REQUESTER]


def last(world: World) -> tuple[Recorded[Any], list[Told]]:
    """The newest event and its audiences."""
    return world.story[-1], [*told(world.story[-1].pub, world.state)]


def by_name(world: World, audience: str) -> list[str]:
    """The officers whom the newest event reaches by message under this audience."""
    recorded, audiences = last(world)
    book = law().book
    return [
        who
        for one in audiences
        if one.audience == audience
        for who in staff_of(world.state, one, recorded.pub, world.register, book, recorded.recorded_at)
    ]


WHISTLE = lives.blown(KINDS["whistle.service"])


def issued(world: World) -> World:
    """A whistle was blown at a department."""
    return world.given(*lives.TO_HANDLING, WHISTLE)


def test_a_requester_hears_of_every_step_that_answers_them() -> None:
    world = World().given(lives.registered, lives.accepted, lives.triaged, lives.handled, lives.submitted)
    world.given(lives.called_back, lives.closed)

    assert moments(world) == ["registered", "accepted", "answered", "closed"]


def test_a_refusal_is_told_with_its_other_channel() -> None:
    world = World().given(lives.registered)
    world.do(INTAKE, do.ProposeRefusal(ground="court_matter", other_channel="court"))
    world.do(lives.SECRETARY, do.ConfirmRefusal())

    recorded, audiences = last(world)

    assert (audiences, recorded.pub.other_channel) == ([Told("requesters", moment="not_accepted")], "court")


def test_a_callback_that_reached_nobody_is_told_to_that_requester_alone() -> None:
    world = World().given(lives.registered)
    world.do(OTHER, do.JoinRequester(requester=OTHER.person, source="phone"))
    world.given(lives.accepted, lives.triaged, lives.handled, lives.submitted)
    world.do(CALLER, do.RecordCallback(requester=OTHER.person, reached=False))

    _, audiences = last(world)

    assert audiences == [Told("requester", OTHER.person, moment="callback_missed")]
    assert requesters_of(world.state, audiences[0]) == [OTHER.person]


def test_whoever_joins_is_told_and_the_others_are_not() -> None:
    world = World().given(lives.registered)
    world.do(OTHER, do.JoinRequester(requester=OTHER.person, source="phone"))

    _, (one,) = last(world)

    assert (one.moment, requesters_of(world.state, one)) == ("joined", [OTHER.person])


def test_an_extension_is_told_when_it_is_granted_and_not_when_it_is_denied() -> None:
    for granted in (True, False):
        world = World().given(*lives.TO_HANDLING)
        clock = world.state.clock("", "finish")
        assert clock is not None
        asked = do.RequestMatterExtension(until=clock.due + timedelta(seconds=5), reason="parts")
        world.do(SD_OFFICER, asked)
        world.do(CENTRE_SUPERVISOR, do.DecideMatterExtension(granted=granted, requester_told=True))

        assert ("extended" in moments(world)) is granted


@pytest.mark.parametrize("seen", ["registered", "accepted"])
def test_of_an_accusation_nobody_hears_by_message(seen: str) -> None:
    world = World()
    world.do(resident(1), lives.accusation())
    if seen == "accepted":
        world.do(lives.DISCIPLINE, do.AcceptMatter())

    assert heard(world) == []


def test_of_a_matter_that_is_handed_to_discipline_inspection_nobody_hears_from_then_on() -> None:
    world = World().given(lives.registered)
    before = len(heard(world))
    world.do(INTAKE, do.DivertMatter(to="jw"))

    assert len(heard(world)) == before


def test_who_wants_no_messages_gets_none_until_they_want_them_again() -> None:
    world = World().given(lives.registered)
    world.do(ASKER, do.StateNoticeWish(requester=ASKER.person, wanted=False))
    one = Told("requesters", moment="closed")
    quiet = requesters_of(world.state, one)
    world.do(INTAKE, do.StateNoticeWish(requester=ASKER.person, wanted=True))

    assert (quiet, requesters_of(world.state, one)) == ([], [ASKER.person])


def test_nobody_states_the_wish_of_another_requester() -> None:
    world = World().given(lives.registered)
    wish = do.StateNoticeWish(requester=ASKER.person, wanted=False)

    world.when(OTHER, wish).refused("not_the_requester")
    world.when(officer("com-02", "intake_officer"), wish).refused("not_your_body", "not_found")
    world.when(ASKER, do.StateNoticeWish(requester=OTHER.person, wanted=False)).refused("unknown_requester")


def test_a_wish_stops_no_clock_and_holds_nobody_up() -> None:
    world = World().given(lives.registered)
    before = (world.agenda(), world.state.moved_at, world.state.status)
    world.later(1).do(ASKER, do.StateNoticeWish(requester=ASKER.person, wanted=False))

    assert (world.agenda(), world.state.moved_at, world.state.status) == before


def test_whose_data_were_erased_is_told_nothing() -> None:
    world = World().given(lives.registered)
    world.state.requesters[ASKER.person].erased = True

    assert requesters_of(world.state, Told("requesters", moment="closed")) == []


def test_a_task_is_told_to_whoever_is_on_duty_there() -> None:
    world = World()
    duty, chosen = officer("dept-a", "duty_officer"), officer("dept-a", "officer")
    shift = reg.ShiftAssigned(
        body="dept-a", post="duty_officer", person=chosen.person, deputies=(duty.person,), begins=LONG_AGO,
        ends=NOON + timedelta(days=3),
    )  # fmt: skip
    world.register = enter(world.register, shift)
    issued(world)

    assert by_name(world, "body") == [chosen.person]


def test_without_a_roster_it_is_told_to_all_who_may_sign_for_it() -> None:
    world = issued(World())

    found = by_name(world, "body")

    assert {officer("dept-a", post).person for post in ("duty_officer", "officer", "leader")} <= set(found)
    assert len(found) == len(set(found))


def test_a_recused_officer_is_told_nothing() -> None:
    world = World().given(*lives.TO_HANDLING)
    gone = officer("dept-a", "leader")
    world.do(CENTRE_SUPERVISOR, do.DeclareRecusal(person=gone.person, ground="kin"))
    world.given(WHISTLE)

    assert gone.person not in by_name(world, "body")


def test_an_urging_and_a_supervision_are_told_to_the_summoned_body() -> None:
    world = issued(World())
    world.do(SD_OFFICER, odo.UrgeLeg(leg=LEGS[0]))
    _, urged = last(world)
    world.do(
        LEADER,
        odo.SuperviseLeg(
            leg=LEGS[0],
            number="DB1",
            level="subdistrict",
            due=world.now + timedelta(seconds=9),
        ),
    )
    _, supervised = last(world)

    assert [one.moment for one in (*urged, *supervised)] == ["urged", "supervised"]


def test_the_clock_reminds_misses_urges_and_shows_it_to_the_tier_above() -> None:
    world = issued(World())
    for _ in range(40):
        world.later(1).tick()

    found = {one.moment for _, one in heard(world) if one.moment in TO_STAFF}

    assert found == TO_STAFF
    levels = [one for _, one in heard(world) if one.audience == "level"]
    reached = [
        staff_of(world.state, one, world.story[-1].pub, world.register, law().book, world.now)
        for one in levels
    ]
    assert any(officer("sd-01", "supervisor").person in who for who in reached)
    assert any(officer("gl", "supervisor").person in who for who in reached)


def test_no_message_to_staff_is_about_a_resident() -> None:
    world = issued(World())
    for _ in range(40):
        world.later(1).tick()

    staff = [one for _, one in heard(world) if one.moment in TO_STAFF]

    assert all(one.name in ("subdistrict", "district") or one.audience == "body" for one in staff)
    assert not any(ASKER.person == one.name for one in staff)


@pytest.mark.parametrize("name", KINDS)
def test_an_order_that_hands_the_matter_on_is_told_to_the_requester_and_no_other(name: str) -> None:
    world = World().given(*lives.TO_HANDLING, lives.blown(KINDS[name]))

    assert ("handed_on" in moments(world)) is (
        KINDS[name].kind in ("call", "whistle", "call_out", "dispatch")
    )
