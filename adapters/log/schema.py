"""Tables of the evidence log: `log.db`, or the schema `log` of a PostgreSQL database.

The newest leaves, up to 255, stand as rows in `tail`; a full 256 of them become one bundle and one tile of level 0, so
that sealing one event writes one leaf and never a whole bundle anew. Tiles above level 0 are kept as wide as they are:
each only ever gets longer, and every narrower form that a head was signed over is its beginning. `streams` says where
each stream stands, `heads` what was signed.
"""

from __future__ import annotations

VERSION = 1
"""Kept in SQLite's user_version and in PostgreSQL's `meta`; a log of a later version is refused."""

TABLES = (
    """CREATE TABLE IF NOT EXISTS state (
        one {integer} PRIMARY KEY CHECK (one = 1), origin {text} NOT NULL, size {integer} NOT NULL,
        position {integer} NOT NULL, root {bytes} NOT NULL, epoch {text} NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS tail (
        leaf_index {integer} PRIMARY KEY, position {integer} NOT NULL UNIQUE, hash {bytes} NOT NULL,
        leaf {bytes} NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS bundles (
        tile_index {integer} PRIMARY KEY, first_position {integer} NOT NULL UNIQUE, entries {bytes} NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS tiles (
        level {integer} NOT NULL, tile_index {integer} NOT NULL, hashes {bytes} NOT NULL,
        PRIMARY KEY (level, tile_index))""",
    """CREATE TABLE IF NOT EXISTS streams (
        stream {text} PRIMARY KEY, version {integer} NOT NULL, leaf_index {integer} NOT NULL,
        hash {bytes} NOT NULL){without_rowid}""",
    """CREATE TABLE IF NOT EXISTS heads (
        size {integer} PRIMARY KEY, root {bytes} NOT NULL, note {text} NOT NULL, signed_at {integer} NOT NULL,
        cosigned_at {integer})""",
    "CREATE INDEX IF NOT EXISTS heads_cosigned ON heads (size) WHERE cosigned_at IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS meta (name {text} PRIMARY KEY, value {text} NOT NULL)",
)

COLUMNS = {
    "tail": ("leaf_index", "position", "hash", "leaf"),
    "bundles": ("tile_index", "first_position", "entries"),
    "tiles": ("level", "tile_index", "hashes"),
    "streams": ("stream", "version", "leaf_index", "hash"),
}
"""The columns of the tables that grow in bulk, in order."""

KINDS = {
    **dict.fromkeys(
        ("leaf_index", "position", "tile_index", "first_position", "level", "version"), "integer"
    ),
    **dict.fromkeys(("hash", "leaf", "entries", "hashes"), "bytes"),
    "stream": "text",
}

SQLITE = {"integer": "INTEGER", "bytes": "BLOB", "text": "TEXT", "without_rowid": " WITHOUT ROWID"}
POSTGRES = {"integer": "bigint", "bytes": "bytea", "text": 'text COLLATE "C"', "without_rowid": ""}

POSTGRES_ONLY = (
    # Hashes do not shrink, and squeezing bundles would take longer than all the rest of sealing.
    "ALTER TABLE bundles ALTER COLUMN entries SET STORAGE EXTERNAL",
    "ALTER TABLE tiles ALTER COLUMN hashes SET STORAGE EXTERNAL",
)
