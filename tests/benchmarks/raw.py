"""The limit: plain inserts of the very rows that `handle` wrote, one transaction and one round trip per command.

The rows of some lives are kept as they are written, then inserted again and again into the tables of a store of
their own, under other ids of the same length. The keys that `handle` makes durable besides, in a database of their
own, are left out: the limit is the faster for it.
"""

import itertools
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import psycopg

from adapters.store.file_lock import FileLock
from adapters.store.moment import as_microseconds
from adapters.store.postgres import PostgresStore
from adapters.store.sqlite import SqliteStore
from adapters.store.sqlite_files import open_sqlite
from tests.benchmarks.world import READY_SECONDS
from workflows.ports import Batch

WIDTHS = {"commands": 7, "stored_events": 5, "refs": 3, "sealed_values": 5}
COLUMNS = {
    "commands": "(client, key, digest, stream, outcome, answer, recorded_at)",
    "stored_events": "(originator_id, originator_version, topic, state, known_at)",
    "refs": "(source, digest, stream)",
    "sealed_values": "(digest, stream, subject, name, ciphertext)",
}


Rows: TypeAlias = tuple[tuple[str, tuple[Any, ...]], ...]
"""What one command writes: table and row, in order."""


class Kept:
    """Stands before an event store and keeps every batch that passes."""

    def __init__(self, store: Any) -> None:
        self._store, self.batches = store, list[Batch]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def append(self, batch: Batch) -> tuple[int, ...]:
        """Hand it on and keep it."""
        positions: tuple[int, ...] = self._store.append(batch)
        self.batches.append(batch)
        return positions


def rows_of(batch: Batch) -> Rows:
    """The rows of a batch."""
    a, at = batch.answered, as_microseconds(batch.recorded_at)
    assert a is not None
    inserts: list[tuple[str, tuple[Any, ...]]] = [
        ("commands", (a.client, a.key, a.digest, a.stream, a.outcome, a.answer, at))
    ]
    for append in batch.appends:
        for number, (name, body) in enumerate(append.events, start=1):
            inserts.append(("stored_events", (append.stream, append.after + number, name, body, at)))
    inserts += [("refs", tuple(reference)) for reference in batch.references]
    inserts += [("sealed_values", tuple(sealed)) for sealed in batch.sealed]
    return tuple(inserts)


def fresh(kept: Sequence[Rows], writer: int) -> Iterator[Rows]:
    """The kept rows without end, each round under ids that were never used: of streams, commands and references."""
    for turn in itertools.count():
        mark = f"{writer:03x}{turn:05x}"
        for rows in kept:
            yield tuple((table, _marked(table, row, mark)) for table, row in rows)


def _marked(table: str, row: tuple[Any, ...], mark: str) -> tuple[Any, ...]:
    if table == "commands":
        return (row[0], mark + row[1][8:], row[2], mark + row[3][8:], *row[4:])
    if table == "stored_events":
        return (mark + row[0][8:], *row[1:])
    if table == "refs":
        return (row[0], mark + row[1][8:], mark + row[2][8:])
    return (row[0], mark + row[1][8:], *row[2:])


def into_sqlite(barrier: Any, writer: int, path: Path, kept: Sequence[Rows], seconds: float) -> list[float]:
    """One writer of a SQLite file; writers exclude each other by a file lock, as ours do."""
    connection, lock = open_sqlite(path), FileLock(path.with_suffix(".raw"))
    statements = {
        table: f"INSERT INTO {table} {COLUMNS[table]} VALUES ({', '.join('?' * width)})"
        for table, width in WIDTHS.items()
    }

    def write(rows: Rows) -> None:
        with lock.held():
            connection.execute("BEGIN IMMEDIATE")
            for table, row in rows:
                connection.execute(statements[table], row)
            connection.execute("COMMIT")

    barrier.wait(READY_SECONDS)
    taken = _run(write, kept, writer, seconds)
    connection.close()
    return taken


def into_postgres(barrier: Any, writer: int, dsn: str, kept: Sequence[Rows], seconds: float) -> list[float]:
    """One writer with a connection of its own; all rows of a command go in one prepared statement."""
    connection = psycopg.connect(dsn, autocommit=True)

    def write(rows: Rows) -> None:
        statement = " ".join(_with(n, table) for n, (table, _) in enumerate(rows)) + " SELECT 1"
        parameters = [value for _, row in rows for value in row]
        connection.execute(statement, parameters, prepare=True)

    barrier.wait(READY_SECONDS)
    taken = _run(write, kept, writer, seconds)
    connection.close()
    return taken


def _with(n: int, table: str) -> str:
    values = ", ".join(["%b"] * WIDTHS[table])
    return f"{', ' if n else 'WITH '}i{n} AS (INSERT INTO cases.{table} {COLUMNS[table]} VALUES ({values}))"


def _run(write: Any, kept: Sequence[Rows], writer: int, seconds: float) -> list[float]:
    taken: list[float] = []
    source, stop = fresh(kept, writer), time.perf_counter() + seconds
    while (begun := time.perf_counter()) < stop:
        write(next(source))
        taken.append(time.perf_counter() - begun)
    return taken


def make_tables(path: Path | None, dsn: str | None) -> None:
    """An empty store, made by our own schema."""
    store = PostgresStore(dsn) if dsn else SqliteStore(path or Path())
    store.close()
