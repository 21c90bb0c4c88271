"""The Merkle tree of RFC 6962 section 2.1, its proofs (2.1.1, 2.1.2) and their verifiers (RFC 9162 section 2.1).

    MTH({})     = SHA-256()
    MTH({d(0)}) = SHA-256(0x00 || d(0))
    MTH(D[n])   = SHA-256(0x01 || MTH(D[0:k]) || MTH(D[k:n])),  k the largest power of two smaller than n

A *complete subtree* (level, index) covers the leaves index * 2**level up to (index + 1) * 2**level. The tree's owner
passes in a `Subtree` that gives its hash; the functions here ask for complete subtrees inside the tree only.
Every hash is 32 bytes. A verifier returns nothing when the proof holds and raises `ProofError` when it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

from domain.refusal import Refused

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()
"""The root of a tree without leaves (RFC 6962 section 2.1)."""

MOST_LEAVES: Final = 2**63 - 1
"""Sizes above are refused: other implementations keep them in a signed 64-bit integer."""

Subtree = Callable[[int, int], bytes]
"""(level, index) -> hash of the complete subtree of 2**level leaves that starts at leaf index * 2**level."""


class ProofError(Refused):
    """A proof, or a file that carries one, does not prove what it is said to prove; `code` names the flaw."""


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data) (RFC 6962 section 2.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right) (RFC 6962 section 2.1); both sides are 32 bytes, else `ProofError`."""
    if len(left) != HASH_BYTES or len(right) != HASH_BYTES:
        raise ProofError("hash_length", "Give hashes of exactly 32 bytes.")
    return _node(left, right)


def parents(hashes: Sequence[bytes]) -> list[bytes]:
    """The hashes one level up: each neighbouring pair hashed as in `node_hash`; an odd last one is left out.

    The lengths are the caller's care: this is the path of every sealed leaf.
    """
    rest = iter(hashes)
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(rest, rest, strict=False)]


def root(size: int, subtree: Subtree) -> bytes:
    """MTH(D[size]) (RFC 6962 section 2.1); `EMPTY_ROOT` for size 0."""
    _check_size(size)
    return _range_root(0, size, subtree) if size else EMPTY_ROOT


def inclusion(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """PATH(index, D[size]) (RFC 6962 section 2.1.1), from the leaf's sibling up; empty for a single leaf."""
    _check_size(size)
    if not 0 <= index < size:
        raise ProofError("index_outside", "Ask for a leaf that lies inside the tree.")
    path = []
    for level in range((size - 1).bit_length()):
        sibling = (index >> level) ^ 1
        start = sibling << level
        if start + (1 << level) <= size:
            path.append(subtree(level, sibling))
        elif start < size:  # the ragged right edge; beyond it a node has no sibling and goes up as it is
            path.append(_range_root(start, size, subtree))
    return path


def consistency(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """PROOF(old, D[new]) (RFC 6962 section 2.1.2); empty when the sizes are equal or `old` is 0."""
    _check_size(old)
    _check_size(new)
    if old > new:
        raise ProofError("sizes_swapped", "Give the smaller tree first.")
    if old == 0:
        return []
    start, stop, path = 0, new, []
    while stop != old:  # SUBPROOF: down to the node at which the old tree ends
        middle = start + _split(stop - start)
        if old <= middle:
            path.append(_range_root(middle, stop, subtree))
            stop = middle
        else:
            path.append(_range_root(start, middle, subtree))
            start = middle
    if start:  # that node is not the old root itself, which the verifier has: SUBPROOF(m, D[m], false)
        path.append(_range_root(start, stop, subtree))
    return path[::-1]


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """RFC 9162 section 2.1.3.2: the leaf of this hash is number `index` of the tree of `size` leaves and this root."""
    check_hashes((leaf_hash, root, *proof))
    _check_size(size)
    if not 0 <= index < size:  # step 1
        raise ProofError(
            "index_outside", "Take the index from the proof and the size from its own checkpoint."
        )
    fn, sn, r = index, size - 1, leaf_hash  # steps 2 and 3
    for p in proof:  # step 4
        if sn == 0:
            raise ProofError("proof_length", "Use the proof as it was handed out: it has too many hashes.")
        if fn & 1 or fn == sn:
            r = _node(p, r)
            while fn and not fn & 1:  # up past the levels on which this node has no sibling
                fn, sn = fn >> 1, sn >> 1
        else:
            r = _node(r, p)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:  # step 5
        raise ProofError("proof_length", "Use the proof as it was handed out: it has too few hashes.")
    if r != root:
        raise ProofError("root_differs", "Do not trust this leaf: it is not in the tree of this root.")


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """RFC 9162 section 2.1.4.2: the tree of `new` leaves holds the tree of `old` leaves as its beginning.

    The empty tree is the beginning of every tree, and every tree that of itself: both with an empty proof.
    """
    check_hashes((old_root, new_root, *proof))
    _check_size(old)
    _check_size(new)
    if old > new:
        raise ProofError("sizes_swapped", "Give the smaller tree first.")
    if old == 0 or old == new:
        _verify_trivial(old, new, proof, old_root, new_root)
        return
    if not proof:  # step 1
        raise ProofError("proof_length", "Use the proof as it was handed out: it has no hashes.")
    old_found, new_found = _fold_consistency(old, new, proof, old_root)
    if old_found != old_root:  # step 7
        raise ProofError(
            "old_root_differs", "Do not trust the new tree: the proof does not fit the old root."
        )
    if new_found != new_root:
        raise ProofError("root_differs", "Do not trust the new tree: the proof does not lead to its root.")


def _fold_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes) -> tuple[bytes, bytes]:
    path = list(proof)
    if old & (old - 1) == 0:  # step 2: the old root is itself a node of the new tree
        path.insert(0, old_root)
    fn, sn = old - 1, new - 1  # step 3
    while fn & 1:  # step 4
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]  # step 5
    for c in path[1:]:  # step 6
        if sn == 0:
            raise ProofError("proof_length", "Use the proof as it was handed out: it has too many hashes.")
        if fn & 1 or fn == sn:
            fr, sr = _node(c, fr), _node(c, sr)
            while fn and not fn & 1:  # up past the levels on which this node has no sibling
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = _node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise ProofError("proof_length", "Use the proof as it was handed out: it has too few hashes.")
    return fr, sr


def _verify_trivial(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    if proof:
        raise ProofError("proof_length", "Leave the proof empty: nothing is to be shown between these sizes.")
    if (old == 0 and old_root != EMPTY_ROOT) or (new == 0 and new_root != EMPTY_ROOT):
        raise ProofError("empty_root", "A tree without leaves has the hash of the empty string as its root.")
    if old == new and old_root != new_root:
        raise ProofError("root_differs", "Do not trust either tree: one size has two roots.")


def check_hashes(hashes: Sequence[bytes]) -> None:
    """Every one is 32 bytes; else `ProofError`."""
    if any(len(one) != HASH_BYTES for one in hashes):
        raise ProofError("hash_length", "Give hashes of exactly 32 bytes.")


def _check_size(size: int) -> None:
    if not 0 <= size <= MOST_LEAVES:
        raise ProofError("size_outside", "Give a tree size from 0 to 2**63 - 1.")


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    """The k of RFC 6962 section 2.1: the largest power of two smaller than `size` (at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def _range_root(start: int, stop: int, subtree: Subtree) -> bytes:
    """MTH(D[start:stop]) of a range that a proof names: its complete subtrees, folded from the smallest, rightmost."""
    found = b""
    while start < stop:
        level = ((stop - start) & -(stop - start)).bit_length() - 1
        stop -= 1 << level
        one = subtree(level, stop >> level)
        found = node_hash(one, found) if found else one
    return found
