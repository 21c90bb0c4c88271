"""A bundle, cosigned on a laptop without a network: the month's leaves are hashed again, and what they make is judged.

    checkpoint.old            the head before, absent in a bundle since genesis
    log/checkpoint            the head now
    log/tile/<L>/….p/<W>      the partial tiles of the tree at the old head
    log/tile/entries/…        the bundles of entries from there on; an empty entry is withheld from this board
    log/tile/0/…              the hashes beside each bundle that withholds one

The partial tiles of the old tree and the new leaves give every hash of the new one (evidence.md 2.7), and with them the
consistency proof from whatever head in between the board has cosigned last.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.witness.board import Board
from domain.log.checkpoint import Checkpoint
from domain.log.notes import Note, parse_note
from domain.log.tiles import (
    ENTRIES,
    WIDTH,
    Grown,
    Tile,
    decode_entries,
    edge_root,
    edges_from_tiles,
    grow,
    subtree_from_tiles,
    tile_bytes,
    tile_path,
)
from domain.log.tree import HASH_BYTES, consistency, leaf_hash
from domain.log.witness import AddCheckpoint, Refusal
from domain.refusal import Refused

MOST_NOTE = 1_000_000
MOST_TILE = WIDTH * (65_535 + 2)
"""Bytes of a bundle of entries at the most; what claims to be larger is not unpacked."""


def cosign_bundle(board: Board, path: Path) -> Note:
    """The bundle's head with the board's line, the board's state saved. Raises Refused for whatever is wrong."""
    with opened(path) as bundle:
        head, old = bundle.head, bundle.old
        checkpoint = Checkpoint.parse(head.text)
        known = board.known(checkpoint.origin)
        since = known.size if known else 0
        tree = bundle.grown(old, checkpoint)
        request = AddCheckpoint(since, _proof(tree, old.size if old else 0, since, checkpoint.size), head)
    decided = board.judged(request)
    if isinstance(decided, Refusal):
        raise Refused(f"witness_{decided.status}", decided.body.strip())
    return Note(head.text, (board.cosigned(request, decided),))


def _proof(tree: Grown, old: int, since: int, size: int) -> tuple[bytes, ...]:
    """From the head that the board has cosigned last; the bundle must begin there or before."""
    if since > size:
        raise Refused(
            "bundle_too_old", f"Ask for a newer bundle: this board has cosigned {since} leaves already."
        )
    if since in (0, size):
        return ()  # nothing to prove
    if since < old:
        raise Refused(
            "bundle_begins_later", f"Ask for a bundle since size {since}: this one begins at {old}."
        )
    tiles = {(tile.level, tile.index): data for tile, data in tree.tiles}
    return tuple(consistency(since, size, subtree_from_tiles(lambda level, at, _: tiles[level, at], size)))


class Bundle:
    """What a bundle holds, read member by member. Every method raises Refused `bad_bundle` for what is not as it must be."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.head = parse_note(self._read("log/checkpoint", MOST_NOTE))
        there = "checkpoint.old" in archive.namelist()
        self.old = (
            Checkpoint.parse(parse_note(self._read("checkpoint.old", MOST_NOTE)).text) if there else None
        )

    def grown(self, old: Checkpoint | None, new: Checkpoint) -> Grown:
        """The new tree, from the old one's partial tiles and the leaves; both heads have the roots they claim."""
        before = old.size if old else 0
        if old and (old.origin != new.origin or old.size > new.size):
            raise _wrong("its two heads do not belong together")
        edges = edges_from_tiles(self._tile, before)
        if old and edge_root(edges) != old.root:
            raise _wrong("its tiles do not have the root of the old head")
        tree = grow(before, edges, list(self._leaves(before, new.size)))
        if tree.root != new.root:
            raise _wrong("its leaves do not have the root of the new head")
        return tree

    def heads(self) -> list[Note]:
        """The heads in it, the head now last."""
        names = [name for name in self._archive.namelist() if name.startswith("heads/")]
        return [*(parse_note(self._read(name, MOST_NOTE)) for name in names), self.head]

    def first_leaf(self) -> bytes:
        """Leaf 0 of a bundle since genesis."""
        width = min(WIDTH, Checkpoint.parse(self.head.text).size)
        return decode_entries(self._tile(ENTRIES, 0, width))[0]

    def _leaves(self, start: int, stop: int) -> Iterator[bytes]:
        """The hashes of the leaves; an empty entry was withheld from this board, and its hash is in the tile."""
        for index in range(start // WIDTH, -(-stop // WIDTH)):
            width = min(WIDTH, stop - index * WIDTH)
            entries = decode_entries(self._tile(ENTRIES, index, width))
            if len(entries) != width:
                raise _wrong(f"the bundle of entries {index} is not whole")
            told = b"" if all(entries) else tile_bytes(self._tile, Tile(0, index, width))
            for at in range(max(0, start - index * WIDTH), width):
                yield leaf_hash(entries[at]) if entries[at] else told[at * HASH_BYTES : (at + 1) * HASH_BYTES]

    def _tile(self, level: int, index: int, width: int) -> bytes:
        return self._read(f"log/{tile_path(Tile(level, index, width))}", MOST_TILE)

    def _read(self, name: str, most: int) -> bytes:
        try:
            if self._archive.getinfo(name).file_size > most:
                raise _wrong(f"{name} is too large")
            return self._archive.read(name)
        except KeyError:
            raise _wrong(f"{name} is missing") from None


@contextmanager
def opened(path: Path) -> Iterator[Bundle]:
    """The bundle at this path. Raises Refused `bad_bundle`."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield Bundle(archive)
    except (
        OSError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        ValueError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise _wrong("it cannot be unpacked") from error


def _wrong(what: str) -> Refused:
    return Refused("bad_bundle", f"Ask for the bundle again: {what}.")
