"""SQLite files copied, staged and put in place whole: what a backup and a restore do with them."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from adapters.store.sqlite_files import open_sqlite


def copy(source: Path, target: Path) -> Path:
    """One consistent copy of a SQLite file that others are writing, checked and flushed."""
    source_db = sqlite3.connect(f"file:{source}?mode=ro", uri=True)
    target_db = open_sqlite(target)
    try:
        source_db.backup(target_db)
        target_db.execute("PRAGMA journal_mode = DELETE").fetchone()  # one file, with nothing beside it
        (verdict,) = target_db.execute("PRAGMA quick_check").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(f"the copy of {source.name} is damaged: {verdict}")
    finally:
        source_db.close()
        target_db.close()
    flush(target)
    return target


def staged(saved: Path, place: Path) -> Path:
    """A copy of a saved file beside the place that it is for."""
    beside = place.with_name(f"{place.name}.restoring")
    remove(beside)
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(saved, beside)
    beside.chmod(0o600)
    return beside


def take_place(staged: Path, place: Path) -> str | None:
    """Put a staged file in its place and flush; returns what the file that stood there is called now."""
    aside = _set_aside(place)
    settle(staged)
    staged.rename(place)
    flush(place.parent)
    return aside


def _set_aside(place: Path) -> str | None:
    """Move the present file away; it holds what the restored one does not."""
    if not place.exists():
        remove(place)  # what a lost file may have left beside it
        return None
    settle(place)
    aside = place.with_name(f"{place.name}.replaced-{datetime.now(UTC):%Y%m%dT%H%M%S}")
    place.rename(aside)
    return aside.name


def settle(path: Path) -> None:
    """Bring a database's log into its file, so that the file alone can be moved."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    finally:
        connection.close()
    flush(path)


def remove(path: Path) -> None:
    """Delete a database with what lies beside it."""
    for each in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        each.unlink(missing_ok=True)


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def flush(path: Path) -> None:
    """Keep a file, or the names in a folder, from a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
