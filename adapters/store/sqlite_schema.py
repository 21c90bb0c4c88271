"""Tables of `cases.db`."""

from __future__ import annotations

VERSION = 2
"""Kept in SQLite's user_version; a file of a later version is refused."""

# `rowid` is declared, and AUTOINCREMENT, so that a position is never given twice, not even after the newest
# events were deleted; the library reads it under this name. `known_at` is the running maximum of recorded_at,
# in microseconds since 1970: what was known at T are the events with known_at up to T.
EVENTS = """CREATE TABLE IF NOT EXISTS {events} (
    rowid INTEGER PRIMARY KEY AUTOINCREMENT,
    originator_id TEXT NOT NULL,
    originator_version INTEGER NOT NULL,
    topic TEXT NOT NULL,
    state BLOB NOT NULL,
    known_at INTEGER NOT NULL,
    UNIQUE (originator_id, originator_version))"""

BESIDE_EVENTS = (
    """CREATE TABLE IF NOT EXISTS commands (
        client TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL, stream TEXT NOT NULL,
        outcome TEXT NOT NULL, answer BLOB NOT NULL, recorded_at INTEGER NOT NULL,
        PRIMARY KEY (client, key)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS commands_of_stream ON commands (stream)",
    """CREATE TABLE IF NOT EXISTS refs (
        source TEXT NOT NULL, digest TEXT NOT NULL, stream TEXT NOT NULL,
        PRIMARY KEY (source, digest)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS sealed_values (
        stream TEXT NOT NULL, digest TEXT NOT NULL, subject TEXT NOT NULL, name TEXT NOT NULL,
        ciphertext BLOB NOT NULL,
        PRIMARY KEY (stream, digest)) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS texts (digest TEXT PRIMARY KEY, text TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
)
