"""The library's PostgreSQL recorder, writing all that a group of commands writes in one round trip."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import psycopg
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier

from adapters.failpoint import failpoint
from adapters.store import postgres_schema
from adapters.store.group import Entry, GroupCommit
from adapters.store.moment import CLOCK_AHEAD, CLOCK_TOLERANCE, before_moment
from adapters.store.out_of_reach import is_out_of_reach, reported
from adapters.store.postgres_arrays import PARAMETERS, apart, arrays
from adapters.store.postgres_columns import understood_by
from adapters.store.postgres_link import PATIENT_OPTIONS, WRITER_OPTIONS, advisory_key, connect, pool
from adapters.store.postgres_pool import IDLE_SECONDS, alive
from adapters.store.save import Outcome, Save
from domain.refusal import Conflict, Unavailable
from workflows.ports import AlreadyAnswered, ClockAhead, ClockBehind, ReferenceTaken

UPGRADE_LOOK_SECONDS = 0.2
REFUSALS = {"commands_pkey": AlreadyAnswered, "refs_pkey": ReferenceTaken}


class PostgresRecorder(PostgresApplicationRecorder):
    """Events, commands, references, sealed values and texts of one schema, group-committed over one connection."""

    def __init__(self, dsn: str, schema: str) -> None:
        """Connect, and make what is missing. Raises Unavailable."""
        self._dsn = dsn
        self._schema = schema
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None
        self._used = 0.0
        self._channel = f"{schema}_events"
        self.create_table()  # first: where the server is not there, this says so at once
        with reported():
            super().__init__(pool(dsn, schema))
        self.channel_name = self._channel
        self._lock_key = advisory_key(schema, "append")
        self._append = self.composed("SELECT * FROM {schema}.append_saves_3(%s, " + PARAMETERS + ")")
        self._group: GroupCommit[Sequence[Save], list[Outcome]] = GroupCommit(self._write)

    def create_table(self) -> None:
        """Make the schema where it is missing or older; many processes may start at once."""
        with reported(), connect(self._dsn) as connection:
            version = self._version(connection)
            if version == postgres_schema.VERSION:
                return
            if version is not None:
                self._build_index()
            with connection.transaction():
                connection.execute(
                    "SELECT pg_advisory_xact_lock(%s)", [advisory_key(self._schema, "migrate")]
                )
                for statement in (*postgres_schema.TABLES, postgres_schema.APPEND):
                    connection.execute(self.composed(statement))
                connection.execute(
                    self.composed(
                        "INSERT INTO {schema}.meta VALUES ('version', %s) ON CONFLICT (name)"
                        " DO UPDATE SET value = excluded.value"
                    ),
                    [postgres_schema.VERSION],
                )

    def _build_index(self) -> None:
        """Build the index of an older release's commands, beside its writers, and again where that was broken off.

        Whoever else upgrades asks again and again: one who waits in the database holds a snapshot, and the building
        waits for those in its turn.
        """
        key = advisory_key(self._schema, "index")
        with connect(self._dsn, options=PATIENT_OPTIONS) as connection:
            while connection.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone() != (True,):
                time.sleep(UPGRADE_LOOK_SECONDS)
            if connection.execute(self.composed(postgres_schema.BUILT_INDEX)).fetchone() == (False,):
                connection.execute(self.composed(postgres_schema.DROP_INDEX))
            connection.execute(self.composed(postgres_schema.BUILD_INDEX))

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
        statement = "INSERT INTO {schema}.meta VALUES (%s, %s) ON CONFLICT (name) DO " + action
        with reported(), self.datastore.get_connection() as connection:
            connection.execute(self.composed(statement), (name, value))

    def blind(self, streams: Sequence[str], before: datetime | None) -> int:
        """Blind the digests of these cases' commands, all or those recorded before; returns how many there were."""
        statement = (
            "UPDATE {schema}.commands SET digest = ''"
            " WHERE digest <> '' AND stream = ANY(%s) AND recorded_at < %s"
        )
        with reported(), self.datastore.get_connection() as connection:
            return connection.execute(self.composed(statement), [[*streams], before_moment(before)]).rowcount

    def rows(self, statement: Any, *parameters: object) -> list[Any]:
        """Read."""
        # Not by way of the library: it translates errors, and looks for types of its own, at every read.
        with reported(), self.datastore.pool.connection() as connection:
            cursor = connection.cursor(row_factory=tuple_row, binary=True)
            return cursor.execute(statement, parameters, prepare=True).fetchall()

    def close(self) -> None:
        """Close all connections."""
        self.datastore.close()
        self._drop()

    def barrier(self) -> None:
        """Return when no write that began before is under way any more, not even one whose caller is gone."""
        self.rows("SELECT pg_advisory_xact_lock(%s)", self._lock_key)

    def composed(self, statement: str) -> bytes:
        """A statement with the names of this schema filled in; bytes, so that psycopg need not write it out each time."""
        names = {"schema": Identifier(self._schema), "channel": Identifier(self._channel)}
        return (
            SQL(statement).format(**names, tolerance=CLOCK_TOLERANCE, most_ahead=CLOCK_AHEAD).as_bytes(None)
        )

    def _write(self, group: Sequence[Entry[Sequence[Save], list[Outcome]]]) -> None:
        failpoint("store.before_transaction")
        saves = [save for entry in group for save in entry.item]
        decided: dict[int, Outcome] = {}
        try:
            for numbers in apart(saves):
                decided |= self._write_together({number: saves[number] for number in numbers})
        except psycopg.Error as error:
            if not is_out_of_reach(error):
                raise
            unavailable = Unavailable(f"the database is out of reach: {error}")
            decided = dict.fromkeys(range(len(saves)), unavailable) | decided
        failpoint("store.after_commit")
        outcomes = iter([decided[number] for number in range(len(saves))])
        for entry in group:
            entry.settle(list(islice(outcomes, len(entry.item))))

    def _write_together(self, saves: dict[int, Save]) -> dict[int, Outcome]:
        """One transaction; if something in it cannot be stored, each save by itself, to find out which."""
        try:
            return self._call(saves)
        except (psycopg.IntegrityError, psycopg.DataError, ValueError) as error:
            if len(saves) == 1:
                return dict.fromkeys(saves, _refusal(error))
        decided: dict[int, Outcome] = {}
        for number, save in saves.items():
            decided |= self._write_together({number: save})
        return decided

    def _call(self, saves: dict[int, Save]) -> dict[int, Outcome]:
        parameters = [self._lock_key, *arrays(saves)]
        connection = self._opened()
        failpoint("store.after_begin")
        try:
            row = connection.execute(self._append, parameters, prepare=True, binary=True).fetchone()
        except (psycopg.IntegrityError, psycopg.DataError):
            raise
        except (
            BaseException
        ):  # the connection is dead, or in the middle of something: the next write opens another
            self._drop()
            raise
        assert row is not None
        *refused, positions = row
        return _outcomes(saves, refused, positions or [])

    def _opened(self) -> psycopg.Connection[tuple[Any, ...]]:
        """The writing connection, tried first if it has been idle: the server may have been restarted."""
        idle = time.monotonic() - self._used > IDLE_SECONDS
        if self._connection is not None and idle and not alive(self._connection):
            self._drop()
        if self._connection is None:
            self._connection = connect(self._dsn, options=WRITER_OPTIONS)
            understood_by(self._connection)
        self._used = time.monotonic()
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _version(self, connection: psycopg.Connection[tuple[Any, ...]]) -> str | None:
        found = connection.execute("SELECT to_regclass(%s)", [f"{self._schema}.meta"]).fetchone()
        if found is None or found[0] is None:
            return None
        row = connection.execute(
            self.composed("SELECT value FROM {schema}.meta WHERE name = 'version'")
        ).fetchone()
        return None if row is None else str(row[0])


def _outcomes(
    saves: dict[int, Save], refused: Sequence[list[int] | None], positions: list[int]
) -> dict[int, Outcome]:
    reasons: dict[int, Exception] = {}
    for numbers, reason in zip(
        refused, (AlreadyAnswered, ReferenceTaken, Conflict, ClockBehind, ClockAhead), strict=True
    ):
        for number in numbers or ():
            reasons.setdefault(number, reason())
    following = iter(positions)
    return {
        number: reasons.get(number) or list(islice(following, len(save.events)))
        for number, save in saves.items()
    }


def _refusal(error: Exception) -> Exception:
    """What a save by itself could not be stored for."""
    if isinstance(error, psycopg.errors.UniqueViolation):
        reason = REFUSALS.get(error.diag.constraint_name or "", IntegrityError)
        return reason(str(error))
    if isinstance(error, psycopg.IntegrityError):
        return IntegrityError(str(error))
    return ValueError(f"this cannot be stored: {error}") if isinstance(error, psycopg.Error) else error
