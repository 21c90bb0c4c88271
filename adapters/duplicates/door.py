"""The way to the index: opened when it is first needed, so that nobody waits for it who does not compare."""

from __future__ import annotations

from threading import Lock

from adapters.duplicates.index import Index, open_index
from adapters.vault.keys import Keys


class Door:
    """Opens the index beside the key store at `url` once. Safe to share between threads."""

    def __init__(self, url: str, keys: Keys) -> None:
        self._url, self._keys = url, keys
        self._index: Index | None = None
        self._lock = Lock()

    def index(self) -> Index:
        """The index. Raises Unavailable while it cannot be reached; the next one to ask tries again."""
        with self._lock:
            if self._index is None:
                self._index = open_index(self._url, self._keys)
            return self._index

    def close(self) -> None:
        """Let go of the connections; who asks later opens it again."""
        with self._lock:
            if self._index is not None:
                self._index.close()
                self._index = None
