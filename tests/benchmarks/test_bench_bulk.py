"""Live registrations while a table of 20,000 rows is being imported: what they wait longer for it.

`make bench ARGS="-k bulk"`. One hotline hands a request in every 200 ms, each about a trouble and a place of its own, as
are the rows. It does so for twelve seconds without an import and for twelve beside one, eight times in turn, beside live
requests and beside history: so what the machine does meanwhile, and what the store has grown by, weighs on all alike.
All roles run as processes, the sealer too, on SQLite and on a PostgreSQL that flushes every commit.
Aim: the 95th percentile at most a quarter above the quiet one.
"""

import random
import statistics
import time
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.acceptance.imports_world import BY, HISTORY, REGISTER, ask, order, table
from tests.benchmarks.http_lives import trouble
from tests.benchmarks.results import Figure, Results
from tests.faults.import_office import Office, office_on

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(900)]

ROWS, TIMES, SECONDS, EVERY = 20_000, 4, 12.0, 0.2
AIM = 1.25
MAPPINGS = {"register": REGISTER, "backfill": HISTORY}


def live(at: Office, chance: random.Random) -> list[float]:
    """The milliseconds of each registration, sent at its moment."""
    taken, begun = [], time.perf_counter()
    for n in range(int(SECONDS / EVERY)):
        handed_in = at.api.order(f"L-{uuid4().hex[:12]}", sealed={"text": trouble(chance)})
        time.sleep(max(0.0, begun + n * EVERY - time.perf_counter()))
        sent = time.perf_counter()
        at.api.must("/matters", handed_in, by=BY)
        taken.append((time.perf_counter() - sent) * 1000)
    return taken


def p95(taken: list[float]) -> float:
    return statistics.quantiles(taken, n=20)[-1]


def beside(at: Office, mode: str, numbers: "count[int]", chance: random.Random) -> tuple[list[float], int]:
    """The same while an import runs, and how many rows it worked off in that time."""
    rows = table([order(next(numbers), 内容=trouble(chance)) for _ in range(ROWS)])
    made = ask(at.api, rows, mapping=MAPPINGS[mode], mode=mode).json()["id"]
    at.done(made, 20)
    before = at.state(made)["done"]
    taken, state = live(at, chance), at.state(made)
    assert state["state"] == "running", "the import was over before the measuring was"
    at.api.post(f"/imports/{made}/cancel", by=BY, authority=None)
    return taken, state["done"] - before


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_live_registrations_beside_an_import(store: str, results: Results, tmp_path: Path) -> None:
    chance, numbers = random.Random(26), count()
    quiet: dict[str, list[float]] = {mode: [] for mode in MAPPINGS}
    found: dict[str, list[float]] = {mode: [] for mode in MAPPINGS}
    rows = dict.fromkeys(MAPPINGS, 0)
    with office_on(store, tmp_path, "0.25", durable=True) as at:
        at.temporal.start()
        at.start("api", "worker", "follow", "seal")
        live(at, chance)  # warm
        for _ in range(TIMES):
            for mode in MAPPINGS:
                quiet[mode] += live(at, chance)
                taken, done = beside(at, mode, numbers, chance)
                found[mode] += taken
                rows[mode] += done
    for mode, taken in found.items():
        results.add(_figure(store, mode, taken, quiet[mode], rows[mode] / (TIMES * SECONDS)))


def _figure(store: str, mode: str, taken: list[float], quiet: list[float], rate: float) -> Figure:
    middles: Any = statistics.median(taken), statistics.median(quiet)
    note = f"{rate:.1f} rows/s imported; p50 {middles[0]:.1f} ms (quiet {middles[1]:.1f})"
    what = f"{store}: live registration p95 beside {mode}"
    return Figure("bulk", what, p95(taken), "ms", limit=p95(quiet), aim=AIM, less=True, note=note)
