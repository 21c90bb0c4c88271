"""Receipts forged, transplanted and turned bit by bit: nothing but what was handed out is believed (rows 16, 17)."""

from __future__ import annotations

import base64
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.log.keys import RECEIPT_KEY, make_key, open_signer, receipts_of
from adapters.receipt.prove import sealed_leaf
from adapters.receipt.verify import Trusted, verify_receipt
from domain.log.leaf import unleaf
from domain.log.notes import format_note, parse_note, sign_note
from domain.log.proof import Proof, format_proof, parse_proof
from domain.refusal import Refused
from tests.attacks.world import Board, Office
from tests.contract.board_world import policy_of

FLIPS = 2500


@pytest.fixture
def case(office: Office) -> str:
    """A matter in the middle of the log, with others behind it."""
    case = office.registers(3)[1]
    office.seals()
    office.asks()
    return case


def trusted(office: Office, k: int = 2, **more: bytes) -> Trusted:
    """What a resident has from the notice board."""
    receipts = str(open_signer(office.keys / RECEIPT_KEY).vkey)
    return Trusted(policy=policy_of(office.log_key, *office.boards, k=k), receipt_keys=(receipts,), **more)  # type: ignore[arg-type]


def refused(file: str, by: Trusted) -> str:
    with pytest.raises(Refused) as told:
        verify_receipt(file, by)
    return told.value.code


# -- row 16 -----------------------------------------------------------------------------------------------------------


def test_a_promise_that_the_office_never_signed_is_not_believed(
    office: Office, case: str, board: Board, tmp_path: Path
) -> None:
    """Row 16: a key of the same name, made at home."""
    text = parse_note(office.must("receipt", "show", case)).text
    key = make_key(tmp_path / "home.key", receipts_of(office.origin))
    forged = format_note(sign_note(text, key, open_signer(tmp_path / "home.key").sign))

    report = board.verify(office.bundle(tmp_path / "1.zip"), "--receipt", board.file(forged))

    assert refused(forged, trusted(office)) == "promise_forged"
    assert report.faults == {"receipt_bad"}


def test_a_promise_about_another_leaf_is_not_believed(office: Office, case: str) -> None:
    """Row 16: the office's signature, moved under another text."""
    first, second = (office.must("receipt", "show", one) for one in (case, office.cases()[0]))
    forged = second.split("\n\n")[0] + "\n\n" + first.split("\n\n")[1]

    assert refused(forged, trusted(office)) == "promise_forged"


def transplanted(office: Office, case: str) -> Iterator[tuple[str, str]]:
    """Proofs made of parts of good ones, each with the code that it is refused by."""
    good, other = (parse_proof(office.proof(one)) for one in (case, office.cases()[0]))
    yield "proof_invalid", format_proof(Proof(other.index, good.hashes, good.note, good.extra))
    yield "proof_invalid", format_proof(Proof(good.index, other.hashes, good.note, good.extra))
    yield "proof_invalid", format_proof(Proof(good.index, good.hashes, good.note, other.extra))
    yield "proof_invalid", format_proof(Proof(good.index, good.hashes[:-1], good.note, good.extra))
    yield "proof_invalid", format_proof(Proof(good.index, (*good.hashes, bytes(32)), good.note, good.extra))
    text = good.note.text.replace(f"\n{good.checkpoint.size}\n", f"\n{good.checkpoint.size + 1}\n")
    yield (
        "unknown_log",
        format_proof(Proof(good.index, good.hashes, type(good.note)(text, good.note.signatures), good.extra)),
    )


def test_a_proof_made_of_parts_of_others_is_not_believed(office: Office, case: str) -> None:
    """Row 16."""
    for code, forged in transplanted(office, case):
        assert refused(forged, trusted(office)) in {code, "proof_invalid"}, forged


# -- row 17 -----------------------------------------------------------------------------------------------------------


def without(proof: str, *names: str) -> str:
    for name in names:
        proof = re.sub(f"— {re.escape(name)} .*\n", "", proof)
    return proof


def test_too_few_cosignatures_are_too_few(office: Office, case: str, board: Board, tmp_path: Path) -> None:
    """Row 17: lines are dropped one after the other; two of three are a quorum."""
    proof, (one, two, _) = office.proof(case), [each.vkey.name for each in office.boards]
    bundle = office.bundle(tmp_path / "1.zip")

    assert verify_receipt(without(proof, one), trusted(office)).included is not None
    assert refused(without(proof, one, two), trusted(office)) == "policy_unsatisfied"
    assert refused(without(proof, one), trusted(office, k=3)) == "policy_unsatisfied"
    assert refused(without(proof, office.origin), trusted(office)) == "unknown_log"
    assert board.verify(bundle, "--receipt", board.file(without(proof, one, two)), state=False).faults == {
        "receipt_bad"
    }


def test_a_boards_line_that_is_there_twice_counts_once(office: Office, case: str) -> None:
    """Row 17."""
    one, two, three = [each.vkey.name for each in office.boards]
    proof = without(office.proof(case), two, three)
    (line,) = re.findall(f"— {re.escape(one)} .*\n", proof)

    assert refused(proof + line * 5, trusted(office)) == "policy_unsatisfied"


def leaf_of(office: Office, case: str) -> bytes:
    with office.engine() as engine, office.log() as log:
        return sealed_leaf(log, engine.store.load(case)[0])[1]


def flipped(data: bytes, chance: random.Random) -> tuple[bytes, int]:
    at = chance.randrange(len(data))
    changed = bytearray(data)
    changed[at] ^= 1 << chance.randrange(8)
    return bytes(changed), at


def believed(proof: bytes, by: Trusted) -> bool:
    try:
        verify_receipt(proof.decode("utf-8"), by)
    except (Refused, UnicodeDecodeError):
        return False
    return True


@pytest.mark.parametrize("k", [3, 2])
def test_a_proof_with_any_bit_turned_is_not_believed(office: Office, case: str, k: int) -> None:
    """Row 17: with three of three none is; with two of three what survives is a proof with one board's line less."""
    proof, by = office.proof(case).encode(), trusted(office, k)
    chance, survived = random.Random(17), Counter[str]()
    assert believed(proof, by)
    for _ in range(FLIPS):
        changed, at = flipped(proof, chance)
        if believed(changed, by):
            survived[where(proof, changed, at, office)] += 1

    assert set(survived) == ({"a board's line of an unknown key"} if k == 2 else set()), survived


def test_a_leaf_with_any_bit_turned_is_not_believed(office: Office, case: str) -> None:
    """Row 17: under a proof without a promise, whose only word for the record are its bytes."""
    leaf, told = leaf_of(office, case), parse_proof(office.proof(case))
    proof = format_proof(Proof(told.index, told.hashes, told.note)).encode()
    policy, chance = policy_of(office.log_key, *office.boards, k=3), random.Random(18)
    assert believed(proof, Trusted(policy=policy, leaf=leaf))
    for _ in range(1000):
        assert not believed(proof, Trusted(policy=policy, leaf=flipped(leaf, chance)[0]))


def where(proof: bytes, changed: bytes, at: int, office: Office) -> str:
    """What the turned bit has made of the line that it stands in."""
    line = proof[: at + 1].count(b"\n") - (proof[at : at + 1] == b"\n")
    before, after = proof.split(b"\n")[line], changed.split(b"\n")[line]
    boards = {(one.vkey.name, one.vkey.key_id) for one in office.boards}
    if not before.startswith("— ".encode()) or named(before) not in boards:
        return "something else"
    return "a board's line of an unknown key" if named(after) not in boards else "a board's line"


def named(line: bytes) -> tuple[str, int]:
    _, name, blob = line.decode().split(" ")
    return name, int.from_bytes(base64.b64decode(blob)[:4], "big")


def test_a_leaf_that_is_shown_is_the_very_one_that_was_sealed(office: Office, case: str) -> None:
    """Row 16: who is given the record itself checks it by its bytes, not by what they mean."""
    leaf, proof = leaf_of(office, case), office.proof(case)
    body = unleaf(leaf).body

    assert verify_receipt(proof, trusted(office, leaf=leaf)).included is not None
    assert (
        refused(proof, trusted(office, leaf=leaf.replace(b'"version":1', b'"version": 1'))) == "leaf_differs"
    )
    assert refused(proof, trusted(office, leaf=body)) == "leaf_differs"
