"""A tree held in memory, whose nodes the mathematics is held against."""

from __future__ import annotations

from collections.abc import Sequence

from domain.log.tree import Subtree, check_hashes, parents


def subtree_of(leaf_hashes: Sequence[bytes]) -> Subtree:
    """The `Subtree` of the tree of these leaves. Raises ProofError for a hash that is not 32 bytes long."""
    check_hashes(leaf_hashes)
    rows = [list(leaf_hashes)]
    while len(rows[-1]) > 1:
        rows.append(parents(rows[-1]))
    return lambda level, index: rows[level][index]
