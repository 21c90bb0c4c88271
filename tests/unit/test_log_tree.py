"""The tree: RFC 6962 section 2.1 by its definition, known answers, every proof of small trees, and forgeries."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.log.tree import (
    EMPTY_ROOT,
    MOST_LEAVES,
    ProofError,
    consistency,
    inclusion,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from tests.small_tree import subtree_of
from tests.unit.log_world import DATA, flipped, hashes, root_of

LARGEST = 65
VECTORS = sorted((DATA / "merkle").glob("*/*/*.json"))
ABSENT = pytest.param(
    None, marks=pytest.mark.skip(reason="the known-answer proofs are not beside the project")
)
LEAVES = (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)  # fmt: skip
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)

# ---- the definitions of RFC 6962, word for word -----------------------------------------------------------------


def split(size: int) -> int:
    k = 1
    while k * 2 < size:
        k *= 2
    return k


@cache
def mth(start: int, stop: int) -> bytes:
    if stop - start == 0:
        return sha256(b"").digest()
    if stop - start == 1:
        return hashes(LARGEST)[start]
    middle = start + split(stop - start)
    return sha256(b"\x01" + mth(start, middle) + mth(middle, stop)).digest()


def path(m: int, start: int, stop: int) -> list[bytes]:
    if stop - start == 1:
        return []
    k = split(stop - start)
    if m < k:
        return [*path(m, start, start + k), mth(start + k, stop)]
    return [*path(m - k, start + k, stop), mth(start, start + k)]


def subproof(m: int, start: int, stop: int, whole: bool) -> list[bytes]:
    if m == stop - start:
        return [] if whole else [mth(start, stop)]
    k = split(stop - start)
    if m <= k:
        return [*subproof(m, start, start + k, whole), mth(start + k, stop)]
    return [*subproof(m - k, start + k, stop, False), mth(start, start + k)]


def refused(act: Callable[..., Any], *given: Any) -> str:
    with pytest.raises(ProofError) as caught:
        act(*given)
    return caught.value.code


# ---- known answers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", range(1, 9))
def test_the_first_eight_trees_have_their_known_roots(size: int) -> None:
    leaves = [leaf_hash(bytes.fromhex(one)) for one in LEAVES[:size]]

    assert root(size, subtree_of(leaves)).hex() == ROOTS[size - 1]


def test_a_tree_without_leaves_has_the_hash_of_nothing_as_its_root() -> None:
    assert root(0, subtree_of([])) == EMPTY_ROOT == sha256(b"").digest()


@pytest.mark.parametrize(
    "vector", VECTORS or [ABSENT], ids=lambda one: one and f"{one.parent.name}-{one.stem}"
)
def test_every_known_proof_is_judged_right(vector: Path) -> None:
    told = json.loads(vector.read_text())

    def judge() -> None:
        given = {name: b64decode(told[name]) for name in told if name.startswith(("root", "leafHash"))}
        proof = [b64decode(one) for one in told["proof"] or ()]
        if "leafIdx" in told:
            verify_inclusion(given["leafHash"], told["leafIdx"], told["treeSize"], proof, given["root"])
        else:
            verify_consistency(told["size1"], told["size2"], proof, given["root1"], given["root2"])

    if told["wantErr"]:
        refused(judge)
    else:
        judge()


# ---- every proof of small trees ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", range(LARGEST + 1))
def test_roots_and_proofs_are_those_of_the_definition(size: int) -> None:
    tree = subtree_of(hashes(size))

    assert root(size, tree) == mth(0, size)
    assert [inclusion(index, size, tree) for index in range(size)] == [path(m, 0, size) for m in range(size)]
    assert [consistency(old, size, tree) for old in range(1, size + 1)] == [
        subproof(m, 0, size, True) for m in range(1, size + 1)
    ]


@pytest.mark.parametrize("size", range(LARGEST + 1))
def test_every_proof_holds_where_it_belongs(size: int) -> None:
    tree, whole = subtree_of(hashes(size)), mth(0, size)

    for index in range(size):
        verify_inclusion(hashes(size)[index], index, size, inclusion(index, size, tree), whole)
    for old in range(size + 1):
        verify_consistency(old, size, consistency(old, size, tree), mth(0, old), whole)


@pytest.mark.parametrize("size", range(1, 18))
def test_an_inclusion_proof_holds_for_no_other_place_and_no_other_leaf(size: int) -> None:
    tree, whole, leaves = subtree_of(hashes(size)), mth(0, size), hashes(size)

    for index in range(size):
        proof = inclusion(index, size, tree)
        for other in range(size):
            if other != index:
                refused(verify_inclusion, leaves[index], other, size, proof, whole)
                refused(verify_inclusion, leaves[other], index, size, proof, whole)
        refused(verify_inclusion, leaves[index], index, size, [*proof, whole], whole)
        if proof:
            refused(verify_inclusion, leaves[index], index, size, proof[:-1], whole)
            refused(verify_inclusion, leaves[index], index, size, proof[1:], whole)


@pytest.mark.parametrize("size", range(2, 18))
def test_a_consistency_proof_holds_between_no_other_roots_and_at_no_other_length(size: int) -> None:
    tree, whole = subtree_of(hashes(size)), mth(0, size)

    for old in range(1, size):
        proof = consistency(old, size, tree)
        refused(verify_consistency, old, size, proof, whole, whole)
        refused(verify_consistency, old, size, proof, mth(0, old), mth(0, old))
        refused(verify_consistency, old, size, [*proof, whole], mth(0, old), whole)
        refused(verify_consistency, old, size, proof[:-1], mth(0, old), whole)
        refused(verify_consistency, old, size, proof[1:], mth(0, old), whole)


# ---- forgeries --------------------------------------------------------------------------------------------------

sizes = st.integers(1, LARGEST)
bits = st.integers(0, 10_000)


@given(sizes, st.data(), bits)
def test_no_flipped_bit_of_an_inclusion_proof_passes(size: int, data: st.DataObject, bit: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    parts = [hashes(size)[index], mth(0, size), *inclusion(index, size, subtree_of(hashes(size)))]
    at = data.draw(st.integers(0, len(parts) - 1))

    parts[at] = flipped(parts[at], bit)

    assert refused(verify_inclusion, parts[0], index, size, parts[2:], parts[1]) == "root_differs"


@given(st.integers(2, LARGEST), st.data(), bits)
def test_no_flipped_bit_of_a_consistency_proof_passes(size: int, data: st.DataObject, bit: int) -> None:
    old = data.draw(st.integers(1, size - 1))
    parts = [mth(0, old), mth(0, size), *consistency(old, size, subtree_of(hashes(size)))]
    at = data.draw(st.integers(0, len(parts) - 1))

    parts[at] = flipped(parts[at], bit)

    refused(verify_consistency, old, size, parts[2:], parts[0], parts[1])


@given(
    st.integers(0, 2**64), st.integers(0, 2**64), st.lists(st.binary(min_size=32, max_size=32), max_size=70)
)
def test_a_proof_of_chance_never_passes(index: int, size: int, proof: list[bytes]) -> None:
    refused(verify_inclusion, hashes(1)[0], index, size, proof, root_of(2))


# ---- edges ------------------------------------------------------------------------------------------------------


def test_hashes_are_32_bytes_everywhere() -> None:
    one, short, long = hashes(1)[0], bytes(31), bytes(33)
    for wrong in (short, long, b""):
        acts = (
            (node_hash, wrong, one),
            (node_hash, one, wrong),
            (subtree_of, [one, wrong]),
            (verify_inclusion, wrong, 0, 1, [], one),
            (verify_inclusion, one, 0, 1, [], wrong),
            (verify_inclusion, one, 0, 2, [wrong], one),
            (verify_consistency, 1, 2, [wrong], one, one),
            (verify_consistency, 1, 2, [one], wrong, one),
            (verify_consistency, 1, 2, [one], one, wrong),
        )
        assert {refused(*act) for act in acts} == {"hash_length"}


def test_a_single_leaf_is_its_own_root_and_needs_no_proof() -> None:
    (one,) = hashes(1)

    assert root(1, subtree_of([one])) == one
    assert inclusion(0, 1, subtree_of([one])) == []
    verify_inclusion(one, 0, 1, [], one)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 5), (5, 5), (6, 5)])
def test_there_is_no_proof_for_a_leaf_outside_the_tree(index: int, size: int) -> None:
    assert refused(inclusion, index, size, subtree_of(hashes(size))) == "index_outside"
    assert refused(verify_inclusion, hashes(1)[0], index, size, [], root_of(size)) == "index_outside"


def test_equal_trees_need_no_proof_and_one_size_has_one_root() -> None:
    verify_consistency(7, 7, [], root_of(7), root_of(7))

    assert refused(verify_consistency, 7, 7, [], root_of(7), root_of(6)) == "root_differs"
    assert refused(verify_consistency, 7, 7, [root_of(7)], root_of(7), root_of(7)) == "proof_length"


def test_the_empty_tree_begins_every_tree_and_has_one_root() -> None:
    verify_consistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)
    verify_consistency(0, 7, [], EMPTY_ROOT, root_of(7))

    assert consistency(0, 7, subtree_of(hashes(7))) == []
    assert refused(verify_consistency, 0, 7, [], root_of(1), root_of(7)) == "empty_root"
    assert refused(verify_consistency, 0, 0, [], root_of(1), root_of(1)) == "empty_root"
    assert refused(verify_consistency, 0, 7, [root_of(7)], EMPTY_ROOT, root_of(7)) == "proof_length"


def test_a_smaller_tree_does_not_continue_a_larger_one() -> None:
    assert refused(consistency, 8, 7, subtree_of(hashes(8))) == "sizes_swapped"
    assert refused(verify_consistency, 8, 7, [], root_of(8), root_of(7)) == "sizes_swapped"


@pytest.mark.parametrize("size", [-1, MOST_LEAVES + 1])
def test_sizes_that_no_log_has_are_refused(size: int) -> None:
    one = hashes(1)[0]
    acts = (
        (root, size, subtree_of([one])),
        (inclusion, 0, size, subtree_of([one])),
        (consistency, size, size, subtree_of([one])),
        (verify_inclusion, one, 0, size, [], one),
        (verify_consistency, size, size, [], one, one),
    )
    assert {refused(*act) for act in acts} == {"size_outside"}


def test_a_verifier_is_not_led_beyond_the_largest_tree() -> None:
    one = hashes(1)[0]

    assert refused(verify_inclusion, one, MOST_LEAVES - 1, MOST_LEAVES, [one] * 64, one) == "proof_length"
    assert refused(verify_consistency, 1, MOST_LEAVES, [one] * 65, one, one) == "proof_length"
