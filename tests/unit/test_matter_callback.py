"""回访: every requester is heard, by somebody independent; whoever is never reached was never satisfied."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from adapters.rulebooks import template
from domain.context import Law
from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter.closing import sampled
from domain.rulebook import parse
from tests.unit.matter_lives import (
    ASKER,
    CALLER,
    HANDLER,
    INTAKE,
    KINDS,
    SD_OFFICER,
    SUPERVISOR,
    TO_COMPLETED,
    TO_HANDLING,
    TO_TRIAGED,
    accepted,
    blown,
    handled,
    registration,
    released,
    submitted,
    triaged,
)
from tests.unit.matter_world import World, law, officer, resident, uid

SAID = do.RecordCallback(requester=ASKER.person, solved=True, satisfaction="satisfied")
NOBODY = do.RecordCallback(requester=ASKER.person, reached=False)
ON_SITE = do.RecordCallback(how="site_check", solved=True)


def test_a_callback_asks_whether_it_is_solved_and_how_satisfied_one_is() -> None:
    world = World().given(*TO_COMPLETED)

    world.when(CALLER, SAID.model_copy(update={"solved": None})).refused("answers_missing")
    world.when(CALLER, SAID.model_copy(update={"satisfaction": "wonderful"})).refused("answers_missing")
    world.when(CALLER, SAID).then(ev.CallbackDone, status="called_back")


def test_who_could_not_be_reached_was_asked_as_often_as_the_rulebook_says_and_is_never_satisfied() -> None:
    world = World().given(*TO_COMPLETED)
    for _ in range(2):
        world.when(CALLER, NOBODY).then(ev.CallbackTried, status="completed")
        world.later(2)
    world.when(CALLER, NOBODY).then(ev.CallbackTried, ev.CallbackDone, status="called_back")

    done = world.story[-1].pub
    assert (done.reached, done.solved, done.satisfaction) == (False, None, None)
    assert world.state.requesters[ASKER.person].satisfaction is None


def test_calls_closer_together_than_the_gap_are_one_try() -> None:
    world = World().given(*TO_COMPLETED)
    for _ in range(5):
        world.when(CALLER, NOBODY).then(ev.CallbackTried, status="completed")

    assert world.state.requesters[ASKER.person].tries == 1


def test_nobody_answers_for_whom_nobody_reached() -> None:
    world = World().given(*TO_COMPLETED)

    world.when(CALLER, NOBODY.model_copy(update={"satisfaction": "satisfied"})).refused("nobody_answered")
    world.when(CALLER, NOBODY.model_copy(update={"solved": True})).refused("nobody_answered")


def test_whoever_handled_it_does_not_call_back_in_another_post() -> None:
    world = World().given(*TO_TRIAGED, blown(KINDS["whistle.service"]), released, submitted)

    for actor in (SD_OFFICER, officer("dept-a", "officer"), officer("dept-a", "leader")):
        world.when(world.also(actor, "sd-01", "callback_officer"), SAID).refused("same_person")


def test_nobody_is_called_back_by_an_office_that_has_nothing_to_do_with_it() -> None:
    world = World().given(*TO_COMPLETED)

    world.when(world.also(officer("sd-02", "officer"), "sd-02", "callback_officer"), SAID).refused(
        "not_your_body"
    )
    world.when(officer("hotline", "callback_officer"), SAID).then(ev.CallbackDone)


def test_nobody_is_called_back_twice_about_one_result() -> None:
    world = World().given(*TO_HANDLING)
    world.do(resident(5), do.JoinRequester(requester=resident(5).person, source="phone"))
    world.given(submitted)
    world.do(CALLER, SAID)

    world.when(CALLER, SAID).refused("already_called")
    world.when(CALLER, SAID.model_copy(update={"requester": uid(77)})).refused("unknown_requester")


def test_a_check_on_site_does_not_replace_the_call() -> None:
    World().given(*TO_COMPLETED).when(CALLER, ON_SITE).refused("requester_waits")


def found_by_a_grid_officer(world: World) -> None:
    command = registration(source="grid", requesters=(), proactive=True)
    world.do(officer("grid-01", "grid_officer"), command)


def test_where_there_is_no_requester_somebody_independent_checks_on_site() -> None:
    world = World().given(found_by_a_grid_officer, accepted, triaged, handled, submitted)
    handler = world.also(HANDLER, "sd-01", "callback_officer")

    world.when(handler, ON_SITE).refused("same_person")
    world.when(CALLER, ON_SITE.model_copy(update={"solved": None})).refused("answers_missing")
    world.when(CALLER, ON_SITE).then(ev.CallbackDone, status="called_back")


def test_a_check_on_site_that_found_it_unsolved_lets_an_officer_reopen() -> None:
    world = World().given(found_by_a_grid_officer, accepted, triaged, handled, submitted)
    world.do(CALLER, ON_SITE.model_copy(update={"solved": False}))

    world.when(CALLER, do.ReopenMatter(ground="not_solved")).then(ev.MatterReopened)


def test_an_anonymous_matter_is_checked_on_site() -> None:
    world = World()
    world.do(INTAKE, registration(source="phone", requesters=(), anonymous=True))
    world.given(accepted, triaged, handled, submitted)

    world.when(CALLER, ON_SITE).then(ev.CallbackDone, status="called_back")


AT_COUNTER = SAID.model_copy(update={"how": "counter"})


def test_at_the_counter_the_requesters_own_word_is_the_callback() -> None:
    world = World().given(*TO_TRIAGED[:2], lambda w: triaged(w, scale="minor"), handled, submitted)

    world.when(resident(9), AT_COUNTER).refused("not_the_requester")
    world.when(CALLER, AT_COUNTER).refused("not_the_requester")
    world.when(ASKER, AT_COUNTER.model_copy(update={"solved": None})).refused("answers_missing")
    world.when(ASKER, AT_COUNTER).then(ev.CallbackDone, status="called_back")


def test_a_hard_matter_is_not_called_back_at_the_counter() -> None:
    World().given(*TO_COMPLETED).when(ASKER, AT_COUNTER).refused("not_minor")


def test_only_the_sample_leaves_a_callback_out() -> None:
    world = World().given(*TO_COMPLETED)

    world.when(CALLER, SAID.model_copy(update={"how": "not_sampled"})).refused("not_by_hand")


def test_a_new_result_is_called_back_anew() -> None:
    world = World().given(*TO_HANDLING)
    world.do(resident(5), do.JoinRequester(requester=resident(5).person, source="phone"))
    world.given(submitted)
    world.do(CALLER, SAID)
    world.do(officer("sd-01", "reviewer"), do.SendBackResult(reason="unclear"))
    world.given(submitted)

    assert {one.id for one in world.state.owed()} == {ASKER.person, resident(5).person}


def test_nothing_closes_while_somebody_is_owed_a_callback() -> None:
    world = World().given(*TO_COMPLETED)
    world.do(CALLER, SAID)
    world.given(ev.RequesterJoined(requester=resident(5).person, source="phone"))

    world.when(SUPERVISOR, do.CloseMatter()).refused("requester_waits")


# -- the sample


def sampling(share: str) -> Law:
    text = template("demo").replace('hard = "1/1"', f'hard = "{share}"')
    book = parse(text)
    return Law(book, book.calendar())


def test_the_sample_is_fixed_by_the_case_and_takes_its_share() -> None:
    book = sampling("1/4").book
    cases = [uid(n) for n in range(4000)]
    first = [sampled(case, book, "hard") for case in cases]

    assert first == [sampled(case, book, "hard") for case in cases]
    assert 900 < sum(first) < 1100


@pytest.mark.parametrize(("share", "taken"), [("0/1", False), ("1/1", True)])
def test_a_sample_of_none_takes_nobody_and_one_of_all_takes_everybody(share: str, taken: bool) -> None:
    book = sampling(share).book

    assert {sampled(uid(n), book, "hard") for n in range(200)} == {taken}
    assert sampling(share).book.sampling("hard") == Fraction(share)


def test_a_smaller_sample_is_part_of_a_larger_one() -> None:
    small, large = sampling("1/10").book, sampling("1/2").book

    assert all(sampled(uid(n), large, "hard") for n in range(500) if sampled(uid(n), small, "hard"))


def test_a_case_outside_the_sample_is_passed_on_by_the_clock_and_never_counted_as_satisfied() -> None:
    world: Any = replace(World(), book=sampling("0/1")).given(*TO_COMPLETED)

    assert world.tick() == ["callback_done.v1"]
    done = world.story[-1].pub
    assert (done.how, done.reached, done.solved, done.satisfaction) == ("not_sampled", False, None, None)
    assert world.state.status == "called_back"
    assert world.tick() == []


def test_a_case_in_the_sample_waits_for_its_call() -> None:
    world = World(book=law()).given(*TO_COMPLETED)

    assert world.due("skip_callback") == []
