"""verify.html on a receipt alone, as a resident or a stranger has it: what `huiyin receipt verify` says, without a program."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from adapters.receipt.verify import Trusted, verify_receipt
from domain.refusal import Refused
from tests import bundle_maker as make
from tests.acceptance.page_world import Reader, reader
from tests.bundle_maker import BEGIN, BOARDS, ORIGIN, RECEIPT_KEY, Signer, Trail
from tests.unit.verify_world import Report

TRAIL = Trail().open().matters(60)
INDEX = 77
PROMISE = make.promise(TRAIL.entries[INDEX], BEGIN)
PROOF = make.proof(TRAIL, INDEX, TRAIL.at)


@pytest.fixture
def stranger(chromium: Browser) -> Iterator[Reader]:
    with reader(chromium) as one:
        yield one


def carrying(promise: str, proof: str = PROOF) -> str:
    extra = base64.b64encode(promise.encode()).decode()
    return proof.replace("\nindex", f"\nextra {extra}\nindex", 1)


def shown(
    stranger: Reader, folder: Path, *receipts: str, policy: str | None = None, key: str = RECEIPT_KEY.vkey
) -> Report:
    """What the page says of these receipts."""
    paths = [folder / f"r{n}" for n in range(len(receipts))]
    for path, text in zip(paths, receipts, strict=True):
        path.write_bytes(text.encode())
    own = folder / "policy"
    own.write_text(make.policy() if policy is None else policy)
    stranger.gives(None, policy=own if policy != "" else None, receipts=paths)
    stranger.page.fill("#receipt-key", key)
    stranger.page.click("#form button")
    return stranger.said()


def by_the_command(text: str, policy: str, key: str = RECEIPT_KEY.vkey) -> str | None:
    """The code with which `huiyin receipt verify` refuses it, None if it does not."""
    try:
        verify_receipt(text, Trusted(policy=policy, receipt_keys=(key,)))
    except Refused as refused:
        return refused.code
    return None


def test_a_receipt_with_its_proof_holds(stranger: Reader, tmp_path: Path) -> None:
    report = shown(stranger, tmp_path, carrying(PROMISE))

    assert (report.result, report.codes) == ("pass", {"proof_holds"})
    assert by_the_command(carrying(PROMISE), make.policy()) is None
    assert f"第 {INDEX} 号" in report.of("proof_holds")["zh"]


def test_a_promise_alone_or_beside_its_proof_holds(stranger: Reader, tmp_path: Path) -> None:
    assert shown(stranger, tmp_path, PROMISE).codes == {"promise_holds"}
    assert shown(stranger, tmp_path, PROMISE, PROOF).codes == {"promise_holds", "proof_holds"}


def test_line_ends_that_a_mailer_changed_do_no_harm(stranger: Reader, tmp_path: Path) -> None:
    mailed = carrying(PROMISE).replace("\n", "\r\n").rstrip()

    assert shown(stranger, tmp_path, mailed).result == "pass"


OTHER = Signer("elsewhere", 1)
REFUSED = {
    "another leaf's promise": (carrying(make.promise(TRAIL.entries[5], BEGIN)), make.policy(), "proof_invalid"),
    "a promise by another key": (
        carrying(make.promise(TRAIL.entries[INDEX], BEGIN, signer=Signer(f"{ORIGIN}/receipts2", 1))), make.policy(),
        "promise_forged"),
    "a promise altered": (carrying(PROMISE.replace("\n24\n", "\n25\n")), make.policy(), "promise_forged"),
    "another index": (carrying(PROMISE).replace(f"index {INDEX}", "index 5"), make.policy(), "proof_invalid"),
    "a longer path": (
        carrying(PROMISE).replace(f"index {INDEX}\n", f"index {INDEX}\n{'A' * 43}=\n"), make.policy(), "proof_invalid"),
    "no promise": (PROOF, make.policy(), "leaf_missing"),
    "another log's policy": (carrying(PROMISE), make.policy(log=OTHER), "unknown_log"),
    "too few boards": (carrying(PROMISE, PROOF[: PROOF.index("— board2")]), make.policy(), "policy_unsatisfied"),
    "other boards": (
        carrying(PROMISE), make.policy(boards=[Signer(f"x{n}.example", 4) for n in (1, 2, 3)]), "policy_unsatisfied"),
    "a board's wrong signature": (
        carrying(PROMISE, PROOF[: PROOF.index("— board1")] + BOARDS[0].line("other\n") + BOARDS[1].line("other\n")),
        make.policy(), "proof_invalid"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_a_receipt_that_does_not_hold_fails_by_the_same_name(
    stranger: Reader, tmp_path: Path, what: str
) -> None:
    text, policy, code = REFUSED[what]

    report = shown(stranger, tmp_path, text, policy=policy)

    assert (report.result, report.codes) == ("fail", {code})
    assert by_the_command(text, policy) == code


@pytest.mark.parametrize(
    ("policy", "key", "code"),
    [
        ("", RECEIPT_KEY.vkey, "policy_missing"), ("quorum nobody", RECEIPT_KEY.vkey, "policy_malformed"),
        (make.policy(), "", "receipt_key_missing"), (make.policy(), "x+y+z", "receipt_key_invalid"),
    ],
)  # fmt: skip
def test_what_the_reader_has_to_bring_is_asked_for(
    stranger: Reader, tmp_path: Path, policy: str, key: str, code: str
) -> None:
    assert shown(stranger, tmp_path, carrying(PROMISE), policy=policy, key=key).code == code


def test_nothing_at_all(stranger: Reader, tmp_path: Path) -> None:
    assert shown(stranger, tmp_path).code == "nothing_given"
