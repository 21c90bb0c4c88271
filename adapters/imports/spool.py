"""The spool: a table as it was sent, and its rows in slices, until the import has ended.

Rows hold personal data, so all of it is sealed under a key of its own that is destroyed at the end; nothing is ever
written in clear. It lies in tables, not in a folder: who takes it in and who works it off may be different machines.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import IO

from adapters.imports.table import Row
from adapters.pieces import Incoming, Pieces
from adapters.store.tables import Tables
from domain.refusal import NotFound
from workflows.ports import KeyStore

SLICE = 200
"""Rows of a slice."""
_SUBJECT = "import"


class Spool:
    """Uploads, each under a key of its own. Every method may raise domain.refusal.Unavailable."""

    def __init__(self, tables: Tables, keys: KeyStore) -> None:
        self._pieces, self._keys = Pieces(tables), keys

    def incoming(self, upload: str, most: int, at: int) -> Incoming:
        """A new upload of at most so many bytes, under a fresh key."""
        key = self._keys.create([(upload, _SUBJECT)])[upload, _SUBJECT]
        return Incoming(self._pieces, key, upload, most, at)

    def put(self, upload: str, what: str, n: int, plain: bytes, at: int) -> None:
        """Keep a piece, in the place of one that was there. Raises NotFound where the upload is over."""
        self._pieces.put(self._key(upload), upload, what, n, plain, at)

    def get(self, upload: str, what: str, n: int) -> bytes:
        """A piece. Raises NotFound where there is none, or its key is gone."""
        return self._pieces.get(self._key(upload), upload, what, n)

    def rows(self, upload: str, n: int) -> list[Row]:
        """The rows of a slice."""
        return [Row(*each) for each in json.loads(self.get(upload, "rows", n))]

    def put_rows(self, upload: str, n: int, rows: Sequence[Row], at: int) -> None:
        """Keep a slice; a cell that is not valid text stays so, and is named when it is read."""
        self.put(upload, "rows", n, json.dumps(rows, ensure_ascii=True).encode("ascii"), at)

    def opened(self, upload: str, size: int) -> IO[bytes]:
        """The file, to be read anywhere."""
        return self._pieces.opened(self._key(upload), upload, size)

    def clear(self, upload: str) -> None:
        """Let nothing be left: the key is destroyed, and the pieces go."""
        self.forget(upload)
        self._pieces.drop(upload)

    def forget(self, upload: str) -> None:
        """Destroy the key: nobody reads any of it again."""
        self._keys.destroy(upload)

    def uploads(self, before: int) -> list[str]:
        """The uploads that began before a moment and are still there."""
        return self._pieces.uploads(before)

    def _key(self, upload: str) -> bytes:
        key = self._keys.key(upload, _SUBJECT)
        if key is None:
            raise NotFound
        return key
