"""The tables of access: `access.db`, or a schema `access` of a PostgreSQL database. `?` stands for a parameter."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Protocol

import psycopg

from adapters.store.out_of_reach import reported
from adapters.store.postgres_link import OPTIONS, advisory_key, connect, is_postgres
from adapters.store.postgres_pool import Connections
from adapters.store.sqlite_files import ReadingDatastore, WriterFile, sqlite_path

SCHEMA = "access"
MOST = 8
"""Connections of one process at most."""

TABLES = (
    "CREATE TABLE IF NOT EXISTS system_keys (id TEXT PRIMARY KEY, digest TEXT NOT NULL, person TEXT NOT NULL,"
    " body TEXT NOT NULL, source TEXT NOT NULL, made_at BIGINT NOT NULL, ends_at BIGINT)",
    "CREATE TABLE IF NOT EXISTS subjects (digest TEXT PRIMARY KEY, person TEXT NOT NULL, made_at BIGINT NOT NULL)",
)
"""`digest` of a key is the SHA-256 of its secret; of a subject the HMAC of issuer and `sub` under the store's secret.
Moments are microseconds since 1970 (UTC)."""


class AccessStore(Protocol):
    """The tables. Every method may raise domain.refusal.Unavailable."""

    def rows(self, statement: str, *parameters: object) -> list[Any]:
        """Read; the rows are tuples."""
        ...

    def run(self, statement: str, *parameters: object) -> int:
        """Write, in a transaction of its own; returns how many rows were written."""
        ...

    def close(self) -> None:
        """Let go of all connections."""
        ...


def open_access(url: str) -> AccessStore:
    """The tables at a file, a folder (`access.db` in it) or a DSN, made where missing. Raises Unavailable."""
    return _Postgres(url) if is_postgres(url) else _Sqlite(sqlite_path(url, "access.db"))


class _Sqlite:
    def __init__(self, path: Path) -> None:
        self._file = WriterFile(path, TABLES)
        self._readers = ReadingDatastore(path)

    def rows(self, statement: str, *parameters: object) -> list[Any]:
        with reported():
            return [tuple(row) for row in self._readers.rows(statement, *parameters)]

    def run(self, statement: str, *parameters: object) -> int:
        with reported(), self._file.transaction() as connection:
            written: sqlite3.Cursor = connection.execute(statement, parameters)
            return written.rowcount

    def close(self) -> None:
        self._readers.close()
        self._file.close()


class _Postgres:
    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        with reported(), connect(dsn) as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [advisory_key(SCHEMA, "migrate")])
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            connection.execute(f"SET LOCAL search_path TO {SCHEMA}")
            for statement in TABLES:
                connection.execute(statement.encode())
        self._pool = Connections(self._connected, MOST)

    def _connected(self) -> psycopg.Connection[Any]:
        return connect(self._dsn, options=f"{OPTIONS} -c search_path={SCHEMA}")

    def rows(self, statement: str, *parameters: object) -> list[Any]:
        with reported(), self._pool.connection() as connection:
            return connection.execute(_said(statement), parameters).fetchall()

    def run(self, statement: str, *parameters: object) -> int:
        with reported(), self._pool.connection() as connection, connection.transaction():
            return connection.execute(_said(statement), parameters).rowcount

    def close(self) -> None:
        self._pool.close()


def _said(statement: str) -> bytes:
    return statement.replace("?", "%s").encode()
