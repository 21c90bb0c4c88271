"""The log as files that any static web server can serve: C2SP tlog-tiles without entry bundles.

    checkpoint               the newest head that a quorum has cosigned, or the log alone where no head is cosigned yet
    tile/<L>/<N>[.p/<W>]     hashes; those of level 0 are the leaf hashes, and there is nothing else of a leaf

A reader at any moment finds a whole tree: tiles come first, each in one step, the checkpoint last. What stands there
already is not written again. Partial tiles of earlier checkpoints stay until their tile is full.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from adapters.log.growing import reader
from adapters.log.store import Head, LogStore
from adapters.put import put
from adapters.store.file_lock import FileLock
from domain.log.checkpoint import Checkpoint
from domain.log.notes import NoteError, parse_note
from domain.log.tiles import WIDTH, Tile, subtree_from_tiles, tile_bytes, tile_path, tiles_for
from domain.log.tree import root
from domain.refusal import Refused, Unavailable

CHECKPOINT: Final = "checkpoint"
_LOCK: Final = ".export.lock"


class Exported(NamedTuple):
    """What an export left in the folder: the tree's size, the tiles that it wrote, the checkpoint note."""

    size: int
    tiles: int
    note: str


def export(log: LogStore, folder: Path, *, again: bool = False) -> Exported:
    """Bring the folder up to the newest head; with `again` write every tile anew.

    Raises Refused "no_head" before the first head, "other_log" for a folder whose checkpoint does not belong to this
    log, Unavailable where the folder cannot be written or the log not be read: what was served is served still.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"{folder.name} cannot be made: {error.strerror}.") from error
    with FileLock(folder / _LOCK).held():
        head = log.cosigned() or log.head()
        if head is None:
            raise Refused("no_head", "Let the role seal run first: nothing of this log has been signed yet.")
        before = _served(log, folder, head)
        if before > head.size:  # served when no board cosigned yet; the boards' heads will pass it
            return Exported(before, 0, (folder / CHECKPOINT).read_text("utf-8"))
        written = _write_tiles(log, folder, 0 if again else before, head.size)
        put(folder / CHECKPOINT, head.note.encode("utf-8"))
        _drop_partials(folder, before, head.size)
    return Exported(head.size, written, head.note)


def _served(log: LogStore, folder: Path, head: Head) -> int:
    """The size of the tree that the folder holds, 0 for none; it must be a beginning of this log."""
    try:
        known = Checkpoint.parse(parse_note((folder / CHECKPOINT).read_text("utf-8")).text)
    except FileNotFoundError:
        return 0
    except (NoteError, UnicodeDecodeError) as error:
        raise _other_log() from error
    except OSError as error:
        raise Unavailable(f"{CHECKPOINT} cannot be read: {error.strerror}.") from error
    ours = Checkpoint.parse(parse_note(head.note).text)
    if known.origin != ours.origin or known.size > log.state().size:
        raise _other_log()
    if root(known.size, subtree_from_tiles(reader(log), known.size)) != known.root:
        raise _other_log()
    return known.size


def _other_log() -> Refused:
    return Refused("other_log", "Name an empty folder: what this one serves is not a beginning of this log.")


def _write_tiles(log: LogStore, folder: Path, old: int, new: int) -> int:
    read, count = reader(log), 0
    for tile in hash_tiles(old, new):
        put(folder / tile_path(tile), tile_bytes(read, tile))
        count += 1
    return count


def hash_tiles(old: int, new: int) -> Iterator[Tile]:
    """The tiles that a tree of `new` leaves has beyond one of `old`, without entry bundles."""
    return (tile for tile in tiles_for(old, new) if tile.level >= 0)


def _drop_partials(folder: Path, old: int, new: int) -> None:
    """Take away the narrower forms of tiles that have become full: the full one serves every earlier checkpoint."""
    for tile in hash_tiles(old, new):
        if tile.width == WIDTH:
            full = folder / tile_path(tile)
            shutil.rmtree(full.with_name(f"{full.name}.p"), ignore_errors=True)
