"""A proof to take away: a leaf's place in the log under a cosigned head, one text file (C2SP tlog-proof v1).

    c2sp.org/tlog-proof@v1
    extra <base64>                 optional, not authenticated
    index <decimal>
    <hash, base64>                 from the leaf's sibling up to a child of the root; none for a single leaf

    <the checkpoint, verbatim>

The file is kept with the ending `.tlog-proof`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from domain.log.checkpoint import Checkpoint
from domain.log.notes import MOST_BYTES, Note, Verify, format_note, parse_note
from domain.log.policy import Accepted, Policy
from domain.log.texts import from_base64, from_decimal, hash_from_base64, to_base64
from domain.log.tree import ProofError, verify_inclusion

MAGIC: Final = "c2sp.org/tlog-proof@v1"
MOST_HASHES: Final = 63


@dataclass(frozen=True, slots=True)
class Proof:
    """The leaf's index, its inclusion proof (RFC 6962 section 2.1.1), the head as a note, and extra data or None."""

    index: int
    hashes: tuple[bytes, ...]
    note: Note
    extra: bytes | None = None

    @property
    def checkpoint(self) -> Checkpoint:
        """The head, not yet verified."""
        return Checkpoint.parse(self.note.text)


def parse_proof(data: bytes | str) -> Proof:
    """The proof in this file, read strictly, nothing verified; `ProofError`, or `NoteError` for its checkpoint."""
    top, note = _parted(data)
    lines = top.split("\n")
    if lines.pop(0) != MAGIC:
        raise ProofError("proof_form", f"Give a file whose first line is {MAGIC}.")
    try:
        extra = from_base64(lines.pop(0)[6:]) if lines and lines[0].startswith("extra ") else None
        index = lines.pop(0) if lines else ""
        if not index.startswith("index ") or extra == b"":
            raise ValueError("no index, or an extra line without data")
        hashes = tuple(hash_from_base64(line) for line in lines)
        found = Proof(from_decimal(index[6:]), hashes, note, extra)
    except ValueError as error:
        raise ProofError(
            "proof_form", "Give the proof file as it was handed out: a line is malformed."
        ) from error
    if len(hashes) > MOST_HASHES:
        raise ProofError("proof_length", "Use the proof as it was handed out: it has too many hashes.")
    Checkpoint.parse(note.text)
    return found


def format_proof(proof: Proof) -> str:
    """The proof as a file, which `parse_proof` reads back as the same proof."""
    lines = [MAGIC]
    if proof.extra:
        lines.append(f"extra {to_base64(proof.extra)}")
    lines += [f"index {proof.index}", *(to_base64(one) for one in proof.hashes)]
    return "".join(f"{line}\n" for line in lines) + "\n" + format_note(proof.note)


def verify_proof(
    proof: Proof, leaf_hash: bytes, policy: Policy, verify: Verify, ml_dsa: Verify | None = None
) -> Accepted:
    """The head under which the leaf of this hash stands (tlog-proof, "Verifying a tlog proof").

    Step 1, the leaf hash, is the caller's. `NoteError` when the policy does not accept the head (steps 2 and 3),
    `ProofError` when the leaf is not in its tree (step 4). What `extra` holds is not verified by anything here.
    """
    accepted = policy.accept(proof.note, verify, ml_dsa)
    head = accepted.checkpoint
    verify_inclusion(leaf_hash, proof.index, head.size, proof.hashes, head.root)
    return accepted


def _parted(data: bytes | str) -> tuple[str, Note]:
    """The lines above the first empty one, and the note below it."""
    if len(data) > MOST_BYTES:
        raise ProofError("proof_form", "Give a proof file of at most a megabyte.")
    try:
        text = data.decode() if isinstance(data, bytes) else data
    except UnicodeDecodeError as error:
        raise ProofError("proof_form", "Give a proof file in UTF-8.") from error
    top, empty, note = text.partition("\n\n")
    if not empty:
        raise ProofError("proof_form", "Give the whole proof file: an empty line and a checkpoint end it.")
    return top, parse_note(note)
