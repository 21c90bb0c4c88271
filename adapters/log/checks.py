"""What must hold before the log may grow: it is the log of this store, its last leaf is the store's, its heads are its own.

Each broken one is a named refusal: nothing is sealed or signed while it lasts, and the doctor says the same.
"""

from __future__ import annotations

from adapters.log.genesis import key_in_force
from adapters.log.growing import Tip, reader
from adapters.log.rows import log_damaged
from adapters.log.store import LogStore
from domain.log.leaf import leaf, unleaf
from domain.log.notes import VerifierKey
from domain.log.tiles import subtree_from_tiles
from domain.log.tree import leaf_hash, root
from domain.refusal import Refused
from workflows.ports import EventStore


def check_log(log: LogStore, store: EventStore, tip: Tip, key: VerifierKey | None = None) -> None:
    """Everything below; `key` is the one that is to sign, None for who only looks."""
    check_epoch(tip, store)
    check_tail(log, store, tip)
    check_newest_head(log, tip)
    if key is not None:
        check_key(log, store, key)


def check_epoch(tip: Tip, store: EventStore) -> None:
    """The log was grown from this life of the store. Raises Refused "store_epoch_differs"."""
    if tip.state.epoch != store.epoch():
        raise Refused(
            "store_epoch_differs",
            "The event store was restored or exchanged behind the log's back: run huiyin restore, or huiyin restore"
            " --after-external, which compares the two before the log goes on.",
        )


def check_tail(log: LogStore, store: EventStore, tip: Tip) -> None:
    """The last leaf, made again from the store, has the hash that stands in the log.

    Raises Refused "log_ahead_of_store" where the store ends before it, "tail_differs" where the store holds something
    else there: ids prove nothing, and an event may have been rewritten.
    """
    size, position = tip.state.size, tip.state.position
    if not position:
        return  # only the genesis leaf, which stands in no store
    found = store.read(position - 1, 1)
    if not found:
        raise Refused(
            "log_ahead_of_store",
            f"The log has sealed events up to {position}, and the store ends before: bring back the newer record; never"
            " cut the log.",
        )
    (stored,) = found
    sealed = unleaf(log.leaf(size - 1))
    if stored.position != position or not _is_leaf(
        stored.body, position, stored.version, sealed.previous, tip.last
    ):
        raise Refused(
            "tail_differs",
            f"The event at {position} is not the one that was sealed as leaf {size - 1}: find out who changed the store;"
            " huiyin log check names the first leaf that differs.",
        )


def check_newest_head(log: LogStore, tip: Tip) -> None:
    """The newest signed head has the root that the tiles have at its size. Raises Refused "log_damaged"."""
    head = log.head()
    if head is None:
        return
    if head.size > tip.state.size:
        raise log_damaged(f"size {head.size} has been signed, and only {tip.state.size} leaves are left")
    if root(head.size, subtree_from_tiles(reader(log), head.size)) != head.root:
        raise log_damaged(f"its tiles do not have the root that was signed at size {head.size}")


def check_key(log: LogStore, store: EventStore, key: VerifierKey) -> None:
    """The key is the one that the log says signs it. Raises Refused "log_key_differs"."""
    if str(key) != key_in_force(log, store):
        raise Refused(
            "log_key_differs",
            "Bring back the log.key that the log names, or record the change of key before the new one signs.",
        )


def _is_leaf(body: bytes, position: int, version: int, previous: bytes | None, hash_: bytes) -> bool:
    try:
        return leaf_hash(leaf(body, position, version, previous)) == hash_
    except Refused:  # no leaf can be made of it at all
        return False
