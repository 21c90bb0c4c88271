"""SQLite files as we open them: WAL, flushed at every commit, one writer at a time across all processes."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

from eventsourcing.sqlite import SQLiteConnection, SQLiteConnectionPool, SQLiteDatastore

from adapters.store.file_lock import FileLock, open_own
from adapters.store.out_of_reach import reported

BUSY_SECONDS = 5.0
"""How long a statement waits for a process that writes without our lock (a backup, an operator's shell)."""

READERS = 5
READERS_MORE = 59
"""Reading connections kept open, and opened beyond them when many threads read at once."""


def sqlite_path(url: str, default_name: str) -> Path:
    """The file of a path, a folder (then `default_name` in it) or a URL (`sqlite:///abs`, `sqlite:rel`)."""
    if url.startswith("sqlite:"):
        url = url.removeprefix("sqlite:")
        url = url.removeprefix("//")
    if not url or ":memory:" in url or "mode=memory" in url:
        raise ValueError("a store is a file: give a path, not :memory:")
    path = Path(url)
    return path / default_name if path.is_dir() else path


class ReadingPool(SQLiteConnectionPool):
    """The library's pool, for reading alone: the writer has its own connection and holds up no reader."""

    def _create_connection(self) -> SQLiteConnection:
        connection = super()._create_connection()
        connection.cursor().execute("PRAGMA query_only = ON")
        return connection


class ReadingDatastore(SQLiteDatastore):
    """The library's datastore over a ReadingPool."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), originator_id_type="text")
        self.pool = ReadingPool(
            db_name=str(path), lock_timeout=int(BUSY_SECONDS), pool_size=READERS, max_overflow=READERS_MORE
        )

    def rows(self, statement: str, *parameters: object) -> list[Any]:
        """Read by one statement, which is a transaction of its own: nothing to begin and to end."""
        with self.get_connection(commit=False) as connection:
            cursor = connection.cursor()
            cursor.execute(statement, parameters)
            return cursor.fetchall()


class WriterFile:
    """The one connection by which this process writes a SQLite file, under the file lock beside it.

    The lock of `cases.db` is `cases.lock`.
    """

    def __init__(
        self, path: Path, schema: tuple[str, ...], version: int = 1, *, synchronous: str = "FULL"
    ) -> None:
        """Open or make the file and its tables. Raises Unavailable, ValueError for a newer release's file."""
        self.path = path
        self.lock = FileLock(path.with_suffix(".lock"))
        self._mutex = Lock()
        self._synchronous = synchronous
        self._connection: sqlite3.Connection | None = None
        try:
            self._make(schema, version)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction; an exception undoes all of it. Raises sqlite3.Error, Unavailable."""
        with self._mutex, self.lock.held():
            connection = self._opened()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                self._undo(connection)
                raise

    def empty_log(self) -> None:
        """Move the write-ahead log into the file and cut it, so that deleted values do not linger in it."""
        with self._mutex, self.lock.held():
            self._opened().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the connection; a later transaction opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _make(self, schema: tuple[str, ...], version: int) -> None:
        with reported(), self.transaction() as connection:
            (found,) = connection.execute("PRAGMA user_version").fetchone()
            if found > version:
                raise ValueError(f"{self.path.name} was written by a newer release: use that one")
            if found < version:
                for statement in schema:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version}")

    def _undo(self, connection: sqlite3.Connection) -> None:
        # A full disk has undone the transaction already. A connection that cannot even undo is given up,
        # which undoes it as well; the error that led here is the one to report.
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        if connection.in_transaction:
            self.close()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = open_sqlite(self.path, synchronous=self._synchronous)
        return self._connection


def open_sqlite(path: Path, *, synchronous: str = "FULL") -> sqlite3.Connection:
    """A connection in autocommit, WAL; the file is made for its owner only. Raises sqlite3.Error, Unavailable."""
    os.close(open_own(path))
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
        # NORMAL would keep an accepted command from a killed process, not from a power cut (law 2).
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA secure_delete = ON")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
