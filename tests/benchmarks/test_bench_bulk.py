"""Live registrations while a table of 20,000 rows is being imported: what they wait longer for it.

`make bench ARGS="-k bulk"`. One hotline hands a request in every 200 ms for half a minute: without an import, then
while one of live requests runs, then one of history, then without again. All roles run as processes, the sealer too, on
SQLite and on a PostgreSQL that flushes every commit.
Aim: the 95th percentile at most a quarter above the quiet one.
"""

import statistics
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.acceptance.imports_world import BY, HISTORY, REGISTER, ask, order, table
from tests.benchmarks.results import Figure, Results
from tests.faults.import_office import Office, office_on

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(900)]

ROWS, SECONDS, EVERY = 20_000, 30.0, 0.2
AIM = 1.25


def live(at: Office) -> list[float]:
    """The milliseconds of each registration, sent at its moment."""
    taken, begun = [], time.perf_counter()
    for n in range(int(SECONDS / EVERY)):
        time.sleep(max(0.0, begun + n * EVERY - time.perf_counter()))
        sent = time.perf_counter()
        at.api.must("/matters", at.api.order(f"L-{uuid4().hex[:12]}"), by=BY)
        taken.append((time.perf_counter() - sent) * 1000)
    return taken


def p95(taken: list[float]) -> float:
    return statistics.quantiles(taken, n=20)[-1]


def beside(at: Office, mode: str) -> tuple[list[float], dict[str, Any]]:
    """The same while an import runs, and how that stands afterwards."""
    mapping = REGISTER if mode == "register" else HISTORY
    rows = table([order(n, 编号=f"{mode}-{n}") for n in range(ROWS)])
    made = ask(at.api, rows, mapping=mapping, mode=mode).json()["id"]
    at.done(made, 100)
    taken, state = live(at), at.state(made)
    assert state["state"] == "running", "the import was over before the measuring was"
    at.api.post(f"/imports/{made}/cancel", by=BY, authority=None)
    return taken, state


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_live_registrations_beside_an_import(store: str, results: Results, tmp_path: Path) -> None:
    with office_on(store, tmp_path, "0.25", durable=True) as at:
        at.temporal.start()
        at.start("api", "worker", "follow", "seal")
        live(at)  # warm
        quiet = live(at)
        found = {mode: beside(at, mode) for mode in ("register", "backfill")}
        quiet += live(at)
    results.add(Figure("bulk", f"{store}: live registration p95, no import", p95(quiet), "ms"))
    for mode, (taken, state) in found.items():
        note = f"{state['rate']} rows/s imported; p50 {statistics.median(taken):.1f} ms (quiet {statistics.median(quiet):.1f})"
        results.add(
            Figure("bulk", f"{store}: live registration p95 beside {mode}", p95(taken), "ms", limit=p95(quiet), aim=AIM,
                   less=True, note=note)
        )  # fmt: skip
