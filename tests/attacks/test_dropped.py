"""What never reaches the log, or not whole: promises, counters and chains tell; where none can, the report says so (9-11)."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.matter.events import CallbackDone
from tests.attacks.forger import reseal
from tests.attacks.world import Board, Office

both = pytest.mark.parametrize("trail", ["sqlite", "postgres"], indirect=True)

SENTENCES = {
    "never_recorded": ("从未录入系统的接触", "A contact that nobody ever recorded"),
    "false_content": ("不证明所记属实", "not that it is true"),
    "dropped_unsealed": ("入库而未封存即被抹去", "dropped before it was sealed leaves no trace"),
}


def begins(office: Office) -> None:
    """The log is opened, and cosigned."""
    office.adopts()
    office.seals()
    office.asks()


@both
def test_a_request_dropped_before_it_was_sealed_breaks_the_promise_that_its_resident_holds(
    unsealed: Office, board: Board, tmp_path: Path
) -> None:
    """Row 9: without the promise there is nothing to be seen."""
    kept, dropped = unsealed.cases()[-2:]
    promises = [board.file(unsealed.must("receipt", "show", case), "promise") for case in (kept, dropped)]
    unsealed.sql("DELETE FROM {events} WHERE originator_id = ?", dropped)
    begins(unsealed)
    bundle = unsealed.bundle(tmp_path / "1.zip")

    with_promises = board.verify(bundle, *(word for one in promises for word in ("--receipt", one)))
    without = board.verify(bundle, state=False)

    assert len(with_promises.of("promise_kept")) == 1
    (broken,) = with_promises.of("promise_broken")
    assert promises[1].name in broken["en"]
    assert without.exit == 0
    assert "dropped_unsealed" in without.limits


@both
def test_a_request_that_the_record_counts_and_the_log_lacks_is_found_by_the_counters(
    office: Office, board: Board, tmp_path: Path
) -> None:
    """Row 9: the census is taken from the record, the leaves from the log."""
    left_out = office.cases()[-1]
    office.registers()
    reseal(office, lambda events: [one for one in events if one.stream != left_out])

    report = board.verify(office.bundle(tmp_path / "1.zip"), state=False)

    assert {"intake_counter", "census_cases", "census_types"} <= report.faults
    assert left_out in {one["case"] for one in report.of("census_cases")}


@both
def test_a_hole_inside_a_case_is_sealed_as_a_hole(unsealed: Office, board: Board, tmp_path: Path) -> None:
    """Row 9: version and previous leaf tell, also to somebody who holds nothing but the case."""
    case = unsealed.cases()[0]
    unsealed.sql("DELETE FROM {events} WHERE originator_id = ? AND originator_version = 4", case)
    begins(unsealed)

    report = board.verify(unsealed.bundle(tmp_path / "1.zip"))

    assert [(one["case"], one["version"]) for one in report.of("version_gap")] == [(case, 5)]


@both
def test_a_case_that_begins_in_the_middle_is_found(unsealed: Office, board: Board, tmp_path: Path) -> None:
    """Row 9: its beginning was dropped, and no leaf of before has the hash that its first leaf names."""
    case = unsealed.cases()[0]
    unsealed.sql("DELETE FROM {events} WHERE originator_id = ? AND originator_version < 3", case)
    begins(unsealed)

    report = board.verify(unsealed.bundle(tmp_path / "1.zip"))

    assert [(one["case"], one["version"]) for one in report.of("version_gap")] == [(case, 3)]


def test_what_no_log_can_show_every_report_says(office: Office, board: Board, tmp_path: Path) -> None:
    """Rows 9, 10, 11: in both languages, after PASS as well as after FAIL."""
    bundle = office.bundle(tmp_path / "1.zip")
    passed, told = board.verify(bundle), board.read(bundle)
    office.rewrites(170, capacity="sd-02")
    reseal(office)
    failed = board.verify(office.bundle(tmp_path / "2.zip"))

    assert (passed.exit, failed.exit) == (0, 1)
    assert SENTENCES.keys() <= passed.limits & failed.limits
    assert [one for both_languages in SENTENCES.values() for one in both_languages if one not in told] == []


def test_a_false_record_is_claimed_for_ever_by_who_made_it(
    office: Office, board: Board, tmp_path: Path
) -> None:
    """Row 11: nobody was called, and the record says so; what is proven is who said it, and when."""
    case = office.cases()[0]
    with office.engine() as engine:
        said = [one for one in engine.handle.history(case) if isinstance(one.pub, CallbackDone)]

    report = board.verify(office.bundle(tmp_path / "1.zip"))

    assert report.exit == 0
    assert said[0].person == office.district.actor("sd-01", "callback_officer").person
    assert "false_content" in report.limits
