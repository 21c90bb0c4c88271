"""The event store (DESIGN.md §5, §9): one port, a SQLite file by default, PostgreSQL by one setting."""

from __future__ import annotations

from adapters.store.postgres import PostgresStore
from adapters.store.postgres_link import is_postgres
from adapters.store.sqlite import SqliteStore
from adapters.store.sqlite_files import sqlite_path
from workflows.ports import EventStore


def open_store(url: str) -> EventStore:
    """The event store at `url`: a path or `sqlite:` URL of a file or folder, or a `postgresql://` DSN.

    Makes what is missing. Raises domain.refusal.Unavailable when it cannot be reached, Refused or ValueError for
    settings under which it must not run.
    """
    return PostgresStore(url) if is_postgres(url) else SqliteStore(sqlite_path(url, "cases.db"))
