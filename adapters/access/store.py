"""The tables of access: `access.db`, or a schema `access` of a PostgreSQL database."""

from __future__ import annotations

from typing import TypeAlias

from adapters.store.tables import Tables, open_tables

TABLES = (
    "CREATE TABLE IF NOT EXISTS system_keys (id TEXT PRIMARY KEY, digest TEXT NOT NULL, person TEXT NOT NULL,"
    " body TEXT NOT NULL, source TEXT NOT NULL, made_at BIGINT NOT NULL, ends_at BIGINT)",
    "CREATE TABLE IF NOT EXISTS subjects (digest TEXT PRIMARY KEY, person TEXT NOT NULL, made_at BIGINT NOT NULL)",
)
"""`digest` of a key is the SHA-256 of its secret; of a subject the HMAC of issuer and `sub` under the store's secret.
Moments are microseconds since 1970 (UTC)."""

AccessStore: TypeAlias = Tables


def open_access(url: str) -> AccessStore:
    """The tables at a file, a folder (`access.db` in it) or a DSN, made where missing. Raises Unavailable."""
    return open_tables(url, "access", TABLES)
