"""Proofs from the stored tiles (RFC 9162 section 2.1.3 and 2.1.4)."""

from __future__ import annotations

from adapters.log.growing import reader
from adapters.log.store import LogStore
from domain.log import tree
from domain.log.tiles import TileTrees
from domain.log.tree import Subtree


class Proofs:
    """Proofs of one log. Tiles once read are kept, so that many proofs cost little; safe to keep as the log grows."""

    def __init__(self, log: LogStore, keep: int = 1024) -> None:
        """At most `keep` tiles of 16 kB are held."""
        self._trees = TileTrees(reader(log), keep)

    def subtree(self, size: int) -> Subtree:
        """The complete subtrees of the tree of this size."""
        return self._trees.at(size)

    def root(self, size: int) -> bytes:
        """The root of the tree of this size."""
        return tree.root(size, self.subtree(size))

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """That the leaf at `index` is in the tree of `size`. Raises ProofError for a leaf outside."""
        return tree.inclusion(index, size, self.subtree(size))

    def consistency(self, old: int, new: int) -> list[bytes]:
        """That the tree of `old` leaves is the beginning of that of `new`."""
        return tree.consistency(old, new, self.subtree(new))


def inclusion(log: LogStore, index: int, size: int) -> list[bytes]:
    """One proof that the leaf at `index` is in the tree of `size`; for many, keep a `Proofs`."""
    return Proofs(log).inclusion(index, size)


def consistency(log: LogStore, old: int, new: int) -> list[bytes]:
    """One proof that the tree of `old` leaves is the beginning of that of `new`."""
    return Proofs(log).consistency(old, new)
