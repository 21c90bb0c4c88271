"""What a receipt proves, and by which name it fails: forged, tampered with, of another log, too few boards, mixed up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.receipt.qr import MOST_BYTES, picture
from adapters.receipt.verify import Proven, Trusted, verify_receipt
from adapters.receipt.words import FAILURES, sentences
from domain.log.cosignature import cosign
from domain.log.notes import ML_DSA_44_COSIGNATURE, VerifierKey
from domain.log.tree import leaf_hash
from domain.refusal import Refused
from tests.made_log import BOARD_KEYS, LOG_KEY, ORIGIN, RECEIPT_KEY, key, policy
from tests.made_receipt import NUMBER, Receipt, first, head, promise_for, receipt

KEYS = (str(RECEIPT_KEY.public),)
GOOD = receipt(0, 1, 2)
TRUST = Trusted(policy=policy(0, 1, 2, 3, least=3), receipt_keys=KEYS)


def fails(file: str, trusted: Trusted) -> str:
    """The code by which it fails."""
    with pytest.raises(Refused) as refused:
        verify_receipt(file, trusted)
    assert refused.value.advice.startswith(FAILURES[refused.value.code])
    return refused.value.code


# -- what holds -------------------------------------------------------------------------------------------------------


def test_a_receipt_proves_its_promise_and_its_place_under_three_boards() -> None:
    proven = verify_receipt(GOOD.file, TRUST)

    assert proven.promise is not None
    assert proven.included is not None
    assert (proven.promise.number, proven.promise.origin) == (NUMBER, ORIGIN)
    assert (proven.included.index, proven.included.size, proven.included.origin) == (41, 100, ORIGIN)
    assert list(proven.included.boards) == ["b0", "b1", "b2"]
    assert proven.leaf_hash == leaf_hash(GOOD.leaf)


def test_a_board_whose_key_is_of_ml_dsa_44_is_counted_and_its_broken_line_is_not() -> None:
    private = MLDSA44PrivateKey.from_seed_bytes(bytes(32))
    board = VerifierKey.of("lasting/w", ML_DSA_44_COSIGNATURE, private.public_key().public_bytes_raw())
    line = cosign(GOOD.note.text, board, 1_795_000_000, private.sign)
    trusted = replace(TRUST, policy=f"log {LOG_KEY.public}\nwitness lasting {board}\nquorum lasting\n")

    held = verify_receipt(replace(GOOD, note=GOOD.note.plus(line)).file, trusted).included
    broken = replace(line, blob=line.blob[:-1] + bytes([line.blob[-1] ^ 1]))

    assert held is not None
    assert list(held.boards) == ["lasting"]
    assert fails(replace(GOOD, note=GOOD.note.plus(broken)).file, trusted) == "proof_invalid"


def test_a_promise_alone_proves_that_it_was_given_and_no_more() -> None:
    proven = verify_receipt(GOOD.promise, TRUST)

    assert proven.promise is not None
    assert proven.included is None
    assert "Inclusion is not proven yet" in said(proven)


@pytest.mark.parametrize("change", ["\r\n", "no last line end", "blank lines around"])
def test_a_scanner_or_a_mailer_may_change_the_line_ends(change: str) -> None:
    file = {
        "\r\n": GOOD.file.replace("\n", "\r\n"), "no last line end": GOOD.file[:-1],
        "blank lines around": f"\n\n{GOOD.file}\n\n",
    }[change]  # fmt: skip

    assert verify_receipt(file, TRUST) == verify_receipt(GOOD.file, TRUST)


def test_the_promise_may_come_beside_the_proof() -> None:
    proven = verify_receipt(GOOD.proof(None), replace(TRUST, promise=GOOD.promise))

    assert proven == verify_receipt(GOOD.file, TRUST)


def test_who_holds_the_leaf_needs_no_promise_and_no_receipt_key() -> None:
    proven = verify_receipt(GOOD.file, Trusted(policy=TRUST.policy, leaf=GOOD.leaf))

    assert proven.promise is None
    assert proven.included is not None


def test_what_is_said_names_no_more_than_the_files_do() -> None:
    words = said(verify_receipt(GOOD.file, TRUST))

    assert "会签属实" in words
    assert "at least 3" in words
    assert not [one for one in ("hazard", "someone") if one in words]


def said(proven: Proven) -> str:
    return "\n".join(f"{zh}\n{en}" for zh, en in sentences(proven))


# -- what does not ----------------------------------------------------------------------------------------------------


def test_a_promise_by_another_key_is_forged() -> None:
    mallory = key(f"{ORIGIN}/receipts", salt="mallory")

    assert fails(GOOD.file, replace(TRUST, receipt_keys=(str(mallory.public),))) == "promise_forged"


def test_a_promise_with_another_number_is_forged() -> None:
    assert fails(GOOD.proof(GOOD.promise.replace(NUMBER, NUMBER[::-1])), TRUST) == "promise_forged"


def test_a_promise_of_another_matter_and_this_proof_speak_of_different_leaves() -> None:
    other = promise_for(first(position=8))

    assert fails(GOOD.file, replace(TRUST, promise=other)) == "leaf_differs"


def test_another_leaf_than_the_promised_one_differs() -> None:
    assert fails(GOOD.file, replace(TRUST, leaf=GOOD.leaf[:-1] + b" }")) == "leaf_differs"


def test_a_proof_of_another_leaf_does_not_hold_for_this_promise() -> None:
    other = promise_for(first(position=8))

    assert fails(GOOD.proof(other), TRUST) == "proof_invalid"


def test_a_head_of_a_log_that_the_policy_does_not_name_is_of_an_unknown_log() -> None:
    other = receipt(0, 1, 2, log=key("other.example/log"))

    assert fails(other.file, TRUST) == "unknown_log"


def test_a_head_that_the_log_has_not_signed_is_of_an_unknown_log() -> None:
    unsigned = replace(GOOD, note=replace(GOOD.note, signatures=GOOD.note.signatures[1:]))

    assert fails(unsigned.file, TRUST) == "unknown_log"


def test_two_boards_do_not_satisfy_a_policy_of_three() -> None:
    assert fails(receipt(0, 1).file, TRUST) == "policy_unsatisfied"


def test_one_board_twice_is_still_one_board() -> None:
    twice = receipt(0, 0, 1)

    assert fails(twice.file, TRUST) == "policy_unsatisfied"


def test_a_board_whose_line_was_tampered_with_makes_the_proof_invalid() -> None:
    *others, last = GOOD.note.signatures
    bad = replace(last, blob=last.blob[:-1] + bytes([last.blob[-1] ^ 1]))

    assert (
        fails(replace(GOOD, note=replace(GOOD.note, signatures=(*others, bad))).file, TRUST)
        == "proof_invalid"
    )


@pytest.mark.parametrize("what", ["index", "hash", "order", "one less", "one more"])
def test_a_path_that_was_tampered_with_does_not_hold(what: str) -> None:
    path = GOOD.hashes
    bad: Receipt = {
        "index": replace(GOOD, index=42), "hash": replace(GOOD, hashes=(bytes(32), *path[1:])),
        "order": replace(GOOD, hashes=path[::-1]), "one less": replace(GOOD, hashes=path[:-1]),
        "one more": replace(GOOD, hashes=(*path, path[0])),
    }[what]  # fmt: skip

    assert fails(bad.file, TRUST) == "proof_invalid"


@pytest.mark.parametrize("text", ["", "hello", "c2sp.org/tlog-proof@v2\nindex 1\n\n", GOOD.file[:200]])
def test_what_is_no_proof_is_invalid(text: str) -> None:
    assert fails(text, TRUST) == "proof_invalid"


def test_a_promise_that_breaks_off_is_invalid() -> None:
    assert fails(GOOD.promise[:60], TRUST) == "promise_invalid"
    assert fails(GOOD.proof(GOOD.promise[:60]), TRUST) == "promise_invalid"


@pytest.mark.parametrize(
    ("lacks", "code"),
    [
        (Trusted(receipt_keys=KEYS), "policy_missing"),
        (Trusted(policy=TRUST.policy), "receipt_key_missing"),
        (Trusted(policy="log x\n", receipt_keys=KEYS), "policy_invalid"),
        (Trusted(policy=TRUST.policy, receipt_keys=("no key",)), "receipt_key_invalid"),
    ],
)
def test_what_the_reader_has_to_bring_is_named(lacks: Trusted, code: str) -> None:
    assert fails(GOOD.file, lacks) == code


def test_a_proof_without_promise_or_leaf_proves_nothing_of_any_matter() -> None:
    assert fails(GOOD.proof(None), TRUST) == "leaf_missing"


@settings(max_examples=300)
@given(st.data())
def test_no_single_turned_bit_proves_anything_else(data: st.DataObject) -> None:
    file = GOOD.file.encode()
    at = data.draw(st.integers(0, len(file) - 1))
    turned = bytearray(file)
    turned[at] ^= 1 << data.draw(st.integers(0, 7))
    true = verify_receipt(GOOD.file, TRUST)

    try:
        proven = verify_receipt(turned.decode(), TRUST)
    except (Refused, UnicodeDecodeError):
        return

    assert proven == true  # a bit in a line of white space at the end, or one that only a scanner sees


# -- size -------------------------------------------------------------------------------------------------------------


def test_a_receipt_under_four_boards_among_a_million_leaves_fits_a_qr_code() -> None:
    note = head(1_000_000, bytes(32), *range(len(BOARD_KEYS)))
    large = replace(GOOD, index=999_999, hashes=(bytes(range(32)),) * 20, note=note)

    print(f"{len(large.file.encode())} bytes")
    assert len(large.file.encode()) <= MOST_BYTES
    assert picture(large.file, "png").startswith(b"\x89PNG")


def test_a_text_too_long_for_a_qr_code_is_refused_with_a_way_out() -> None:
    assert picture("x" * MOST_BYTES, "svg").startswith(b"<?xml")
    with pytest.raises(Refused, match="too_large_for_qr"):
        picture("x" * (MOST_BYTES + 1), "svg")
