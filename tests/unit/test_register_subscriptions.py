"""Subscriptions in the register: whatever is asked in whatever order, the record tells one true story of each channel."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.acting import CLOCK
from domain.event import decode, encode
from domain.refusal import Refused
from domain.register import commands as c
from domain.register.evolve import evolve
from tests.unit.register_world import AUDIT, HOUR, SECURITY, World, district, person, recorded, refused

WHO = {"person": person(5), "body": "cg", "post": "officer"}
AUTHORITY = "resolution:2026-9"


def making(name: str = "s1", **more) -> c.MakeSubscription:
    """A channel of the officer of the department, without personal data."""
    given = {
        "subscription": name, "channel": "webhook", "types": ("progress", "leg_*"), "receiver": "https://a.example",
        "address": "0" * 64, "secret": "0" * 16, **WHO,
    }  # fmt: skip
    return c.MakeSubscription(**given | more)


def office() -> World:
    """A district whose department has a system; each test acts on a world of its own."""
    return replace(_founded())


@cache
def _founded() -> World:
    world = district()
    world.fill(5, "cg", "officer")
    return world


def test_a_channel_is_made_for_whoever_holds_the_post_in_which_it_is_told() -> None:
    world = office()
    (made,) = world.act(making(ground="law:1", source="phone"), SECURITY, AUTHORITY).events
    assert (made.body, made.types, made.ground, made.source) == (
        "cg",
        ("progress", "leg_*"),
        "law:1",
        "phone",
    )
    entry = world.register.subscriptions.get("s1", None)
    assert entry is not None
    assert (entry.state, entry.signing(world.now)) == ("active", ["0" * 16])
    refused(world, making(), SECURITY, "already_known")
    refused(world, making("s2", post="leader"), SECURITY, "no_post")
    refused(world, making("s2", person=person(40)), SECURITY, "unknown_person")
    refused(world, making("s2"), AUDIT, "audit_admin_changes_nothing")
    refused(world, making("notices"), SECURITY, "already_known")


@pytest.mark.parametrize(
    "more",
    [
        {"receiver": "https://u:p@a.example"}, {"receiver": "https://a.example/path"}, {"receiver": "ftp://a.example"},
        {"receiver": "https://a.example?k=v"}, {"receiver": "https://13800000000.example"}, {"receiver": ""},
        {"types": ()}, {"types": ("王某某",)}, {"channel": "notice"}, {"ground": "因为王某某"}, {"address": "https://a"},
        {"secret": "whsec_abc"}, {"source": "a b"}, {"subscription": "../x"},
    ],
)  # fmt: skip
def test_no_path_no_password_and_nobodys_words_can_stand_in_a_channel(more) -> None:
    with pytest.raises(ValidationError):
        making(**more)


def test_old_secrets_end_when_it_is_said_and_never_later_or_in_the_past() -> None:
    world = office()
    world.act(making(), SECURITY, AUTHORITY)
    first, later = world.now, world.now + 2 * HOUR
    change = c.ChangeSubscriptionSecret(subscription="s1", secret="1" * 16, old_until=later)
    world.act(change, SECURITY, AUTHORITY)
    (event,) = world.act(
        c.ChangeSubscriptionSecret(subscription="s1", secret="2" * 16, old_until=first - HOUR), SECURITY, AUTHORITY
    ).events  # fmt: skip
    assert event.old_until == world.now
    entry = world.register.subscriptions.get("s1", None)
    assert entry is not None
    assert entry.signing(world.now) == ["2" * 16]
    assert entry.signing(first - timedelta(microseconds=1)) == ["2" * 16, "1" * 16, "0" * 16]
    refused(world, change, SECURITY, "already_known")


def test_only_the_clock_says_that_a_receiver_is_gone_and_nothing_else() -> None:
    world = office()
    world.act(making(), SECURITY, AUTHORITY)
    refused(world, c.EndSubscription(subscription="s1", why="receiver_gone"), SECURITY, "not_allowed")
    for command in (
        c.EndSubscription(subscription="s1"),
        c.PauseSubscription(subscription="s1"),
        making("s2"),
    ):
        with pytest.raises(Refused):
            world.act(command, CLOCK)
    (event,) = world.act(c.EndSubscription(subscription="s1", why="receiver_gone"), CLOCK).events
    assert event.why == "receiver_gone"


_ACTS = {
    "pause": c.PauseSubscription, "resume": c.ResumeSubscription, "end": c.EndSubscription,
    "secret": c.ChangeSubscriptionSecret, "make": c.MakeSubscription,
}  # fmt: skip


@given(steps=st.lists(st.tuples(st.sampled_from([*_ACTS]), st.sampled_from(["s1", "s2"])), max_size=25))
def test_whatever_is_asked_each_event_changes_something_and_an_end_is_the_last(steps) -> None:
    world, told = office(), dict[str, list[str]]()
    events = []
    for number, (act, name) in enumerate(steps):
        more = {"secret": f"{number:016x}"} if act == "secret" else {}
        command = making(name) if act == "make" else _ACTS[act](subscription=name, **more)
        before = world.register.subscriptions.get(name, None)
        try:
            made = world.act(command, SECURITY, AUTHORITY).events
        except Refused:
            assert world.register.subscriptions.get(name, None) == before
            continue
        assert world.register.subscriptions.get(name, None) != before
        told.setdefault(name, []).extend(one.TYPE for one in made)
        events += made
    for types in told.values():
        assert types[0] == "subscription_made.v1"
        assert types.count("subscription_made.v1") == 1
        assert "subscription_ended.v1" not in types[:-1]
    again = office().register
    for event in events:  # from their stored bytes alone
        again = evolve(again, decode(event.TYPE, encode(recorded(event, world.now))))
    for name in ("s1", "s2", "notices"):
        assert again.subscriptions.get(name, None) == world.register.subscriptions.get(name, None)
