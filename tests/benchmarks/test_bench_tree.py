"""The evidence log's tree at a million leaves: growing, proving and verifying, beside what SHA-256 alone costs.

`make bench ARGS="-k tree"`. A leaf costs two hashes at the least: its own, and one node above it.
"""

import random
import time
from collections.abc import Callable
from hashlib import sha256

import pytest

from domain.log.tiles import Edges, Tile, TileTrees, grow
from domain.log.tree import EMPTY_ROOT, inclusion, leaf_hash, verify_inclusion
from tests.benchmarks.results import Figure, Results

pytestmark = pytest.mark.benchmark

LEAVES, BATCH, LEAF_BYTES = 1_000_000, 4_096, 300
LEVELS = (LEAVES - 1).bit_length()
PROOFS = 20_000
COLD_PROOFS = 2_000
TREE_NODES = 255  # of a tile
GROUP = "Evidence log"


def test_a_tree_of_a_million_leaves(results: Results) -> None:
    entries = [number.to_bytes(8, "big").ljust(LEAF_BYTES, b".") for number in range(BATCH)]
    leaf_s, node_s = hash_seconds(LEAF_BYTES + 1), hash_seconds(65)
    begun = time.perf_counter()
    tiles, root = grown(entries)
    grow_s = time.perf_counter() - begun
    chosen = random.Random(3).sample(range(LEAVES), PROOFS)

    def read(level: int, index: int, width: int) -> bytes:
        return tiles[Tile(level, index, width)]

    few = TileTrees(read, keep=64).at(
        LEAVES
    )  # enough for the upper levels: each proof opens a lowest tile anew
    cold = seconds(lambda: [inclusion(one, LEAVES, few) for one in chosen[:COLD_PROOFS]])
    tree = TileTrees(read, keep=LEAVES // 256 + 256).at(LEAVES)
    for one in range(0, LEAVES, 256):
        tree(0, one)
    begun = time.perf_counter()
    proofs = [inclusion(one, LEAVES, tree) for one in chosen]
    warm = time.perf_counter() - begun
    leaves = [leaf_hash(entries[one % BATCH]) for one in chosen]

    def verify_all() -> None:
        for leaf, index, proof in zip(leaves, chosen, proofs, strict=True):
            verify_inclusion(leaf, index, LEAVES, proof, root)

    verified = seconds(verify_all)
    figures = (
        ("appending leaves", LEAVES / grow_s, "leaves/s", 1 / (leaf_s + node_s), 0.5, "limit: two SHA-256 a leaf"),
        ("inclusion proofs, lowest tile new", COLD_PROOFS / cold, "proofs/s", 1 / (TREE_NODES * node_s), None,
         "limit: the 255 nodes of that tile"),
        ("inclusion proofs, tiles known", PROOFS / warm, "proofs/s", None, None, "nothing is hashed but the right edge"),
        ("verifying inclusion proofs", PROOFS / verified, "proofs/s", 1 / (LEVELS * node_s), None,
         f"limit: {LEVELS} nodes a proof"),
    )  # fmt: skip
    for what, value, unit, limit, aim, note in figures:
        results.add(Figure(GROUP, f"{LEAVES:,} leaves, {what}", value, unit, limit, aim=aim, note=note))
    assert len(proofs) == PROOFS


def grown(entries: list[bytes]) -> tuple[dict[Tile, bytes], bytes]:
    """The tiles and the root of the whole tree, appended batch by batch, leaf hashes included."""
    size, edges, root, tiles = 0, Edges(), EMPTY_ROOT, dict[Tile, bytes]()
    while size < LEAVES:
        batch = entries[: LEAVES - size]
        size, new, edges, root = grow(size, edges, [leaf_hash(entry) for entry in batch])
        tiles.update(new)
    return tiles, root


def hash_seconds(length: int) -> float:
    """What one SHA-256 of so many bytes takes, at the best of three."""
    data, count = bytes(length), 200_000

    def hash_all() -> None:
        for _ in range(count):
            sha256(data).digest()

    return min(seconds(hash_all) for _ in range(3)) / count


def seconds(act: Callable[[], object]) -> float:
    """How long it takes."""
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun
