"""Proof files: one form, the specification's example, and what a proof proves."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.log.keys import ed25519_verify
from domain.log.notes import Note, NoteError, format_note
from domain.log.policy import Policy
from domain.log.proof import MOST_HASHES, Proof, format_proof, parse_proof, verify_proof
from domain.log.tree import ProofError, inclusion
from domain.refusal import Refused
from tests.small_tree import subtree_of
from tests.unit.log_world import BOARDS, LOG_KEY, example, flipped, hashes, head, line

SIZE, INDEX = 21, 13
POLICY = Policy.parse(
    f"log {LOG_KEY.vkey}\n"
    + "".join(f"witness w{number} {board.vkey}\n" for number, board in enumerate(BOARDS))
    + "group boards all w0 w1 w2\nquorum boards\n"
)


def proof_of(index: int = INDEX, size: int = SIZE, extra: bytes | None = None) -> Proof:
    note = head(size)
    note = note.plus(*(line(note, board) for board in BOARDS))
    return Proof(index, tuple(inclusion(index, size, subtree_of(hashes(size)))), note, extra)


def refused(act: Callable[..., Any], *given: Any) -> str:
    with pytest.raises((ProofError, NoteError)) as caught:
        act(*given)
    return caught.value.code


# ---- the file ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 5, 21])
def test_a_proof_of_every_leaf_is_read_back(size: int) -> None:
    for index in range(size):
        for extra in (None, b"x", bytes(300)):
            proof = proof_of(index, size, extra)
            assert parse_proof(format_proof(proof)) == parse_proof(format_proof(proof).encode()) == proof


def test_the_file_reads_as_the_specification_says() -> None:
    proof = proof_of(1, 3, b"more")
    path = "".join(b64encode(one).decode() + "\n" for one in proof.hashes)

    assert format_proof(proof) == (
        f"c2sp.org/tlog-proof@v1\nextra bW9yZQ==\nindex 1\n{path}\n" + format_note(proof.note)
    )


def test_the_example_is_read_once_its_shortened_signatures_are_whole() -> None:
    shown, note = example("tlog-proof", "c2sp.org/tlog-proof@v1"), head(5)
    top = shown.partition("\n\n")[0]

    proof = parse_proof(f"{top}\n\n{format_note(note)}")

    assert (proof.index, len(proof.hashes), proof.note) == (73894, 5, note)
    assert proof.extra is not None
    assert format_proof(proof).startswith(top)
    assert refused(parse_proof, shown) == "signature_form"  # "[...]" is no base64


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text.replace("@v1", "@v2"),
        lambda text: "\n" + text,
        lambda text: text.replace("index 13", "index 013"),
        lambda text: text.replace("index 13", "index -13"),
        lambda text: text.replace("index 13", "index  13"),
        lambda text: text.replace("index 13", "index 13 "),
        lambda text: text.replace("index 13", f"index {2**63}"),
        lambda text: text.replace("index 13", "Index 13"),
        lambda text: text.replace("index 13\n", ""),
        lambda text: text.replace("index 13\n", "index 13\nindex 13\n"),
        lambda text: text.replace("index 13\n", "index 13\nextra bW9yZQ==\n"),
        lambda text: text.replace("index 13\n", "extra bW9yZQ==\nextra bW9yZQ==\nindex 13\n"),
        lambda text: text.replace("index 13\n", "extra \nindex 13\n"),
        lambda text: text.replace("index 13\n", "extra\nindex 13\n"),
        lambda text: text.replace("index 13\n", "extra bW9yZQ=\nindex 13\n"),
        lambda text: text.replace("index 13\n", "index 13\nbW9yZQ==\n"),
        lambda text: text.replace("index 13\n", "index 13\n\n"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.partition("\n\n")[0] + "\n",
        lambda text: text.partition("\n\n")[0] + "\n\n",
        lambda text: text[:-1],
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("\n21\n", "\n021\n"),
    ],
)
def test_a_malformed_file_is_refused(change: Callable[[str], Any]) -> None:
    refused(parse_proof, change(format_proof(proof_of())))


def test_a_file_with_more_hashes_than_any_tree_has_levels_is_refused() -> None:
    proof = proof_of()

    parse_proof(format_proof(replace(proof, hashes=(hashes(1)[0],) * MOST_HASHES)))
    many = format_proof(replace(proof, hashes=(hashes(1)[0],) * (MOST_HASHES + 1)))
    assert refused(parse_proof, many) == "proof_length"
    assert refused(parse_proof, "x" * 1_000_001) == "proof_form"


@given(st.binary(max_size=300))
def test_bytes_of_chance_are_no_proof(data: bytes) -> None:
    refused(parse_proof, data)


# ---- what it proves ---------------------------------------------------------------------------------------------


def test_a_proof_names_the_head_under_which_its_leaf_stands() -> None:
    accepted = verify_proof(proof_of(), hashes(SIZE)[INDEX], POLICY, ed25519_verify)

    assert accepted.checkpoint.size == SIZE
    assert set(accepted.cosigned) == {"w0", "w1", "w2"}


def test_a_proof_holds_for_its_own_leaf_at_its_own_place_alone() -> None:
    proof, leaf = proof_of(), hashes(SIZE)[INDEX]

    for other in (hashes(SIZE)[INDEX - 1], hashes(SIZE + 1)[SIZE]):
        assert refused(verify_proof, proof, other, POLICY, ed25519_verify) == "root_differs"
    assert (
        refused(verify_proof, replace(proof, index=INDEX - 1), leaf, POLICY, ed25519_verify) == "root_differs"
    )
    assert refused(verify_proof, replace(proof, index=SIZE), leaf, POLICY, ed25519_verify) == "index_outside"
    assert refused(verify_proof, proof, leaf[:31], POLICY, ed25519_verify) == "hash_length"
    assert refused(verify_proof, replace(proof, hashes=proof.hashes[1:]), leaf, POLICY, ed25519_verify) == (
        "proof_length"
    )


def test_the_empty_log_holds_no_leaf() -> None:
    note = head(0)
    note = note.plus(*(line(note, board) for board in BOARDS))

    assert refused(verify_proof, Proof(0, (), note), hashes(1)[0], POLICY, ed25519_verify) == "index_outside"


def test_a_proof_needs_the_log_and_the_quorum() -> None:
    proof, leaf = proof_of(), hashes(SIZE)[INDEX]
    log, *boards = proof.note.signatures
    without_log = replace(proof, note=Note(proof.note.text, tuple(boards)))
    without_board = replace(proof, note=Note(proof.note.text, (log, *boards[1:])))

    assert refused(verify_proof, without_log, leaf, POLICY, ed25519_verify) == "log_unknown"
    assert refused(verify_proof, without_board, leaf, POLICY, ed25519_verify) == "quorum_missing"


def test_extra_data_is_not_authenticated() -> None:
    proof, leaf = proof_of(extra=b"said"), hashes(SIZE)[INDEX]

    verify_proof(proof, leaf, POLICY, ed25519_verify)
    verify_proof(replace(proof, extra=b"said otherwise"), leaf, POLICY, ed25519_verify)


@given(st.integers(0, 100_000))
def test_no_flipped_bit_of_a_proof_file_leaves_it_proving(bit: int) -> None:
    bent = flipped(format_proof(proof_of()).encode(), bit)

    with pytest.raises(Refused):
        verify_proof(parse_proof(bent), hashes(SIZE)[INDEX], POLICY, ed25519_verify)
