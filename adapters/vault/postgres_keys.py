"""The key table in a PostgreSQL schema, `keys`, on the store's server or, better, another one.

A destroyed wrapping is gone for every reader at once and from the table's pages with the vacuum that follows; the
server's own log and backups keep it until they expire, and only a master key makes anything of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier

from adapters.failpoint import failpoint
from adapters.store.out_of_reach import reported
from adapters.store.postgres_link import advisory_key, connect, pool
from adapters.vault.keys import KeyRow

TABLES = (
    "CREATE SCHEMA IF NOT EXISTS {schema}",
    """CREATE TABLE IF NOT EXISTS {schema}.data_keys (
        stream text COLLATE "C" NOT NULL, subject text COLLATE "C" NOT NULL, holder text NOT NULL, wrapped bytea,
        PRIMARY KEY (stream, subject))""",
    "CREATE TABLE IF NOT EXISTS {schema}.secrets (name text PRIMARY KEY, wrapped bytea NOT NULL)",
)

_OF_CASE = "stream = %s AND wrapped IS NOT NULL AND (%s::text IS NULL OR subject = %s)"
"""One key that is left, or all of a case."""


class PostgresKeyTable:
    """The protocol KeyTable over one schema."""

    def __init__(self, dsn: str, *, schema: str = "keys") -> None:
        """Connect, and make the tables where they are missing. Raises Unavailable."""
        self._schema = schema
        with reported(), connect(dsn) as connection:
            found = connection.execute("SELECT to_regclass(%s)", [f"{schema}.secrets"]).fetchone()
            if found is None or found[0] is None:
                self._make(connection)
        self._pool = pool(dsn, schema)

    def rows(self, stream: str) -> list[KeyRow]:
        """All keys and tombstones of a case."""
        rows = self._run(
            "SELECT stream, subject, holder, wrapped FROM {schema}.data_keys WHERE stream = %s", stream
        )
        return [KeyRow._make(row) for row in rows]

    def row(self, stream: str, subject: str) -> KeyRow | None:
        """One key or tombstone."""
        statement = "SELECT stream, subject, holder, wrapped FROM {schema}.data_keys WHERE stream = %s AND subject = %s"
        rows = self._run(statement, stream, subject)
        return KeyRow._make(rows[0]) if rows else None

    def rows_of(self, subjects: Sequence[tuple[str, str]]) -> list[KeyRow]:
        """The keys and tombstones of these (stream, subject)."""
        # OFFSET 0 keeps it one look into the index each: as a plain join it may read all keys there are.
        statement = (
            "SELECT k.stream, k.subject, k.holder, k.wrapped"
            " FROM unnest(%b::text[], %b::text[]) AS w (stream, subject),"
            " LATERAL (SELECT * FROM {schema}.data_keys AS d"
            " WHERE d.stream = w.stream AND d.subject = w.subject OFFSET 0) AS k"
        )
        streams, persons = [stream for stream, _ in subjects], [subject for _, subject in subjects]
        return [KeyRow._make(row) for row in self._run(statement, streams, persons)]

    def emptied(self) -> list[str]:
        """The cases with a tombstone."""
        rows = self._run("SELECT DISTINCT stream FROM {schema}.data_keys WHERE wrapped IS NULL")
        return [stream for (stream,) in rows]

    def insert(self, rows: Sequence[KeyRow]) -> int:
        """Add rows where there are none."""
        streams, subjects, holders, wrapped = (list(column) for column in zip(*rows, strict=True))
        added = self._run(
            "INSERT INTO {schema}.data_keys (stream, subject, holder, wrapped)"
            " SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::bytea[])"
            " ON CONFLICT DO NOTHING RETURNING 1",
            *(streams, subjects, holders, wrapped),
        )
        failpoint("keys.after_commit")
        return len(added)

    def destroy(self, stream: str, subject: str | None) -> int:
        """Turn keys into tombstones and have the pages cleaned."""
        if subject is not None:
            self._run(
                "INSERT INTO {schema}.data_keys VALUES (%s, %s, 'ordinary', NULL) ON CONFLICT DO NOTHING RETURNING 1",
                *(stream, subject),
            )
        done = self._run(
            f"UPDATE {{schema}}.data_keys SET wrapped = NULL WHERE {_OF_CASE} RETURNING 1",
            *(stream, subject, subject),
        )
        failpoint("keys.after_destroy")
        self._clean()
        return len(done)

    def exchange(self, stream: str, change: Callable[[KeyRow], KeyRow]) -> int:
        """Replace the keys of a case and, where a wrapping went, have the pages cleaned."""
        select = (
            "SELECT stream, subject, holder, wrapped FROM {schema}.data_keys"
            " WHERE stream = %s AND wrapped IS NOT NULL ORDER BY subject FOR UPDATE"
        )
        update = "UPDATE {schema}.data_keys SET holder = %s, wrapped = %s WHERE stream = %s AND subject = %s"
        with reported(), self._pool.transaction(commit=True) as cursor:
            cursor.row_factory = tuple_row  # type: ignore[assignment]  # the library's cursors give dicts
            held = [KeyRow._make(row) for row in cursor.execute(_composed(self._schema, select), [stream])]
            changed = [(row, new) for row in held if (new := change(row)) != row]
            for _, row in changed:
                parameters = (row.holder, row.wrapped, row.stream, row.subject)
                cursor.execute(_composed(self._schema, update), parameters)
        if any(old.wrapped != new.wrapped for old, new in changed):
            failpoint("keys.after_destroy")
            self._clean()
        return len(changed)

    def secret(self, name: str, wrapped: bytes | None = None) -> bytes | None:
        """A secret of the store as a whole."""
        if wrapped is not None:
            self._run(
                "INSERT INTO {schema}.secrets VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING 1",
                name,
                wrapped,
            )
        rows = self._run("SELECT wrapped FROM {schema}.secrets WHERE name = %s", name)
        return rows[0][0] if rows else None

    def note(self, name: str, value: bytes) -> None:
        """Write a row that is no secret."""
        self._run(
            "INSERT INTO {schema}.secrets VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET wrapped = EXCLUDED.wrapped"
            " RETURNING 1",
            name,
            value,
        )

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    def _make(self, connection: psycopg.Connection[Any]) -> None:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [advisory_key(self._schema, "migrate")])
            for statement in TABLES:
                connection.execute(_composed(self._schema, statement))

    def _clean(self) -> None:
        with reported(), self._pool.get_connection() as connection:
            connection.execute(_composed(self._schema, "VACUUM (TRUNCATE false) {schema}.data_keys"))

    def _run(self, statement: str, *parameters: object) -> list[Any]:
        reading = self._pool.get_connection
        with (
            reported(),
            reading() as connection,
            connection.cursor(row_factory=tuple_row, binary=True) as cursor,
        ):
            return cursor.execute(_composed(self._schema, statement), parameters, prepare=True).fetchall()


@lru_cache
def _composed(schema: str, statement: str) -> bytes:
    """A statement with the schema's name filled in, as psycopg sends it."""
    return SQL(statement).format(schema=Identifier(schema)).as_bytes(None)
