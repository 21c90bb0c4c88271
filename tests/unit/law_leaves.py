"""Leaves for the tests of the process law: the lives of the small district as a board reads them, and the law over them."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from adapters.bundle import verify
from adapters.bundle.rules import rules
from adapters.rulebooks import template
from domain.acting import When
from domain.event import Event, Recorded, encode
from domain.instant import written
from domain.matter import Clock, Matter
from domain.rulebook import parse
from domain.rulebook.releases import NoticeEntered, RulebookReleased, digest_of
from tests.unit.matter_world import LONG_AGO, World, district_events, envelope, officer
from workflows.standing import REGISTER, RELEASES

Leaf = dict[str, Any]
EDGE = officer("gl", "supervisor")


@functools.cache
def law_rules(*names: str) -> dict[str, Any]:
    """rules.json as a board reads it, with the texts of these packaged rulebooks."""
    found: dict[str, Any] = json.loads(json.dumps(rules(template(name) for name in names or ("demo",))))
    return found


def released(name: str) -> RulebookReleased:
    """A packaged rulebook, in force since long ago."""
    text = template(name)
    book = parse(text)
    return RulebookReleased(
        name=book.name, digest=digest_of(text), zone=book.zone, use=book.use, in_force_from=LONG_AGO
    )


def notice(name: str, years: tuple[int, ...] = (2026,)) -> NoticeEntered:
    """A notice that names no day."""
    return NoticeEntered(
        notice=name, digest="0" * 64, years=years, dated=None, off=(), makeup=(), source="gov.cn"
    )


def beside(world: World, books: Iterable[str] = ("demo",)) -> list[tuple[str, Event]]:
    """What stands beside the cases: the register, the rulebooks, the notice that the tests' envelopes name."""
    register = [(REGISTER, event) for event in (*district_events(), *world.entered)]
    return [*register, *((RELEASES, released(name)) for name in books), (RELEASES, notice("cn"))]


_BODIES: dict[int, tuple[Recorded[Any], bytes]] = {}


def _body(one: Recorded[Any]) -> bytes:
    """Its stored bytes; those of the district are the same in every world."""
    if one.stream not in (REGISTER, RELEASES):
        return encode(one)
    if id(one) not in _BODIES:
        _BODIES[id(one)] = (one, encode(one))  # kept, so that its id stays its own
    return _BODIES[id(one)][1]


def leaves_of(recorded: Iterable[Recorded[Any]]) -> list[Leaf]:
    """Recorded events as parsed leaves, each with its stream's version."""
    versions: dict[str, int] = {}
    found = []
    for position, one in enumerate(recorded, start=1):
        versions[one.stream] = versions.get(one.stream, 0) + 1
        place = {"_position": position, "_prev": None, "version": versions[one.stream]}
        found.append({**json.loads(_body(one)), **place})
    return found


def leaves(world: World, books: Iterable[str] = ("demo",)) -> list[Leaf]:
    """Everything that was recorded in a world, as parsed leaves in log order."""
    before = _before(*books) if not world.entered else _recorded_beside(world, books)
    return leaves_of((*before, *world.log))


def _recorded_beside(world: World, books: Iterable[str]) -> tuple[Recorded[Any], ...]:
    long_ago = When(occurred_at=LONG_AGO, recorded_at=LONG_AGO)
    return tuple(envelope(event, EDGE, long_ago, stream) for stream, event in beside(world, books))


@functools.cache
def _before(*books: str) -> tuple[Recorded[Any], ...]:
    return _recorded_beside(World(), books)


def run(
    given: Iterable[Leaf],
    law: verify.Law | None = None,
    each: Callable[[verify.Law, Leaf], None] | None = None,
) -> verify.Law:
    """The law over these leaves; `each` looks at it after every one."""
    law = law or verify.Law(law_rules(), None)
    for index, leaf in enumerate(given):
        law.take(index, leaf)
        if each is not None:
            each(law, leaf)
    return law


def now_of(world: World) -> str:
    """The moment of the head: right now."""
    return written(world.now)


def found_in(given: Iterable[Leaf], now: str) -> list[verify.Finding]:
    """What the law finds, lateness that is on record apart."""
    return [one for one in run(given).finish(now) if not one.note and one.code != "due_silent"]


def codes(given: Iterable[Leaf], now: str) -> list[str]:
    """The codes of what the law finds, lateness apart."""
    return [one.code for one in found_in(given, now)]


# -- the same state as the domain's


def same_state(case: dict[str, Any], matter: Matter) -> None:
    """What the law keeps of a case is what the domain's own fold keeps of it."""
    assert case["status"] == matter.status
    assert case["confidential"] == matter.confidential
    legs = {leg.id: leg for leg in matter.legs()}
    assert case["legs"].keys() == legs.keys()
    for name, leg in legs.items():
        kept = case["legs"][name]
        assert (kept["status"], kept["body"], kept["role"]) == (leg.status, leg.body, leg.role)
        assert kept["under"] == leg.under
        assert set(kept["performers"]) == leg.performers
        assert kept["signed"] == leg.signed
    for name, order in matter.orders.items():
        kept = case["orders"][name]
        assert (kept["status"], kept["issuer"], kept["ruled"]) == (order.status, order.issuer, order.ruled)
        assert kept["lead"] == order.lead
        assert set(kept["issuers"]) == order.issuers
    assert set(case["handlers"]) == matter.handlers
    assert set(case["releasers"]) == matter.releasers
    assert set(case.get("recused", ())) == matter.recused.keys()
    assert set(case["requesters"]) == set(matter.requesters)
    assert {one: (r[0], r[1]) for one, r in case["requesters"].items()} == {
        one.id: (one.answered, one.withdrawn) for one in matter.requesters.values()
    }
    assert {name: one[0] for name, one in case["children"].items()} == matter.children
    same_clocks(case["clocks"], matter)


def same_clocks(kept: dict[str, list[Any]], matter: Matter) -> None:
    """Every clock: due, stopped, cancelled, its number, kind, rulebook, beginning, pauses, extensions."""
    assert {key: _told(clock) for key, clock in matter.clocks.items()} == {
        key: tuple(clock[:10]) for key, clock in kept.items()
    }


def _told(clock: Clock) -> tuple[Any, ...]:
    moment = lambda at: None if at is None else written(at)[:-1]  # noqa: E731
    return (
        moment(clock.due), moment(clock.stopped), clock.cancelled, clock.n, clock.of, clock.rulebook,
        moment(clock.since), [[moment(a), moment(b)] for a, b in clock.paused], clock.extensions, clock.provisional,
    )  # fmt: skip


def late_clocks(world: World) -> int:
    """How many clocks are late by now, by the domain's own word."""
    return sum(
        clock.late(world.now)
        for state in world.states.values()
        for clock in (*state.past_clocks, *state.clocks.values())
    )


def soon(world: World) -> str:
    """A moment after everything, before anything had to be on record."""
    return written(world.now + timedelta(seconds=1))
