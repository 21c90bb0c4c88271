"""Sealing: from a stored event to its signed head, a backlog, and a log of a million leaves, each beside its limit.

`make bench ARGS="-k log"`. The limit of a backlog is the same bytes, hashed once each and copied into one table of the
same database in transactions of the same size; that of a proof is its SHA-256.
"""

import asyncio
import hashlib
import random
import statistics
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.follower import Follower
from adapters.log.proofs import Proofs
from adapters.log.reconcile import reconcile
from adapters.log.sealer import BATCH
from adapters.store.sqlite_files import open_sqlite
from domain.log.tree import verify_consistency, verify_inclusion
from tests.benchmarks.results import Figure, Results
from tests.contract.log_world import ORIGIN, LogWorld, hashes_of, log_world
from tests.contract.processes import start
from tests.servers import PostgresServer, create_database

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

BACKLOG, OF_A_STREAM = 102_400, 10
MILLION = 1_000_000
EVENTS, PAUSE = 200, 0.05
PROOFS = 5_000
FILLING = "x" * 450
GROUP = "Sealing"
COLUMNS = "(originator_id, originator_version, topic, state, known_at)"
Row = tuple[str, int, str, bytes, int]


def rows(count: int) -> Iterator[Row]:
    """Events of about 600 bytes, ten to a stream."""
    for number in range(count):
        stream = str(uuid.UUID(int=random.Random(number // OF_A_STREAM).getrandbits(128)))
        body = f'{{"_sd":[],"nonce":"{uuid.uuid4().hex}","pub":{{"filling":"{FILLING}"}},"type":"matter_noted.v1"}}'
        yield stream, number % OF_A_STREAM + 1, "matter_noted.v1", body.encode(), 1


def stored(world: LogWorld, count: int) -> None:
    """So many events, straight into the store's table."""
    recorder: Any = world.store.recorder  # type: ignore[attr-defined]
    if world.store_url.startswith("postgresql"):
        with (
            recorder.datastore.get_connection() as connection,
            connection.transaction(),
            connection.cursor() as cursor,
            cursor.copy(f"COPY cases.stored_events {COLUMNS} FROM STDIN") as copy,
        ):
            for row in rows(count):
                copy.write_row(row)
    else:
        with recorder._file.transaction() as connection:
            connection.executemany(f"INSERT INTO stored_events {COLUMNS} VALUES (?, ?, ?, ?, ?)", rows(count))


@contextmanager
def a_log(name: str, folder: Path, server: PostgresServer) -> Iterator[LogWorld]:
    folder.mkdir()
    url = str(folder / "cases.db") if name == "sqlite" else create_database(server.dsn, f"log_{folder.name}")
    with log_world(url, folder) as world:
        yield world


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """What it took, on the clock and of this process's processor time."""
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - cpu


# -- one event --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sqlite", "postgres"])
def test_from_a_stored_event_to_its_signed_head(
    name: str, tmp_path: Path, flushing_postgres: PostgresServer, results: Results
) -> None:
    with a_log(name, tmp_path / "one", flushing_postgres) as world:
        environment = {
            "HUIYIN_DATA": str(tmp_path / "one"), "HUIYIN_LOG_KEYS": str(world.keys), "HUIYIN_LOG_ORIGIN": ORIGIN,
        }  # fmt: skip
        if name == "postgres":
            environment["HUIYIN_STORE"] = world.store_url
        role = start("worker", "seal", environment=environment)
        try:
            _until_signed(world, 1, 30)
            first = _settled(world) + 1
            taken = []
            for number in range(EVENTS):
                time.sleep(PAUSE + random.random() / 50)
                world.add(f"stream-{number % 7}")
                began = time.perf_counter()
                _until_signed(world, number + first, 10)
                taken.append((time.perf_counter() - began) * 1000)
        finally:
            role.terminate()
            role.communicate(timeout=30)
    quantiles = statistics.quantiles(taken, n=20)
    note = (
        f"p50 {quantiles[9]:.1f} ms, most {max(taken):.1f}; one event at a time, the role in its own process"
    )
    what = f"{name}: stored event to signed head, p95"
    results.add(Figure(GROUP, what, quantiles[18], "ms", aim=20, less=True, note=note))


def _until_signed(world: LogWorld, size: int, patience: float) -> None:
    deadline = time.perf_counter() + patience
    while (head := world.log.head()) is None or head.size < size:
        assert time.perf_counter() < deadline, "it was never signed"
        time.sleep(0.0005)


def _settled(world: LogWorld) -> int:
    """The size once everything that the role says of itself at its start is signed."""
    while world.log.state().position != world.store.head():
        time.sleep(0.01)
    size = world.log.state().size
    _until_signed(world, size, 10)
    return size


async def followed(world: LogWorld) -> tuple[float, float]:
    """As the role seals, until everything is sealed: the seconds that took, and those of this process's processor time."""
    began, cpu = time.perf_counter(), time.process_time()
    follower = Follower(world.store, [world.sealer()], world.log, batch=BATCH, gather=0.0, busy=0.0)
    running, last = asyncio.create_task(follower.run()), world.store.head()
    while world.log.state().position != last:  # noqa: ASYNC110 - the log is looked at as any other process would
        await asyncio.sleep(0.02)
    took = time.perf_counter() - began, time.process_time() - cpu
    follower.stop()  # which may take as long as the store is asked to wait for news
    await running
    return took


# -- a backlog --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sqlite", "postgres"])
def test_a_backlog(name: str, tmp_path: Path, flushing_postgres: PostgresServer, results: Results) -> None:
    with a_log(name, tmp_path / "backlog", flushing_postgres) as world:
        stored(world, BACKLOG)
        world.sealer().position()
        took, cpu = asyncio.run(followed(world))
        leaves = list(world.log.leaves(1, world.log.state().size))
        assert len(leaves) == BACKLOG
    raw = raw_postgres if name == "postgres" else raw_sqlite
    where = (
        create_database(flushing_postgres.dsn, "raw_leaves")
        if name == "postgres"
        else str(tmp_path / "raw.db")
    )
    limit = BACKLOG / seconds(lambda: raw(where, leaves))[0]
    rate, note = BACKLOG / took, f"{cpu / BACKLOG * 1e6:.1f} µs of this process's time per event"
    results.add(Figure(GROUP, f"{name}: a backlog beside the raw copy", rate, "events/s", limit, note=note))
    if name == "postgres":
        results.add(Figure(GROUP, "postgres: a backlog", rate, "events/s", aim=50_000))


def raw_postgres(dsn: str, leaves: Sequence[bytes]) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE leaves (n bigint PRIMARY KEY, position bigint, leaf bytea)")
        for first in range(0, len(leaves), BATCH):
            statement = "COPY leaves FROM STDIN (FORMAT BINARY)"
            with connection.transaction(), connection.cursor() as cursor, cursor.copy(statement) as copy:
                copy.set_types(["int8", "int8", "bytea"])
                for number, leaf in enumerate(leaves[first : first + BATCH], first):
                    hashlib.sha256(leaf).digest()
                    copy.write_row((number, number, leaf))


def raw_sqlite(path: str, leaves: Sequence[bytes]) -> None:
    connection = open_sqlite(Path(path))
    connection.execute("CREATE TABLE leaves (n INTEGER PRIMARY KEY, position INTEGER, leaf BLOB)")

    def some(first: int) -> Iterator[tuple[int, int, bytes]]:
        for number, leaf in enumerate(leaves[first : first + BATCH], first):
            hashlib.sha256(leaf).digest()
            yield number, number, leaf

    for first in range(0, len(leaves), BATCH):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO leaves VALUES (?, ?, ?)", some(first))
        connection.execute("COMMIT")
    connection.close()


# -- a million --------------------------------------------------------------------------------------------------------


def test_a_million_leaves(tmp_path: Path, flushing_postgres: PostgresServer, results: Results) -> None:
    with a_log("sqlite", tmp_path / "million", flushing_postgres) as world:
        stored(world, MILLION)
        world.sealer().position()
        took, _ = asyncio.run(followed(world))
        leaf = world.log.leaf(12_345)
        limit = sha256_rate(leaf, 200_000)
        note = "the limit is SHA-256 of the leaves alone"
        results.add(
            Figure(GROUP, "sqlite: 1,000,000 leaves sealed", MILLION / took, "events/s", limit, note=note)
        )
        _prove(world, results)
        took, _ = seconds(lambda: reconcile(world.store, world.log))
        results.add(
            Figure(
                GROUP,
                "sqlite: 1,000,000 leaves checked (huiyin log check)",
                MILLION / took,
                "events/s",
                limit,
            )
        )
        size = (tmp_path / "million" / "log.db").stat().st_size / 1e6
        results.add(Figure(GROUP, "sqlite: log.db of 1,000,000 leaves of 640 bytes", size, "MB"))


def _prove(world: LogWorld, results: Results) -> None:
    state, chance = world.log.state(), random.Random(1)
    indexes = [chance.randrange(state.size) for _ in range(PROOFS)]
    proofs = Proofs(world.log, keep=8192)
    nodes = sha256_rate(bytes(65), 500_000)

    def prove() -> list[list[bytes]]:
        return [proofs.inclusion(index, state.size) for index in indexes]

    for name in ("cold", "warm"):
        took, _ = seconds(prove)
        note = "the limit is the SHA-256 of as many path nodes"
        what = f"inclusion proofs in 1,000,000 leaves, {name}"
        results.add(Figure(GROUP, what, PROOFS / took, "proofs/s", nodes / 20, note=note))
    olds = [chance.randrange(1, state.size) for _ in range(1000)]

    def consistent(of: Proofs) -> None:
        for old in olds:
            of.consistency(old, state.size)

    for name, of in (("cold", Proofs(world.log, keep=8192)), ("warm", proofs)):
        took, _ = seconds(partial(consistent, of))
        what = f"consistency proofs in 1,000,000 leaves, {name}"
        results.add(Figure(GROUP, what, 1000 / took, "proofs/s", nodes / 20))
    _verify(world, results, indexes[:2000], nodes)


def _verify(world: LogWorld, results: Results, indexes: Sequence[int], nodes: float) -> None:
    state, proofs = world.log.state(), Proofs(world.log)
    hashes = hashes_of([world.log.leaf(index) for index in indexes])
    made = [proofs.inclusion(index, state.size) for index in indexes]

    def verify() -> None:
        for hashed, index, proof in zip(hashes, indexes, made, strict=True):
            verify_inclusion(hashed, index, state.size, proof, state.root)

    took, _ = seconds(verify)
    results.add(Figure(GROUP, "inclusion proofs verified", len(indexes) / took, "proofs/s", nodes / 20))
    old = state.size // 3
    proof, old_root = proofs.consistency(old, state.size), proofs.root(old)
    took, _ = seconds(
        lambda: [verify_consistency(old, state.size, proof, old_root, state.root) for _ in range(2000)]
    )
    results.add(Figure(GROUP, "consistency proofs verified", 2000 / took, "proofs/s", nodes / len(proof) / 2))


def sha256_rate(data: bytes, count: int) -> float:
    """Hashes per second of so many bytes."""
    sha256 = hashlib.sha256
    began = time.perf_counter()
    for _ in range(count):
        sha256(data).digest()
    return count / (time.perf_counter() - began)
