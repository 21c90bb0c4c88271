"""verify.py on data that were locked: erased before their term, long after it not erased, let out again."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests import bundle_maker as make
from tests.bundle_maker import Trail, case
from tests.unit.verify_world import Desk

STREAM = case(1)
WHO, ELSE = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
DAY = timedelta(days=1)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def trail() -> Trail:
    return Trail().open().matters(30)


def lock(trail: Trail, ends: timedelta | None, who: str | None = None, retention: str = "10y") -> Trail:
    """Locked until so long after now; None: without an end."""
    until = None if ends is None else make.stamp(trail.at + ends)
    told = {
        "ground": "unlawful",
        "authority": "order:7",
        "subject": who,
        "retention": retention,
        "until": until,
    }
    trail.add(STREAM, "data_locked.v1", told)
    return trail


def unlock(trail: Trail, who: str | None = None) -> Trail:
    told = {"ground": "request_withdrawn", "authority": "order:8", "subject": who, "still": []}
    trail.add(STREAM, "data_unlocked.v1", told)
    return trail


def erase(trail: Trail, who: str | None = None) -> Trail:
    told = {"ground": "unlawful", "authority": "order:7", "subject": who, "boards": [], "digests": []}
    trail.add(STREAM, "data_erased.v1", told)
    return trail


@pytest.mark.parametrize(
    ("locked", "erased", "ends", "retention", "faults"),
    [
        (None, None, DAY, "10y", {"erased_in_term"}),
        (WHO, WHO, DAY, "10y", {"erased_in_term"}),
        (WHO, None, DAY, "10y", {"erased_in_term"}),
        (None, WHO, DAY, "10y", {"erased_in_term"}),
        (None, None, None, "permanent", {"erased_in_term"}),
        (WHO, ELSE, DAY, "10y", set()),
        (None, None, timedelta(0), "10y", set()),
        (None, None, None, "", set()),
    ],
    ids=["the case", "a person", "the case of a locked person", "a person of a locked case", "kept for ever",
         "another person", "at the end of the term", "no rule says how long"],
)  # fmt: skip
def test_what_is_locked_is_not_erased_before_its_term_ends(
    desk: Desk, trail: Trail, locked: str | None, erased: str | None, ends: timedelta | None, retention: str,
    faults: set[str],
) -> None:  # fmt: skip
    erase(lock(trail, ends, locked, retention), erased)

    assert desk.check(make.files_of(trail)).faults == faults


def test_a_lock_that_was_prolonged_counts_to_its_new_end(desk: Desk, trail: Trail) -> None:
    erase(lock(lock(trail, timedelta(0)), DAY))

    assert desk.check(make.files_of(trail)).faults == {"erased_in_term"}


def test_what_was_let_out_may_be_erased_after_its_term_and_all_of_it_is_told(
    desk: Desk, trail: Trail
) -> None:
    erase(unlock(lock(trail, timedelta(0))))

    report = desk.check(make.files_of(trail))

    assert (report.result, report.codes) == ("pass", {"data_locked", "data_unlocked", "data_erased"})
    assert "order:8" in report.of("data_unlocked")["en"]


@pytest.mark.parametrize(
    ("locked", "erased"), [(None, None), (WHO, WHO), (None, WHO), (WHO, None)],
    ids=["the case", "a person", "a person of the case", "the case of a person"],
)  # fmt: skip
def test_lifting_a_lock_does_not_end_its_term(
    desk: Desk, trail: Trail, locked: str | None, erased: str | None
) -> None:
    erase(unlock(lock(trail, DAY, locked), locked), erased)

    assert desk.check(make.files_of(trail)).faults == {"erased_in_term"}


@pytest.mark.parametrize("who", [None, WHO])
@pytest.mark.parametrize("first", [2 * DAY, None], ids=["a day longer", "for ever"])
@pytest.mark.parametrize("lifted", [False, True])
def test_a_lock_that_ends_before_the_one_it_replaces_is_found(
    desk: Desk, trail: Trail, who: str | None, first: timedelta | None, lifted: bool
) -> None:
    lock(trail, first, who)
    lock(unlock(trail, who) if lifted else trail, DAY, who)

    report = desk.check(make.files_of(trail))

    assert report.faults == {"lock_shortened"}
    assert report.of("lock_shortened")["case"] == STREAM


def test_the_longer_term_counts_when_a_lock_was_shortened(desk: Desk, trail: Trail) -> None:
    erase(lock(lock(trail, DAY), timedelta(0)))

    assert desk.check(make.files_of(trail)).faults == {"lock_shortened", "erased_in_term"}


def test_a_lock_that_names_no_term_leaves_the_one_before(desk: Desk, trail: Trail) -> None:
    erase(lock(lock(trail, DAY), None, retention=""))

    assert desk.check(make.files_of(trail)).faults == {"erased_in_term"}


@pytest.mark.parametrize("again", [2 * DAY, DAY, None])
def test_a_lock_that_ends_as_late_or_later_is_none(desk: Desk, trail: Trail, again: timedelta | None) -> None:
    lock(trail, DAY - timedelta(hours=1))

    assert desk.check(make.files_of(lock(trail, again))).result == "pass"


def test_a_person_may_be_locked_for_less_than_the_whole_case(desk: Desk, trail: Trail) -> None:
    assert desk.check(make.files_of(lock(lock(trail, DAY), timedelta(0), WHO))).result == "pass"


def test_who_was_erased_leaves_no_term_behind(desk: Desk, trail: Trail) -> None:
    erase(lock(lock(trail, timedelta(0), WHO), timedelta(0), ELSE), WHO)

    assert desk.check(make.files_of(erase(lock(trail, timedelta(0))))).result == "pass"


def test_a_matter_that_goes_on_ends_no_term(desk: Desk, trail: Trail) -> None:
    lock(trail, DAY, WHO).add(STREAM, "matter_reopened.v1", {})

    assert "erased_in_term" in desk.check(make.files_of(erase(trail, WHO))).faults


@pytest.mark.parametrize(
    ("ends", "faults"), [(-40 * DAY, {"erasure_overdue"}), (-29 * DAY, set()), (DAY, set())]
)
def test_what_should_long_have_been_erased_is_found(
    desk: Desk, trail: Trail, ends: timedelta, faults: set[str]
) -> None:
    assert desk.check(make.files_of(lock(trail, ends))).faults == faults


@pytest.mark.parametrize("then", [erase, unlock])
def test_it_is_not_found_once_it_was_erased_or_let_out(desk: Desk, trail: Trail, then: object) -> None:
    then(lock(trail, -40 * DAY))  # type: ignore[operator]

    assert desk.check(make.files_of(trail)).result == "pass"


@pytest.mark.parametrize(("ends", "retention"), [(DAY, "30y"), (None, "permanent")])
def test_the_whole_case_waits_for_a_requester_who_is_kept_longer(
    desk: Desk, trail: Trail, ends: timedelta | None, retention: str
) -> None:
    lock(lock(trail, -40 * DAY), ends, WHO, retention)

    assert desk.check(make.files_of(trail)).result == "pass"


def test_a_requester_waits_for_the_end_of_the_whole_cases_term(desk: Desk, trail: Trail) -> None:
    lock(lock(trail, -40 * DAY, WHO), DAY)

    assert desk.check(make.files_of(trail)).result == "pass"


def test_a_matter_that_went_on_owes_no_erasure_yet(desk: Desk, trail: Trail) -> None:
    lock(trail, -40 * DAY, WHO).add(STREAM, "matter_reopened.v1", {})

    assert "erasure_overdue" not in desk.check(make.files_of(trail)).faults


def test_locks_are_remembered_from_month_to_month(desk: Desk, trail: Trail) -> None:
    lock(trail, DAY)
    assert desk.month(make.files_of(trail)).result == "pass"
    old = trail.size
    erase(trail)

    assert desk.month(make.files_of(trail, old)).faults == {"erased_in_term"}


def test_terms_of_lifted_locks_are_remembered_from_month_to_month(desk: Desk, trail: Trail) -> None:
    unlock(lock(trail, DAY))
    assert desk.month(make.files_of(trail)).result == "pass"
    old = trail.size
    erase(trail)

    assert desk.month(make.files_of(trail, old)).faults == {"erased_in_term"}


def test_a_state_from_before_terms_were_kept_judges_by_its_locks(desk: Desk, trail: Trail) -> None:
    desk.month(make.files_of(lock(trail, DAY)))
    state = json.loads(desk.state.read_text(encoding="utf-8"))
    del state["terms"]
    desk.state.write_text(json.dumps(state), encoding="utf-8")
    old = trail.size
    erase(trail)

    assert desk.month(make.files_of(trail, old)).faults == {"erased_in_term"}


@pytest.mark.parametrize(
    "terms", [None, {}, [[]], [[STREAM, None, "soon"]], [[STREAM, 7, "never"]], [[STREAM, None, ""]]]
)
def test_a_state_with_a_term_of_no_moment_is_malformed(desk: Desk, trail: Trail, terms: object) -> None:
    desk.month(make.files_of(lock(trail, DAY)))
    state = json.loads(desk.state.read_text(encoding="utf-8"))
    state["terms"] = terms
    desk.state.write_text(json.dumps(state), encoding="utf-8")

    assert desk.month(make.files_of(trail)).said["code"] == "state_malformed"


def test_a_state_from_before_locks_had_an_end_is_read_and_judges_nothing(desk: Desk, trail: Trail) -> None:
    desk.month(make.files_of(lock(trail, DAY)))
    state = json.loads(desk.state.read_text(encoding="utf-8"))
    state["locked"] = [one[:2] for one in state["locked"]]
    del state["terms"]
    desk.state.write_text(json.dumps(state), encoding="utf-8")
    old = trail.size
    erase(trail)

    report = desk.month(make.files_of(trail, old))

    assert (report.result, report.codes) == ("pass", {"data_erased"})


@pytest.mark.parametrize("until", ["soon", 7, None])
def test_a_state_with_a_lock_of_no_moment_is_malformed(desk: Desk, trail: Trail, until: object) -> None:
    desk.month(make.files_of(lock(trail, DAY)))
    state = json.loads(desk.state.read_text(encoding="utf-8"))
    state["locked"] = [[*state["locked"][0][:2], until]]
    desk.state.write_text(json.dumps(state), encoding="utf-8")

    assert desk.month(make.files_of(trail)).said["code"] == "state_malformed"


def test_a_claim_that_was_set_aside_is_told_to_every_board(desk: Desk, trail: Trail) -> None:
    told = {"witness": "audit", "vkey": "k", "claimed": 70_000, "size": trail.size, "root": "r"}
    trail.add("log", "claim_set_aside.v1", told)

    report = desk.check(make.files_of(trail))

    assert (report.result, report.codes) == ("pass", {"claim_set_aside"})
    assert "70000" in report.of("claim_set_aside")["en"]
