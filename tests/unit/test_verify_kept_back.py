"""verify.py: what the office keeps back of a case that it says it opens, or of the log's own opening, is missed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import bundle_maker as make
from tests.bundle_maker import GENESIS_STREAM, Trail, case
from tests.unit.test_verify_findings import erased, withhold
from tests.unit.verify_world import Desk

OPENED = case(1)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def trail() -> Trail:
    return Trail().open().matters(3)


def opened(desk: Desk, *disclosures: str) -> tuple[str, Path]:
    """What `huiyin disclose` writes, as far as the verifier reads it."""
    return "--disclosures", desk.file("d.json", json.dumps({"case": OPENED, "disclosures": disclosures}))


def test_a_case_opened_whole_passes(desk: Desk, trail: Trail) -> None:
    every = [make.disclosure(1, step) for step in (1, 2)]

    assert desk.check(make.files_of(trail), *opened(desk, *every)).findings == []


def test_a_case_opened_without_any_of_its_values(desk: Desk, trail: Trail) -> None:
    report = desk.check(make.files_of(trail), *opened(desk))

    assert report.said["counts"] == {"disclosure_missing": 2}


def test_a_value_that_only_another_case_calls_erased(desk: Desk, trail: Trail) -> None:
    elsewhere = {"ground": "request", "authority": "order:7", "subject": None, "boards": []}
    trail.add(case(2), "data_erased.v1", elsewhere | {"digests": [make.digest(make.disclosure(1, 1))]})

    report = desk.check(make.files_of(trail), *opened(desk, make.disclosure(1, 2)))

    assert report.faults == {"disclosure_missing"}


def test_a_value_that_its_own_case_calls_erased(desk: Desk, trail: Trail) -> None:
    erased(trail)

    report = desk.check(make.files_of(trail), *opened(desk, make.disclosure(1, 2)))

    assert (report.result, report.codes) == ("pass", {"data_erased"})


@pytest.mark.parametrize("named", [7, ["x"], {}])
def test_a_file_that_names_no_case_but_something_else(desk: Desk, trail: Trail, named: object) -> None:
    told = desk.file("d.json", json.dumps({"case": named, "disclosures": []}))

    assert desk.check(make.files_of(trail), "--disclosures", told).said["code"] == "disclosures_malformed"


def test_the_opening_of_the_log_kept_back(desk: Desk, trail: Trail) -> None:
    assert desk.check(withhold(trail, GENESIS_STREAM)).faults == {"genesis_missing"}


def test_a_leaf_kept_back_of_a_case_that_was_quiet_else_is_named_when_the_case_goes_on(
    desk: Desk, trail: Trail
) -> None:
    """In its month a hash says nothing of whose it is: the board counts it. The chain names the case later."""
    desk.month(make.files_of(trail))
    seen = trail.size
    trail.add(case(2), "work_noted.v1", {"what": "shown"})
    trail.add(OPENED, "work_noted.v1", {"what": "kept back"})

    quiet = desk.month(withhold(trail, "kept back", old=seen))

    assert (quiet.result, quiet.codes, quiet.said["withheld"]) == ("pass", {"withheld"}, 1)
    seen = trail.size
    trail.add(OPENED, "work_noted.v1", {"what": "goes on"})

    report = desk.month(make.files_of(trail, seen))

    assert report.faults == {"version_gap"}
    assert report.of("version_gap")["case"] == OPENED
