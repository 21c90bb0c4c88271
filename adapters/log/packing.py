"""Which rows a batch of leaves makes: full bundles and tiles, and the leaves that wait for a bundle of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from adapters.log.store import Growth
from domain.log.tiles import WIDTH, encode_entries

TailRow = tuple[int, int, bytes, bytes]
"""leaf_index, position, hash, leaf."""


class Packed(NamedTuple):
    """Rows to write, in the columns of `schema.COLUMNS`; of `tail`, everything below `keep` is in bundles now."""

    bundles: list[tuple[int, int, bytes]]
    tiles: list[tuple[int, int, bytes]]
    tail: list[TailRow]
    keep: int


def completes(size: int, count: int) -> bool:
    """Whether `count` more leaves complete the bundle that the tree of `size` leaves ends in."""
    return size % WIDTH + count >= WIDTH


def packed(size: int, waiting: Sequence[TailRow], growth: Growth) -> Packed:
    """The rows of this growth; `waiting` are the tail's rows, needed only where the growth `completes` their bundle."""
    added = list(
        zip(
            range(size, size + len(growth.leaves)),
            growth.positions,
            growth.hashes,
            growth.leaves,
            strict=True,
        )
    )
    above = [(tile.level, tile.index, hashes) for tile, hashes in growth.tiles if tile.level > 0]
    if not completes(size, len(added)):
        return Packed([], above, added, size - size % WIDTH)
    rows = [*waiting, *added]
    first, full = size // WIDTH, len(rows) // WIDTH
    bundles = []
    for number in range(full):
        of_one = rows[number * WIDTH : (number + 1) * WIDTH]
        bundles.append((first + number, of_one[0][1], encode_entries([leaf for *_, leaf in of_one])))
    lowest = [
        (0, tile.index, hashes) for tile, hashes in growth.tiles if tile.level == 0 and tile.width == WIDTH
    ]
    return Packed(bundles, [*lowest, *above], rows[full * WIDTH :], (first + full) * WIDTH)
