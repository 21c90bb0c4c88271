"""Cosignatures of both kinds: the signed bytes by the specification, and which lines count."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import given
from hypothesis import strategies as st

from adapters.log.keys import ed25519_verify
from domain.log.checkpoint import Checkpoint
from domain.log.cosignature import cosign, cosigned_message, decode, encode, message, signers
from domain.log.notes import (
    ED25519,
    ML_DSA_44_COSIGNATURE,
    Note,
    NoteError,
    Signature,
    VerifierKey,
    parse_note,
)
from tests.unit.log_world import BOARDS, LOG_KEY, NOW, ORIGIN, example, flipped, head, line, root_of

NOTE = head(5)
KEYS = [LOG_KEY.vkey, *(board.vkey for board in BOARDS)]
QUANTUM_SAFE = VerifierKey.of("board.example/pq", ML_DSA_44_COSIGNATURE, bytes(1312))


def refused(act: Callable[..., Any], *given: Any) -> str:
    with pytest.raises(NoteError) as caught:
        act(*given)
    return caught.value.code


# ---- the specification ------------------------------------------------------------------------------------------


def test_the_signed_bytes_are_those_of_the_specifications_example() -> None:
    signed, shown = (
        example("tlog-cosignature", "cosignature/v1\n"),
        example("tlog-cosignature", "example.com/"),
    )
    note = parse_note(shown)

    assert message(note.text, BOARDS[0].vkey, 1679315147) == signed.encode()


def test_the_example_cosignature_was_given_at_the_time_of_the_example() -> None:
    log, board = parse_note(example("tlog-cosignature", "example.com/")).signatures

    assert (log.name, board.name) == ("example.com/behind-the-sofa", "witness.example.com/w1")
    timestamp, signature = decode(BOARDS[0].vkey, board.blob)
    assert (timestamp, len(signature)) == (1679315147, 64)


def test_the_second_kind_signs_the_structure_of_the_specification() -> None:
    head5 = Checkpoint(ORIGIN, 5, root_of(5))
    name, origin = b"board.example/pq", ORIGIN.encode()
    expected = struct.pack(
        f">12sB{len(name)}sQB{len(origin)}sQQ32s",
        b"subtree/v1\n\0", len(name), name, NOW, len(origin), origin, 0, 5, head5.root,
    )  # fmt: skip

    assert message(head5.text, QUANTUM_SAFE, NOW) == expected
    assert message(head5.text + "an extension is not signed\n", QUANTUM_SAFE, NOW) == expected


def test_a_subtree_that_does_not_begin_at_0_bears_no_time() -> None:
    assert refused(cosigned_message, "a", NOW, "b", 8, 13, root_of(5)) == "cosignature_time"
    assert cosigned_message("a", 0, "b", 8, 13, root_of(5))[-48:] == struct.pack(">QQ32s", 8, 13, root_of(5))


@pytest.mark.parametrize(("name", "origin"), [("", "b"), ("a", ""), ("a" * 256, "b"), ("a", "音" * 86)])
def test_names_fit_into_their_length(name: str, origin: str) -> None:
    assert refused(cosigned_message, name, 0, origin, 0, 1, root_of(1)) == "cosignature_form"


# ---- encoding ---------------------------------------------------------------------------------------------------

times = st.integers(0, 2**63 - 1)


@given(times, st.binary(min_size=64, max_size=64), st.binary(min_size=2420, max_size=2420))
def test_time_and_signature_are_read_back(timestamp: int, small: bytes, large: bytes) -> None:
    for key, signature in ((BOARDS[0].vkey, small), (QUANTUM_SAFE, large)):
        assert decode(key, encode(key, timestamp, signature)) == (timestamp, signature)


@pytest.mark.parametrize("blob", [b"", bytes(8), bytes(71), bytes(73), bytes(2428)])
def test_a_cosignature_of_another_length_is_refused(blob: bytes) -> None:
    assert refused(decode, BOARDS[0].vkey, blob) == "cosignature_form"


def test_a_time_beyond_the_largest_is_refused() -> None:
    assert refused(encode, BOARDS[0].vkey, 2**63, bytes(64)) == "cosignature_time"
    assert refused(encode, BOARDS[0].vkey, -1, bytes(64)) == "cosignature_time"
    assert refused(decode, BOARDS[0].vkey, b"\x80" + bytes(71)) == "cosignature_time"


def test_no_head_is_cosigned_without_a_time_or_with_a_plain_key() -> None:
    assert refused(cosign, NOTE.text, BOARDS[0].vkey, 0, BOARDS[0].sign) == "cosignature_time"
    assert refused(cosign, NOTE.text, LOG_KEY.vkey, NOW, LOG_KEY.sign) == "key_algorithm"
    assert refused(cosign, "no checkpoint\n", BOARDS[0].vkey, NOW, BOARDS[0].sign) == "checkpoint_form"


# ---- which lines count ------------------------------------------------------------------------------------------


def test_everybody_who_signed_is_named_with_the_time() -> None:
    note = NOTE.plus(line(NOTE, BOARDS[0]), line(NOTE, BOARDS[2], NOW + 5))

    assert signers(note, KEYS, ed25519_verify) == {
        LOG_KEY.vkey: 0, BOARDS[0].vkey: NOW, BOARDS[2].vkey: NOW + 5
    }  # fmt: skip


def test_two_lines_of_one_board_count_once_with_the_newer_time() -> None:
    older, newer = line(NOTE, BOARDS[0], NOW), line(NOTE, BOARDS[0], NOW + 60)

    for note in (NOTE.plus(older, newer), NOTE.plus(newer, older)):
        assert signers(note, [BOARDS[0].vkey], ed25519_verify) == {BOARDS[0].vkey: NOW + 60}


def test_a_line_twice_counts_once() -> None:
    (one,) = NOTE.plus(line(NOTE, BOARDS[0])).signatures[1:]

    assert signers(Note(NOTE.text, (one, one)), KEYS, ed25519_verify) == {BOARDS[0].vkey: NOW}


def test_a_board_that_is_unknown_is_ignored_and_a_note_may_be_signed_by_nobody() -> None:
    note = NOTE.plus(line(NOTE, BOARDS[0]))

    assert signers(note, [BOARDS[1].vkey], ed25519_verify) == {}


def test_a_failing_line_of_a_known_board_rejects_the_note() -> None:
    good, bad = line(NOTE, BOARDS[0]), line(head(6), BOARDS[1])

    assert refused(signers, NOTE.plus(good, bad), KEYS, ed25519_verify) == "bad_signature"
    assert set(signers(NOTE.plus(good, bad), KEYS[:2], ed25519_verify)) == set(KEYS[:2])


def test_the_time_is_signed() -> None:
    one = line(NOTE, BOARDS[0])
    later = Signature(one.name, one.key_id, (NOW + 1).to_bytes(8, "big") + one.blob[8:])

    assert refused(signers, NOTE.plus(later), KEYS, ed25519_verify) == "bad_signature"


def test_a_plain_signature_is_no_cosignature() -> None:
    board = BOARDS[0]
    plain = Signature(board.vkey.name, board.vkey.key_id, board.sign(NOTE.text.encode()))
    dated = Signature(plain.name, plain.key_id, NOW.to_bytes(8, "big") + plain.blob)

    assert refused(signers, NOTE.plus(plain), KEYS, ed25519_verify) == "cosignature_form"
    assert refused(signers, NOTE.plus(dated), KEYS, ed25519_verify) == "bad_signature"


def test_one_pair_under_two_algorithms_is_two_keys() -> None:
    board = BOARDS[0]
    plain_key = VerifierKey.of(board.vkey.name, ED25519, board.vkey.public)
    note = NOTE.plus(line(NOTE, board))

    assert signers(note, [plain_key], ed25519_verify) == {}


@given(st.integers(0, 10_000))
def test_no_flipped_bit_of_a_cosignature_passes(bit: int) -> None:
    one = line(NOTE, BOARDS[0])
    bent = Signature(one.name, one.key_id, flipped(one.blob, bit))

    refused(signers, NOTE.plus(bent), KEYS, ed25519_verify)


# ---- ML-DSA-44 --------------------------------------------------------------------------------------------------


def ml_dsa_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    mldsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.mldsa")
    try:
        mldsa.MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@pytest.fixture(scope="module")
def quantum_safe() -> tuple[VerifierKey, Signature]:
    """A board's key of the second kind, and its line under the head."""
    mldsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.mldsa")
    private = mldsa.MLDSA44PrivateKey.from_seed_bytes(bytes(32))
    key = VerifierKey.of("board.example/pq", ML_DSA_44_COSIGNATURE, private.public_key().public_bytes_raw())
    return key, cosign(NOTE.text, key, NOW, private.sign)


def test_a_cosignature_of_the_second_kind_counts(quantum_safe: tuple[VerifierKey, Signature]) -> None:
    key, one = quantum_safe
    note = NOTE.plus(line(NOTE, BOARDS[0]), one)

    assert VerifierKey.parse(str(key)) == key
    assert signers(note, [*KEYS, key], ed25519_verify, ml_dsa_verify) == {
        LOG_KEY.vkey: 0, BOARDS[0].vkey: NOW, key: NOW
    }  # fmt: skip


def test_a_failing_line_of_the_second_kind_rejects_the_note(
    quantum_safe: tuple[VerifierKey, Signature],
) -> None:
    key, one = quantum_safe
    bent = Signature(one.name, one.key_id, flipped(one.blob, 12_345))

    assert refused(signers, NOTE.plus(bent), [key], ed25519_verify, ml_dsa_verify) == "bad_signature"
    assert refused(signers, head(6).plus(one), [key], ed25519_verify, ml_dsa_verify) == "bad_signature"


def test_without_a_verifier_of_the_second_kind_its_keys_are_unknown(
    quantum_safe: tuple[VerifierKey, Signature],
) -> None:
    key, one = quantum_safe

    assert signers(NOTE.plus(one), [*KEYS, key], ed25519_verify) == {LOG_KEY.vkey: 0}
