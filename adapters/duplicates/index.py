"""The index of likenesses: what of each open matter is compared, sealed like the words that it was made from (law 10).

A row holds the features of one matter encrypted under the key of its requester in its case, so that it dies with that
key: destroyed, locked or handed to discipline inspection, it opens no more, at once and in every copy. In the clear
stand only the host, grid, kind, code and moment, which the record shows anyway. Hashed words would have saved the
decrypting; but whoever holds the secret that they are hashed under can try all words, and that secret is never
destroyed.

It lies beside the keys (`likeness.db`, or a schema of their database), is in no backup, and is made again from the
record where it is lost: see `filling`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.duplicates.features import Features, pack, unpack
from adapters.store.postgres_link import is_postgres
from adapters.store.sqlite_files import sqlite_path
from adapters.store.tables import Tables, open_tables
from adapters.vault.keys import Keys
from adapters.vault.vault import NONCE_BYTES
from domain.refusal import Conflict

TABLES = (
    "CREATE TABLE IF NOT EXISTS likeness (stream TEXT PRIMARY KEY, subject TEXT NOT NULL, host TEXT NOT NULL,"
    " grid TEXT NOT NULL, kind TEXT NOT NULL, code TEXT, registered BIGINT NOT NULL, features BYTEA NOT NULL)",
    "CREATE INDEX IF NOT EXISTS likeness_by_host ON likeness (host, registered)",
    "CREATE INDEX IF NOT EXISTS likeness_by_time ON likeness (registered)",
    "CREATE INDEX IF NOT EXISTS likeness_by_grid ON likeness (host, grid, registered)",
    "CREATE TABLE IF NOT EXISTS reached (life TEXT PRIMARY KEY, position BIGINT NOT NULL)",
)
"""`registered` is microseconds since 1970 (UTC); '' stands for no host, no grid. `reached` has one row: how far the
record has been read, and in which life of the store."""

MOST_COMPARED = 600
"""With how many a matter is compared at most: those of its grid first, then the newest of its community."""
_COLUMNS = "stream, subject, host, grid, kind, code, registered, features"


class Entry(NamedTuple):
    """A matter in the index, in the clear but for its features; `subject` is whose words they were made from."""

    stream: str
    subject: str
    host: str
    grid: str
    kind: str
    code: str | None
    registered: int


class Block(NamedTuple):
    """With what a matter is compared: these hosts (or any), its own grid first, these kinds, registered from then till
    then (microseconds since 1970, both included)."""

    hosts: Sequence[str]
    grid: str
    kinds: Sequence[str]
    since: int
    until: int = 2**62


class Index:
    """The index. Every method may raise Unavailable."""

    def __init__(self, tables: Tables, keys: Keys) -> None:
        self._tables, self._keys = tables, keys

    def put(self, entries: Sequence[tuple[Entry, Features]]) -> int:
        """Keep what is compared, where its key is usable; what stands there already stays. Returns how many were new."""
        keys = self._keys.usable((entry.stream, entry.subject) for entry, _ in entries)
        rows = [
            (*entry, _sealed(keys[entry.stream, entry.subject], entry, features))
            for entry, features in entries
            if (entry.stream, entry.subject) in keys
        ]
        statement = (
            f"INSERT INTO likeness ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        )
        if len(rows) == 1:
            return self._tables.run(statement, *rows[0])
        with self._tables.transaction() as work:
            return work.run_all(statement, rows)

    def held(self, streams: Iterable[str]) -> set[str]:
        """Which of these matters are in it."""
        wanted = list(streams)
        found: set[str] = set()
        for first in range(0, len(wanted), 400):
            some = wanted[first : first + 400]
            statement = f"SELECT stream FROM likeness WHERE stream IN ({_marks(some)})"
            found |= {row[0] for row in self._tables.rows(statement, *some)}
        return found

    def drop(self, streams: Iterable[str]) -> None:
        """Take matters out of it."""
        with self._tables.transaction() as work:
            work.run_all("DELETE FROM likeness WHERE stream = ?", [(stream,) for stream in streams])

    def of(self, stream: str) -> tuple[Entry, Features] | None:
        """One matter's own, or None where it is not in the index or its key is not usable."""
        rows = self._tables.rows(f"SELECT {_COLUMNS} FROM likeness WHERE stream = ?", stream)
        return next(iter(self._opened(rows)), None)

    def near(self, block: Block, own: str) -> tuple[list[tuple[Entry, Features]], bool]:
        """The matters of a block without `own`, and whether there were more than could be compared."""
        rows: list[Any] = []
        for grid in (" AND grid = ?", " AND grid <> ?") if block.grid else ("",):
            if len(rows) <= MOST_COMPARED:
                statement, given = _newest(block, own, grid, MOST_COMPARED + 1 - len(rows))
                rows += self._tables.rows(statement, *given)
        return self._opened(rows[:MOST_COMPARED]), len(rows) > MOST_COMPARED

    def reached(self, life: str) -> int:
        """Up to which position of the record it stands; 0, and empty, where the store lives another life."""
        rows = self._tables.rows("SELECT position FROM reached WHERE life = ?", life)
        if rows:
            return int(rows[0][0])
        with self._tables.transaction() as work:
            if work.run(
                "DELETE FROM reached"
            ):  # of another life; before the first one, intakes have put theirs in
                work.run("DELETE FROM likeness")
            work.run("INSERT INTO reached VALUES (?, 0) ON CONFLICT DO NOTHING", life)
        return 0

    def move(self, life: str, expected: int, position: int) -> None:
        """Note how far the record has been read. Raises Conflict if somebody else has noted it."""
        moved = self._tables.run(
            "UPDATE reached SET position = ? WHERE life = ? AND position = ?", position, life, expected
        )
        if moved != 1:
            raise Conflict("somebody else has moved the index on")

    def close(self) -> None:
        """Let go of the connections."""
        self._tables.close()

    def _opened(self, rows: Sequence[Sequence[Any]]) -> list[tuple[Entry, Features]]:
        keys = self._keys.usable([(row[0], row[1]) for row in rows])
        held = [(Entry._make(row[:-1]), keys[row[0], row[1]], row[-1]) for row in rows if row[:2] in keys]
        opened = [(entry, _features(key, entry, sealed)) for entry, key, sealed in held]
        return [(entry, features) for entry, features in opened if features is not None]


def open_index(url: str, keys: Keys) -> Index:
    """The index beside the key store at `url`, made where it is missing. Raises Unavailable."""
    where = url if is_postgres(url) else str(Path(sqlite_path(url, "keys.db")).with_name("likeness.db"))
    # Not flushed: rows and how far the record was read are lost together, and read again.
    return Index(open_tables(where, "likeness", TABLES, flushed=False), keys)


def _newest(block: Block, own: str, grid: str, most: int) -> tuple[str, list[object]]:
    """The statement for the newest of a block and its parameters. Each host is asked for by itself: of a list of them
    a database reads all there are, or all that anybody has registered, to find the newest."""
    where = f"registered BETWEEN ? AND ? AND kind IN ({_marks(block.kinds)}) AND stream <> ?{grid}"
    given = (block.since, block.until, *block.kinds, own, *([block.grid] if grid else ()))
    parts, parameters = list[str](), list[object]()
    for host in block.hosts or (None,):
        of_host = "" if host is None else "host = ? AND "
        parts.append(
            f"SELECT * FROM (SELECT {_COLUMNS} FROM likeness WHERE {of_host}{where}"
            " ORDER BY registered DESC LIMIT ?) AS newest"
        )
        parameters += [*(() if host is None else (host,)), *given, most]
    return f"{' UNION ALL '.join(parts)} ORDER BY registered DESC LIMIT ?", [*parameters, most]


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _sealed(key: bytes, entry: Entry, features: Features) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, pack(features), _bound(entry))


def _features(key: bytes, entry: Entry, sealed: bytes) -> Features | None:
    """None for a row of an earlier life of the key, or a damaged one: the matter is compared with nothing then."""
    try:
        return unpack(AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(entry)))
    except InvalidTag:
        return None


def _bound(entry: Entry) -> bytes:
    return f"likeness|{entry[0]}|{entry[1]}".encode()
