"""The log as a SQLite file, `log.db`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from adapters.log.schema import COLUMNS, SQLITE, TABLES, VERSION
from adapters.store.file_lock import FileLock
from adapters.store.out_of_reach import reported
from adapters.store.sqlite_files import ReadingDatastore, WriterFile


class SqliteDatabase:
    """The protocol Database over one file; every commit is flushed."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Raises Unavailable, ValueError for a newer release's file."""
        self._path = path
        self._file = WriterFile(path, tuple(each.format(**SQLITE) for each in TABLES), VERSION)
        self._readers = ReadingDatastore(path)

    def rows(self, statement: str, *parameters: object) -> list[Any]:
        """Read."""
        with reported():
            return self._readers.rows(statement, *parameters)

    def streams(self, streams: Iterable[str]) -> list[Any]:
        """Rows of the table streams."""
        return self.rows(
            f"SELECT {', '.join(COLUMNS['streams'])} FROM streams"
            " WHERE stream IN (SELECT value FROM json_each(?))",
            json.dumps(list(streams)),
        )

    @contextmanager
    def transaction(self) -> Iterator[_Work]:
        """Under the file lock."""
        with reported(), self._file.transaction() as connection:
            yield _Work(connection)

    def leader(self, consumer: str) -> AbstractContextManager[bool]:
        """A lock file beside the log."""
        return FileLock(self._path.parent / f"leader-{consumer}.lock").tried()

    def close(self) -> None:
        """Close the connections."""
        self._readers.close()
        self._file.close()


class _Work:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, statement: str, *parameters: object) -> int:
        return self._connection.execute(statement, parameters).rowcount

    def rows(self, statement: str, *parameters: object) -> list[Any]:
        # The transaction began with BEGIN IMMEDIATE: nobody else writes, and nothing need be locked by row.
        return self._connection.execute(statement.removesuffix(" FOR UPDATE"), parameters).fetchall()

    def add(self, table: str, rows: Sequence[tuple[Any, ...]], on_conflict: str = "") -> int:
        marks = ", ".join("?" * len(COLUMNS[table]))
        statement = f"INSERT INTO {table} ({', '.join(COLUMNS[table])}) VALUES ({marks}) {on_conflict}"
        return self._connection.executemany(statement, rows).rowcount
