"""From stored events to what the log grows by: leaves, chained per stream, and the tiles above them. Nothing is written.

A leaf is the stored bytes with their place spliced in. The same events in the same order give the same leaves and the
same root in whatever batches they come, so that a sealer that was killed simply does its last batch again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from adapters.log.rows import log_damaged
from adapters.log.store import Growth, LogState, LogStore, StreamHead, StreamRow
from domain.log.leaf import leaf
from domain.log.tiles import Edges, Read, edge_root, edges_from_tiles, grow
from domain.log.tree import HASH_BYTES, leaf_hash
from workflows.ports import Stored

NO_PREVIOUS = bytes(HASH_BYTES)
"""Stands as the previous leaf of an event whose stream's earlier events were gone from the store before they could be
sealed: a hole that every verifier sees, since no leaf has this hash."""


class Tip(NamedTuple):
    """Where the log ends: its state, the partial tile of each level, and the hash of its last leaf."""

    state: LogState
    edges: Edges
    last: bytes


class Grown(NamedTuple):
    """A growth to be written, the tip that it leads to, and the positions of events that do not follow their stream."""

    growth: Growth
    tip: Tip
    out_of_step: list[int]


def reader(log: LogStore) -> Read:
    """The log's tiles as the mathematics reads them. Raises Refused "log_damaged" where one is missing."""

    def read(level: int, index: int, width: int) -> bytes:
        found = log.tile(level, index, width)
        if found is None:
            raise log_damaged(f"the tile {index} of level {level} is missing")
        return found

    return read


def tip_of(log: LogStore) -> Tip:
    """Where the log ends, as stored. Raises Refused "log_damaged" if its tiles do not have the root of its state."""
    state, read = log.state(), reader(log)
    edges = edges_from_tiles(read, state.size)
    if edge_root(edges) != state.root:
        raise log_damaged("its tiles do not have the root that was committed with them")
    last = b""
    if state.size:
        index, width = divmod(state.size - 1, 256)
        last = read(0, index, width + 1)[-HASH_BYTES:]
    return Tip(state, edges, last)


def grown(
    tip: Tip, batch: Sequence[Stored], heads_of: Callable[[Sequence[str]], dict[str, StreamHead]]
) -> Grown:
    """What the batch adds at this tip; `heads_of` tells where streams stand. Raises LeafError for a body that is none."""
    places = _standing(batch, heads_of)
    leaves, hashes, out_of_step = [], [], []
    for index, (position, stream, version, _, body) in enumerate(batch, start=tip.state.size):
        _, last, _, before = places.get(stream) or _NOWHERE
        if version != last + 1:
            out_of_step.append(position)
        made = leaf(body, position, version, before if version > 1 else None)
        hashed = leaf_hash(made)
        leaves.append(made)
        hashes.append(hashed)
        places[stream] = (stream, version, index, hashed)
    moved = [place for place in places.values() if place[2] >= tip.state.size]
    tree = grow(tip.state.size, tip.edges, hashes)
    after = tip.state._replace(size=tree.size, position=batch[-1].position, root=tree.root)
    growth = Growth(after, leaves, hashes, [stored.position for stored in batch], tree.tiles, moved)
    return Grown(growth, Tip(after, tree.edges, hashes[-1]), out_of_step)


_NOWHERE: StreamRow = ("", 0, -1, NO_PREVIOUS)


def _standing(
    batch: Sequence[Stored], heads_of: Callable[[Sequence[str]], dict[str, StreamHead]]
) -> dict[str, StreamRow]:
    """Where the streams stand that the batch goes on with, not begins."""
    first: dict[str, int] = {}
    for stored in batch:
        first.setdefault(stored.stream, stored.version)
    known = [stream for stream, version in first.items() if version > 1]
    found = heads_of(known) if known else {}
    return {stream: (stream, one.version, one.index, one.hash) for stream, one in found.items()}
