"""What a board's witness answers when a log asks for its cosignature (C2SP tlog-witness v1.0.0, "add-checkpoint").

    old <size of the head cosigned last, 0 if none>
    <hash, base64>                 the consistency proof, at most 63 lines
                                   (an empty line)
    <the checkpoint, verbatim>

The witness's whole memory of a log is the newest head that it has cosigned. `judge` says what is to be done; the caller
writes the new state down before it answers, with nothing in between that could let another request pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from domain.log.checkpoint import Checkpoint
from domain.log.cosignature import signers
from domain.log.notes import MOST_BYTES, Note, NoteError, VerifierKey, Verify, format_note, parse_note
from domain.log.texts import from_decimal, hash_from_base64, to_base64
from domain.log.tree import EMPTY_ROOT, ProofError, verify_consistency

MOST_HASHES: Final = 63
SIZE_TYPE: Final = "text/x.tlog.size"
TEXT_TYPE: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class State:
    """The newest head of a log that the witness has cosigned."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request: the size cosigned last, the consistency proof from there, and the new head as a note."""

    old: int
    proof: tuple[bytes, ...]
    note: Note

    @property
    def checkpoint(self) -> Checkpoint:
        """The head, not yet verified."""
        return Checkpoint.parse(self.note.text)


@dataclass(frozen=True, slots=True)
class Cosign:
    """The head is consistent: keep `state`, then cosign `text`, the checkpoint's, and answer 200 with the line."""

    state: State
    text: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP answer other than 200. After a 422 the note is signed by the log: keep it, it may prove misconduct."""

    status: int
    body: str
    content_type: str = TEXT_TYPE


def judge(
    known: State | None,
    request: AddCheckpoint,
    logs: Mapping[str, Sequence[VerifierKey]],
    verify: Verify,
    ml_dsa: Verify | None = None,
) -> Cosign | Refusal:
    """What to answer; `known` is what was cosigned last for the request's origin, `logs` the trusted keys by origin.

    The checks stand in the order of the specification, which decides between two reasons to refuse.
    """
    head = request.checkpoint
    if head.origin not in logs:
        return Refusal(404, "This witness does not know the log of this origin.\n")
    if not _signed(request.note, logs[head.origin], verify, ml_dsa):
        return Refusal(403, "Sign the checkpoint with a key that this witness trusts for its origin.\n")
    if request.old > head.size:
        return Refusal(400, "Give an old size that is not larger than the checkpoint's.\n")
    latest = known or State(0, EMPTY_ROOT)
    if request.old != latest.size:
        return Refusal(409, f"{latest.size}\n", SIZE_TYPE)
    try:  # the empty tree's root, an empty proof from 0, equal roots at equal sizes, RFC 6962 section 2.1.2 otherwise
        verify_consistency(request.old, head.size, request.proof, latest.root, head.root)
    except ProofError as error:
        return Refusal(422, f"{error.advice}\n")
    return Cosign(State(head.size, head.root), request.note.text)


def parse_request(body: bytes) -> AddCheckpoint:
    """The request in this body; `NoteError` for a malformed one, which is answered with 400."""
    if len(body) > MOST_BYTES:
        raise NoteError("note_too_long", "Send a request of at most a megabyte.")
    top, empty, note = body.partition(b"\n\n")
    try:
        old, *hashes = top.decode("ascii").split("\n")
        if not empty or not old.startswith("old ") or len(hashes) > MOST_HASHES:
            raise ValueError("no old size, no empty line, or too many hashes")
        proof = tuple(hash_from_base64(line) for line in hashes)
        request = AddCheckpoint(from_decimal(old[4:]), proof, parse_note(note))
    except ValueError as error:
        raise NoteError(
            "request_form", "Send the old size, up to 63 hashes, an empty line and a checkpoint."
        ) from error
    Checkpoint.parse(request.note.text)
    return request


def format_request(request: AddCheckpoint) -> bytes:
    """The body of a request, which `parse_request` reads back as the same request."""
    lines = (f"old {request.old}", *(to_base64(one) for one in request.proof))
    return ("".join(f"{line}\n" for line in lines) + "\n" + format_note(request.note)).encode()


def origin_hash(origin: str) -> str:
    """What stands for an origin in a witness's monitoring path: its SHA-256 in lower-case hex."""
    return sha256(origin.encode()).hexdigest()


def _signed(note: Note, keys: Sequence[VerifierKey], verify: Verify, ml_dsa: Verify | None) -> bool:
    try:
        return bool(signers(note, keys, verify, ml_dsa))
    except (
        NoteError
    ):  # a known key's line that does not hold: the note counts as not signed by the log at all
        return False
