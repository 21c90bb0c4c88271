"""When Ed25519 is broken one day: a second kind of signature, and roots that were kept or printed (row 19)."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.log.keys import open_signer
from domain.log.cosignature import cosign
from domain.log.notes import ED25519_COSIGNATURE, ML_DSA_44_COSIGNATURE, VerifierKey, parse_note
from tests.attacks.forger import reseal
from tests.attacks.world import Board, Office

mldsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.mldsa")


def with_a_line_that_lasts(office: Office, spoilt: bool = False) -> str:
    """Under the newest head a board's ML-DSA-44 line; the policy that asks for it as well as for the Ed25519 ones."""
    private = mldsa.MLDSA44PrivateKey.generate()
    key = VerifierKey.of("lasting.test/w", ML_DSA_44_COSIGNATURE, private.public_key().public_bytes_raw())
    with office.log() as log:
        head = log.cosigned()
        assert head is not None
        line = str(
            cosign(parse_note(head.note).text, key, int(office.clock().timestamp()), private.sign)
        ).rstrip("\n")
        if spoilt:
            line = line[:-8] + ("A" * 7 if line[-8:-1] != "A" * 7 else "B" * 7) + line[-1]
        log.add_cosignatures(head.size, [line])
    named = "\n".join(
        [f"witness {one.name} {one.vkey}" for one in office.boards] + [f"witness lasting {key}"]
    )
    groups = "group boards 2 audit council court\ngroup both all boards lasting\nquorum both\n"
    return f"log {office.log_key}\n{named}\n{groups}"


def test_an_ml_dsa_44_line_counts_beside_the_others(office: Office, board: Board, tmp_path: Path) -> None:
    """Row 19."""
    board.policy = with_a_line_that_lasts(office)

    report = board.verify(office.bundle(tmp_path / "1.zip"))

    assert report.faults == set()
    assert "lasting" in report.said["new"]["cosigned_by"]


def test_an_ml_dsa_44_line_that_was_changed_is_refused(office: Office, board: Board, tmp_path: Path) -> None:
    """Row 19."""
    board.policy = with_a_line_that_lasts(office, spoilt=True)

    assert {"signature_bad", "quorum_missing"} <= board.verify(office.bundle(tmp_path / "1.zip")).faults


def test_with_every_ed25519_key_broken_a_root_that_was_kept_still_binds(
    office: Office, board: Board, tmp_path: Path
) -> None:
    """Row 19: the forger signs for the log and for all three boards; what the board wrote down stands against it."""
    assert board.verify(office.bundle(tmp_path / "1.zip")).exit == 0
    office.rewrites(170, authority="law:another-one")
    text = parse_note(reseal(office).note).text
    broken = [open_signer(one.key, ED25519_COSIGNATURE) for one in office.boards]
    at = int(office.clock().timestamp())
    with office.log() as log:
        lines = [str(cosign(text, one.vkey, at, one.sign)).rstrip("\n") for one in broken]
        log.add_cosignatures(log.state().size, lines)
    forged = office.bundle(tmp_path / "2.zip")

    by_signatures_alone = board.verify(forged, state=False)
    by_the_kept_root = board.verify(forged)

    assert "quorum_missing" not in by_signatures_alone.codes
    assert "split_view" in by_the_kept_root.faults
    assert "signatures_broken" in by_the_kept_root.limits
    assert "SHA-256 still binds" in board.read(forged)
