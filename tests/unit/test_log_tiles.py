"""Tiles: their paths, what grows when, the same tree in any batches, proofs from tiles, bundles of entries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.log.tiles import (
    ENTRIES,
    Edges,
    Tile,
    TileError,
    TileTrees,
    decode_entries,
    edge_root,
    edges_from_tiles,
    encode_entries,
    grow,
    partial_tiles,
    subtree_from_tiles,
    tile_bytes,
    tile_path,
    tiles_for,
)
from domain.log.tree import EMPTY_ROOT, MOST_LEAVES, consistency, inclusion, parents, root
from tests.small_tree import subtree_of
from tests.unit.log_world import hashes, spec

LARGE = 70_000
batches = st.lists(st.one_of(st.integers(0, 5), st.integers(0, 700)), max_size=8)


class Kept:
    """A log's tiles as a store keeps them, and how far it has come."""

    def __init__(self) -> None:
        self.size, self.root, self.tiles = 0, EMPTY_ROOT, dict[Tile, bytes]()
        self.edges: Edges = ()

    def append(self, leaves: list[bytes]) -> None:
        self.size, tiles, self.edges, self.root = grow(self.size, self.edges, leaves)
        self.tiles.update(tiles)

    def read(self, level: int, index: int, width: int) -> bytes:
        return self.tiles[Tile(level, index, width)]


def grown(*counts: int) -> Kept:
    kept, leaves = Kept(), hashes(sum(counts))
    for count in counts:
        kept.append(leaves[kept.size : kept.size + count])
    return kept


def refused(act: Callable[..., Any], *given: Any) -> str:
    with pytest.raises(TileError) as caught:
        act(*given)
    return caught.value.code


# ---- places -----------------------------------------------------------------------------------------------------


def test_the_example_of_the_specification_is_the_path_of_its_index() -> None:
    text = spec("tlog-tiles")
    at = text.index("index 1234067")

    assert tile_path(Tile(0, 1234067, 256)) == "tile/0/" + text[at:].split("`")[1]


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0, 256), "tile/0/000"),
        (Tile(0, 999, 1), "tile/0/999.p/1"),
        (Tile(1, 1000, 255), "tile/1/x001/000.p/255"),
        (Tile(63, 999_999, 256), "tile/63/x999/999"),
        (Tile(0, 1_000_000, 256), "tile/0/x001/x000/000"),
        (Tile(ENTRIES, 7, 256), "tile/entries/007"),
        (Tile(ENTRIES, 1234, 12), "tile/entries/x001/234.p/12"),
    ],
)
def test_a_tile_has_one_path(tile: Tile, path: str) -> None:
    assert tile_path(tile) == path


@given(*[st.tuples(st.integers(-1, 63), st.integers(0, 2**63), st.integers(1, 256))] * 2)
def test_no_two_tiles_have_one_path(one: tuple[int, int, int], other: tuple[int, int, int]) -> None:
    assert (tile_path(Tile(*one)) == tile_path(Tile(*other))) == (one == other)


@pytest.mark.parametrize(
    "tile", [Tile(-2, 0, 1), Tile(64, 0, 1), Tile(0, -1, 1), Tile(0, 0, 0), Tile(0, 0, 257)]
)
def test_a_place_that_no_tile_has_gets_no_path(tile: Tile) -> None:
    assert refused(tile_path, tile) == "tile_place"


# ---- growing ----------------------------------------------------------------------------------------------------


def test_a_tree_of_70000_leaves_has_the_tiles_that_the_specification_counts() -> None:
    spec("tlog-tiles").index("a tree of size 70,000")  # the numbers below are its own
    tiles = [tile for tile in tiles_for(0, LARGE) if tile.level >= 0]

    full = [sum(tile.level == level and tile.width == 256 for tile in tiles) for level in (0, 1, 2)]
    assert full == [273, 1, 0]
    assert partial_tiles(LARGE) == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]


def test_a_tree_of_256_leaves_is_a_full_tile_and_a_partial_one_above() -> None:
    assert tiles_for(0, 256) == [Tile(ENTRIES, 0, 256), Tile(0, 0, 256), Tile(1, 0, 1)]


@pytest.mark.parametrize(
    ("old", "new", "tiles"),
    [
        (0, 0, []),
        (5, 5, []),
        (0, 1, [Tile(ENTRIES, 0, 1), Tile(0, 0, 1)]),
        (255, 256, [Tile(ENTRIES, 0, 256), Tile(0, 0, 256), Tile(1, 0, 1)]),
        (256, 257, [Tile(ENTRIES, 1, 1), Tile(0, 1, 1)]),
        (65_535, 65_536, [Tile(ENTRIES, 255, 256), Tile(0, 255, 256), Tile(1, 0, 256), Tile(2, 0, 1)]),
    ],
)
def test_only_what_is_new_or_wider_is_written(old: int, new: int, tiles: list[Tile]) -> None:
    assert tiles_for(old, new) == tiles


@pytest.mark.parametrize("sizes", [(-1, 0), (2, 1), (0, MOST_LEAVES + 1)])
def test_a_tree_does_not_shrink(sizes: tuple[int, int]) -> None:
    assert refused(tiles_for, *sizes) == "size_outside"


@given(batches)
@settings(max_examples=60)
def test_in_any_batches_the_same_tree_comes_out(counts: list[int]) -> None:
    piecewise, at_once = grown(*counts), grown(sum(counts))
    leaves = hashes(sum(counts))

    assert piecewise.root == at_once.root == root(len(leaves), subtree_of(leaves))
    assert piecewise.edges == at_once.edges
    assert at_once.tiles.items() <= piecewise.tiles.items()


@given(batches)
@settings(max_examples=60)
def test_growing_gives_exactly_the_tiles_that_are_new_or_wider(counts: list[int]) -> None:
    kept, leaves = Kept(), hashes(sum(counts))
    for count in counts:
        old = kept.size
        kept.size, tiles, kept.edges, _ = grow(old, kept.edges, leaves[old : old + count])
        expected = sorted(tile for tile in tiles_for(old, old + count) if tile.level != ENTRIES)

        assert sorted(tile for tile, _ in tiles) == expected
        assert all(len(data) == tile.width * 32 for tile, data in tiles)


@pytest.fixture(scope="module")
def large() -> Kept:
    return grown(300, 65_000, 236, 4_464)


def test_three_levels_of_tiles_are_the_rows_of_the_tree(large: Kept) -> None:
    rows = [hashes(LARGE)]
    for _ in range(16):
        rows.append(parents(rows[-1]))

    for tile in (tile for tile in tiles_for(0, LARGE) if tile.level >= 0):
        row = rows[8 * tile.level]
        assert large.tiles[tile] == b"".join(row[tile.index * 256 : tile.index * 256 + tile.width])


def test_the_edges_are_read_back_from_the_tiles(large: Kept) -> None:
    assert edges_from_tiles(large.read, LARGE) == large.edges
    assert edges_from_tiles(large.read, 0) == ()
    assert edge_root(large.edges) == large.root == root(LARGE, subtree_of(hashes(LARGE)))


@pytest.mark.parametrize(
    "edges", [(), (b"",), (bytes(32),), (bytes(64), b""), (bytes(63),), (bytes(64), bytes(32))]
)
def test_edges_of_another_size_do_not_grow(edges: Edges) -> None:
    assert refused(grow, 2, edges, hashes(1)) == "edge_length"


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33)])
def test_only_hashes_of_32_bytes_are_appended(wrong: bytes) -> None:
    assert refused(grow, 0, (), [*hashes(2), wrong]) == "hash_length"


def test_a_tree_does_not_grow_beyond_the_largest() -> None:
    assert refused(grow, MOST_LEAVES, (), hashes(1)) == "size_outside"


# ---- proofs from tiles ------------------------------------------------------------------------------------------


@given(st.integers(1, 1_500), st.data())
@settings(max_examples=60)
def test_proofs_from_tiles_are_those_of_the_tree(size: int, data: st.DataObject) -> None:
    kept, tree = grown(size), subtree_of(hashes(size))
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    tiled = subtree_from_tiles(kept.read, size)

    assert inclusion(index, size, tiled) == inclusion(index, size, tree)
    assert consistency(old, size, tiled) == consistency(old, size, tree)
    assert root(size, tiled) == kept.root


@pytest.mark.parametrize("index", [0, 255, 256, 65_535, 65_536, 69_887, LARGE - 1])
def test_proofs_over_three_levels_of_tiles(large: Kept, index: int) -> None:
    tree, tiled = subtree_of(hashes(LARGE)), subtree_from_tiles(large.read, LARGE)

    assert inclusion(index, LARGE, tiled) == inclusion(index, LARGE, tree)
    assert consistency(index + 1, LARGE, tiled) == consistency(index + 1, LARGE, tree)


def test_an_older_head_is_proved_from_tiles_that_have_grown_since() -> None:
    kept = grown(700)
    widest = {(tile.level, tile.index): data for tile, data in kept.tiles.items()}

    tiled = subtree_from_tiles(lambda level, index, _: widest[level, index], 300)

    assert root(300, tiled) == root(300, subtree_of(hashes(300)))
    assert inclusion(299, 300, tiled) == inclusion(299, 300, subtree_of(hashes(300)))


def test_tiles_once_read_serve_every_later_head() -> None:
    kept, asked = grown(600), list[Tile]()

    def read(level: int, index: int, width: int) -> bytes:
        asked.append(Tile(level, index, width))
        return kept.read(level, index, width)

    trees = TileTrees(read)
    inclusion(3, 600, trees.at(600))
    asked.clear()
    kept.append(hashes(601)[600:])
    inclusion(3, 601, trees.at(601))

    assert Tile(0, 0, 256) not in asked


@pytest.mark.parametrize(
    ("level", "index"), [(0, 600), (0, -1), (1, 300), (9, 1), (10, 0), (0, 10**6), (63, 0), (8, 2)]
)
def test_no_hash_is_given_for_what_lies_outside_the_tree(level: int, index: int) -> None:
    assert refused(subtree_from_tiles(grown(600).read, 600), level, index) == "subtree_outside"


@pytest.mark.parametrize("data", [b"", bytes(31), bytes(32), bytes(65), bytes(257 * 32)])
def test_a_stored_tile_of_the_wrong_length_is_refused(data: bytes) -> None:
    def read(level: int, index: int, width: int) -> bytes:
        return data

    assert refused(tile_bytes, read, Tile(0, 0, 2)) == "tile_length"
    assert refused(subtree_from_tiles(read, 2), 0, 0) == "tile_length"
    assert refused(edges_from_tiles, read, 2) == "tile_length"


# ---- bundles of entries -----------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=600), max_size=256))
def test_a_bundle_is_read_back(entries: list[bytes]) -> None:
    assert decode_entries(encode_entries(entries)) == entries


def test_an_entry_stands_behind_its_length_in_two_bytes() -> None:
    assert encode_entries([b"ab", b"", b"c" * 258]) == b"\0\2ab" + b"\0\0" + b"\1\2" + b"c" * 258


def test_an_entry_of_65535_bytes_is_the_largest() -> None:
    assert decode_entries(encode_entries([bytes(65_535)])) == [bytes(65_535)]
    assert refused(encode_entries, [bytes(65_536)]) == "entry_too_long"


@pytest.mark.parametrize("data", [b"\0", b"\0\1", b"\0\2a", b"\0\1ab", b"\0\0" * 257])
def test_a_bundle_that_breaks_off_or_is_too_wide_is_refused(data: bytes) -> None:
    assert refused(decode_entries, data) == "bundle_length"
