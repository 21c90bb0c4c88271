"""Sealed values (DESIGN.md laws 9, 10): the keys in a store of their own, the values beside their events."""

from __future__ import annotations

from pathlib import Path

from adapters.store.postgres_link import is_postgres
from adapters.store.sqlite_files import sqlite_path
from adapters.vault.keys import Keys
from adapters.vault.masters import Masters
from adapters.vault.postgres_keys import PostgresKeyTable
from adapters.vault.sqlite_keys import SqliteKeyTable


def open_keys(url: str, masters: Path) -> Keys:
    """The key store at `url` (path, `sqlite:` URL or `postgresql://` DSN) under the master keys of a folder.

    Makes missing tables, never missing master keys: see `masters.create_masters`. Raises
    domain.refusal.Unavailable when it cannot be reached, Refused for master keys that are absent, open to
    others or not those of this store.
    """
    held = Masters(masters)  # first: a wrong folder is noticed before anything is made
    table = PostgresKeyTable(url) if is_postgres(url) else SqliteKeyTable(sqlite_path(url, "keys.db"))
    return Keys(table, held)
