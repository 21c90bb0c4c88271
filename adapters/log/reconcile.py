"""The whole store against the whole log: every event is sealed once, in order, as it stands; every tile follows.

This is the operator's own check; a board needs nothing of ours for its own. Nothing is kept in memory but one page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from adapters.log.proofs import Proofs
from adapters.log.store import LogStore
from domain.log.leaf import Unleafed, unleaf
from domain.log.tiles import WIDTH, Edges, Tile, grow
from domain.log.tree import HASH_BYTES, leaf_hash
from domain.refusal import Refused
from workflows.ports import EventStore, Stored

PAGE = 4096
BEFORE_ALL = -(2**63)
"""Lower than any position that a database can hold: a row put in before the first event is found too."""

Told = Callable[[int, int], None]
"""(leaves checked, leaves) as it goes on."""


@dataclass(frozen=True, slots=True)
class Bad:
    """The first leaf that is not what it must be: its index, a stable code, and the store's position where there is one."""

    index: int
    code: str
    position: int | None = None


class Reconciled(NamedTuple):
    """What was checked: so many leaves, so many events above the log's position, and what was wrong first, if anything."""

    leaves: int
    unsealed: bool
    bad: Bad | None


def reconcile(store: EventStore, log: LogStore, told: Told = lambda *_: None) -> Reconciled:
    """Check everything up to where the log stands now. Raises Unavailable, and Refused "log_damaged".

    Codes: `event_missing` (sealed, and gone from the store), `event_unsealed` (in the store, between sealed ones),
    `event_differs` (rewritten since it was sealed), `tile_differs` (a leaf or a hash was changed in the log),
    `root_differs`, `head_differs` (a signed head does not have the tiles' root).
    """
    state = log.state()
    edges: Edges = ()
    after, root = BEFORE_ALL, None
    for start in range(0, state.size, PAGE):
        stop = min(start + PAGE, state.size)
        leaves = list(log.leaves(start, stop))
        tree = grow(start, edges, [leaf_hash(leaf) for leaf in leaves])
        bad = _in_tiles(log, tree.tiles) or _in_store(store, start, leaves, after)
        if bad is not None:
            return Reconciled(start, False, bad)
        edges, root, after = tree.edges, tree.root, unleaf(leaves[-1]).position
        told(stop, state.size)
    if root is not None and root != state.root:
        return Reconciled(state.size, False, Bad(state.size - 1, "root_differs"))
    return Reconciled(state.size, bool(store.read(state.position, 1)), _in_heads(log))


def _in_tiles(log: LogStore, tiles: Sequence[tuple[Tile, bytes]]) -> Bad | None:
    for tile, hashes in tiles:
        found = log.tile(tile.level, tile.index, tile.width) or b""
        if found != hashes:
            nth = next(
                at // HASH_BYTES
                for at in range(0, len(hashes), HASH_BYTES)
                if hashes[at : at + HASH_BYTES] != found[at : at + HASH_BYTES]
            )
            return Bad((tile.index * WIDTH + nth) * WIDTH**tile.level, "tile_differs")
    return None


def _in_store(store: EventStore, start: int, leaves: Sequence[bytes], after: int) -> Bad | None:
    """Leaves and events side by side; the genesis leaf, which stands in no store, is passed over."""
    sealed = [(start + n, unleaf(leaf)) for n, leaf in enumerate(leaves)]
    sealed = [(index, one) for index, one in sealed if one.position]
    events = store.read(after, len(sealed))
    for n, (index, one) in enumerate(sealed):
        if n >= len(events) or events[n].position > one.position:
            return Bad(index, "event_missing", one.position)
        if events[n].position < one.position:
            return Bad(index, "event_unsealed", events[n].position)
        if not _same(one, events[n]):
            return Bad(index, "event_differs", one.position)
    return None


def _same(sealed: Unleafed, stored: Stored) -> bool:
    return (sealed.body, sealed.version) == (stored.body, stored.version)


def _in_heads(log: LogStore) -> Bad | None:
    proofs, after = Proofs(log), 0
    while heads := log.heads(after):
        for head in heads:
            try:
                holds = proofs.root(head.size) == head.root
            except Refused:
                holds = False
            if not holds:
                return Bad(head.size - 1, "head_differs")
        after = heads[-1].size
    return None
