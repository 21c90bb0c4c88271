"""Cosignatures: a board's line under a head, with the time it was given (C2SP tlog-cosignature v1.0.1, v1.1.0-rc.1).

    blob = timestamp, 8 bytes big-endian || signature of 64 (Ed25519, 0x04) or 2,420 bytes (ML-DSA-44, 0x06)

    0x04 signs   cosignature/v1\\n || time <timestamp>\\n || the checkpoint's whole text
    0x06 signs   "subtree/v1\\n\\0" || name || timestamp || origin || start = 0 || end = size || root

Names and origins in the 0x06 form stand behind their length in one byte, numbers are 8 bytes big-endian. Timestamps
are POSIX seconds. Zero would say nothing about the largest tree seen, so that no head is cosigned with it here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from domain.log.checkpoint import Checkpoint
from domain.log.notes import (
    ED25519,
    ED25519_COSIGNATURE,
    ML_DSA_44_COSIGNATURE,
    Note,
    NoteError,
    Sign,
    Signature,
    VerifierKey,
    Verify,
    holding,
)

SIGNATURE_BYTES: Final = {ED25519_COSIGNATURE: 64, ML_DSA_44_COSIGNATURE: 2420}
MOST_TIMESTAMP: Final = 2**63 - 1


def cosign(text: str, key: VerifierKey, timestamp: int, sign: Sign) -> Signature:
    """The line of a cosigner of type 0x04 or 0x06 under the checkpoint of this text."""
    if timestamp == 0:
        raise NoteError("cosignature_time", "Cosign a head with the time of signing.")
    return Signature(key.name, key.key_id, encode(key, timestamp, sign(message(text, key, timestamp))))


def signers(
    note: Note, keys: Iterable[VerifierKey], verify: Verify, ml_dsa: Verify | None = None
) -> dict[VerifierKey, int]:
    """The keys of any type, of those given, that have signed this checkpoint, each with its newest timestamp.

    A plain Ed25519 signature counts as timestamp 0. Lines of unknown keys are ignored, and so are those of type 0x06 where
    no verifier for it is passed in; `NoteError` when a line of a known key does not hold. Empty when nobody signed.
    """
    usable = [key for key in keys if ml_dsa is not None or key.algorithm != ML_DSA_44_COSIGNATURE]

    def holds(key: VerifierKey, blob: bytes) -> bool:
        if key.algorithm == ED25519:
            return verify(key.public, note.text.encode(), blob)
        timestamp, signature = decode(key, blob)
        check = ml_dsa if key.algorithm == ML_DSA_44_COSIGNATURE else verify
        return check is not None and check(key.public, message(note.text, key, timestamp), signature)

    found: dict[VerifierKey, int] = {}
    for key, one in holding(note, usable, holds):
        timestamp = 0 if key.algorithm == ED25519 else decode(key, one.blob)[0]
        found[key] = max(found.get(key, 0), timestamp)
    return found


def message(text: str, key: VerifierKey, timestamp: int) -> bytes:
    """What this cosigner signs at this time under the checkpoint of this text."""
    checkpoint = Checkpoint.parse(text)
    if key.algorithm == ED25519_COSIGNATURE:
        return f"cosignature/v1\ntime {timestamp}\n{text}".encode()
    if key.algorithm != ML_DSA_44_COSIGNATURE:
        raise NoteError("key_algorithm", "Cosign with a key of type 4 or 6.")
    return cosigned_message(key.name, timestamp, checkpoint.origin, 0, checkpoint.size, checkpoint.root)


def cosigned_message(name: str, timestamp: int, origin: str, start: int, end: int, hash_: bytes) -> bytes:
    """The structure `cosigned_message` (tlog-cosignature, "ML-DSA-44 signed message")."""
    if start and timestamp:
        raise NoteError("cosignature_time", "Cosign a subtree that does not begin at 0 without a time.")
    parts = (
        b"subtree/v1\n\0",
        _short(name),
        _number(timestamp),
        _short(origin),
        _number(start),
        _number(end),
        hash_,
    )
    return b"".join(parts)


def encode(key: VerifierKey, timestamp: int, signature: bytes) -> bytes:
    """The structure `timestamped_signature` (tlog-cosignature, "Format")."""
    if not 0 <= timestamp <= MOST_TIMESTAMP:
        raise NoteError("cosignature_time", "Give a time in POSIX seconds, at most 2**63 - 1.")
    if len(signature) != SIGNATURE_BYTES.get(key.algorithm):
        raise NoteError("cosignature_form", "Give a signature of 64 (type 4) or 2,420 bytes (type 6).")
    return _number(timestamp) + signature


def decode(key: VerifierKey, blob: bytes) -> tuple[int, bytes]:
    """The timestamp and the bare signature of a cosigner's line."""
    timestamp, signature = int.from_bytes(blob[:8], "big"), blob[8:]
    encode(key, timestamp, signature)
    return timestamp, signature


def _number(value: int) -> bytes:
    return value.to_bytes(8, "big")


def _short(text: str) -> bytes:
    data = text.encode()
    if not 1 <= len(data) <= 255:
        raise NoteError("cosignature_form", "Keep the cosigner's name and the origin within 255 bytes.")
    return bytes([len(data)]) + data
