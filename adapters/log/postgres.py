"""The log as a schema, `log`, of a PostgreSQL database: the store's own, or better another server's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg

from adapters.log.schema import COLUMNS, KINDS, POSTGRES, POSTGRES_ONLY, TABLES, VERSION
from adapters.store.out_of_reach import reported
from adapters.store.postgres_columns import bigints, binaries, texts, understood_by
from adapters.store.postgres_link import OPTIONS, advisory_key, connect, refuse_database_functions
from adapters.store.postgres_pool import Connections

SCHEMA = "log"
LARGE = {"bundles"}
"""Few rows of many bytes: sent one by one, in one go; as columns they would be copied several times on the way."""
MOST = 16
"""Connections of one process at most."""

_COLUMN: dict[str, tuple[Callable[[Any], bytes], str]] = {
    "integer": (bigints, "bigint"),
    "bytes": (binaries, "bytea"),
    "text": (texts, "text"),
}


class PostgresDatabase:
    """The protocol Database over one schema."""

    def __init__(self, dsn: str) -> None:
        """Connect, and make the tables where they are missing. Raises Unavailable, ValueError for a newer log.

        Refused("db_functions_enabled", …) as the event store does: with them the sealer could miss events.
        """
        refuse_database_functions()
        self._dsn = dsn
        with reported(), self._connected() as connection:
            self._make(connection)
        self._pool = Connections(self._connected, MOST)

    def rows(self, statement: str, *parameters: object) -> list[Any]:
        """Read."""
        with reported(), self._pool.connection() as connection:
            return _Work(connection).rows(statement, *parameters)

    def streams(self, streams: Iterable[str]) -> list[Any]:
        """Rows of the table streams."""
        return self.rows(
            f"SELECT {', '.join(COLUMNS['streams'])} FROM streams WHERE stream = ANY(?)", texts(list(streams))
        )

    @contextmanager
    def transaction(self) -> Iterator[_Work]:
        """One transaction on a connection of the pool."""
        with reported(), self._pool.connection() as connection, connection.transaction():
            yield _Work(connection)

    @contextmanager
    def leader(self, consumer: str) -> Iterator[bool]:
        """An advisory lock on a connection of its own."""
        with reported(), connect(self._dsn) as connection:
            key = advisory_key("leader", SCHEMA, consumer)
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone()
            yield bool(row and row[0])

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def _connected(self) -> psycopg.Connection[Any]:
        connection = connect(self._dsn, options=f"{OPTIONS} -c search_path={SCHEMA}")
        understood_by(connection)
        return connection

    def _make(self, connection: psycopg.Connection[Any]) -> None:
        if connection.execute("SELECT to_regclass('log.meta')").fetchone() == (None,):
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", [advisory_key(SCHEMA, "migrate")])
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
                for statement in (*(each.format(**POSTGRES) for each in TABLES), *POSTGRES_ONLY):
                    connection.execute(statement)
                connection.execute(
                    "INSERT INTO meta VALUES ('version', %s) ON CONFLICT DO NOTHING", [str(VERSION)]
                )
        row = connection.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()
        if row is None or int(row[0]) > VERSION:
            raise ValueError("this log was written by a newer release: use that one")


class _Work:
    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def run(self, statement: str, *parameters: object) -> int:
        return self._connection.execute(_said(statement), parameters, prepare=True).rowcount

    def rows(self, statement: str, *parameters: object) -> list[Any]:
        with self._connection.cursor(binary=True) as cursor:
            return cursor.execute(_said(statement), parameters, prepare=True).fetchall()

    def add(self, table: str, rows: Sequence[tuple[Any, ...]], on_conflict: str = "") -> int:
        if not rows:
            return 0
        if table in LARGE:
            with self._connection.cursor() as cursor:
                cursor.executemany(_insert_one(table, on_conflict), rows)
                return cursor.rowcount
        columns = zip(*rows, strict=True)
        made = [
            _COLUMN[KINDS[name]][0](list(column))
            for name, column in zip(COLUMNS[table], columns, strict=True)
        ]
        return self._connection.execute(_insert(table, on_conflict), made, prepare=True, binary=True).rowcount


@lru_cache
def _said(statement: str) -> bytes:
    return statement.replace("?", "%b").encode()


@lru_cache
def _insert(table: str, on_conflict: str) -> bytes:
    columns = COLUMNS[table]
    given = ", ".join(f"%b::{_COLUMN[KINDS[name]][1]}[]" for name in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM unnest({given}) {on_conflict}".encode()


@lru_cache
def _insert_one(table: str, on_conflict: str) -> bytes:
    columns = COLUMNS[table]
    marks = ", ".join(["%b"] * len(columns))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) {on_conflict}".encode()
