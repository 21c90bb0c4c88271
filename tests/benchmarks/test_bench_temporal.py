"""Full lives through Temporal, driven to the end of all their processes, against the bare server.

`make bench ARGS="-k temporal"`. The tree of `huiyin up` runs (dev server on a file, worker, follower); this process is
the desk. The limit is the rate at which the same server, with a worker of the same kind, gets through as many workflow
tasks of empty workflows, with as many signals and activities, and nothing else to do.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from temporalio.client import Client

from adapters.demo.desk import one_life
from adapters.demo.district import District
from adapters.engine import Engine
from adapters.store.positions import StoredPositions
from adapters.temporal.client import namespace_id
from adapters.up import up
from tests.benchmarks import bare
from tests.benchmarks.results import Figure, Results
from tests.benchmarks.world import SUMMONED, a_desk, opened
from tests.servers import PostgresServer, create_database

pytestmark = pytest.mark.benchmark

LIVES = {1: 24, 4: 60, 16: 160}
WARMING = 8
REST_SECONDS = 120.0
LEAST_RATIO = {16: 0.7}


@pytest.mark.parametrize("writers", LIVES)
@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_lives_through_temporal(
    results: Results, flushing_postgres: PostgresServer, tmp_path: Path, store: str, writers: int
) -> None:
    dsn = create_database(flushing_postgres.dsn, f"temporal_{writers}") if store == "postgres" else None
    with opened(tmp_path, dsn, "gulou") as (engine, district), up(engine.settings) as tree:
        lived(engine, district, WARMING, WARMING)
        asyncio.run(at_rest(engine, tree.address))
        begun, moment = time.perf_counter(), engine.handle.clock()
        cases = lived(engine, district, LIVES[writers], writers)
        accepted = time.perf_counter() - begun
        asyncio.run(at_rest(engine, tree.address))
        ended = time.perf_counter() - begun
        with bare_worker(tree.address, tmp_path):
            ours, bare_seconds, limit = asyncio.run(compared(tree.address, moment))
    per_s = len(cases) / ended
    bare_per_s = limit.tasks / bare_seconds / (ours.tasks / len(cases))
    each = [
        f"{count / len(cases):.1f}" for count in (ours.workflows, ours.tasks, ours.signals, ours.activities)
    ]
    said = "{} workflows, {} tasks, {} signals, {} activities a life".format(*each)
    said += f"; accepted {len(cases) / accepted:.1f}/s; bare {limit.tasks / bare_seconds:.0f} tasks/s"
    name = f"{store}, {writers} writers, driven to the end"
    aim = LEAST_RATIO.get(writers)
    results.add(Figure("Full lives through Temporal", name, per_s, "lives/s", bare_per_s, aim=aim, note=said))
    assert ours.workflows >= len(cases)


def lived(engine: Engine, district: District, lives: int, writers: int) -> list[str]:
    """Play so many lives with so many threads; returns their cases."""
    with ThreadPoolExecutor(writers) as threads:
        begun = [threads.submit(one_life, a_desk(engine.handle, district), SUMMONED) for _ in range(lives)]
        return [one.result() for one in begun]


async def at_rest(engine: Engine, address: str) -> None:
    """Wait until the follower has told all and no process runs any more."""
    client, positions = await Client.connect(address), StoredPositions(engine.settings.views_url)
    consumer = f"processes-{await namespace_id(client)}-{engine.store.epoch()}"
    deadline = time.monotonic() + REST_SECONDS
    while positions.position(consumer) < engine.store.head() or await running(client):
        assert time.monotonic() < deadline, f"{await running(client)} processes did not end"
        await asyncio.sleep(0.1)
    positions.close()


async def running(client: Client) -> int:
    """How many processes run."""
    return (await client.count_workflows("ExecutionStatus = 'Running'")).count


@contextmanager
def bare_worker(address: str, folder: Path) -> Iterator[None]:
    """The bare server's worker as a process of its own."""
    with (folder / "bare.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.bare_worker", address], stdout=log, stderr=log
        )
    try:
        yield
    finally:
        process.kill()
        process.wait()


async def compared(address: str, since: datetime) -> tuple[bare.Cost, float, bare.Cost]:
    """What our processes since a moment cost, and how long as many bare ones take, and what they cost."""
    client = await Client.connect(address)
    query = f"StartTime >= '{since.isoformat()}'"
    ours = await bare.cost(client, [(one.id, one.run_id) async for one in client.list_workflows(query)])
    await bare.drive(client, replace(ours, workflows=WARMING, signals=WARMING, activities=0))
    return ours, *await bare.drive(client, ours)
