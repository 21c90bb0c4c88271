"""The packaged rulebooks: what the reports and the practice say must be in them, and that they fit together."""

import re
import tomllib
from datetime import timedelta
from typing import Any, get_args

import pytest

from adapters.rulebooks import template, templates
from domain.calendar import Length
from domain.refusal import Refused
from domain.register.words import KINDS, POSTS
from domain.rulebook import Rulebook, parse
from domain.rulebook.words import ACTS, DEMANDS, ORDERS, REQUESTER, Demand, Source

BOOKS = ("demo", "gulou")
GULOU_WORDS = {
    ("acknowledge", "whistle.service"): "1h",
    ("contact", "whistle.service"): "24h",
    ("check_in", "whistle.service"): "3wd",
    ("check_in", "whistle.project"): "5wd",
    ("check_in", "whistle.emergency"): "30min",
    ("confirm_authority", "whistle.emergency"): "24h",
    ("answer", "call"): "24h",
}
DEMO_WORDS = {
    ("acknowledge", "whistle.service"): "3s",
    ("contact", "whistle.service"): "8s",
    ("check_in", "whistle.service"): "12s",
    ("check_in", "whistle.project"): "20s",
}


def book(name: str) -> Rulebook:
    return parse(template(name))


def test_both_books_are_packaged() -> None:
    assert templates() == ("backfill", *BOOKS)
    with pytest.raises(Refused):
        template("beijing")


@pytest.mark.parametrize(("name", "words"), [("gulou", GULOU_WORDS), ("demo", DEMO_WORDS)])
def test_the_clocks_are_those_of_the_practice(name: str, words: dict[tuple[str, str], str]) -> None:
    rulebook = book(name)
    found = {key: rulebook.clock(*key) for key in words}
    assert {key: str(rule.length) for key, rule in found.items() if rule} == words


@pytest.mark.parametrize("name", BOOKS)
def test_every_stage_has_a_clock_for_whatever_reaches_it(name: str) -> None:
    rulebook = book(name)
    for demand in get_args(Demand):
        for of in (demand, f"{demand}.urgent"):
            assert all(
                rulebook.clock(stage, of)
                for stage in ("accept", "triage", "finish", "onsite", "callback", "close", "review")
            )
    for order in ORDERS:
        for stage in ("acknowledge", "accept_result", "decide_return", "decide_extension", "adjudicate"):
            assert rulebook.clock(stage, order), (stage, order)
    finishing = ORDERS - {"whistle", "whistle.emergency", "call"}
    assert all(rulebook.clock("finish", order) for order in finishing)


@pytest.mark.parametrize("name", BOOKS)
def test_every_act_may_be_performed_by_posts_that_exist(name: str) -> None:
    rulebook = book(name)
    known = set(POSTS) | {REQUESTER}
    for act in ACTS:
        by_kind = {of: rulebook.posts(act, of) for of in ORDERS | {"*"}}
        assert any(by_kind.values()), act
        assert set().union(*by_kind.values()) <= known, act


@pytest.mark.parametrize("name", BOOKS)
def test_whoever_signs_may_authorise(name: str) -> None:
    rulebook = book(name)
    for order in ORDERS - {"whistle"}:
        for group in rulebook.authorisers(order):
            assert set(group) <= rulebook.posts("authorise_order", order), order


def test_a_project_whistle_needs_secretary_and_director_and_is_supervised_by_a_district_leader() -> None:
    rulebook = book("gulou")
    assert rulebook.authorisers("whistle.project") == (("secretary",), ("director",))
    assert rulebook.supervisors("whistle.project") == ("district_leader",)
    assert rulebook.authorisers("whistle.service") == (("leadership_member", "secretary", "director"),)
    assert rulebook.authorisers("whistle.emergency") == (("duty_leader",),)


@pytest.mark.parametrize("name", BOOKS)
def test_every_source_is_triaged_by_a_kind_of_body_that_exists(name: str) -> None:
    rulebook = book(name)
    assert {rulebook.triage_body(source) for source in get_args(Source)} <= set(KINDS)
    assert {item.body for item in rulebook.catalogue} <= set(KINDS)


@pytest.mark.parametrize("name", BOOKS)
def test_never_reached_is_never_satisfied_and_the_answers_have_both_wordings(name: str) -> None:
    callback = book(name).callback
    assert set(callback.satisfied).isdisjoint(callback.dissatisfied)
    assert not any("reach" in value for value in callback.scale)
    assert all(re.search(r"[一-鿿]", answer.zh) for answer in (*callback.answers, *callback.questions))


@pytest.mark.parametrize("name", BOOKS)
def test_the_catalogue_covers_every_kind_and_demand(name: str) -> None:
    items = book(name).catalogue
    assert {item.kind for item in items} == {"request", "dispute", "hazard", "petition", "project", "task"}
    assert {item.demand for item in items} == DEMANDS


@pytest.mark.parametrize("name", BOOKS)
def test_every_number_names_its_source_or_its_assumption(name: str) -> None:
    def tables(value: Any) -> list[dict[str, Any]]:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return [table for one in inner for table in tables(one)] + (
            [value] if isinstance(value, dict) else []
        )

    def has_number(table: dict[str, Any]) -> bool:
        return any(type(value) is int for value in table.values()) or bool(lengths_in(table))

    def lengths_in(table: dict[str, Any]) -> list[str]:
        named = [table[key] for key in ("length", "window", "gap") if key in table]
        return [value for value in named if value[0].isdigit()]

    stated = [table for table in tables(tomllib.loads(template(name))) if has_number(table)]
    assert len(stated) > 30
    assert all(("source" in table) != table.get("assumption", False) for table in stated)
    timed = [table for table in stated if lengths_in(table)]
    assert all({"nights", "rest_days"} <= table.keys() for table in timed)


def test_a_whole_demonstration_fits_into_two_minutes() -> None:
    rulebook = book("demo")
    path = [("accept", "help"), ("triage", "help"), ("acknowledge", "whistle.project"), ("check_in", "whistle.project"),
            ("finish", "whistle.project"), ("accept_result", "*"), ("callback", "*"), ("close", "*")]  # fmt: skip
    lengths = [rule.length.elapsed for stage, of in path if (rule := rulebook.clock(stage, of))]
    assert len(lengths) == len(path)
    assert all(length is not None for length in lengths)
    assert sum((length for length in lengths if length), timedelta()) < timedelta(seconds=120)


def test_the_demonstration_runs_in_natural_time_only() -> None:
    rulebook = book("demo")
    assert not any(length.working for length in rulebook.due_types.values())
    limits = (
        rulebook.backfill_after,
        rulebook.emergency_grace,
        rulebook.defer_most,
        rulebook.reopen.window,
        rulebook.returns.window,
    )
    assert not any(length.working for length in limits)


@pytest.mark.parametrize("name", BOOKS)
def test_the_limits_are_there(name: str) -> None:
    rulebook = book(name)
    assert rulebook.future_tolerance == Length(2, "s")
    assert rulebook.text_most == 20_000
    assert rulebook.callback.tries == 3
    assert rulebook.reopen.most == 2
    assert rulebook.returns.most == 1
    assert rulebook.use == "cases"
    assert not rulebook.backfill
    assert rulebook.tiers == ("building", "compound", "community", "subdistrict", "district")
    assert rulebook.extension_authoriser("whistle.service") >= {"leadership_member", "dispatcher"}
