"""Speed of the event stores against raw inserts of the same rows, measured in the same run.

`make bench ARGS="-k store"` prints a table and writes `.bench/store.json`. A command is one event of about 600
bytes and its command row. Raw is a plain INSERT of the same two rows into the same tables, one commit each, one
connection per writer; on SQLite, where writers exclude each other, they share one.
"""

import json
import os
import platform
import sqlite3
import statistics
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from rich.console import Console
from rich.table import Table

from adapters.store.moment import as_microseconds
from adapters.store.postgres import PostgresStore
from adapters.store.sqlite import SqliteStore
from adapters.store.sqlite_files import open_sqlite
from tests.contract.store_world import new_id
from tests.servers import PostgresServer, create_database
from workflows.ports import Answered, Append, Batch

pytestmark = pytest.mark.benchmark

WRITERS = (1, 4, 16)
SECONDS = 3.0
RESULTS = Path(__file__).resolve().parents[2] / ".huiyin" / "bench" / "store.json"
FILLING = "x" * 500

Store = SqliteStore | PostgresStore
figures: dict[str, Any] = {}


def command() -> Batch:
    stream, now = new_id(), datetime.now(UTC)
    body = f'{{"nonce":"{uuid.uuid4().hex}","pub":{{"filling":"{FILLING}"}},"stream":"{stream}"}}'.encode()
    answered = Answered("bench", new_id(), "0" * 64, stream, "accepted", b'{"version":1}', now)
    return Batch((Append(stream, 0, (("matter_noted.v1", body),)),), now, answered)


def as_rows(batch: Batch) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    (append,), a = batch.appends, batch.answered
    assert a is not None
    at = as_microseconds(batch.recorded_at)
    ((name, body),) = append.events
    return (a.client, a.key, a.digest, a.stream, a.outcome, a.answer, at), (append.stream, 1, name, body, at)


def rate(writers: int, once: Callable[[int], None]) -> dict[str, float]:
    """Commands per second of so many threads, and the time that one takes (ms)."""
    stop = time.perf_counter() + SECONDS
    taken: list[float] = []

    def work(number: int) -> None:
        while (begun := time.perf_counter()) < stop:
            once(number)
            taken.append(time.perf_counter() - begun)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    quantiles = statistics.quantiles(taken, n=100)
    return {"per_s": len(taken) / SECONDS, "p50_ms": quantiles[49] * 1000, "p99_ms": quantiles[98] * 1000}


def raw_sqlite(path: Path, writers: int, synchronous: str) -> dict[str, float]:
    connection, lock = open_sqlite(path, synchronous=synchronous), threading.Lock()

    def once(_: int) -> None:
        row, event = as_rows(command())
        with lock:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO commands VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            connection.execute(
                "INSERT INTO stored_events (originator_id, originator_version, topic, state, known_at)"
                " VALUES (?, ?, ?, ?, ?)",
                event,
            )
            connection.execute("COMMIT")

    measured = rate(writers, once)
    connection.close()
    return measured


RAW_POSTGRES = """WITH command AS (INSERT INTO cases.commands VALUES (%b, %b, %b, %b, %b, %b, %b))
    INSERT INTO cases.stored_events (originator_id, originator_version, topic, state, known_at)
    VALUES (%b, %b, %b, %b, %b)"""


def raw_postgres(dsn: str, writers: int) -> dict[str, float]:
    connections = [psycopg.connect(dsn, autocommit=True) for _ in range(writers)]

    def once(number: int) -> None:
        row, event = as_rows(command())
        connections[number].execute(RAW_POSTGRES, (*row, *event), prepare=True)

    measured = rate(writers, once)
    for connection in connections:
        connection.close()
    return measured


@pytest.fixture(scope="module")
def durable_server() -> Iterator[PostgresServer]:
    with PostgresServer(durable=True) as server:
        yield server


@pytest.fixture(scope="module", autouse=True)
def _report() -> Iterator[None]:
    figures["machine"] = {
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
    yield
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=1, sort_keys=True))
    table = Table(
        "store", "writers", "raw/s", "store/s", "ratio", "raw p99 ms", "store p99 ms", title="commands"
    )
    for row in figures.get("append", []):
        raw, ours = row["raw"], row["store"]
        table.add_row(
            *(row["name"], str(row["writers"]), f"{raw['per_s']:,.0f}", f"{ours['per_s']:,.0f}"),
            *(f"{row['ratio']:.2f}", f"{raw['p99_ms']:.2f}", f"{ours['p99_ms']:.2f}"),
        )
    reads = Table("store", "read/s", "load 10 ms", "load 50 ms", "load 500 ms", title="reading")
    for row in figures.get("read", []):
        loads = [f"{row['load_ms'][str(length)]:.3f}" for length in (10, 50, 500)]
        reads.add_row(row["name"], f"{row['events_per_s']:,.0f}", *loads)
    Console().print(table, reads, f"written to {RESULTS}")


def note(name: str, writers: int, raw: dict[str, float], ours: dict[str, float]) -> None:
    ratio = ours["per_s"] / raw["per_s"]
    figures.setdefault("append", []).append(
        {"name": name, "writers": writers, "raw": raw, "store": ours, "ratio": ratio}
    )


@pytest.mark.parametrize("synchronous", ["FULL", "NORMAL"])
@pytest.mark.parametrize("writers", WRITERS)
def test_commands_on_sqlite(tmp_path: Path, writers: int, synchronous: str) -> None:
    store = SqliteStore(tmp_path / "cases.db", synchronous=synchronous)
    store.append(command())
    ours = rate(writers, lambda _: store.append(command()) and None)
    store.close()
    raw = raw_sqlite(tmp_path / "cases.db", writers, synchronous)
    note(f"sqlite {synchronous}", writers, raw, ours)
    assert ours["per_s"] > 0


@pytest.mark.parametrize("writers", WRITERS)
def test_commands_on_postgres(durable_server: PostgresServer, writers: int) -> None:
    dsn = create_database(durable_server.dsn, f"bench_{writers}")
    store = PostgresStore(dsn)
    store.append(command())
    raw = raw_postgres(dsn, writers)
    ours = rate(writers, lambda _: store.append(command()) and None)
    store.close()
    note("postgres", writers, raw, ours)
    assert ours["per_s"] > 0


def test_reading_on_sqlite(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "cases.db")
    measure_reading("sqlite", store)
    store.close()


def test_reading_on_postgres(durable_server: PostgresServer) -> None:
    store = PostgresStore(create_database(durable_server.dsn, "bench_read"))
    measure_reading("postgres", store)
    store.close()


def measure_reading(name: str, store: Store) -> None:
    streams = {}
    for length in (10, 50, 500):
        stream = new_id()
        body = command().appends[0].events[0]
        streams[length] = stream
        store.append(Batch((Append(stream, 0, (body,) * length),), datetime.now(UTC)))
    for _ in range(10):
        store.append_all([command() for _ in range(2000)])
    position, count, begun = 0, 0, time.perf_counter()
    while page := store.read(position, 500):
        position, count = page[-1].position, count + len(page)
    events_per_s = count / (time.perf_counter() - begun)
    assert count > 20_000
    load = {
        str(length): timed(lambda stream=stream: store.load(stream)) for length, stream in streams.items()
    }
    figures.setdefault("read", []).append({"name": name, "events_per_s": events_per_s, "load_ms": load})


def timed(act: Callable[[], object]) -> float:
    """The median of 200 runs, in milliseconds."""
    taken = []
    for _ in range(200):
        begun = time.perf_counter()
        act()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1000
