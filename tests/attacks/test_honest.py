"""Where nobody has done anything wrong nothing is found: or the attacks that are found would prove nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.world import Board, Office

both = pytest.mark.parametrize("trail", ["sqlite", "postgres"], indirect=True)


@both
def test_an_honest_office_passes_month_after_month(office: Office, board: Board, tmp_path: Path) -> None:
    first = board.verify(office.bundle(tmp_path / "1.zip"))
    office.goes_on()
    second = board.verify(office.bundle(tmp_path / "2.zip"))

    assert (first.exit, first.faults) == (0, set())
    assert (second.exit, second.faults) == (0, set())
    assert first.codes <= {"before_log", "policy_adopted", "rulebook_released", "notice_entered"}
    assert office.check()["bad"] is None
