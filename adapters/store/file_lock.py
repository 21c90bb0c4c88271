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

from domain.refusal import Unavailable


class FileLock:
    """One lock file; each holding opens it anew, so that threads of one process exclude each other too."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for the lock and hold it. Raises Unavailable where the file cannot be opened."""
        descriptor = open_own(self.path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def tried(self) -> Iterator[bool]:
        """Take the lock if it is free; yields whether it is held. Raises Unavailable as `held` does."""
        descriptor = open_own(self.path)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)


def open_own(path: Path) -> int:
    """A descriptor of a file that is made, if it is missing, for its owner only. Raises Unavailable."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(f"{path.name} cannot be opened: {error.strerror}") from error
