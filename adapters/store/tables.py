"""A few tables of their own: a SQLite file, or a schema of a PostgreSQL database. `?` stands for a parameter."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg

from adapters.store.out_of_reach import reported
from adapters.store.postgres_link import OPTIONS, advisory_key, connect, is_postgres
from adapters.store.postgres_pool import Connections
from adapters.store.sqlite_files import ReadingDatastore, WriterFile, sqlite_path

MOST = 8
"""Connections of one process at most."""


class Work(Protocol):
    """One write transaction."""

    def run(self, statement: str, *parameters: object) -> int:
        """Write; returns how many rows were written."""
        ...

    def run_all(self, statement: str, rows: Sequence[Sequence[object]]) -> int:
        """Write once for every row of parameters; returns how many rows were written."""
        ...

    def rows(self, statement: str, *parameters: object) -> list[Any]:
        """Read; the rows are tuples."""
        ...


class Tables(Protocol):
    """The tables. Every method may raise domain.refusal.Unavailable."""

    clock: str
    """The database's own clock, as SQL: microseconds since 1970. Hosts that share the tables share it too."""

    def rows(self, statement: str, *parameters: object) -> list[Any]:
        """Read, by one statement; the rows are tuples."""
        ...

    def run(self, statement: str, *parameters: object) -> int:
        """Write, in a transaction of its own; returns how many rows were written."""
        ...

    def transaction(self) -> AbstractContextManager[Work]:
        """One write transaction; an exception undoes all of it."""
        ...

    def close(self) -> None:
        """Let go of all connections."""
        ...


def open_tables(url: str, name: str, statements: tuple[str, ...], *, flushed: bool = True) -> Tables:
    """The tables at a file, a folder (`NAME.db` in it) or a DSN (schema NAME), made where missing. Raises Unavailable.

    Unless `flushed`, a write does not wait for the disk: a power cut takes the newest ones away, never one without all
    that were written after it. That is enough for what is made again from the record.
    """
    if is_postgres(url):
        return _Postgres(url, name, statements, flushed)
    return _Sqlite(sqlite_path(url, f"{name}.db"), statements, flushed)


class _Sqlite:
    clock = "CAST(ROUND((julianday('now') - 2440587.5) * 86400000000) AS INTEGER)"

    def __init__(self, path: Path, statements: tuple[str, ...], flushed: bool) -> None:
        self._file = WriterFile(path, statements, synchronous="FULL" if flushed else "NORMAL")
        self._readers = ReadingDatastore(path)

    def rows(self, statement: str, *parameters: object) -> list[Any]:
        with reported():
            return [tuple(row) for row in self._readers.rows(statement, *parameters)]

    def run(self, statement: str, *parameters: object) -> int:
        with self.transaction() as work:
            return work.run(statement, *parameters)

    @contextmanager
    def transaction(self) -> Iterator[Work]:
        with reported(), self._file.transaction() as connection:
            yield _SqliteWork(connection)

    def close(self) -> None:
        self._readers.close()
        self._file.close()


class _SqliteWork:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, statement: str, *parameters: object) -> int:
        return self._connection.execute(statement, parameters).rowcount

    def run_all(self, statement: str, rows: Sequence[Sequence[object]]) -> int:
        return self._connection.executemany(statement, rows).rowcount if rows else 0

    def rows(self, statement: str, *parameters: object) -> list[Any]:
        return self._connection.execute(statement, parameters).fetchall()


class _Postgres:
    clock = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"

    def __init__(self, dsn: str, schema: str, statements: tuple[str, ...], flushed: bool) -> None:
        self._dsn, self._schema, self._flushed = dsn, schema, flushed
        with reported(), connect(dsn) as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [advisory_key(schema, "migrate")])
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}".encode())
            connection.execute(f"SET LOCAL search_path TO {schema}".encode())
            for statement in statements:
                connection.execute(statement.encode())
        self._pool = Connections(self._connected, MOST)

    def _connected(self) -> psycopg.Connection[Any]:
        connection = connect(self._dsn, options=f"{OPTIONS} -c search_path={self._schema}")
        if not self._flushed:
            connection.execute("SET synchronous_commit = off")
        return connection

    def rows(self, statement: str, *parameters: object) -> list[Any]:
        with reported(), self._pool.connection() as connection:
            return connection.execute(_said(statement), parameters).fetchall()

    def run(self, statement: str, *parameters: object) -> int:
        with reported(), self._pool.connection() as connection:  # in autocommit: a transaction of its own
            return connection.execute(_said(statement), parameters).rowcount

    @contextmanager
    def transaction(self) -> Iterator[Work]:
        with reported(), self._pool.connection() as connection, connection.transaction():
            yield _PostgresWork(connection)

    def close(self) -> None:
        self._pool.close()


class _PostgresWork:
    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def run(self, statement: str, *parameters: object) -> int:
        return self._connection.execute(_said(statement), parameters).rowcount

    def run_all(self, statement: str, rows: Sequence[Sequence[object]]) -> int:
        if not rows:
            return 0
        with self._connection.cursor() as cursor:
            cursor.executemany(_said(statement), rows)
            return cursor.rowcount

    def rows(self, statement: str, *parameters: object) -> list[Any]:
        return self._connection.execute(_said(statement), parameters).fetchall()


def _said(statement: str) -> bytes:
    return statement.replace("?", "%s").encode()
