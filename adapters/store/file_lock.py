"""An exclusive lock between processes, as a file that the system unlocks when its holder dies.

SQLite makes a waiting writer sleep and try again, so that a busy process can keep another out for seconds;
the system wakes a waiter of `flock` when the lock is free (DESIGN.md §9).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FileLock:
    """One lock file; each holding opens it anew, so that threads of one process exclude each other too."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for the lock and hold it. Raises OSError where the file cannot be opened."""
        descriptor = self._open()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def tried(self) -> Iterator[bool]:
        """Take the lock if it is free; yields whether it is held. Raises OSError as `held` does."""
        descriptor = self._open()
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
