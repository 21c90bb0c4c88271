"""The audit bundle: written, and verified by the stand-alone verifier, beside SHA-256 and JSON over the same leaves.

`make bench ARGS="-k bundle"`. The leaves are those of one eventful life, told over again for many cases: 100,000, and
1,000,000 of them. The verifier runs as a board runs it, in a process of its own.
"""

import hashlib
import json
import resource
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.bundle import verify
from tests.acceptance.bundle_world import Audited, audited
from tests.benchmarks.results import Figure, Results
from tests.story import MORNING, eventful
from workflows.ports import Stored

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]

GROUP = "Audit bundle"
SHORT, LONG = 100_000, 1_000_000
COLUMNS = "(originator_id, originator_version, topic, state, known_at)"
Row = tuple[str, int, str, bytes, int]


def told_again(rows: list[Stored], case: str, times: int) -> Iterator[Row]:
    """The same life for so many cases a day later: the first events of all, then the second ones, and so on."""
    ids = [str(uuid.uuid4()) for _ in range(times)]
    day, next_day = (f"{MORNING + timedelta(days=n):%Y-%m-%d}T".encode() for n in (0, 1))
    for row in rows:
        body = row.body.replace(day, next_day)
        for fresh in ids:
            yield fresh, row.version, row.type, body.replace(case.encode(), fresh.encode()), 1


def filled(world: Audited, leaves: int) -> None:
    """At least so many leaves in the log, cosigned."""
    world.seal(cosigned=False)
    world.adopt()
    case = eventful(world.tale)
    world.seal()
    store: Any = world.tale.engine.store
    rows = store.load(case)
    with store.recorder._file.transaction() as connection:
        told = told_again(rows, case, -(-leaves // len(rows)))
        connection.executemany(f"INSERT INTO stored_events {COLUMNS} VALUES (?, ?, ?, ?, ?)", told)
    world.tale.clock.turn(86_400)
    world.seal()


def hashed(world: Audited, size: int) -> None:
    for leaf in world.log.leaves(0, size):
        hashlib.sha256(b"\x00" + leaf).digest()


def parsed(world: Audited, size: int) -> None:
    for leaf in world.log.leaves(0, size):
        json.loads(leaf)


def read(world: Audited, size: int) -> None:
    for _ in world.log.leaves(0, size):
        pass


def spent(work: Any, *arguments: Any) -> float:
    """Processor seconds of this process."""
    began = time.process_time()
    work(*arguments)
    return time.process_time() - began


def verified(path: Path, *arguments: str) -> tuple[dict[str, Any], float, float]:
    """The verifier's report, its processor seconds, and its peak memory in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(
        [sys.executable, "-I", verify.__file__, str(path), "--json", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return json.loads(ran.stdout), cpu, after.ru_maxrss / 1024


@pytest.mark.parametrize("leaves", [SHORT, LONG])
def test_bundle_and_verify(leaves: int, tmp_path: Path, results: Results) -> None:
    with audited(tmp_path) as world:
        filled(world, leaves)
        size = world.log.state().size
        began = time.perf_counter()
        path, _ = world.take()
        writing = time.perf_counter() - began
        reading = spent(read, world, size)
        sha, loads = spent(hashed, world, size) - reading, spent(parsed, world, size) - reading
    # The middle of three: what else runs on the machine weighs on the caches too.
    report, cpu, memory = sorted((verified(path) for _ in range(3)), key=lambda ran: ran[1])[1]
    assert not {one["code"] for one in report["findings"]} & verify.PROOF, report["counts"]
    what, per = f"{size:,} leaves", size / 100_000
    megabytes = path.stat().st_size / 1e6
    note = f"{megabytes:.0f} MB, {megabytes / per:.1f} per 100,000; SQLite"
    results.add(Figure(GROUP, f"{what}: write the bundle", writing, "s", note=note))
    note = f"hashing them once {sha:.2f} s, json.loads of them {loads:.2f} s, peak {memory:.0f} MB"
    results.add(
        Figure(GROUP, f"{what}: verify, leaves/s", size / cpu, "/s", limit=size / (sha + loads), note=note)
    )
    beyond = (cpu - loads) / per
    results.add(
        Figure(GROUP, f"{what}: verify beyond JSON, per 100,000", beyond, "s", aim=2.0, less=True, note=note)
    )
