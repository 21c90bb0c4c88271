"""Full lives through Temporal, driven to the end of all their processes, against the bare server.

`make bench ARGS="-k temporal"`. The tree of `huiyin up` runs (dev server on a file, worker, follower); this process is
the desk, which goes on with a life when the processes of its summonses have begun: else most lives would be over
before. The limit is the rate at which the same server, with a worker of the same kind, gets
through as many workflow tasks of empty workflows, with as many signals and activities, and nothing else to do.
"""

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from adapters.demo.desk import Desk, one_life
from adapters.demo.district import District
from adapters.engine import Engine
from adapters.store.positions import StoredPositions
from adapters.temporal.client import namespace_id
from adapters.up import Tree, up
from tests.benchmarks import bare
from tests.benchmarks.results import Figure, Results
from tests.benchmarks.world import SUMMONED, opened
from tests.servers import PostgresServer, create_database
from workflows.messages import process_id

pytestmark = pytest.mark.benchmark

LIVES = {4: 60, 16: 160, 64: 256}
"""How many lives are played, by how many are in hand at once."""
WARMING = 8
LOOK_SECONDS, QUIET_SECONDS, REST_SECONDS = 0.2, 2.0, 120.0
LEAST_RATIO = {16: 0.7, 64: 0.7}


@pytest.mark.parametrize("at_once", LIVES)
@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_lives_through_temporal(
    results: Results, flushing_postgres: PostgresServer, tmp_path: Path, store: str, at_once: int
) -> None:
    dsn = create_database(flushing_postgres.dsn, f"temporal_{at_once}") if store == "postgres" else None
    lives = LIVES[at_once]
    with opened(tmp_path, dsn, "gulou") as (engine, district), up(engine.settings) as tree:
        play(engine, district, tree.address, WARMING, WARMING)
        asyncio.run(at_rest(engine, tree.address))
        begun, used = engine.handle.clock(), Used(tree)
        play(engine, district, tree.address, lives, at_once)
        stale = asyncio.run(at_rest(engine, tree.address))
        spent = used.each(lives)
        with bare_worker(tree.address, tmp_path) as bare_pid:
            seconds, ours, limit = asyncio.run(compared(tree, begun, bare_pid))
    name = f"{store}, {at_once} lives at once, driven to the end"
    note(results, name, Driven(lives, seconds, spent, ours), limit, LEAST_RATIO.get(at_once), stale)
    assert ours.workflows >= lives


@dataclass(frozen=True)
class Driven:
    """So many lives, or bare workflows, in so many seconds, with the processor time (ms) of one by process."""

    count: int
    seconds: float
    spent: dict[str, float]
    cost: bare.Cost


def note(results: Results, name: str, ours: Driven, limit: Driven, aim: float | None, stale: int) -> None:
    """The rate of lives, and how many a second of processor time carries: what else ran weighs less on that."""
    tasks = ours.cost.tasks / ours.count
    cost = ours.cost
    each = [f"{n / ours.count:.1f}" for n in (cost.workflows, cost.tasks, cost.signals, cost.activities)]
    said = "{} workflows, {} tasks, {} signals, {} activities a life".format(*each)
    said += f"; {stale} summonses heard of too late to end at once" if stale else ""
    bare_lives = limit.cost.tasks / limit.seconds / tasks
    results.add(
        Figure("Full lives through Temporal", name, ours.count / ours.seconds, "lives/s", bare_lives, aim=aim, note=said)
    )  # fmt: skip
    spent, bare_spent = (
        sum(ours.spent.values()),
        sum(limit.spent.values()) * limit.count / limit.cost.tasks * tasks,
    )
    parts = ", ".join(f"{process} {milliseconds:.0f}" for process, milliseconds in ours.spent.items())
    said = f"{spent:.0f} ms a life ({parts}); as many bare tasks {bare_spent:.0f} ms"
    results.add(
        Figure(
            "Lives in a second of processor time",
            name,
            1000 / spent,
            "lives/CPU s",
            1000 / bare_spent,
            note=said,
        )
    )


class Watch(Thread):
    """Asks Temporal, for the desk's threads, whether processes have begun."""

    def __init__(self, address: str) -> None:
        super().__init__(name="watch", daemon=True)
        self.address, self.loop = address, asyncio.new_event_loop()
        self.client: Client | None = None

    def run(self) -> None:
        """Serve until stopped."""
        self.client = self.loop.run_until_complete(Client.connect(self.address))
        self.loop.run_forever()
        self.loop.close()

    def wait_for(self, case: str, legs: Iterable[str]) -> None:
        """Wait until the processes of these summonses have begun."""
        asyncio.run_coroutine_threadsafe(self._begun(case, legs), self.loop).result(REST_SECONDS)

    async def _begun(self, case: str, legs: Iterable[str]) -> None:
        for leg in legs:
            while not await self._exists(process_id(case, leg)):  # noqa: ASYNC110 - begun by another machine
                await asyncio.sleep(LOOK_SECONDS)

    async def _exists(self, name: str) -> bool:
        assert self.client is not None
        try:
            await self.client.get_workflow_handle(name).describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False
        return True

    def stop(self) -> None:
        """Stop serving."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.join()


class PacedDesk(Desk):
    """A desk that waits after each whistle."""

    def __init__(self, engine: Engine, district: District, watch: Watch) -> None:
        super().__init__(engine.handle, district, random.SystemRandom())
        self.watch = watch

    def whistles(self, case: str, *args: Any, **kwargs: Any) -> dict[str, str]:
        """Blow, and wait until the summonses' processes have begun."""
        legs = super().whistles(case, *args, **kwargs)
        self.watch.wait_for(case, legs.values())
        return legs


def play(engine: Engine, district: District, address: str, lives: int, at_once: int) -> None:
    """Play so many lives, some at once."""
    watch = Watch(address)
    watch.start()
    with ThreadPoolExecutor(at_once) as threads:
        begun = [threads.submit(one_life, PacedDesk(engine, district, watch), SUMMONED) for _ in range(lives)]
        for one in begun:
            one.result()
    watch.stop()


async def at_rest(engine: Engine, address: str) -> int:
    """Wait until the follower has told all and no process ends any more; returns how many still run.

    The process of a summons that ended before it was begun does not hear of it: it looks at its next due moment.
    """
    client, positions = await Client.connect(address), StoredPositions(engine.settings.views_url)
    consumer = f"processes-{await namespace_id(client)}-{engine.store.epoch()}"
    deadline = time.monotonic() + REST_SECONDS
    before, left = -1, await running(client)
    while positions.position(consumer) < engine.store.head() or left != before:
        assert time.monotonic() < deadline, f"{left} processes did not end"
        await asyncio.sleep(QUIET_SECONDS)
        before, left = left, await running(client)
    positions.close()
    return left


async def running(client: Client) -> int:
    """How many processes run."""
    return (await client.count_workflows("ExecutionStatus = 'Running'")).count


class Used:
    """The processor time that each part uses from now on."""

    def __init__(self, tree: Tree, **others: int) -> None:
        pids = {child.name: child.process.pid for child in tree.children if child.process is not None}
        self.pids = {"desk": os.getpid(), **pids, **others}
        self.before = self._now()

    def each(self, parts: int) -> dict[str, float]:
        """Milliseconds by process, for one of so many parts of the work."""
        return {name: (now - self.before[name]) * 1000 / parts for name, now in self._now().items()}

    def _now(self) -> dict[str, float]:
        stats = {name: Path(f"/proc/{pid}/stat").read_text() for name, pid in self.pids.items()}
        fields = {name: text.rpartition(")")[2].split() for name, text in stats.items()}
        return {name: (int(f[11]) + int(f[12])) / os.sysconf("SC_CLK_TCK") for name, f in fields.items()}


@contextmanager
def bare_worker(address: str, folder: Path) -> Iterator[int]:
    """The bare server's worker as a process of its own; gives its pid."""
    with (folder / "bare.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.bare_worker", address], stdout=log, stderr=log
        )
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


async def compared(tree: Tree, since: datetime, bare_pid: int) -> tuple[float, bare.Cost, Driven]:
    """The seconds from a moment until the last of our processes ended, and what they cost; as many bare ones."""
    client = await Client.connect(tree.address)
    begun = [one async for one in client.list_workflows(f"StartTime >= '{since.isoformat()}'")]
    ended = max(one.close_time for one in begun if one.close_time is not None) - since
    ours = await bare.cost(client, [(one.id, one.run_id) for one in begun])
    await bare.drive(client, replace(ours, workflows=WARMING, signals=WARMING, activities=0))
    used = Used(tree, bare=bare_pid)
    seconds, runs = await bare.drive(client, ours)
    spent = {
        name: each for name, each in used.each(len(runs)).items() if name in ("desk", "temporal", "bare")
    }
    return ended.total_seconds(), ours, Driven(len(runs), seconds, spent, await bare.cost(client, runs))
