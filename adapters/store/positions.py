"""How far each consumer has come, and who leads it (DESIGN.md §6, §9).

A consumer reads the store in order and saves its position in the transaction of its own rows, by compare-and-set:
of two that take themselves for the leader, one saves and the other learns it. `position` and `save` work on any
connection of the views database, inside the caller's transaction; `leader` keeps a second process from working in
vain.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeAlias

import psycopg
from psycopg.rows import tuple_row

from adapters.failpoint import failpoint
from adapters.store.file_lock import FileLock
from adapters.store.out_of_reach import reported
from adapters.store.postgres_link import advisory_key, connect, is_postgres, pool
from adapters.store.sqlite_files import WriterFile, sqlite_path
from domain.refusal import Conflict

Connection: TypeAlias = sqlite3.Connection | psycopg.Connection[Any]
"""A connection of the views database; on PostgreSQL its rows are tuples and the table is `views.positions`."""

_TABLE = "CREATE TABLE IF NOT EXISTS {} (consumer TEXT PRIMARY KEY, position BIGINT NOT NULL)"


def create_positions(connection: Connection) -> None:
    """Make the table where it is missing."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute(_TABLE.format("positions"))
    elif connection.execute("SELECT to_regclass('views.positions')").fetchone() == (None,):
        connection.execute("CREATE SCHEMA IF NOT EXISTS views")
        connection.execute(_TABLE.format("views.positions"))


def position(connection: Connection, consumer: str) -> int:
    """The position up to which the consumer has done its work; 0 before it has begun."""
    if isinstance(connection, sqlite3.Connection):
        row = connection.execute("SELECT position FROM positions WHERE consumer = ?", (consumer,)).fetchone()
    else:
        row = connection.execute(
            "SELECT position FROM views.positions WHERE consumer = %s", (consumer,)
        ).fetchone()
    return row[0] if row else 0


def all_positions(connection: Connection) -> list[tuple[str, int]]:
    """Every consumer with its position."""
    table = "positions" if isinstance(connection, sqlite3.Connection) else "views.positions"
    return list(connection.execute(f"SELECT consumer, position FROM {table} ORDER BY consumer"))


def save(connection: Connection, consumer: str, expected: int, new: int) -> None:
    """Move the consumer from `expected` to `new` inside the caller's transaction.

    Raises domain.refusal.Conflict if it stands elsewhere: another process has done this work; roll back and read
    the position again.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.execute("INSERT INTO positions VALUES (?, 0) ON CONFLICT DO NOTHING", (consumer,))
        moved = connection.execute(
            "UPDATE positions SET position = ? WHERE consumer = ? AND position = ?", (new, consumer, expected)
        ).rowcount
    else:
        connection.execute("INSERT INTO views.positions VALUES (%s, 0) ON CONFLICT DO NOTHING", (consumer,))
        moved = connection.execute(
            "UPDATE views.positions SET position = %s WHERE consumer = %s AND position = %s",
            (new, consumer, expected),
        ).rowcount
    if moved != 1:
        raise Conflict(f"{consumer} does not stand at {expected}")
    failpoint("positions.after_save")


class StoredPositions:
    """The port Positions over the views database, and the transaction in which a consumer saves its rows too."""

    def __init__(self, url: str) -> None:
        """`url` as for open_store: a file, a folder (`views.db` in it) or a DSN. Raises Unavailable.

        Views can be rebuilt, so that on SQLite a power cut may undo the last transactions, rows and position alike.
        """
        self._database: _Sqlite | _Postgres = _Postgres(url) if is_postgres(url) else _Sqlite(url)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One write transaction on the views database, for rows and position together. Raises Unavailable."""
        with reported(), self._database.transaction() as connection:
            yield connection

    def position(self, consumer: str) -> int:
        """The consumer's position. Raises Unavailable."""
        with self.transaction() as connection:
            return position(connection, consumer)

    def save(self, consumer: str, expected: int, new: int) -> None:
        """Compare-and-set in a transaction of its own. Raises Conflict, Unavailable."""
        with self.transaction() as connection:
            save(connection, consumer, expected, new)

    def beginning_with(self, prefix: str) -> dict[str, int]:
        """The consumers whose name begins so and that stand somewhere, with their positions. Raises Unavailable."""
        with self.transaction() as connection:
            rows = all_positions(connection)
        return {name: at for name, at in rows if name.startswith(prefix) and at}

    @contextmanager
    def leader(self, consumer: str) -> Iterator[bool]:
        """Try to lead the consumer; yields whether it does, and lets go at the end. Raises Unavailable.

        A leader whose connection is lost may be joined by another one; what both do is still saved once.
        """
        if not consumer.replace("-", "").replace("_", "").isalnum():
            raise ValueError("a consumer's name is letters, digits, - and _")
        with reported(), self._database.leader(consumer) as leads:
            yield leads

    def close(self) -> None:
        """Close the connections."""
        self._database.close()


class _Sqlite:
    def __init__(self, url: str) -> None:
        path = sqlite_path(url, "views.db")
        self._folder = path.parent
        self._file = WriterFile(path, (_TABLE.format("positions"),), synchronous="NORMAL")

    def transaction(self) -> AbstractContextManager[Connection]:
        return self._file.transaction()

    def leader(self, consumer: str) -> AbstractContextManager[bool]:
        return FileLock(self._folder / f"leader-{consumer}.lock").tried()

    def close(self) -> None:
        self._file.close()


class _Postgres:
    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        with reported(), connect(dsn) as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [advisory_key("views", "migrate")])
            create_positions(connection)
        self._pool = pool(dsn, "views")

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with self._pool.get_connection() as connection, connection.transaction():
            connection.row_factory = tuple_row  # type: ignore[assignment]  # the library's pool gives dicts
            yield connection

    @contextmanager
    def leader(self, consumer: str) -> Iterator[bool]:
        with connect(self._dsn) as connection:
            row = connection.execute(
                "SELECT pg_try_advisory_lock(%s)", [advisory_key("leader", consumer)]
            ).fetchone()
            yield bool(row and row[0])

    def close(self) -> None:
        self._pool.close()
