"""How long after its moment a step of the clock is on record: a due time missed, and the urging that follows.

`make bench ARGS="-k due"`. Matters are registered under the demonstration's rulebook, whose times are seconds, and left
alone; the tree of `huiyin up` runs (Temporal's dev server, worker, follower, sealer). Aim: within two seconds.
"""

import random
import statistics
import time
from pathlib import Path
from typing import Any

import pytest

from adapters.demo.desk import Desk
from adapters.engine import Engine
from adapters.log.keys import make_log_keys
from adapters.up import up
from domain.event import Recorded
from tests.benchmarks.results import Figure, Results
from tests.benchmarks.world import opened
from tests.servers import PostgresServer, create_database

pytestmark = pytest.mark.benchmark

MATTERS, EVERY = 60, 0.25
STEPS = ("due_missed.v1", "urged_by_clock.v1")
MOST_SECONDS, LOOK_SECONDS = 120.0, 0.5


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_steps_after_their_moment(
    results: Results, flushing_postgres: PostgresServer, tmp_path: Path, store: str
) -> None:
    dsn = create_database(flushing_postgres.dsn, "due") if store == "postgres" else None
    with opened(tmp_path, dsn, "demo") as (engine, district):
        make_log_keys(engine.settings.log_keys_folder, engine.settings.origin)
        with up(engine.settings):
            desk, cases = Desk(engine.handle, district, random.Random(9)), []
            for _ in range(MATTERS):
                cases.append(desk.registers(desk.resident()))
                time.sleep(EVERY)
            taken = [step for case in cases for step in _steps(engine, case)]
    late = sorted((step.recorded_at - step.pub.due).total_seconds() * 1000 for step in taken)
    note = f"{len(late)} steps of {MATTERS} matters; p50 {statistics.median(late):.0f}, p95 {late[len(late) * 95 // 100]:.0f} ms"
    what = f"{store}: a step on record after its moment, the latest"
    results.add(Figure("Steps of the clock", what, late[-1], "ms", aim=2_000, less=True, note=note))


def _steps(engine: Engine, case: str) -> list[Recorded[Any]]:
    """The steps of a case, once the clock has taken one of each kind."""
    until = time.monotonic() + MOST_SECONDS
    while True:
        found = [one for one in engine.handle.history(case) if one.type in STEPS]
        if {one.type for one in found} == {*STEPS}:
            return found
        assert time.monotonic() < until, "the clock did not take its steps"
        time.sleep(LOOK_SECONDS)
