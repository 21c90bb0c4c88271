"""The evidence log (DESIGN.md law 12): where its tiles are kept, who signs, and the sealer that grows it."""

from __future__ import annotations

from adapters.log.postgres import PostgresDatabase
from adapters.log.rows import LogRows
from adapters.log.sqlite import SqliteDatabase
from adapters.log.store import LogStore
from adapters.store.postgres_link import is_postgres
from adapters.store.sqlite_files import sqlite_path


def open_log(url: str) -> LogStore:
    """The evidence log at `url`: a path or `sqlite:` URL of a file or folder, or a `postgresql://` DSN.

    Makes missing tables; the log itself is opened, with its first leaf, by the sealer. Raises
    domain.refusal.Unavailable when it cannot be reached, Refused or ValueError for settings under which it must not run.
    """
    return LogRows(PostgresDatabase(url) if is_postgres(url) else SqliteDatabase(sqlite_path(url, "log.db")))
