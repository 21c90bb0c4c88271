"""The memory of the worker and the follower with ten thousand open matters.

`make bench ARGS="-k memory"`; several minutes. The matters are written first; then the tree of `huiyin up` starts, brings
up a process for each, and for each summons of every tenth, and is measured when all of them run.
"""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from adapters.demo.district import plan
from adapters.engine import open_engine
from adapters.settings import Settings
from adapters.up import up
from tests.benchmarks.results import Figure, Results
from tests.benchmarks.world import READY_SECONDS, SUMMONED, a_desk, by_processes, opened

pytestmark = pytest.mark.benchmark

MATTERS = 10_000
WHISTLE_EVERY = 10
SEEDERS = 2
MOST_MB = 300.0
UP_SECONDS = 1200.0
REST_SECONDS = 10.0


def test_worker_stays_small_with_ten_thousand_open_matters(results: Results, tmp_path: Path) -> None:
    with opened(tmp_path, rulebook="gulou") as (engine, _):
        by_processes(SEEDERS, seed, (tmp_path,), 1.0)
        processes = MATTERS + MATTERS // WHISTLE_EVERY * len(SUMMONED)
        begun = time.perf_counter()
        with up(engine.settings) as tree:
            asyncio.run(until_running(tree.address, processes))
            brought_up = processes / (time.perf_counter() - begun)
            time.sleep(REST_SECONDS)
            sizes = {
                child.name: memory(child.process.pid) for child in tree.children if child.process is not None
            }
    for role in ("worker", "follow"):
        now, most = sizes[role]
        said = f"{processes:,} processes; {now:.0f} MB at rest; brought up {brought_up:.0f} processes/s"
        aim = MOST_MB if role == "worker" else None
        name = f"{role}, {MATTERS:,} open matters"
        results.add(
            Figure("Memory, the most there ever was", name, most, "MB", aim=aim, less=True, note=said)
        )
    assert sizes["worker"][0] > 0


def seed(barrier: Any, number: int, folder: Path) -> list[float]:
    """Open one seeder's share of the matters; every tenth is whistled for."""
    engine = open_engine(Settings(data=folder))
    desk, taken = a_desk(engine.handle, plan(1)), []
    barrier.wait(READY_SECONDS)
    for n in range(number, MATTERS, SEEDERS):
        begun = time.perf_counter()
        case = desk.registers(desk.resident())
        if n % WHISTLE_EVERY == 0:
            desk.accepted_and_triaged(case)
            desk.whistles(case, SUMMONED)
        taken.append(time.perf_counter() - begun)
    engine.close()
    return taken


async def until_running(address: str, processes: int) -> None:
    """Wait until so many processes run."""
    client, deadline, count = await Client.connect(address), time.monotonic() + UP_SECONDS, 0
    while count < processes:
        assert time.monotonic() < deadline, f"{count} of {processes} processes run"
        await asyncio.sleep(1.0)
        count = (await client.count_workflows("ExecutionStatus = 'Running'")).count


def memory(pid: int) -> tuple[float, float]:
    """The resident memory of a process now, and the most that it ever was, in MB."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    now, most = (int(lines[name].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "VmHWM"))
    return now, most
