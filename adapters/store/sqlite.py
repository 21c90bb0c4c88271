"""The event store as a SQLite file: the default, for one machine and any number of processes on it."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Condition
from typing import Any

from eventsourcing.persistence import IntegrityError, PersistenceError

from adapters.store.mapper import DeclaredNames, stored_events
from adapters.store.moment import as_moment, last_known
from adapters.store.save import Outcome, Save, check_texts
from adapters.store.sqlite_recorder import SqliteRecorder
from domain.refusal import Conflict, Unavailable
from workflows.ports import Answered, Batch, SealedRow, Stored

POLL_SECONDS = 0.025
"""How often `wait` looks for the events of other processes; those of this process wake it at once."""

_COLUMNS = "rowid, originator_id, originator_version, topic, state"


class SqliteStore:
    """The port EventStore over `cases.db`; see workflows.ports for what each method promises."""

    def __init__(self, path: Path, *, synchronous: str = "FULL") -> None:
        """Open or make the file. Raises Unavailable where that fails.

        `synchronous` "FULL" keeps an accepted command from a power cut; "NORMAL" only from a killed process.
        """
        self._mapper = DeclaredNames()
        self._grown = Condition()
        with _reported():
            self.recorder = SqliteRecorder(path, synchronous=synchronous)
            self.recorder.set_meta("epoch", secrets.token_hex(16))

    def load(self, stream: str, after: int = 0) -> list[Stored]:
        """The stream's events above a version, in order."""
        where = "originator_id = ? AND originator_version > ? ORDER BY originator_version"
        return [
            Stored._make(row)
            for row in self._rows(f"SELECT {_COLUMNS} FROM stored_events WHERE {where}", stream, after)
        ]

    def append(self, batch: Batch) -> tuple[int, ...]:
        """Write the batch; returns the positions of its events."""
        (outcome,) = self.append_all([batch])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def append_all(self, batches: Sequence[Batch]) -> list[tuple[int, ...] | Exception]:
        """Write many batches in one transaction, each by itself or not at all."""
        for batch in batches:
            check_texts(batch)
        saves = [Save(stored_events(self._mapper, batch.appends), batch) for batch in batches]
        try:
            outcomes = self.recorder.insert_all(saves)
        except (sqlite3.Error, OSError) as error:
            outcomes = [self._look_up(save, error) for save in saves]
        with self._grown:
            self._grown.notify_all()
        return [_as_port(outcome) for outcome in outcomes]

    def answered(self, client: str, key: str) -> Answered | None:
        """The row of a decided command."""
        row = self._row("SELECT * FROM commands WHERE client = ? AND key = ?", client, key)
        if row is None:
            return None
        _, _, digest, stream, outcome, answer, recorded_at = row
        return Answered(client, key, digest, stream, outcome, answer, as_moment(recorded_at))

    def find(self, source: str, digest: str) -> str | None:
        """The stream of an outside number."""
        return self._value("SELECT stream FROM refs WHERE source = ? AND digest = ?", source, digest)

    def read(self, after: int, limit: int) -> list[Stored]:
        """Events of all streams above a position, in store order."""
        statement = f"SELECT {_COLUMNS} FROM stored_events WHERE rowid > ? ORDER BY rowid LIMIT ?"
        return [Stored._make(row) for row in self._rows(statement, after, limit)]

    def head(self) -> int:
        """The position of the newest event."""
        return self._value("SELECT max(rowid) FROM stored_events") or 0

    def known_at(self, moment: datetime) -> int:
        """The last position recorded by `moment`: what was known then is what stands up to it."""
        statement = "SELECT rowid, known_at FROM stored_events WHERE rowid >= ? ORDER BY rowid LIMIT 1"
        return last_known(lambda position: self._row(statement, position), self.head(), moment)

    def sealed(self, stream: str) -> list[SealedRow]:
        """The sealed values of a stream."""
        statement = "SELECT digest, stream, subject, name, ciphertext FROM sealed_values WHERE stream = ? ORDER BY subject, name, digest"
        return [SealedRow._make(row) for row in self._rows(statement, stream)]

    def text(self, digest: str) -> str | None:
        """A published text."""
        return self._value("SELECT text FROM texts WHERE digest = ?", digest)

    def epoch(self) -> str:
        """Names this life of the store: another one after a restore."""
        return str(self._value("SELECT value FROM meta WHERE name = 'epoch'"))

    def renew_epoch(self) -> str:
        """Give the store a new epoch, after a restore."""
        epoch = secrets.token_hex(16)
        with _reported():
            self.recorder.set_meta("epoch", epoch, replace=True)
        return epoch

    def wait(self, after: int, timeout: float) -> bool:
        """Whether an event above `after` exists, waiting up to `timeout` seconds for one."""
        deadline = time.monotonic() + timeout
        while self.head() <= after:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            with self._grown:
                self._grown.wait(min(left, POLL_SECONDS))
        return True

    def close(self) -> None:
        """Close all connections."""
        self.recorder.close()

    def _look_up(self, save: Save, error: Exception) -> Outcome:
        """After a failed commit: the positions if the save was written all the same, else Unavailable."""
        unavailable = Unavailable(f"the event store cannot be written: {error}")
        unavailable.__cause__ = error
        try:
            positions = self._landed(save)
        except Unavailable:
            return unavailable
        return unavailable if positions is None else positions

    def _landed(self, save: Save) -> list[int] | None:
        answered = save.batch.answered if save.batch else None
        if answered is not None and self.answered(answered.client, answered.key) != answered:
            return None
        # A body holds a nonce of 128 bits: where the bytes are the same, it is this very event.
        where = "originator_id = ? AND originator_version = ? AND state = ?"
        found = [
            self._value(
                f"SELECT rowid FROM stored_events WHERE {where}",
                e.originator_id,
                e.originator_version,
                e.state,
            )
            for e in save.events
        ]
        return None if None in found or (answered is None and not found) else found

    def _rows(self, statement: str, *parameters: object) -> list[Any]:
        with _reported(), self.recorder.datastore.transaction(commit=False) as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall()

    def _row(self, statement: str, *parameters: object) -> Any:
        rows = self._rows(statement, *parameters)
        return rows[0] if rows else None

    def _value(self, statement: str, *parameters: object) -> Any:
        row = self._row(statement, *parameters)
        return None if row is None else row[0]


def _as_port(outcome: Outcome) -> tuple[int, ...] | Exception:
    if isinstance(outcome, IntegrityError):
        return Conflict(str(outcome))
    return outcome if isinstance(outcome, Exception) else tuple(outcome)


@contextmanager
def _reported() -> Iterator[None]:
    """The file's and the library's errors as Unavailable."""
    try:
        yield
    except (sqlite3.Error, PersistenceError, OSError) as error:
        raise Unavailable(f"the event store cannot be reached: {error}") from error
