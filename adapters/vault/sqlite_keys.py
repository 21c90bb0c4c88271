"""The key table as a SQLite file, `keys.db`, of its owner alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from adapters.failpoint import failpoint
from adapters.store.group import Entry, GroupCommit
from adapters.store.out_of_reach import reported
from adapters.store.sqlite_files import ReadingDatastore, WriterFile
from adapters.vault.keys import KeyRow
from domain.refusal import Unavailable

VERSION = 1
MOST_NAMED = 400
"""How many keys one statement names at most: SQLite limits its parameters."""

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS data_keys (
        stream TEXT NOT NULL, subject TEXT NOT NULL, holder TEXT NOT NULL, wrapped BLOB,
        PRIMARY KEY (stream, subject)) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID",
)


class SqliteKeyTable:
    """The protocol KeyTable over `keys.db`; destroyed values are overwritten, in the file and in its log."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Raises Unavailable."""
        self._file = WriterFile(path, SCHEMA, VERSION)
        self._readers = ReadingDatastore(path)
        self._group: GroupCommit[Sequence[KeyRow], int] = GroupCommit(self._insert)

    def rows(self, stream: str) -> list[KeyRow]:
        """All keys and tombstones of a case."""
        return [KeyRow._make(row) for row in self._read("SELECT * FROM data_keys WHERE stream = ?", stream)]

    def row(self, stream: str, subject: str) -> KeyRow | None:
        """One key or tombstone."""
        rows = self._read("SELECT * FROM data_keys WHERE stream = ? AND subject = ?", stream, subject)
        return KeyRow._make(rows[0]) if rows else None

    def rows_of(self, subjects: Sequence[tuple[str, str]]) -> list[KeyRow]:
        """The keys and tombstones of these (stream, subject)."""
        found: list[KeyRow] = []
        for first in range(0, len(subjects), MOST_NAMED):
            named = subjects[first : first + MOST_NAMED]
            wanted = ", ".join(["(?, ?)"] * len(named))
            # A join from the names to the keys: for `IN (VALUES …)` SQLite reads the whole table.
            rows = self._read(
                f"SELECT k.* FROM (VALUES {wanted}) AS w CROSS JOIN data_keys AS k"
                " ON k.stream = w.column1 AND k.subject = w.column2",
                *chain(*named),
            )
            found.extend(KeyRow._make(row) for row in rows)
        return found

    def emptied(self) -> list[str]:
        """The cases with a tombstone."""
        return [
            stream for (stream,) in self._read("SELECT DISTINCT stream FROM data_keys WHERE wrapped IS NULL")
        ]

    def insert(self, rows: Sequence[KeyRow]) -> int:
        """Add rows where there are none."""
        with reported():
            return self._group.submit(rows)

    def destroy(self, stream: str, subject: str | None) -> int:
        """Turn keys into tombstones and cut the log."""
        where, parameters = _of_case(stream, subject)
        with reported():
            with self._file.transaction() as connection:
                done = connection.execute(
                    f"UPDATE data_keys SET wrapped = NULL WHERE {where}", parameters
                ).rowcount
                if subject is not None:
                    connection.execute(
                        "INSERT INTO data_keys VALUES (?, ?, 'ordinary', NULL) ON CONFLICT DO NOTHING",
                        (stream, subject),
                    )
            failpoint("keys.after_destroy")
            self._file.empty_log()
        return done

    def exchange(self, stream: str, change: Callable[[KeyRow], KeyRow]) -> int:
        """Replace the keys of a case and, where a wrapping went, cut the log."""
        select = "SELECT * FROM data_keys WHERE stream = ? AND wrapped IS NOT NULL"
        with reported():
            with self._file.transaction() as connection:
                held = [KeyRow._make(row) for row in connection.execute(select, (stream,))]
                changed = [(row, new) for row in held if (new := change(row)) != row]
                connection.executemany(
                    "UPDATE data_keys SET holder = ?, wrapped = ? WHERE stream = ? AND subject = ?",
                    [(row.holder, row.wrapped, row.stream, row.subject) for _, row in changed],
                )
            if any(old.wrapped != new.wrapped for old, new in changed):
                failpoint("keys.after_destroy")
                self._file.empty_log()
        return len(changed)

    def secret(self, name: str, wrapped: bytes | None = None) -> bytes | None:
        """A secret of the store as a whole."""
        if wrapped is not None:
            with reported(), self._file.transaction() as connection:
                connection.execute(
                    "INSERT INTO secrets VALUES (?, ?) ON CONFLICT DO NOTHING", (name, wrapped)
                )
        rows = self._read("SELECT wrapped FROM secrets WHERE name = ?", name)
        return rows[0][0] if rows else None

    def note(self, name: str, value: bytes) -> None:
        """Write a row that is no secret."""
        with reported(), self._file.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO secrets VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Close all connections."""
        self._readers.close()
        self._file.close()

    def _insert(self, group: Sequence[Entry[Sequence[KeyRow], int]]) -> None:
        statement = "INSERT INTO data_keys VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        try:
            with self._file.transaction() as connection:
                failpoint("keys.after_begin")
                added = [connection.executemany(statement, entry.item).rowcount for entry in group]
                failpoint("keys.after_insert")
        except (sqlite3.Error, Unavailable) as error:
            for entry in group:
                entry.fail(error)
            return
        failpoint("keys.after_commit")
        for entry, count in zip(group, added, strict=True):
            entry.settle(count)

    def _read(self, statement: str, *parameters: object) -> list[Any]:
        with reported():
            return self._readers.rows(statement, *parameters)


def _of_case(stream: str, subject: str | None) -> tuple[str, tuple[str, ...]]:
    """The condition for one key that is left, or for all of a case, with its parameters."""
    where = "stream = ? AND wrapped IS NOT NULL"
    return (where, (stream,)) if subject is None else (f"{where} AND subject = ?", (stream, subject))
