"""Whatever an honest office locks, lifts, archives and erases, the boards' verifier never accuses it."""

from __future__ import annotations

import json

from hypothesis import example, given
from hypothesis import strategies as st

from adapters.bundle import verify
from adapters.rulebooks import template
from domain.context import Law
from domain.matter import commands as do
from domain.matter import events as ev
from domain.rulebook import parse
from tests.unit.matter_lives import ARCHIVIST, ASKER, CALLER, accepted, archiving, triaged
from tests.unit.matter_world import World, law
from tests.unit.test_matter_keeping import OTHER, erasing, lifting, silent, two_requesters

WHOSE = {"case": None, "asker": ASKER, "other": OTHER}
ACTS = ("lock case", "lock asker", "lock other", "lift case", "lift asker", "lift other")
TIMES = (
    "wait",
    "tick",
    "end",
    "reopen",
    "archive",
    "archive for ever",
    "no terms",
    "other terms",
    "usual terms",
)
STEPS = st.lists(st.sampled_from(ACTS + TIMES), min_size=6, max_size=24)


def shorter() -> Law:
    """Rules that keep files for a fraction of the usual time."""
    text = template("demo")
    at = text.index("[retention]")
    book = parse(text[:at] + text[at:].replace('"30s"', '"4s"', 1).replace('"10s"', '"2s"', 1), released=True)
    return Law(book, book.calendar())


BOOKS = {"no terms": silent(), "other terms": shorter(), "usual terms": law()}


def withdrawn_by_one() -> World:
    """A matter that goes on for one requester; the other has left it."""
    world = World().given(two_requesters, accepted, triaged)
    world.do(OTHER, do.RequestWithdrawal(requester=OTHER.person))
    world.do(CALLER, do.ConfirmWithdrawal())
    return world


def take(world: World, step: str) -> None:
    """A step that the office may be refused."""
    act, _, of = step.partition(" ")
    if step in BOOKS:
        world.book = BOOKS[step]
    elif step == "wait":
        world.later(4)
    elif step == "tick":
        world.tick()
    elif step == "end" and world.state.ended_at is None:
        world.given(ev.MatterClosed())
    elif step == "reopen" and world.state.ended_at is not None:
        world.given(ev.MatterReopened(ground="not_solved", count=1, clocks=()))
    elif act == "archive":
        code = {"retention": "permanent"} if of else {}
        world.when(ARCHIVIST, archiving().model_copy(update=code), sealed=())
    elif act in ("lock", "lift"):
        world.when(ARCHIVIST, (erasing if act == "lock" else lifting)(WHOSE[of]), sealed=())


def judged(world: World) -> dict[str, int]:
    """What the verifier finds in what was recorded, however long afterwards it looks; notes are none."""
    found = verify.Findings()
    log = verify.Log(found, "origin", {}, None)
    for index, recorded in enumerate(one for one in world.story if one.stream == world.case):
        leaf = json.loads(recorded.model_dump_json(by_alias=True))
        leaf |= {"type": recorded.pub.TYPE, "version": index}
        if leaf["type"] in log.handlers:
            log.take(index, leaf)
    log.overdue(world.now.replace(tzinfo=None))
    notes = {one.code for one in found.listed if one.note}
    return {code: count for code, count in found.counts.items() if code not in notes}


@example(steps=["lock other", "wait", "end", "lock case", "wait", "wait", "tick"])
@example(steps=["end", "lock case", "lift case", "other terms", "wait", "lock case"])
@given(steps=STEPS)
def test_an_honest_office_is_never_accused(steps: list[str]) -> None:
    world = withdrawn_by_one()
    for step in steps:
        take(world, step)

    world.later(1).tick()

    assert judged(world) == {}
    assert judged(overslept(world)) == {}


def overslept(world: World) -> World:
    """Long afterwards; the clock has done what was due by then."""
    world.later(10**7).tick()
    return world
