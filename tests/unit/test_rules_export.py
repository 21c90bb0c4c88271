"""rules.json says what the domain does: every act, every stored event, and nothing that the domain does not."""

from __future__ import annotations

import ast
import functools
import inspect
import json
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, get_args

import pytest

from adapters.bundle import law_tables as tables
from adapters.bundle.law_effects import EFFECTS
from adapters.bundle.rules import FORMAT, digest, rules
from adapters.bundle.verify import Law
from adapters.rulebooks import template
from domain.event import canonical
from domain.matter import COMMANDS
from domain.matter.decide import _CLOCK, _FAMILY, _LEG, _MATTER, _ORDER
from domain.matter.evolve import FOLDS
from domain.matter.lifecycle import LEG, MATTER, ORDER
from domain.matter.outcomes import MAKES, TELLS
from domain.matter.words import ORDER_KINDS, MatterStatus
from domain.refusal import Refused
from domain.rulebook.releases import digest_of
from domain.rulebook.words import ACTS as RULEBOOK_ACTS
from domain.rulebook.words import Stage
from tests.unit.event_samples import stored
from tests.unit.matter_lives import KINDS, TO_TRIAGED, blown
from tests.unit.matter_world import World
from tests.unit.test_matter_legs import LEG_ACTS, LEG_REACH
from tests.unit.test_matter_lifecycle import ACTS, REACH, TABLE, reached

EVENTS = {event.TYPE: event for event in FOLDS}


@functools.cache
def law() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(rules()))
    return found


# -- it is whole ----------------------------------------------------------------------------------------------------


def test_every_act_of_the_domain_is_in_the_tables() -> None:
    acts = {command.NAME for command in COMMANDS}

    assert set(MAKES) == acts == set(law()["acts"]) == set(tables.PARTIES)
    assert set(TELLS) < acts


def test_every_stored_event_of_a_case_has_an_entry_and_an_act() -> None:
    assert set(law()["events"]) == set(EVENTS) == set(EFFECTS)
    assert [name for name, entry in law()["events"].items() if not (entry["acts"] or entry["told"])] == []


def test_no_table_names_an_event_or_an_act_that_is_not_there() -> None:
    named = {*tables.STARTS, *tables.STARTS_PER_LEG, *tables.APART, *tables.FOLLOWS, *tables.TOLD}
    acts = {act for by in tables.FOLLOWS.values() for act in by} | {*tables.NEEDS, *tables.POWERED}

    assert named <= set(EVENTS)
    assert acts <= set(MAKES)
    assert {posts for posts, _ in tables.PARTIES.values()} - {""} <= RULEBOOK_ACTS
    assert {one["stage"] for starts in tables.STARTS.values() for one in starts} <= set(get_args(Stage))


def test_every_word_is_one_that_the_verifier_runs() -> None:
    Law(law(), None)  # every verb, party, role, need and kind of clock is looked up at once


def test_it_is_canonical_json_and_its_digest_pins_the_law_and_not_the_texts() -> None:
    text = template("demo")

    assert law()["format"] == FORMAT
    assert canonical(rules()) == canonical(law())
    assert rules([text])["digest"] == law()["digest"] == digest(law())
    assert rules([text])["rulebooks"] == {digest_of(text): text}
    assert digest(law() | {"misses": []}) != law()["digest"]


# -- the states are the lifecycle's ---------------------------------------------------------------------------------


def test_the_allowed_states_are_those_of_the_lifecycle() -> None:
    for name, entry in law()["events"].items():
        for act, may in entry["acts"].items():
            if act in MATTER:
                assert set(may["matter"]) == MATTER[act].allowed
            if act in LEG and may["leg"]:
                assert set(may["leg"]["checks_in"]) == LEG[act].allowed, name
            if act in ORDER and may["order"] and MAKES[act][0] == name:
                assert set(may["order"]) == ORDER[act].allowed


def test_every_row_leads_where_its_event_leads() -> None:
    """The row's end is the end of an effect of some event that its act makes."""
    for table in (MATTER, ORDER, LEG):
        for act, row in table.items():
            ends = {step.get("to") for name in MAKES[act] for step in law()["events"][name]["does"]}
            assert row.to is None or row.to in ends or act == "reverse_merge", act


def test_an_event_opens_a_case_or_none_does() -> None:
    opening = {name for name, entry in law()["events"].items() if entry["opens"]}

    assert opening == {"matter_registered.v1", "matter_backfilled.v1"}
    assert set(law()["states"]["matter"]) == set(get_args(MatterStatus))


# -- what acts make, walked -----------------------------------------------------------------------------------------


@functools.cache
def walked() -> dict[str, set[str]]:
    """What each act was seen to make in its own case, over every cell of the lifecycles."""
    seen: dict[str, set[str]] = defaultdict(set)
    for world in _worlds():
        for one in world.log:
            if one.stream == world.case:
                seen[one.rule.partition(":")[0]].add(one.type)
    return seen


def _worlds() -> Iterable[World]:
    for state in REACH:
        for act in (act for act in TABLE if state in TABLE[act]):
            world = reached(state, act)
            world.do(*ACTS[act](world))
            yield world
    for role in KINDS.values():
        for state in LEG_REACH:
            for act in LEG_ACTS:
                world = World().given(*TO_TRIAGED, blown(role, role.receivers))
                with suppress(Refused):
                    world.given(*LEG_REACH[state](role))
                    world.do(*LEG_ACTS[act](world, role))
                yield world


def test_no_act_makes_an_event_that_its_outcomes_do_not_name() -> None:
    for act, made in walked().items():
        told = set(TELLS.get(act, ()))
        assert made <= set(MAKES[act]) | told, act


def test_every_act_was_seen_to_make_its_own_event() -> None:
    missing = {act for act, types in MAKES.items() if act in {*MATTER, *LEG} and not walked().get(act)}

    elsewhere = {"take_over_matter", "change_summons_time", "confirm_word_of_mouth", "decide_extension"}
    assert missing <= elsewhere  # played in tests/unit/test_law_again.py and by the domain's own tests


# -- the guards that part persons are all in the table --------------------------------------------------------------


def _asks_for_another(function: Any, seen: set[Any]) -> bool:
    """Whether a function of the domain, or one it calls there, refuses a person who had another part."""
    if function in seen:
        return False
    seen.add(function)
    called = {
        node.func.id
        for node in ast.walk(ast.parse(inspect.getsource(function)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    if "other_person" in called:
        return True
    inner = (getattr(inspect.getmodule(function), name, None) for name in called)
    return any(
        _asks_for_another(one, seen)
        for one in inner
        if inspect.isfunction(one) and one.__module__.startswith("domain.matter")
    )


@pytest.mark.parametrize(
    "table", [_MATTER, _FAMILY, _ORDER, _LEG, _CLOCK], ids=["matter", "family", "order", "leg", "clock"]
)
def test_where_the_domain_asks_for_another_person_so_does_the_law(table: dict[Any, Any]) -> None:
    for command, function in table.items():
        asks = any(name in tables.APART for name in MAKES[command.NAME])
        if _asks_for_another(function, set()) and command.NAME not in ("issue_order", "split_matter"):
            assert asks, command.NAME


# -- the samples ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_every_sample_is_read_by_the_words_of_its_entry(name: str) -> None:
    """The fields that an entry names stand in the stored event, so that a renamed field is noticed here."""
    pub, entry = json.loads(stored(name).read_bytes())["pub"], law()["events"][name]
    wanted = {key for step in entry["does"] for key in step.get("if", {})}
    wanted |= {step["key"] for step in entry["does"] if "key" in step}
    wanted |= {key for one in entry["apart"] for key in one.get("if", {})}
    wanted |= {"order", "leg"} if entry["machine"] == "leg" else set()
    wanted |= {"owner"} if entry["machine"] in ("owner", "clock") else set()
    wanted |= (
        {"clocks"}
        if any(step["do"] == "start" and step["of"] != "order" for step in entry["does"])
        else set()
    )

    assert wanted <= set(pub)


def test_every_kind_of_order_is_exported_as_it_is() -> None:
    for name, kind in law()["order_kinds"].items():
        assert set(kind["issuers"]) == ORDER_KINDS[name].issuers
        assert set(kind["receivers"]) == ORDER_KINDS[name].receivers
        assert (kind["checks_in"], kind["power"]) == (ORDER_KINDS[name].checks_in, ORDER_KINDS[name].power)


def test_what_leaves_cannot_tell_is_said_in_both_languages() -> None:
    said = law()["not_checkable"]

    assert len({one["what"] for one in said}) == len(said) > 5
    assert all(one["zh"].endswith("。") and one["en"].endswith(".") for one in said)
