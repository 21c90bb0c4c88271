"""Which processes are there: each holds a lock of its own that dies with it, so that what a dead one left is known.

On SQLite it is a file beside the tables' own, which the system unlocks; on PostgreSQL an advisory lock of a connection,
which the server lets go of. A process whose connection was cut may be taken for gone while it lives: whoever clears up
after it must make sure that it learns so (adapters/arriving.py).
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path
from threading import Lock
from typing import Any, Protocol
from uuid import uuid4

import psycopg

from adapters.store.file_lock import FileLock
from adapters.store.out_of_reach import reported
from adapters.store.postgres_link import advisory_key, connect, is_postgres
from adapters.store.postgres_pool import alive
from adapters.store.sqlite_files import sqlite_path


class Holding(Protocol):
    """The processes at some tables. Every method may raise domain.refusal.Unavailable."""

    def mine(self) -> str:
        """The name under which this process is there, from now on; another one after its connection was cut."""
        ...

    def gone(self, names: Collection[str]) -> set[str]:
        """Those of these names that no process has any more."""
        ...

    def close(self) -> None:
        """This process is gone."""
        ...


def holding(url: str, name: str) -> Holding:
    """The processes at the tables that `open_tables` opens under the same url and name."""
    return _Connected(url, name) if is_postgres(url) else _Beside(sqlite_path(url, f"{name}.db"))


class _Beside:
    def __init__(self, tables: Path) -> None:
        self._tables = tables
        # Under it a lock is made and removed: nobody locks a file that another one is just removing.
        self._guard = FileLock(tables.with_suffix(".holders.lock"))
        self._mutex, self._held = Lock(), ExitStack()
        self._mine: str | None = None

    def mine(self) -> str:
        with self._mutex:
            if self._mine is None:
                name = uuid4().hex
                with self._guard.held():
                    self._held.enter_context(FileLock(self._file(name)).tried())
                self._mine = name
            return self._mine

    def gone(self, names: Collection[str]) -> set[str]:
        with self._guard.held():
            for file in self._tables.parent.glob(self._file("*").name):
                with FileLock(file).tried() as free:
                    if free:
                        file.unlink()
            return {name for name in names if not self._file(name).exists()}

    def close(self) -> None:
        with self._mutex:
            self._held.close()
            if self._mine is not None:
                self._file(self._mine).unlink(missing_ok=True)
                self._mine = None

    def _file(self, name: str) -> Path:
        return self._tables.with_suffix(f".holder-{name}.lock")


class _Connected:
    def __init__(self, dsn: str, schema: str) -> None:
        self._dsn, self._schema = dsn, schema
        self._mutex, self._mine = Lock(), ""
        self._connection: psycopg.Connection[Any] | None = None

    def mine(self) -> str:
        with self._mutex, reported():
            if self._connection is None or not alive(self._connection):
                name, connection = uuid4().hex, connect(self._dsn)
                connection.execute("SELECT pg_advisory_lock(%s)", [self._key(name)])
                self._mine, self._connection = name, connection
            return self._mine

    def gone(self, names: Collection[str]) -> set[str]:
        if not names:
            return set()
        asked = "SELECT pg_try_advisory_xact_lock_shared(%s)"
        with reported(), connect(self._dsn) as connection:
            return {
                name for name in names if connection.execute(asked, [self._key(name)]).fetchone() == (True,)
            }

    def close(self) -> None:
        with self._mutex:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _key(self, name: str) -> int:
        return advisory_key(self._schema, "holder", name)
