"""The spool: a table as it was sent, and its rows in slices, until the import has ended.

Rows hold personal data, so all of it is sealed under a key of its own that is destroyed at the end; nothing is ever
written in clear. It lies in tables, not in a folder: who takes it in and who works it off may be different machines.
"""

from __future__ import annotations

import hashlib
import io
import json
import secrets
from collections.abc import Sequence
from typing import IO
from uuid import uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.imports.table import Row
from adapters.store.tables import Tables
from domain.refusal import NotFound, Refused
from workflows.ports import KeyStore

PIECE = 262_144
"""Bytes of a file's piece."""
SLICE = 200
"""Rows of a slice."""
_NONCE = 12
_SUBJECT = "import"

TABLES = (
    "CREATE TABLE IF NOT EXISTS pieces (upload TEXT NOT NULL, what TEXT NOT NULL, n BIGINT NOT NULL, made_at BIGINT NOT NULL,"
    " data BYTEA NOT NULL, PRIMARY KEY (upload, what, n))",
)
"""`what` is "file" or "rows"; moments are microseconds since 1970 (UTC)."""


class Spool:
    """Sealed pieces by upload. Every method may raise domain.refusal.Unavailable."""

    def __init__(self, tables: Tables, keys: KeyStore) -> None:
        self._tables, self._keys = tables, keys

    def begin(self) -> str:
        """A new upload, with its key."""
        upload = str(uuid4())
        self._keys.create([(upload, _SUBJECT)])
        return upload

    def put(self, upload: str, what: str, n: int, plain: bytes, at: int) -> None:
        """Keep a piece, in the place of one that was there."""
        nonce = secrets.token_bytes(_NONCE)
        data = nonce + self._cipher(upload).encrypt(nonce, plain, _bound(upload, what, n))
        self._tables.run(
            "INSERT INTO pieces VALUES (?, ?, ?, ?, ?) ON CONFLICT (upload, what, n) DO UPDATE SET data = excluded.data",
            upload, what, n, at, data,
        )  # fmt: skip

    def get(self, upload: str, what: str, n: int) -> bytes:
        """A piece. Raises NotFound where there is none, or its key is gone."""
        found = self._tables.rows(
            "SELECT data FROM pieces WHERE upload = ? AND what = ? AND n = ?", upload, what, n
        )
        if not found:
            raise NotFound
        data = bytes(found[0][0])
        return self._cipher(upload).decrypt(data[:_NONCE], data[_NONCE:], _bound(upload, what, n))

    def rows(self, upload: str, n: int) -> list[Row]:
        """The rows of a slice."""
        return [Row(*each) for each in json.loads(self.get(upload, "rows", n))]

    def put_rows(self, upload: str, n: int, rows: Sequence[Row], at: int) -> None:
        """Keep a slice; a cell that is not valid text stays so, and is named when it is read."""
        self.put(upload, "rows", n, json.dumps(rows, ensure_ascii=True).encode("ascii"), at)

    def opened(self, upload: str, size: int) -> IO[bytes]:
        """The file, to be read anywhere; nothing of it is held but the piece that is being read."""
        return io.BufferedReader(_File(self, upload, size), 65_536)

    def clear(self, upload: str) -> None:
        """Let nothing be left: the pieces go, and the key is destroyed."""
        self._keys.destroy(upload)
        self._tables.run("DELETE FROM pieces WHERE upload = ?", upload)

    def uploads(self, before: int) -> list[str]:
        """The uploads that began before a moment and are still there."""
        found = self._tables.rows(
            "SELECT DISTINCT upload FROM pieces WHERE what = 'file' AND made_at < ?", before
        )
        return [row[0] for row in found]

    def _cipher(self, upload: str) -> AESGCM:
        key = self._keys.key(upload, _SUBJECT)
        if key is None:
            raise NotFound
        return AESGCM(key)


class Incoming:
    """A file that is being taken in: its bytes go to the spool as they come. `size` and `digest` (SHA-256, hex) grow."""

    def __init__(self, spool: Spool, most: int, at: int) -> None:
        self.upload, self.size = spool.begin(), 0
        self._spool, self._most, self._at = spool, most, at
        self._hash, self._held, self._pieces = hashlib.sha256(), bytearray(), 0

    @property
    def digest(self) -> str:
        """Of all that has come."""
        return self._hash.hexdigest()

    def write(self, part: bytes) -> None:
        """Take the next bytes. Raises Refused "too_large_a_body", Unavailable."""
        self.size += len(part)
        if self.size > self._most:
            raise Refused("too_large_a_body", f"Split the file: it may have at most {self._most:,} bytes.")
        self._hash.update(part)
        self._held += part
        while len(self._held) >= PIECE:
            self._keep(PIECE)

    def end(self) -> None:
        """The last byte has come."""
        if self._held:
            self._keep(len(self._held))

    def _keep(self, count: int) -> None:
        self._spool.put(self.upload, "file", self._pieces, bytes(self._held[:count]), self._at)
        del self._held[:count]
        self._pieces += 1


class _File(io.RawIOBase):
    def __init__(self, spool: Spool, upload: str, size: int) -> None:
        self._spool, self._upload, self._size = spool, upload, size
        self._at, self._n, self._piece = 0, -1, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # what io hands over
        if self._at >= self._size:
            return 0
        n, begins = divmod(self._at, PIECE)
        if n != self._n:
            self._n, self._piece = n, self._spool.get(self._upload, "file", n)
        part = self._piece[begins : begins + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


def _bound(upload: str, what: str, n: int) -> bytes:
    return f"{upload}|{what}|{n}".encode()
