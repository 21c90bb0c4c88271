"""The event store as a SQLite file: the default, for one machine and any number of processes on it."""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from threading import Condition

from adapters.store.out_of_reach import reported
from adapters.store.recorded import RecordedStore, Statements
from adapters.store.sqlite_files import open_sqlite
from adapters.store.sqlite_recorder import SqliteRecorder
from workflows.ports import Batch

FIRST_POLL_SECONDS, POLL_SECONDS = 0.002, 0.005
"""How soon, and how often later, `wait` looks for commits of other processes; those of this process wake it at once."""

_EVENT = "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events"
_STATEMENTS = Statements(
    load=f"{_EVENT} WHERE originator_id = ? AND originator_version > ? ORDER BY originator_version",
    versions="SELECT (SELECT max(originator_version) FROM stored_events WHERE originator_id = value)"
    " FROM json_each(?) ORDER BY key",
    read=f"{_EVENT} WHERE rowid > ? ORDER BY rowid LIMIT ?",
    head="SELECT max(rowid) FROM stored_events",
    peek="SELECT rowid, known_at FROM stored_events WHERE rowid >= ? ORDER BY rowid LIMIT 1",
    same="SELECT rowid FROM stored_events WHERE originator_id = ? AND originator_version = ? AND state = ?",
    answered="SELECT digest, stream, outcome, answer, recorded_at FROM commands WHERE client = ? AND key = ?",
    answers="SELECT key, digest, stream, outcome, answer, recorded_at FROM commands"
    " WHERE client = ? AND key IN (SELECT value FROM json_each(?))",
    find="SELECT stream FROM refs WHERE source = ? AND digest = ?",
    sealed="SELECT digest, stream, subject, name, ciphertext FROM sealed_values WHERE stream = ?"
    " ORDER BY subject, name, digest",
    text="SELECT text FROM texts WHERE digest = ?",
    meta="SELECT value FROM meta WHERE name = ?",
)


class SqliteStore(RecordedStore):
    """The port EventStore over `cases.db`."""

    def __init__(self, path: Path, *, synchronous: str = "FULL") -> None:
        """Open or make the file. Raises Unavailable where that fails.

        `synchronous` "FULL" keeps an accepted command from a power cut; "NORMAL" only from a killed process.
        """
        self.recorder = SqliteRecorder(path, synchronous=synchronous)
        self._grown = Condition()
        self._path = path
        self._watchers: deque[sqlite3.Connection] = deque()
        super().__init__(self.recorder, _STATEMENTS)

    def append_all(self, batches: Sequence[Batch]) -> list[tuple[int, ...] | Exception]:
        """As the port says; wakes who waits in this process."""
        outcomes = super().append_all(batches)
        with self._grown:
            self._grown.notify_all()
        return outcomes

    def wait(self, after: int, timeout: float) -> bool:
        """Whether an event above `after` exists, waiting up to `timeout` seconds for one."""
        deadline = time.monotonic() + timeout
        with reported():
            watcher = self._watchers.pop() if self._watchers else open_sqlite(self._path)
            try:
                seen = _commits(watcher)  # before the head is looked at, so that no commit is missed
                while not (grown := self.head() > after) and self._changed(watcher, seen, deadline):
                    seen = _commits(watcher)
            except BaseException:
                watcher.close()
                raise
            self._watchers.append(watcher)
        return grown

    def _changed(self, watcher: sqlite3.Connection, seen: int, deadline: float) -> bool:
        """Whether somebody has committed since, waiting until the deadline for it."""
        pause = FIRST_POLL_SECONDS
        while _commits(watcher) == seen:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            with self._grown:
                self._grown.wait(min(left, pause))
            pause = min(pause * 2, POLL_SECONDS)
        return True

    def close(self) -> None:
        """Close all connections."""
        while self._watchers:
            self._watchers.pop().close()
        self.recorder.close()


def _commits(connection: sqlite3.Connection) -> int:
    """A number that changes when another connection, of any process, has committed; it costs next to nothing."""
    (count,) = connection.execute("PRAGMA data_version").fetchone()
    return int(count)
