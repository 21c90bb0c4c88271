"""Files that are there whole or not at all, for whoever may read the folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from domain.refusal import Unavailable


def put(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write or replace a file in one step, durably; it is readable by all, as far as its folder and `mode` let them.

    Raises Unavailable where it cannot be written: what stood there before stands there still.
    """
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise
        _keep_name(path.parent)
    except OSError as error:
        raise Unavailable(f"{path.name} cannot be written: {error.strerror}.") from error


def _keep_name(folder: Path) -> None:
    """Make a new name in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
