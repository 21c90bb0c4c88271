"""The event store in PostgreSQL, in a schema of its own: for several machines and many writers."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import psycopg

from adapters.store.out_of_reach import reported
from adapters.store.postgres_link import connect, refuse_database_functions
from adapters.store.postgres_recorder import PostgresRecorder
from adapters.store.recorded import RecordedStore, Statements

_EVENT = "SELECT notification_id, originator_id, originator_version, topic, state FROM {schema}.stored_events"
_STATEMENTS = {
    "load": f"{_EVENT} WHERE originator_id = %s AND originator_version > %s ORDER BY originator_version",
    "versions": "SELECT (SELECT e.originator_version FROM {schema}.stored_events e WHERE e.originator_id = stream"
    " ORDER BY e.originator_version DESC LIMIT 1)"
    " FROM json_array_elements_text(%s::json) WITH ORDINALITY AS given (stream, place) ORDER BY place",
    "read": f"{_EVENT} WHERE notification_id > %s ORDER BY notification_id LIMIT %s",
    "head": "SELECT max(notification_id) FROM {schema}.stored_events",
    "peek": "SELECT notification_id, known_at FROM {schema}.stored_events WHERE notification_id >= %s"
    " ORDER BY notification_id LIMIT 1",
    "same": "SELECT notification_id FROM {schema}.stored_events"
    " WHERE originator_id = %s AND originator_version = %s AND state = %s",
    "answered": "SELECT digest, stream, outcome, answer, recorded_at FROM {schema}.commands"
    " WHERE client = %s AND key = %s",
    "answers": "SELECT key, digest, stream, outcome, answer, recorded_at FROM {schema}.commands"
    # An array, not a subselect: that may be answered by going through all commands of the client.
    " WHERE client = %s AND key = ANY(ARRAY(SELECT json_array_elements_text(%s::json)))",
    "find": "SELECT stream FROM {schema}.refs WHERE source = %s AND digest = %s",
    "sealed": "SELECT digest, stream, subject, name, ciphertext FROM {schema}.sealed_values WHERE stream = %s"
    " ORDER BY subject, name, digest",
    "text": "SELECT text FROM {schema}.texts WHERE digest = %s",
    "meta": "SELECT value FROM {schema}.meta WHERE name = %s",
}


class PostgresStore(RecordedStore):
    """The port EventStore over one schema of a PostgreSQL database."""

    def __init__(self, dsn: str, *, schema: str = "cases") -> None:
        """Connect, and make the schema where it is missing.

        Raises Unavailable, and Refused("db_functions_enabled", …) where the library's own database functions are
        asked for: they take no lock, so that a reader of the log can miss events.
        """
        refuse_database_functions()
        self._dsn = dsn
        self._listeners: deque[psycopg.Connection[tuple[Any, ...]]] = deque()
        self.recorder = PostgresRecorder(dsn, schema)
        statements = {name: self.recorder.composed(each) for name, each in _STATEMENTS.items()}
        super().__init__(self.recorder, Statements(**statements))  # type: ignore[arg-type]  # bytes, not str

    def wait(self, after: int, timeout: float) -> bool:
        """Whether an event above `after` exists, waiting up to `timeout` seconds for a notice of one."""
        deadline = time.monotonic() + timeout
        with reported():
            listener = self._listener()
            try:
                while not (grown := self.head() > after) and (left := deadline - time.monotonic()) > 0:
                    for _ in listener.notifies(timeout=left, stop_after=1):
                        pass
            except BaseException:
                listener.close()
                raise
            self._listeners.append(listener)
        return grown

    def close(self) -> None:
        """Close all connections."""
        while self._listeners:
            self._listeners.pop().close()
        self.recorder.close()

    def _listener(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection that has been listening since before the head is looked at, so that no notice is missed."""
        while self._listeners:
            listener = self._listeners.pop()
            if not listener.broken:
                return listener
        listener = connect(self._dsn)
        listener.execute(self.recorder.composed("LISTEN {channel}"))
        return listener
