"""One way to say SQL to SQLite and PostgreSQL: `?` for a parameter, rows as tuples or dictionaries."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row, tuple_row

from adapters.store.out_of_reach import reported
from adapters.store.positions import Connection
from adapters.store.postgres_link import advisory_key, is_postgres, pool
from adapters.store.sqlite_files import ReadingDatastore, sqlite_path

SEARCH_PATH = "-c search_path=views"


class Sql:
    """A connection or cursor of the views database; on PostgreSQL its tables lie in the schema `views`."""

    def __init__(self, connection: Connection | sqlite3.Cursor) -> None:
        self.raw: Any = connection
        self.postgres = isinstance(connection, psycopg.Connection)
        if self.postgres:
            self.raw.execute("SET LOCAL search_path TO views")

    def run(self, statement: str, *parameters: object) -> Any:
        """Execute; returns the driver's cursor."""
        return self.raw.execute(self._said(statement), parameters)

    def add(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Add rows, as fast as the database takes them in."""
        names = ", ".join(columns)
        if not self.postgres:
            marks = ", ".join("?" * len(columns))
            self.raw.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)
            return
        with self.raw.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def remove(self, table: str, column: str, values: Sequence[str]) -> None:
        """Delete the rows that have one of these values in the column."""
        if self.postgres:
            self.raw.execute(f"DELETE FROM {table} WHERE {column} = ANY(%s)", [list(values)])
        else:
            self.raw.executemany(f"DELETE FROM {table} WHERE {column} = ?", [(value,) for value in values])

    def rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows."""
        return [tuple(row) for row in self.run(statement, *parameters).fetchall()]

    def records(self, statement: str, *parameters: object) -> list[dict[str, Any]]:
        """All rows by column."""
        cursor = self.run(statement, *parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def value(self, statement: str, *parameters: object) -> Any:
        """The first column of the first row, or None."""
        row = self.run(statement, *parameters).fetchone()
        return row[0] if row else None

    def lock(self, name: str) -> None:
        """Keep other writers of the views out until the transaction ends; SQLite has one writer anyway."""
        if self.postgres:
            self.raw.execute("SELECT pg_advisory_xact_lock(%s)", [advisory_key("views", name)])

    def _said(self, statement: str) -> str:
        return statement.replace("?", "%s") if self.postgres else statement


class ReadingPool:
    """Connections for reading alone; safe to share between threads."""

    def __init__(self, url: str) -> None:
        """`url` as for StoredPositions."""
        self._postgres = pool(url, "views", SEARCH_PATH) if is_postgres(url) else None
        self._sqlite = None if self._postgres else ReadingDatastore(sqlite_path(url, "views.db"))

    @contextmanager
    def reading(self) -> Iterator[Sql]:
        """One consistent reading. Raises Unavailable."""
        with reported(), self._opened() as connection:
            yield Sql(connection)

    def records(self, statement: str, *parameters: object) -> list[dict[str, Any]]:
        """All rows of one statement, by column; a single one needs no transaction around it. Raises Unavailable."""
        if self._postgres is None:
            with self.reading() as sql:
                return sql.records(statement, *parameters)
        with reported(), self._postgres.pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            return cursor.execute(statement.replace("?", "%s").encode(), parameters).fetchall()

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        if self._postgres is not None:
            with self._postgres.get_connection() as connection, connection.transaction():
                connection.row_factory = tuple_row  # type: ignore[assignment]  # the library's pool gives dicts
                yield connection
        else:
            assert self._sqlite is not None
            whole: AbstractContextManager[Any] = self._sqlite.transaction(commit=False)
            with whole as cursor:
                yield cursor.sqlite_cursor

    def close(self) -> None:
        """Close the connections."""
        for each in (self._postgres, self._sqlite):
            if each is not None:
                each.close()
