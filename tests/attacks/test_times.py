"""Dates written back, and boards or a log that fall silent: the boards' clocks bound what may be claimed (rows 8, 13)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from domain.instant import written
from tests.attacks.world import Board, Office
from tests.contract.board_world import WitnessProcess

both = pytest.mark.parametrize("trail", ["sqlite", "postgres"], indirect=True)


@both
def test_an_event_dated_back_behind_a_cosigned_head_is_found(
    office: Office, board: Board, tmp_path: Path
) -> None:
    """Row 8: it stands behind a head that the boards have dated, and claims to be far older."""
    known = office.head()
    assert board.verify(office.bundle(tmp_path / "0.zip")).exit == 0
    earlier = written(office.clock() - timedelta(minutes=90))
    office.appends(office.cases()[-1], recorded_at=earlier, occurred_at=earlier)
    office.seals()
    office.asks()

    since_genesis = board.verify(office.bundle(tmp_path / "1.zip"), state=False)
    of_the_month = board.verify(office.bundle_since(known, tmp_path / "2.zip"))

    assert "clock_backwards" in since_genesis.faults
    assert "backdated" in of_the_month.faults
    assert [one["case"] for one in of_the_month.of("backdated")] == [office.cases()[-1]]


def test_an_event_dated_forward_is_found(office: Office, board: Board, tmp_path: Path) -> None:
    """Row 8: the head that holds it is older than it claims to be."""
    later = written(office.clock() + timedelta(hours=5))
    office.appends(office.cases()[-1], recorded_at=later, occurred_at=later)
    office.seals()
    office.asks()

    assert "recorded_after_head" in board.verify(office.bundle(tmp_path / "1.zip")).faults


def test_an_event_entered_late_and_not_marked_so_is_found(
    office: Office, board: Board, tmp_path: Path
) -> None:
    """Row 8: the claimed moment alone is moved."""
    at = office.clock()
    told = {"recorded_at": written(at), "occurred_at": written(at - timedelta(hours=30))}
    office.appends(office.cases()[-1], **told)
    office.seals()
    office.asks()

    assert "late_unmarked" in board.verify(office.bundle(tmp_path / "1.zip")).faults


def test_a_log_that_kept_its_heads_to_itself_is_found(unsealed: Office, board: Board, tmp_path: Path) -> None:
    """Row 13: no head was shown to the boards for longer than promised."""
    early = replace(unsealed, slow=timedelta(minutes=90))
    early.adopts()
    early.seals()
    early.registers()
    early.seals()
    unsealed.asks()

    report = board.verify(unsealed.bundle(tmp_path / "1.zip"))

    assert "cosigned_late" in report.faults


def test_a_silent_board_is_put_on_record_and_the_report_names_it(
    unsealed: Office, boards: tuple[WitnessProcess, ...], tmp_path: Path, board: Board
) -> None:
    """Row 13: its machine is off; the others go on, and the log says since when it has been missing."""
    gone = WitnessProcess(tmp_path / "gone", "press", unsealed.log_key)
    early = replace(unsealed, slow=timedelta(minutes=90))
    text = early.adopts(*boards[:2], gone, k=2)
    early.seals()
    unsealed.asks(lines=3)
    with unsealed.log() as log:
        before = log.state()
    unsealed.asks(lines=3)
    unsealed.seals()
    unsealed.asks(lines=3)
    board.policy = text

    report = board.verify(unsealed.bundle(tmp_path / "1.zip"))

    assert unsealed.head().size > before.size
    assert any("press" in one["en"] for one in report.of("witness_silent"))
    assert {"witness_missing"} <= report.codes


def test_of_a_log_that_stopped_the_report_says_what_to_do(
    office: Office, board: Board, tmp_path: Path
) -> None:
    """Row 13: no file can show that none comes any more."""
    bundle = office.bundle(tmp_path / "1.zip")

    assert "log_abandoned" in board.verify(bundle).limits
    assert "日志停更不会自己说明" in board.read(bundle)
