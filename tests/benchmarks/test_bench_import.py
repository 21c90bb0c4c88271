"""Half a year of a city's requests through `huiyin import`: read, sealed, kept, shown in the read models.

`make bench ARGS="-k import"`. Aim: the whole command within 90 s on SQLite on two cores. The parts before it say where
the time goes: reading and mapping alone, and the import without read models.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.engine import open_engine
from adapters.imports import Importing, Tally, bring_in, read_mapping
from adapters.imports.rows import Rows
from adapters.imports.table import Table, opened
from adapters.settings import Settings
from domain.refusal import Refused
from tests.acceptance.world import DISTRICT, found_in
from tests.benchmarks.results import Figure, Results

pytestmark = pytest.mark.benchmark

MOST_SECONDS = 90.0
MAPPING = "boston311"


@pytest.fixture
def table(shared_data: Path) -> Path:
    return shared_data / "boston311" / "requests_2015_H1.csv.gz"


def timed(table: Path, work: Callable[[Table], int]) -> tuple[int, float]:
    """How many rows in how many seconds."""
    begun = time.perf_counter()
    with opened(table) as rows:
        count = work(rows)
    return count, time.perf_counter() - begun


def noted(results: Results, what: str, count: int, seconds: float) -> None:
    results.add(Figure("import", what, count / seconds, "rows/s", note=f"{count} rows in {seconds:.1f} s"))


def test_rows_are_read_and_mapped(results: Results, table: Path) -> None:
    def work(rows: Table) -> int:
        reading, count = Rows(read_mapping(MAPPING), rows.head, DISTRICT.code, datetime.now(UTC)), 0
        for row in rows:
            try:
                reading.plan(row.cells or [], reading.reference(row.cells or []))
            except Refused:
                continue
            count += 1
        return count

    count, seconds = timed(table, work)
    noted(results, "rows read and mapped", count, seconds)
    assert count > 50_000


def test_rows_are_decided_sealed_and_kept(results: Results, table: Path, tmp_path: Path) -> None:
    found_in(tmp_path)
    engine, mapping = open_engine(Settings(data=tmp_path)), read_mapping(MAPPING)

    def work(rows: Table) -> int:
        reading, tally = Rows(mapping, rows.head, DISTRICT.code, engine.handle.clock()), Tally()
        actor = DISTRICT.actor("hotline", "intake_officer")
        run = Importing(
            engine.handle, actor, "mandate:import", "backfill/2026.1", mapping.name, mapping.reference.source
        )
        for outcomes in bring_in(run, rows, reading):
            tally.add(outcomes)
        return tally.counts["added"]

    count, seconds = timed(table, work)
    noted(results, "rows decided, sealed and kept", count, seconds)
    engine.close()
    assert count > 50_000


def test_the_whole_command_with_read_models(results: Results, table: Path, tmp_path: Path) -> None:
    found_in(tmp_path / "data")
    who = f"{DISTRICT.staff['hotline', 'intake_officer']}/hotline/intake_officer"
    typed = [sys.executable, "-c", "from adapters.cli.main import main; main()", "import", str(table)]
    begun = time.perf_counter()
    ended = subprocess.run(
        [*typed, "--mapping", MAPPING, "--as", who, "--report", str(tmp_path / "report.csv")],
        env={**os.environ, "HUIYIN_DATA": str(tmp_path / "data")}, capture_output=True, check=False, text=True,
    )  # fmt: skip
    seconds = time.perf_counter() - begun
    results.add(
        Figure("import", "huiyin import, sealing and read models included", seconds, "s", aim=MOST_SECONDS, less=True,
               note=ended.stdout.strip())
    )  # fmt: skip
    assert ended.returncode in (0, 1), ended.stderr
