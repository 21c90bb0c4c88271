"""The tree as files: C2SP tlog-tiles, sections "Merkle Tree", "Partial Tiles" and "Log entries".

A tile of level l holds up to 256 hashes of complete subtrees of 256**l leaves, 32 bytes each; only full tiles are
hashed into the level above. Level -1 stands for bundles of entries: as wide as the tile of level 0 beside them.

    tile/<L>/<N>[.p/<W>]     tile/entries/<N>[.p/<W>]     index 1234067 = x001/x234/067, W from 1 to 255

A tree of 70,000 leaves has 273 full tiles of level 0 and one of width 112, one full of level 1 and one of width 17,
and one of width 1 of level 2. What a writer must remember of it are the partial tiles: the *edges*, one per level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from domain.log.tree import EMPTY_ROOT, HASH_BYTES, MOST_LEAVES, Subtree, node_hash, parents
from domain.refusal import Refused

WIDTH: Final = 256
HEIGHT: Final = 8
ENTRIES: Final = -1
MOST_LEVEL: Final = 63
MOST_ENTRY_BYTES: Final = 65_535
TILE_BYTES: Final = WIDTH * HASH_BYTES

Read = Callable[[int, int, int], bytes]
"""(level, index, width) -> the bytes of that tile; a wider one of the same place will do as well."""

Edges = tuple[bytes, ...]
"""The partial tile of every level of a tree, lowest first; empty bytes where a level ends with a full tile."""


class TileError(Refused):
    """A tile, a bundle of entries or an edge does not have the form that its place demands."""


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """Where a tile stands: level (-1 for entries), index within the level, width (256 when full)."""

    level: int
    index: int
    width: int


class Grown(NamedTuple):
    """A tree after new leaves: its size, every hash tile that is new or wider (whole), its edges and its root."""

    size: int
    tiles: list[tuple[Tile, bytes]]
    edges: Edges
    root: bytes


# ---- places ------------------------------------------------------------------------------------------------------


def tile_path(tile: Tile) -> str:
    """The path of a tile below the log's prefix, such as `tile/0/x001/x234/067` or `tile/entries/000.p/12`."""
    if not (ENTRIES <= tile.level <= MOST_LEVEL and tile.index >= 0 and 1 <= tile.width <= WIDTH):
        raise TileError(
            "tile_place", "Give a level from -1 to 63, an index from 0 and a width from 1 to 256."
        )
    level = "entries" if tile.level == ENTRIES else str(tile.level)
    digits = f"{tile.index:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
    return f"tile/{level}/{name}" + ("" if tile.width == WIDTH else f".p/{tile.width}")


def tiles_for(old_size: int, new_size: int) -> list[Tile]:
    """Every tile that is new or wider in the tree of `new_size` than in that of `old_size`, bundles included."""
    _check_sizes(old_size, new_size)
    found = list(_tiles_of(ENTRIES, old_size, new_size)) + list(_tiles_of(0, old_size, new_size))
    level = 1
    while new_size >> (HEIGHT * level):
        found += _tiles_of(level, old_size >> (HEIGHT * level), new_size >> (HEIGHT * level))
        level += 1
    return found


def partial_tiles(size: int) -> list[Tile]:
    """The partial hash tiles of a tree: what must be kept to let it grow."""
    _check_sizes(0, size)
    found, level = [], 0
    while count := size >> (HEIGHT * level):
        if count % WIDTH:
            found.append(Tile(level, count // WIDTH, count % WIDTH))
        level += 1
    return found


def _tiles_of(level: int, old: int, new: int) -> Iterator[Tile]:
    if new > old:
        yield from (Tile(level, index, WIDTH) for index in range(old // WIDTH, new // WIDTH))
        if new % WIDTH:
            yield Tile(level, new // WIDTH, new % WIDTH)


def _check_sizes(old: int, new: int) -> None:
    if not 0 <= old <= new <= MOST_LEAVES:
        raise TileError("size_outside", "Give tree sizes from 0 to 2**63 - 1, the smaller one first.")


# ---- growing -----------------------------------------------------------------------------------------------------


def grow(size: int, edges: Sequence[bytes], leaf_hashes: Sequence[bytes]) -> Grown:
    """Append leaf hashes to the tree of `size` leaves with these edges; about one SHA-256 per leaf.

    In whatever batches leaves are appended, tiles, edges and root come out the same.
    """
    _check_sizes(size, size + len(leaf_hashes))
    _check_edges(size, edges)
    if any(len(one) != HASH_BYTES for one in leaf_hashes):
        raise TileError("hash_length", "Append hashes of exactly 32 bytes.")
    grown: list[tuple[Tile, bytes]] = []
    kept: list[bytes] = []
    fresh, level = list(leaf_hashes), 0
    while fresh or level < len(edges):
        data = (edges[level] if level < len(edges) else b"") + b"".join(fresh)
        first = (size >> (HEIGHT * level)) // WIDTH
        if fresh:
            grown += _cut(level, first, data)
        full = len(data) // TILE_BYTES * TILE_BYTES
        kept.append(data[full:])
        fresh, level = _roots_of_full(data[:full]), level + 1
    return Grown(size + len(leaf_hashes), grown, tuple(kept), edge_root(kept))


def edge_root(edges: Sequence[bytes]) -> bytes:
    """The root of the tree with these edges: RFC 6962 section 2.1, its complete subtrees folded from the right."""
    found = b""
    for edge in edges:
        row = _hashes(edge)
        while row:
            if len(row) % 2:  # a complete subtree with nothing of its size to the right of it
                found = node_hash(row[-1], found) if found else row[-1]
            row = parents(row)
    return found or EMPTY_ROOT


def edges_from_tiles(read: Read, size: int) -> Edges:
    """The edges of a tree, read from its stored tiles."""
    known = {tile.level: tile_bytes(read, tile) for tile in partial_tiles(size)}
    levels = (size.bit_length() + HEIGHT - 1) // HEIGHT
    return tuple(known.get(level, b"") for level in range(levels))


def tile_bytes(read: Read, tile: Tile) -> bytes:
    """The bytes of a hash tile at exactly its width, cut from a wider one where only that is kept."""
    data = read(tile.level, tile.index, tile.width)
    if len(data) < tile.width * HASH_BYTES or len(data) % HASH_BYTES or len(data) > TILE_BYTES:
        raise TileError("tile_length", f"Repair the stored tile {tile_path(tile)}: it has the wrong length.")
    return data[: tile.width * HASH_BYTES]


def _cut(level: int, first: int, data: bytes) -> Iterator[tuple[Tile, bytes]]:
    for at in range(0, len(data), TILE_BYTES):
        piece = data[at : at + TILE_BYTES]
        yield Tile(level, first + at // TILE_BYTES, len(piece) // HASH_BYTES), piece


def _roots_of_full(data: bytes) -> list[bytes]:
    row = _hashes(data)
    for _ in range(HEIGHT):
        row = parents(row)
    return row


def _hashes(data: bytes) -> list[bytes]:
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def _check_edges(size: int, edges: Sequence[bytes]) -> None:
    levels = (size.bit_length() + HEIGHT - 1) // HEIGHT
    widths = [(size >> (HEIGHT * level)) % WIDTH for level in range(levels)]
    if [len(edge) for edge in edges] != [width * HASH_BYTES for width in widths]:
        raise TileError("edge_length", "Give the partial tile of every level of the tree of this very size.")


# ---- entries -----------------------------------------------------------------------------------------------------


def encode_entries(entries: Iterable[bytes]) -> bytes:
    """A bundle of entries, each behind its length as a big-endian uint16. `TileError` over 65,535 bytes."""
    parts = []
    for entry in entries:
        if len(entry) > MOST_ENTRY_BYTES:
            raise TileError("entry_too_long", "Keep an entry within 65,535 bytes.")
        parts.append(len(entry).to_bytes(2, "big"))
        parts.append(entry)
    return b"".join(parts)


def decode_entries(data: bytes) -> list[bytes]:
    """The entries of a bundle; `TileError` where it breaks off or holds more than 256."""
    entries, at = [], 0
    while at < len(data):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        entries.append(data[start:at])
    if at != len(data) or len(entries) > WIDTH:
        raise TileError("bundle_length", "Repair the bundle: it breaks off, or holds more than 256 entries.")
    return entries


# ---- reading -----------------------------------------------------------------------------------------------------


class TileTrees:
    """Tiles with the nodes between their hashes, worked out once and kept: what proofs are made from.

    At most `keep` of them are held, about 40 kB each; a tile of one place and width never changes, so that none is
    ever out of date. `read` is asked only for tiles that a tree of the given size has.
    """

    def __init__(self, read: Read, keep: int = 512) -> None:
        def tree(level: int, index: int, width: int) -> list[list[bytes]]:
            rows = [_hashes(tile_bytes(read, Tile(level, index, width)))]
            while len(rows[-1]) > 1:
                rows.append(parents(rows[-1]))
            return rows

        self._tree = lru_cache(maxsize=keep)(tree)

    def at(self, size: int) -> Subtree:
        """The `Subtree` of the tree of this size."""
        tree = self._tree
        widths = [size >> (HEIGHT * row) for row in range(HEIGHT + 1)]

        def subtree(level: int, index: int) -> bytes:
            row, height = level >> 3, level & 7  # HEIGHT is 8; shifts, for a proof asks twenty times
            tile, node = index >> (HEIGHT - height), index & ((WIDTH >> height) - 1)
            width = widths[row] - tile * WIDTH
            if width < (node + 1) << height or index < 0:
                raise TileError("subtree_outside", "Ask for complete subtrees inside the tree only.")
            return tree(row, tile, WIDTH if width > WIDTH else width)[height][node]  # noqa: FURB136 (as fast as it goes)

        return subtree


def subtree_from_tiles(read: Read, size: int) -> Subtree:
    """The `Subtree` of the tree of `size` leaves whose tiles `read` gives."""
    return TileTrees(read).at(size)
