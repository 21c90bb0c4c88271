"""Files in sealed pieces: taken in as they come, never held whole and never written in clear, read anywhere.

They lie in a table, so that every machine that shares the database can read them. A file is there when whoever keeps
it says so in a row of its own: pieces without one are what a broken-off upload has left, and are let go of (arriving.py).
"""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Callable
from typing import IO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.arriving import still_arriving
from adapters.store.tables import Tables
from domain.refusal import NotFound, Refused

PIECE = 262_144
"""Bytes of a file's piece."""
FILE = "file"
_NONCE = 12

TABLES = (
    "CREATE TABLE IF NOT EXISTS pieces (upload TEXT NOT NULL, what TEXT NOT NULL, n BIGINT NOT NULL, made_at BIGINT NOT NULL,"
    " data BYTEA NOT NULL, PRIMARY KEY (upload, what, n))",
)
"""`what` is "file", "holder" (who takes it in), "over" (let go of), or what else belongs to an upload; moments are
microseconds since 1970 (UTC)."""
_PUT = "INSERT INTO pieces VALUES (?, ?, ?, ?, ?) ON CONFLICT (upload, what, n) DO UPDATE SET data = excluded.data"


class Pieces:
    """Pieces by upload, each sealed under a key of 32 bytes. Every method may raise domain.refusal.Unavailable."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def put(self, key: bytes, upload: str, what: str, n: int, plain: bytes, at: int) -> None:
        """Keep a piece, in the place of one that was there."""
        self._tables.run(_PUT, upload, what, n, at, _sealed(key, upload, what, n, plain))

    def take_in(self, key: bytes, upload: str, n: int, plain: bytes, at: int) -> None:
        """Keep a piece of a file on its way in. Raises Unavailable where that was let go of meanwhile."""
        data = _sealed(key, upload, FILE, n, plain)
        with self._tables.transaction() as work:
            still_arriving(work, upload)
            work.run(_PUT, upload, FILE, n, at, data)

    def get(self, key: bytes, upload: str, what: str, n: int) -> bytes:
        """A piece. Raises NotFound where there is none."""
        found = self._tables.rows(
            "SELECT data FROM pieces WHERE upload = ? AND what = ? AND n = ?", upload, what, n
        )
        if not found:
            raise NotFound
        data = bytes(found[0][0])
        return AESGCM(key).decrypt(data[:_NONCE], data[_NONCE:], _bound(upload, what, n))

    def drop(self, upload: str) -> None:
        """Let all pieces of an upload go."""
        self._tables.run("DELETE FROM pieces WHERE upload = ?", upload)

    def uploads(self, before: int) -> list[str]:
        """The uploads that began before a moment and are still there."""
        found = self._tables.rows(
            "SELECT DISTINCT upload FROM pieces WHERE what = 'file' AND made_at < ?", before
        )
        return [row[0] for row in found]

    def opened(self, key: bytes, upload: str, size: int) -> IO[bytes]:
        """The file, to be read anywhere; nothing of it is held but the piece that is being read."""
        return io.BufferedReader(_File(lambda n: self.get(key, upload, FILE, n), size), 65_536)


class Incoming:
    """A file that is being taken in: its bytes are sealed as they come. `size` and `digest` (SHA-256, hex) grow."""

    def __init__(self, pieces: Pieces, key: bytes, upload: str, most: int, at: int) -> None:
        self.upload, self.size = upload, 0
        self._pieces, self._key, self._most, self._at = pieces, key, most, at
        self._hash, self._held, self._count = hashlib.sha256(), bytearray(), 0

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
        self._pieces.take_in(self._key, self.upload, self._count, bytes(self._held[:count]), self._at)
        del self._held[:count]
        self._count += 1


class _File(io.RawIOBase):
    def __init__(self, get: Callable[[int], bytes], size: int) -> None:
        self._get, self._size = get, size
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
            self._n, self._piece = n, self._get(n)
        part = self._piece[begins : begins + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


def _sealed(key: bytes, upload: str, what: str, n: int, plain: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, _bound(upload, what, n))


def _bound(upload: str, what: str, n: int) -> bytes:
    return f"{upload}|{what}|{n}".encode()
