"""Erasing what must not be kept, locking it while a term of keeping runs, and opening a case for a board."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.rulebooks import template
from domain.acting import CLOCK, Actor
from domain.context import Held, Law
from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter.keeping import MOST_DIGESTS
from domain.rulebook import parse
from tests.unit.matter_lives import (
    ARCHIVIST,
    ASKER,
    CALLER,
    CENTRE,
    CENTRE_SUPERVISOR,
    DISCIPLINE,
    INTAKE,
    MASTER,
    SUPERVISOR,
    TO_CLOSED,
    TO_TRIAGED,
    accepted,
    accusation,
    archiving,
    called_back,
    closed,
    handled,
    merged,
    refused,
    registered,
    registration,
    submitted,
    triaged,
    withdrawn,
)
from tests.unit.matter_world import NOON, World, enter, held, law, officer, resident, uid

OTHER = resident(2)
INSPECTOR = officer("jw", "discipline_officer")
TERM = timedelta(seconds=10)
"""What the demonstration makes of ten years."""


def erasing(about: Actor | None = None, ground: str = "purpose_achieved") -> do.EraseData:
    return do.EraseData(about=about.person if about else None, ground=ground)  # type: ignore[arg-type]


def opening(to: str = "board") -> do.DiscloseCase:
    return do.DiscloseCase(to=to, ground="sample:2026-03")


def over(world: World, seconds: float = 11) -> World:
    """The term of keeping is over."""
    return world.later(seconds)


def two_requesters(world: World) -> None:
    world.do(ASKER, registration(seen_at=world.now, requesters=(ASKER.person, OTHER.person)))


def closed_world(*first: object) -> World:
    steps = first or (registered,)
    return World().given(*steps, *TO_CLOSED[1:])  # type: ignore[arg-type]


def made(world: World, kind: type) -> list[Any]:
    return [one.pub for one in world.story if isinstance(one.pub, kind)]


# -- locking and erasing


def test_while_the_term_runs_the_data_are_locked_until_it_ends() -> None:
    world = closed_world()

    world.when(ARCHIVIST, erasing()).then(ev.DataLocked)

    (lock,) = made(world, ev.DataLocked)
    assert (lock.subject, lock.retention, lock.until) == (None, "10y", world.state.ended_at + TERM)
    assert lock.authority == "law:street-office"
    assert world.state.shut(ASKER.person) == "locked"


def test_when_the_term_is_over_the_data_are_erased_with_every_digest() -> None:
    world = over(closed_world())

    world.when(ARCHIVIST, erasing()).then(ev.DataErased)

    (gone,) = made(world, ev.DataErased)
    assert gone.digests == (f"of-{ASKER.person}", "of-case")
    assert world.state.shut("case") == world.state.shut(ASKER.person) == "erased"


def test_one_requester_is_erased_and_the_others_stay() -> None:
    world = over(closed_world(two_requesters))

    world.when(ARCHIVIST, erasing(OTHER)).then(ev.DataErased)

    (gone,) = made(world, ev.DataErased)
    assert (gone.subject, gone.digests) == (OTHER.person, (f"of-{OTHER.person}",))
    assert world.state.shut(ASKER.person) is None
    assert world.state.shut("case") is None


def test_the_rest_of_a_case_names_only_what_was_left_of_it() -> None:
    world = over(closed_world(two_requesters))
    world.do(ARCHIVIST, erasing(OTHER))

    world.do(ARCHIVIST, erasing())

    assert made(world, ev.DataErased)[1].digests == (f"of-{ASKER.person}", "of-case")


@pytest.mark.parametrize("about", [None, ASKER], ids=["the case", "the requester"])
def test_nothing_is_erased_twice(about: Actor | None) -> None:
    world = over(closed_world())
    world.do(ARCHIVIST, erasing(about))

    world.when(ARCHIVIST, erasing(about)).refused("erased_already")


def test_who_went_with_the_case_is_not_erased_again() -> None:
    world = over(closed_world())
    world.do(ARCHIVIST, erasing())

    world.when(ARCHIVIST, erasing(ASKER)).refused("erased_already")


def test_nothing_is_locked_twice() -> None:
    world = closed_world()
    world.do(ARCHIVIST, erasing())

    tried = world.when(ARCHIVIST, erasing())

    tried.refused("locked_already")
    assert f"{world.state.ended_at + TERM:%Y-%m-%d}" in str(tried.refusal)


def test_a_requester_is_not_locked_beside_their_locked_case() -> None:
    world = closed_world()
    world.do(ARCHIVIST, erasing())

    world.when(ARCHIVIST, erasing(ASKER)).refused("locked_already")


def test_more_digests_than_one_event_holds_stand_in_several() -> None:
    world = over(closed_world())
    digests = [f"{n:043d}" for n in range(2 * MOST_DIGESTS + 1)]
    world.held = {world.case: tuple(Held(one, ASKER.person) for one in digests)}

    world.when(ARCHIVIST, erasing(ASKER)).then(ev.DataErased, ev.DataErased, ev.DataErased)

    assert [digest for gone in made(world, ev.DataErased) for digest in gone.digests] == digests


def test_a_person_of_whom_nothing_is_held_is_erased_all_the_same() -> None:
    world = over(closed_world())
    world.held = {world.case: ()}

    world.when(ARCHIVIST, erasing(ASKER)).then(ev.DataErased)

    assert made(world, ev.DataErased)[0].digests == ()


def test_a_requesters_lock_that_ends_later_holds_the_whole_case() -> None:
    world = closed_world(two_requesters)
    world.do(ARCHIVIST, erasing())
    lock = world.state.locked[""]
    world.given(
        ev.DataLocked(
            ground="unlawful", authority="law:1", subject=OTHER.person, retention="30y",
            until=lock.until + timedelta(seconds=20),
        )
    )  # fmt: skip

    assert {item.at for item in world.due("erase")} == {lock.until + timedelta(seconds=20)}
    over(world).when(ARCHIVIST, erasing()).then(ev.DataLocked)
    over(world, 30).when(ARCHIVIST, erasing()).then(ev.DataErased)


def test_a_requester_waits_until_the_term_of_the_whole_case_has_ended() -> None:
    """Who withdrew is locked from then, the whole case from its end: what binds it binds what is in it."""
    world = World().given(two_requesters, accepted, triaged)
    world.do(OTHER, do.RequestWithdrawal(requester=OTHER.person))
    world.do(CALLER, do.ConfirmWithdrawal())
    world.do(ARCHIVIST, erasing(OTHER))
    first = world.state.locked[OTHER.person].until
    last = first + timedelta(seconds=20)
    world.given(ev.DataLocked(ground="unlawful", authority="law:1", retention="10y", until=last))

    assert {item.at for item in world.due("erase")} == {last}
    assert "data_erased.v1" not in over(world, 15).tick()
    assert "data_erased.v1" in over(world, 30).tick()


def test_rules_that_ask_for_less_do_not_cut_short_what_was_locked() -> None:
    world = closed_world()
    world.given(ev.DataLocked(ground="unlawful", authority="law:1", retention="permanent", until=None))

    over(world).when(ARCHIVIST, erasing()).refused("locked_already")

    assert world.due("erase") == []


# -- a lock that is lifted


def lifting(about: Actor | None = None, ground: str = "request_withdrawn") -> do.LiftLock:
    return do.LiftLock(about=about.person if about else None, ground=ground)  # type: ignore[arg-type]


def locked_world(*who: Actor | None, two: bool = False) -> World:
    world = closed_world(two_requesters) if two else closed_world()
    for one in who or (None,):
        world.do(ARCHIVIST, erasing(one))
    return world


def test_a_lock_is_lifted_and_nothing_is_erased_when_its_term_would_have_ended() -> None:
    world = locked_world()

    world.when(ARCHIVIST, lifting()).then(ev.DataUnlocked)

    (lifted,) = made(world, ev.DataUnlocked)
    assert (lifted.subject, lifted.ground, lifted.still) == (None, "request_withdrawn", ())
    assert lifted.authority == "law:street-office"
    assert world.state.shut(ASKER.person) is None
    assert world.due("erase") == []
    assert "data_erased.v1" not in over(world, 100).tick()


def test_what_was_lifted_may_be_asked_for_again() -> None:
    world = locked_world()
    world.do(ARCHIVIST, lifting())

    world.when(ARCHIVIST, erasing()).then(ev.DataLocked)


@pytest.mark.parametrize("about", [None, ASKER], ids=["the case", "the requester"])
def test_what_was_lifted_is_not_erased_before_the_term_that_its_lock_named(about: Actor | None) -> None:
    world = closed_world()
    until = world.state.ended_at + timedelta(seconds=30)
    world.given(ev.DataLocked(ground="unlawful", authority="law:1", retention="10y", until=until))
    world.do(ARCHIVIST, lifting())

    over(world).when(ARCHIVIST, erasing(about)).then(ev.DataLocked)

    assert made(world, ev.DataLocked)[-1].until == until
    over(world, 31).when(ARCHIVIST, erasing(about)).then(ev.DataErased)


def test_a_lock_that_names_no_term_leaves_the_term_before() -> None:
    world = closed_world()
    until = world.state.ended_at + timedelta(seconds=30)
    world.given(
        ev.DataLocked(ground="unlawful", authority="law:1", retention="10y", until=until),
        ev.DataLocked(ground="unlawful", authority="law:1"),
    )

    over(world).when(ARCHIVIST, erasing()).then(ev.DataLocked)

    assert made(world, ev.DataLocked)[-1].until == until


def test_lifting_the_lock_of_a_case_leaves_a_requesters_own() -> None:
    world = locked_world(OTHER, None, two=True)

    world.when(ARCHIVIST, lifting()).then(ev.DataUnlocked)

    assert made(world, ev.DataUnlocked)[0].still == (OTHER.person,)
    assert (world.state.shut(OTHER.person), world.state.shut(ASKER.person)) == ("locked", None)
    assert len(world.due("erase")) == 1


def test_a_requester_is_not_let_out_of_a_locked_case() -> None:
    locked_world(OTHER, None, two=True).when(ARCHIVIST, lifting(OTHER)).refused("locked_as_a_whole")


@pytest.mark.parametrize("about", [None, ASKER], ids=["the case", "the requester"])
def test_what_is_not_locked_is_not_lifted(about: Actor | None) -> None:
    closed_world().when(ARCHIVIST, lifting(about)).refused("not_locked")


def test_after_the_term_the_erasure_is_owed_and_no_lock_is_lifted() -> None:
    over(locked_world()).when(ARCHIVIST, lifting()).refused("term_over")


def test_what_was_erased_is_not_lifted() -> None:
    world = over(locked_world())
    world.do(ARCHIVIST, erasing())

    world.when(ARCHIVIST, lifting()).refused("erased_already")


@pytest.mark.parametrize(
    ("actor", "code"),
    [
        (CALLER, "not_your_post"), (SUPERVISOR, "not_your_post"), (officer("board", "board_member"), "not_your_body"),
        (ASKER, "not_an_officer"), (CLOCK, "not_an_officer"),
    ],
)  # fmt: skip
def test_nobody_but_who_keeps_the_files_lifts_a_lock(actor: Actor, code: str) -> None:
    locked_world().when(actor, lifting()).refused(code)


def test_who_had_a_part_in_the_matter_lifts_no_lock_of_it() -> None:
    world = locked_world()
    also = world.also(officer("com-01", "officer"), "archive", "archivist")

    world.when(also, lifting()).refused("same_person")


def test_lifting_needs_an_authority() -> None:
    locked_world().when(ARCHIVIST, lifting(), authority=None).refused("authority_missing")


# -- a matter that goes on although a requester is locked


def test_a_matter_that_goes_on_is_not_erased_by_the_clock_and_its_term_counts_anew() -> None:
    world = locked_world(OTHER, two=True)
    first = world.state.locked[OTHER.person].until
    world.given(ev.MatterReopened(ground="not_solved", count=1, clocks=()))

    assert world.due("erase") == []
    assert "data_erased.v1" not in over(world).tick()

    world.given(ev.MatterClosed())
    assert world.due("erase") == []
    world.do(ARCHIVIST, archiving(), sealed=())

    (item,) = world.due("erase")
    assert item.at == world.state.ended_at + timedelta(seconds=30) > first


# -- the end of the term


def test_the_clock_erases_at_the_end_of_the_term_and_once_only() -> None:
    world = closed_world()
    world.do(ARCHIVIST, erasing())
    (item,) = world.due("erase")
    assert (item.at, item.owner) == (world.state.ended_at + TERM, "")

    assert "data_erased.v1" not in world.later(9).tick()
    assert "data_erased.v1" in world.later(2).tick()

    assert world.due("erase") == []
    assert world.do(CLOCK, do.TakeDueSteps(items=(item.id,))).events == ()
    (gone,) = made(world, ev.DataErased)
    assert (gone.ground, gone.authority) == ("purpose_achieved", "law:street-office")


def test_the_clock_does_not_erase_before_the_term_ends() -> None:
    world = closed_world()
    world.do(ARCHIVIST, erasing())
    (item,) = world.due("erase")

    world.when(CLOCK, do.TakeDueSteps(items=(item.id,))).refused("not_due")


def test_nobody_else_than_the_clock_takes_the_step() -> None:
    world = closed_world()
    world.do(ARCHIVIST, erasing())
    (item,) = world.due("erase")

    over(world).when(ARCHIVIST, do.TakeDueSteps(items=(item.id,))).refused("not_the_clock")


def test_a_requester_and_their_case_that_fall_due_together_are_named_once() -> None:
    world = closed_world(two_requesters)
    world.do(ARCHIVIST, erasing(OTHER))
    world.do(ARCHIVIST, erasing())

    over(world).tick()

    digests = [digest for gone in made(world, ev.DataErased) for digest in gone.digests]
    assert sorted(digests) == sorted({f"of-{ASKER.person}", f"of-{OTHER.person}", "of-case"})
    assert world.due("erase") == []


def test_a_lock_asked_for_again_when_its_term_is_over_erases() -> None:
    world = closed_world()
    world.do(ARCHIVIST, erasing())

    over(world).when(ARCHIVIST, erasing()).then(ev.DataErased)

    assert world.due("erase") == []


def test_archiving_in_a_longer_class_prolongs_what_is_locked() -> None:
    world = closed_world()
    world.do(ARCHIVIST, erasing())

    world.when(ARCHIVIST, archiving(), sealed=()).then(ev.DataLocked, ev.MatterArchived)

    assert [item.at for item in world.due("erase")] == [world.state.ended_at + timedelta(seconds=30)]


def test_what_is_kept_for_ever_is_locked_without_an_end() -> None:
    world = closed_world()
    world.do(ARCHIVIST, archiving().model_copy(update={"retention": "permanent"}))

    world.when(ARCHIVIST, erasing()).then(ev.DataLocked)

    assert made(world, ev.DataLocked)[0].until is None
    assert world.due("erase") == []
    world.later(10**9).when(ARCHIVIST, erasing()).refused("locked_already")


def test_a_class_that_the_rulebook_does_not_know_is_not_archived_in() -> None:
    world = closed_world()

    world.when(ARCHIVIST, archiving().model_copy(update={"retention": "31y"})).refused("retention_unknown")


def test_the_years_are_counted_from_the_end_of_the_year_in_the_districts_own_time() -> None:
    world = closed_world()
    world.book = law("gulou")
    world.state.ended_at = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)  # half past midnight of 2027 in Nanjing

    world.do(ARCHIVIST, erasing())

    assert made(world, ev.DataLocked)[0].until == datetime(2037, 12, 31, 16, 0, tzinfo=UTC)


def silent() -> Law:
    """A rulebook released before anybody spoke of terms of keeping."""
    text = template("demo")
    begins, ends = text.index("[retention]"), text.index("# ---- catalogue")
    book = parse(text[:begins] + text[ends:], released=True)
    return Law(book, book.calendar())


def test_where_no_rule_says_how_long_files_are_kept_the_data_are_locked_without_an_end() -> None:
    world = closed_world()
    world.book = silent()

    world.later(10**8).when(ARCHIVIST, erasing()).then(ev.DataLocked)

    (lock,) = made(world, ev.DataLocked)
    assert (lock.retention, lock.until) == ("", None)


def test_once_a_rule_says_so_the_same_request_erases_what_was_locked_without_an_end() -> None:
    world = closed_world()
    world.book = silent()
    world.do(ARCHIVIST, erasing())
    world.book = law()

    over(world).when(ARCHIVIST, erasing()).then(ev.DataErased)


# -- who, and when


@pytest.mark.parametrize(
    ("actor", "code"),
    [
        (CALLER, "not_your_post"), (SUPERVISOR, "not_your_post"), (officer("board", "board_member"), "not_your_body"),
        (officer("dept-a", "officer"), "not_your_body"), (ASKER, "not_an_officer"), (CLOCK, "not_an_officer"),
    ],
)  # fmt: skip
def test_nobody_but_who_keeps_the_files_erases(actor: Actor, code: str) -> None:
    over(closed_world()).when(actor, erasing()).refused(code)


def test_it_needs_a_ground_and_an_authority() -> None:
    over(closed_world()).when(ARCHIVIST, erasing(), authority=None).refused("authority_missing")


def test_who_had_a_part_in_the_matter_does_not_erase_it() -> None:
    world = over(closed_world())
    handler = officer("com-01", "officer")
    also = world.also(handler, "archive", "archivist")

    world.when(also, erasing()).refused("same_person")


def test_the_unit_complained_about_does_not_erase_the_complaint() -> None:
    world = World()
    world.do(ASKER, registration(seen_at=NOON, subject="archive"))
    world.given(ev.MatterWithdrawn())

    over(world).when(ARCHIVIST, erasing()).refused("not_your_body")


@pytest.mark.parametrize("steps", [TO_TRIAGED, (*TO_TRIAGED, handled), (*TO_TRIAGED, handled, submitted)])
def test_a_matter_that_goes_on_is_not_erased(steps: tuple[object, ...]) -> None:
    world = over(World().given(*steps))  # type: ignore[arg-type]

    world.when(ARCHIVIST, erasing()).refused("wrong_state")
    world.when(ARCHIVIST, erasing(ASKER)).refused("wrong_state")


def test_who_withdrew_is_erased_though_the_matter_goes_on_for_the_others() -> None:
    world = World().given(two_requesters, accepted, triaged)
    world.do(OTHER, do.RequestWithdrawal(requester=OTHER.person))
    world.do(CALLER, do.ConfirmWithdrawal())

    world.when(ARCHIVIST, erasing(OTHER)).then(ev.DataLocked)
    world.when(ARCHIVIST, erasing(ASKER)).refused("wrong_state")


@pytest.mark.parametrize("about", [OTHER, Actor(person=ARCHIVIST.person, body="resident")])
def test_only_a_requester_is_erased_alone(about: Actor) -> None:
    over(closed_world()).when(ARCHIVIST, erasing(about)).refused("unknown_requester")


# -- a life afterwards


def test_into_what_was_erased_or_locked_as_a_whole_nothing_is_sealed_any_more() -> None:
    world = closed_world()
    world.do(ARCHIVIST, erasing())
    word = do.AddSupplement(what="supplement", source="phone")
    world.when(ASKER, word).refused("locked")

    over(world).tick()

    world.when(ASKER, word).refused("erased")
    world.when(ASKER, word, sealed=()).allowed()


def test_an_erased_requester_is_owed_no_callback_when_the_matter_comes_back() -> None:
    world = over(closed_world())
    world.do(ARCHIVIST, erasing(ASKER))
    world.given(ev.MatterReopened(ground="late_child", count=0))

    world.given(submitted)
    calling = do.RecordCallback(requester=ASKER.person, solved=True, satisfaction="satisfied")
    world.when(CALLER, calling).refused("erased")
    world.when(CALLER, do.RecordCallback(how="site_check", solved=True)).then(
        ev.CallbackDone, status="called_back"
    )
    world.given(closed)
    assert world.state.status == "closed"


def test_a_case_with_an_erased_requester_is_diverted_like_any_other() -> None:
    world = over(closed_world(two_requesters))
    world.do(ARCHIVIST, erasing(OTHER))

    world.when(INTAKE, do.DivertMatter(to="jw"), sealed=()).then(ev.MatterDiverted, status="refused")

    assert world.state.shut(OTHER.person) == "erased"
    world.when(ARCHIVIST, erasing()).refused("not_found")
    world.when(INSPECTOR, erasing()).then(ev.DataErased)


# -- families


def absorbed(world: World) -> World:
    """The matter merged into its master, and the master closed."""
    world.given(*TO_TRIAGED, merged)
    here, world.case = world.case, MASTER
    world.given(handled, submitted, called_back, closed)
    world.case = here
    return world


def test_a_requester_of_a_merged_matter_is_erased_in_both_by_one_append() -> None:
    world = over(absorbed(World()))

    world.when(ARCHIVIST, erasing(ASKER)).then(ev.DataErased)

    assert world.stories[MASTER][-1].pub.subject == ASKER.person
    assert made(world, ev.DataErased)[0].digests == (f"of-{ASKER.person}",)
    assert world.states[MASTER].shut(ASKER.person) == "erased"
    assert world.states[MASTER].shut(OTHER.person) is None


def test_the_same_from_the_side_of_the_master() -> None:
    world = over(absorbed(World()))
    here, world.case = world.case, MASTER

    world.do(ARCHIVIST, erasing(ASKER))

    assert world.states[here].shut(ASKER.person) == "erased"
    assert world.states[here].shut("case") is None


def test_a_merged_matter_is_kept_as_long_as_its_master() -> None:
    world = World().given(*TO_TRIAGED, merged)

    over(world).when(ARCHIVIST, erasing(ASKER)).refused("wrong_state")
    world.when(ARCHIVIST, erasing()).refused("wrong_state")


def test_what_is_locked_in_both_ends_in_both() -> None:
    world = absorbed(World())
    world.do(ARCHIVIST, erasing(ASKER))

    over(world).tick()
    world.case = MASTER
    world.tick()

    assert {state.shut(ASKER.person) for state in world.states.values()} == {"erased"}


def test_who_was_locked_in_both_is_let_out_of_both() -> None:
    world = absorbed(World())
    world.do(ARCHIVIST, erasing(ASKER))

    world.when(ARCHIVIST, lifting(ASKER)).then(ev.DataUnlocked)

    assert world.stories[MASTER][-1].pub == made(world, ev.DataUnlocked)[0]
    assert {state.shut(ASKER.person) for state in world.states.values()} == {None}


def test_a_case_locked_as_a_whole_keeps_its_requester_who_is_let_out_elsewhere() -> None:
    world = absorbed(World())
    world.do(ARCHIVIST, erasing(ASKER))
    here, world.case = world.case, MASTER
    world.do(ARCHIVIST, erasing())
    world.case = here

    world.do(ARCHIVIST, lifting(ASKER))

    assert (world.state.shut(ASKER.person), world.states[MASTER].shut(ASKER.person)) == (None, "locked")


def test_a_merge_is_reversed_after_an_erasure_and_who_left_can_still_be_erased() -> None:
    world = over(absorbed(World()))
    world.do(INTAKE, do.ReverseMerge(master=MASTER), sealed=())
    world.case = MASTER

    world.when(ARCHIVIST, erasing(ASKER)).then(ev.DataErased)


def test_a_merge_is_reversed_though_its_requester_was_erased() -> None:
    world = over(absorbed(World()))
    world.do(ARCHIVIST, erasing(ASKER))

    world.when(INTAKE, do.ReverseMerge(master=MASTER), sealed=()).then(ev.MergeReversed, status="triaged")

    assert world.state.owed() == []


def test_history_of_another_system_is_locked_and_erased_too() -> None:
    opened = ev.MatterBackfilled(
        number="450305-20260302-B000001", source="import", opened_at=NOON - timedelta(days=9), closed_at=NOON,
        status="closed", requesters=(ASKER.person,), host="com-01",
    )  # fmt: skip
    world = World().given(opened)

    world.when(ARCHIVIST, erasing()).then(ev.DataLocked)

    assert [item.do for item in world.agenda()] == ["erase"]
    assert over(world).tick() == ["data_erased.v1"]
    assert world.agenda() == []


# -- opening a case for a board


def test_a_case_is_opened_for_a_board_with_every_digest_that_is_handed_over() -> None:
    world = World().given(*TO_TRIAGED)

    world.when(CENTRE_SUPERVISOR, opening()).then(ev.CaseDisclosed)

    (shown,) = made(world, ev.CaseDisclosed)
    assert (shown.to, shown.ground, shown.digests) == (
        "board", "sample:2026-03", (f"of-{ASKER.person}", "of-case"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("to", "code"), [("nowhere", "unknown_body"), ("dept-a", "wrong_body"), ("jw", "wrong_body")]
)
def test_a_case_is_opened_for_nobody_else(to: str, code: str) -> None:
    World().given(*TO_TRIAGED).when(CENTRE_SUPERVISOR, opening(to)).refused(code)


@pytest.mark.parametrize(
    ("actor", "code"),
    [
        (CENTRE, "not_your_post"), (officer("board", "supervisor"), "not_your_body"),
        (officer("dept-a", "leader"), "not_your_body"), (ASKER, "not_an_officer"),
    ],
)  # fmt: skip
def test_nobody_opens_it_whose_post_the_rulebook_does_not_name(actor: Actor, code: str) -> None:
    World().given(*TO_TRIAGED).when(actor, opening()).refused(code)


def test_a_member_of_the_board_does_not_open_it_for_the_board() -> None:
    world = World().given(*TO_TRIAGED)
    world.register = enter(world.register, held(CENTRE_SUPERVISOR.person, "board", "board_member"))

    world.when(CENTRE_SUPERVISOR, opening()).refused("same_person")


def test_a_board_is_not_opened_a_complaint_about_itself() -> None:
    world = World()
    world.do(ASKER, registration(seen_at=NOON, subject="board"))

    world.when(CENTRE_SUPERVISOR, opening()).refused("accused")


def test_an_accusation_is_opened_by_and_for_discipline_inspection_alone() -> None:
    world = World()
    world.do(ASKER, accusation())

    world.when(CENTRE_SUPERVISOR, opening()).refused("not_found")
    world.when(INSPECTOR, opening("board")).refused("wrong_body")
    world.when(INSPECTOR, opening("jw")).then(ev.CaseDisclosed)
    world.when(DISCIPLINE, opening("jw")).refused("not_your_post")


def test_what_was_erased_is_not_handed_over_and_what_was_is_named_when_it_is_erased() -> None:
    world = over(closed_world(two_requesters))
    world.do(CENTRE_SUPERVISOR, opening())
    world.do(ARCHIVIST, erasing(OTHER))

    world.do(CENTRE_SUPERVISOR, opening())

    assert made(world, ev.DataErased)[0].boards == ("board",)
    assert made(world, ev.CaseDisclosed)[1].digests == (f"of-{ASKER.person}", "of-case")


def test_a_locked_case_is_opened_for_the_kinds_of_body_that_the_rulebook_names() -> None:
    world = closed_world()
    world.do(ARCHIVIST, erasing())

    world.when(CENTRE_SUPERVISOR, opening()).then(ev.CaseDisclosed)
    world.book = silent()
    world.when(CENTRE_SUPERVISOR, opening()).refused("nothing_held")


def test_opening_and_erasing_hold_up_no_other_act() -> None:
    world = World().given(*TO_TRIAGED)
    moved, last = world.state.moved_at, world.state.last_at

    world.later(5).do(CENTRE_SUPERVISOR, opening())

    assert (world.state.moved_at, world.state.last_at) == (moved, last)


# -- whatever happens


STEPS = st.lists(st.sampled_from(["case", "asker", "other", "wait", "tick", "archive", "open"]), max_size=14)


@given(steps=STEPS)
def test_every_digest_is_erased_at_most_once_and_nothing_comes_back(steps: list[str]) -> None:
    world = closed_world(two_requesters)
    about = {"case": None, "asker": ASKER, "other": OTHER}
    gone: set[str] = set()
    for step in steps:
        match step:
            case "wait":
                world.later(7)
            case "tick":
                world.tick()
            case "archive":
                world.when(ARCHIVIST, archiving(), sealed=())
            case "open":
                world.when(CENTRE_SUPERVISOR, opening(), sealed=())
            case _:
                world.when(ARCHIVIST, erasing(about[step]), sealed=())
        assert gone <= world.state.erased
        gone = set(world.state.erased)
        assert not gone & set(world.state.locked)
    named = [digest for one in made(world, ev.DataErased) for digest in one.digests]
    assert len(named) == len(set(named))
    erased: set[str] = set()
    for event in (one.pub for one in world.story):
        if isinstance(event, ev.CaseDisclosed):
            assert not erased & set(event.digests)
        elif isinstance(event, ev.DataErased):
            erased |= set(event.digests)


@given(events=st.lists(st.sampled_from([
    ev.DataErased(ground="x", authority="y", subject=uid(77), digests=()),
    ev.DataErased(ground="x", authority="y", digests=("d",)),
    ev.DataLocked(ground="x", authority="y", subject=ASKER.person, until=NOON),
    ev.DataUnlocked(ground="x", authority="y", subject=ASKER.person), ev.DataUnlocked(ground="", authority=""),
    ev.DataLocked(ground="", authority=""), ev.CaseDisclosed(to="anybody", ground="", digests=()),
    ev.AbsorptionReversed(merged=uid(4)), ev.MatterArchived(retention="?"), ev.MatterWithdrawn(),
]), max_size=8))  # fmt: skip
def test_the_fold_accepts_them_in_any_order(events: list[Any]) -> None:
    world = World().given(registered, *events)

    assert world.state.version == 1 + len(events)


def test_withdrawn_and_refused_matters_are_kept_from_their_end_too() -> None:
    for steps in ((registered, refused), (*TO_TRIAGED, withdrawn)):
        world = World().given(*steps)  # type: ignore[arg-type]
        world.when(ARCHIVIST, erasing()).then(ev.DataLocked)
        assert world.state.locked[""].until == world.state.ended_at + TERM
