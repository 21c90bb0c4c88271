"""The library's SQLite recorder, writing all that a command writes in the same transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder

from adapters.failpoint import failpoint
from adapters.store import sqlite_schema
from adapters.store.group import Entry, GroupCommit
from adapters.store.moment import CLOCK_TOLERANCE, as_microseconds, before_moment
from adapters.store.out_of_reach import reported
from adapters.store.save import Outcome, Save
from adapters.store.sqlite_files import ReadingDatastore, WriterFile
from domain.refusal import Conflict, Unavailable
from workflows.ports import BLINDED, AlreadyAnswered, Answered, Batch, ClockBehind, ReferenceTaken


class SqliteRecorder(SQLiteApplicationRecorder):
    """Events, commands, references, sealed values and texts of `cases.db`, group-committed under a lock."""

    def __init__(
        self, path: Path, *, synchronous: str = "FULL", events_table_name: str = "stored_events"
    ) -> None:
        self.reading = ReadingDatastore(path)
        super().__init__(self.reading, events_table_name)
        self.insert_events_statement = (
            f"INSERT INTO {events_table_name} (originator_id, originator_version, topic, state, known_at)"
            " VALUES (?, ?, ?, ?, ?)"
        )
        self._version_statement = (
            f"SELECT max(originator_version) FROM {events_table_name} WHERE originator_id = ?"
        )
        self._newest_statement = f"SELECT known_at FROM {events_table_name} ORDER BY rowid DESC LIMIT 1"
        self._file = WriterFile(
            path, tuple(self.create_table_statements), sqlite_schema.VERSION, synchronous=synchronous
        )
        self._group: GroupCommit[Sequence[Save], list[Outcome]] = GroupCommit(self._write)

    def construct_create_table_statements(self) -> list[str]:
        """Our own tables instead of the library's."""
        return [
            each.format(events=self.events_table_name)
            for each in (sqlite_schema.EVENTS, *sqlite_schema.BESIDE_EVENTS)
        ]

    def create_table(self) -> None:
        """The tables are made when the file is opened."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int]:
        """Write the events, and with `batch=` all the rest of it; returns the positions.

        Raises what EventStore.append raises, and the library's IntegrityError for a version written twice
        without a batch.
        """
        (outcome,) = self.insert_all([Save(stored_events, kwargs.get("batch"))])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def insert_all(self, saves: Sequence[Save]) -> list[Outcome]:
        """Write many saves in one transaction, each whole or not at all."""
        with reported():
            return self._group.submit(saves)

    def set_meta(self, name: str, value: str, *, replace: bool = False) -> None:
        """Write a row of `meta`; without `replace` only if there is none."""
        action = "UPDATE SET value = excluded.value" if replace else "NOTHING"
        with reported(), self._file.transaction() as connection:
            connection.execute(
                f"INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO {action}", (name, value)
            )

    def blind(self, streams: Sequence[str], before: datetime | None) -> int:
        """Blind the digests of these cases' commands, all or those recorded before; returns how many there were."""
        with reported(), self._file.transaction() as connection:
            return _blind(connection, streams, before)

    def rows(self, statement: str, *parameters: object) -> list[Any]:
        """Read."""
        with reported():
            return self.reading.rows(statement, *parameters)

    def barrier(self) -> None:
        """A write that failed here has ended: SQLite works in the caller's own thread."""

    def close(self) -> None:
        """Close all connections."""
        self.datastore.close()
        self._file.close()

    def _write(self, group: Sequence[Entry[Sequence[Save], list[Outcome]]]) -> None:
        failpoint("store.before_transaction")
        try:
            decided = self._write_together([save for entry in group for save in entry.item])
        except (sqlite3.Error, Unavailable) as error:
            for entry in group:
                entry.fail(error)
            return
        failpoint("store.after_commit")
        outcomes = iter(decided)
        for entry in group:
            entry.settle(list(islice(outcomes, len(entry.item))))

    def _write_together(self, saves: Sequence[Save]) -> list[Outcome]:
        with self._file.transaction() as connection:
            failpoint("store.after_begin")
            row = connection.execute(self._newest_statement).fetchone()
            known_at = row[0] if row else 0
            decided: list[Outcome] = []
            for save in saves:
                moment = as_microseconds(save.batch.recorded_at) if save.batch else known_at
                outcome = self._write_one(connection, save, known_at, moment)
                if not isinstance(outcome, Exception) and save.events:
                    known_at = max(known_at, moment)
                decided.append(outcome)
            failpoint("store.before_commit")
        return decided

    def _write_one(self, connection: sqlite3.Connection, save: Save, known_at: int, moment: int) -> Outcome:
        """One save inside the common transaction; what it may not do undoes this save alone."""
        connection.execute("SAVEPOINT save")
        outcome: Outcome
        try:
            if save.batch is not None:
                self._claim(connection, save.batch)
                if save.events and moment < known_at - CLOCK_TOLERANCE:
                    raise ClockBehind
                self._compare_versions(connection, save.batch)
            outcome = self._insert_stored(connection, save.events, max(known_at, moment))
            if save.batch is not None:
                _insert_beside(connection, save.batch)
        except (AlreadyAnswered, ReferenceTaken, Conflict, ClockBehind, ValueError, OverflowError) as refusal:
            outcome = refusal
        except sqlite3.IntegrityError as error:
            outcome = IntegrityError(str(error))
        if isinstance(outcome, Exception):
            connection.execute("ROLLBACK TO save")
        connection.execute("RELEASE save")
        return outcome

    def _claim(self, connection: sqlite3.Connection, batch: Batch) -> None:
        """The unique rows first: a repeated command is recognised even when the case has moved on since."""
        _blind(connection, batch.blinded)
        if batch.answered is not None and not _insert_command(connection, batch.answered):
            raise AlreadyAnswered
        failpoint("store.after_command")
        for reference in batch.references:
            if not connection.execute(
                "INSERT INTO refs VALUES (?, ?, ?) ON CONFLICT DO NOTHING", reference
            ).rowcount:
                raise ReferenceTaken
        failpoint("store.after_references")

    def _compare_versions(self, connection: sqlite3.Connection, batch: Batch) -> None:
        for append in batch.appends:
            (version,) = connection.execute(self._version_statement, (append.stream,)).fetchone()
            if append.after != (version or 0):
                raise Conflict(append.stream)

    def _insert_stored(
        self, connection: sqlite3.Connection, events: Sequence[StoredEvent], known_at: int
    ) -> list[int]:
        positions = []
        for event in events:
            row = (str(event.originator_id), event.originator_version, event.topic, event.state, known_at)
            positions.append(connection.execute(self.insert_events_statement, row).lastrowid or 0)
            failpoint("store.after_insert")
        return positions


def _insert_command(connection: sqlite3.Connection, answered: Answered) -> bool:
    row = (
        answered.client,
        answered.key,
        answered.digest,
        answered.stream,
        answered.outcome,
        answered.answer,
        as_microseconds(answered.recorded_at),
    )
    statement = "INSERT INTO commands VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
    return connection.execute(statement, row).rowcount == 1


def _blind(connection: sqlite3.Connection, streams: Sequence[str], before: datetime | None = None) -> int:
    """It undoes nothing to do so first: where the batch is refused, its savepoint brings the digests back."""
    statement = "UPDATE commands SET digest = ? WHERE stream = ? AND digest <> ? AND recorded_at < ?"
    until = before_moment(before)
    return sum(connection.execute(statement, (BLINDED, one, BLINDED, until)).rowcount for one in streams)


def _insert_beside(connection: sqlite3.Connection, batch: Batch) -> None:
    connection.executemany(
        "INSERT INTO sealed_values (digest, stream, subject, name, ciphertext) VALUES (?, ?, ?, ?, ?)",
        batch.sealed,
    )
    failpoint("store.after_sealed")
    connection.executemany(
        "INSERT INTO texts (digest, text) VALUES (?, ?) ON CONFLICT DO NOTHING", batch.texts
    )
