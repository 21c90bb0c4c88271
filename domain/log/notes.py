"""Signed notes and their keys (C2SP signed-note v1.0.0).

    <text, ending in a newline>
    <empty line>
    — <key name> base64(key id, 4 bytes || signature)          one or more such lines

    verifier key:  <key name>+<key id, 8 hex digits>+base64(algorithm, 1 byte || public key)
    signer key:    PRIVATE+KEY+<key name>+<key id>+base64(algorithm || 32-byte seed)
    key id:        SHA-256(key name || 0x0A || algorithm || public key)[:4]

The text counts for nothing until a known key has been verified. What is read here is written back byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from domain.log.texts import from_base64, to_base64
from domain.refusal import Refused

ED25519: Final = 0x01
ED25519_COSIGNATURE: Final = 0x04
ML_DSA_44_COSIGNATURE: Final = 0x06
PUBLIC_BYTES: Final = {ED25519: 32, ED25519_COSIGNATURE: 32, ML_DSA_44_COSIGNATURE: 1312}
SEED_BYTES: Final = 32
MOST_SIGNATURES: Final = 100
MOST_BYTES: Final = 1_000_000
PRIVATE: Final = "PRIVATE+KEY+"

Sign = Callable[[bytes], bytes]
"""(message) -> signature, by a key that the caller holds."""

Verify = Callable[[bytes, bytes, bytes], bool]
"""(public key, message, signature) -> whether it holds; False also for a malformed key or signature."""


class NoteError(Refused):
    """A note, key, checkpoint or cosignature is malformed, or not signed as it must be; `code` names the flaw."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line; `key_id` is a uint32, `blob` what follows it."""

    name: str
    key_id: int
    blob: bytes

    def __str__(self) -> str:
        """The line, with its newline."""
        return f"— {self.name} {to_base64(self.key_id.to_bytes(4, 'big') + self.blob)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, final newline included, and the signatures under it, not yet verified."""

    text: str
    signatures: tuple[Signature, ...]

    def plus(self, *signatures: Signature) -> Note:
        """With these lines added at the end, each line once."""
        return Note(self.text, tuple(dict.fromkeys((*self.signatures, *signatures))))


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key under a name; name and id together say which signatures are this key's."""

    name: str
    key_id: int
    algorithm: int
    public: bytes

    @classmethod
    def of(cls, name: str, algorithm: int, public: bytes) -> VerifierKey:
        """The key with its id worked out."""
        _check_name(name)
        if len(public) != PUBLIC_BYTES.get(algorithm):
            raise NoteError("key_algorithm", "Use a key of type 1 or 4 (32 bytes) or 6 (1,312 bytes).")
        return cls(name, key_id_of(name, algorithm, public), algorithm, public)

    @classmethod
    def parse(cls, vkey: str) -> VerifierKey:
        """The key of this text; its id must be the one that belongs to it."""
        name, key_id, algorithm, public = _key_parts(vkey)
        key = cls.of(name, algorithm, public)
        if key.key_id != key_id:
            raise NoteError("key_id", "Copy the verifier key whole: its id does not belong to it.")
        return key

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id:08x}+{to_base64(bytes([self.algorithm]) + self.public)}"

    def made(self, signature: Signature) -> bool:
        """Whether the line says that it is by this key."""
        return (signature.name, signature.key_id) == (self.name, self.key_id)


@dataclass(frozen=True, slots=True)
class SignerKey:
    """A private key under a name: its seed is shown by `str()` only."""

    name: str
    key_id: int
    algorithm: int
    seed: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> SignerKey:
        """The key of this text; whether the id fits is seen by `verifier`."""
        if not text.startswith(PRIVATE):
            raise NoteError("key_form", "Give a signer key, which begins with PRIVATE+KEY+.")
        name, key_id, algorithm, seed = _key_parts(text[len(PRIVATE) :])
        if algorithm not in PUBLIC_BYTES or len(seed) != SEED_BYTES:
            raise NoteError("key_algorithm", "Use a key of type 1, 4 or 6 with a seed of 32 bytes.")
        return cls(name, key_id, algorithm, seed)

    @classmethod
    def of(cls, name: str, algorithm: int, public: bytes, seed: bytes) -> SignerKey:
        """The signer key of a new pair."""
        if len(seed) != SEED_BYTES:
            raise NoteError("key_algorithm", "Use a seed of 32 bytes.")
        return cls(name, VerifierKey.of(name, algorithm, public).key_id, algorithm, seed)

    def verifier(self, public: bytes) -> VerifierKey:
        """The verifier key of this one's public half; `NoteError` when the id says that it is another's."""
        key = VerifierKey.of(self.name, self.algorithm, public)
        if key.key_id != self.key_id:
            raise NoteError("key_id", "Restore the key file: its id does not belong to its key.")
        return key

    def __str__(self) -> str:
        return f"{PRIVATE}{self.name}+{self.key_id:08x}+{to_base64(bytes([self.algorithm]) + self.seed)}"


# ---- keys --------------------------------------------------------------------------------------------------------


def key_id_of(name: str, algorithm: int, public: bytes) -> int:
    """SHA-256(name || 0x0A || algorithm || public)[:4] (signed-note, "Signatures"; tlog-cosignature, "Format")."""
    return int.from_bytes(sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:4], "big")


_KEY = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)", re.ASCII)


def _key_parts(text: str) -> tuple[str, int, int, bytes]:
    found = _KEY.fullmatch(text)
    if found is None:
        raise NoteError("key_form", "Write a key as name+8 hex digits+base64.")
    _check_name(found[1])
    try:
        data = from_base64(found[3])
    except ValueError as error:
        raise NoteError("key_form", "Copy the key whole: its last part is not base64.") from error
    return found[1], int(found[2], 16), data[0], data[1:]


def _check_name(name: str) -> None:
    if not name or not _is_utf8(name) or any(one.isspace() or one < " " or one == "+" for one in name):
        raise NoteError("key_name", "Name a key without spaces, plus signs or control characters.")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# ---- notes -------------------------------------------------------------------------------------------------------


def parse_note(data: bytes | str) -> Note:
    """The note of these bytes, read strictly; nothing is verified yet (signed-note, "Format")."""
    text = _clean(data)
    at = text.rfind("\n\n")  # the text may hold empty lines: the last one parts it from the signatures
    if at < 0 or at + 2 == len(text):
        raise NoteError("note_form", "Give the whole note: a text, an empty line and signature lines.")
    return Note(text[: at + 1], parse_signatures(text[at + 2 :]))


def parse_signatures(data: bytes | str) -> tuple[Signature, ...]:
    """One or more signature lines, such as a witness answers with."""
    text = _clean(data)
    if not text.endswith("\n"):
        raise NoteError("note_form", "Give the signature lines whole, the last newline included.")
    lines = text[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise NoteError("too_many_signatures", f"Put at most {MOST_SIGNATURES} signatures under a note.")
    return tuple(_signature(line) for line in lines)


def format_note(note: Note) -> str:
    """The note as text, which `parse_note` reads back as the same note."""
    _check_text(note.text)
    if not note.signatures:
        raise NoteError("note_form", "Sign a note before it is written: it has no signature.")
    return note.text + "\n" + "".join(str(one) for one in note.signatures)


def sign_note(text: str, key: VerifierKey, sign: Sign) -> Note:
    """The text signed by a plain Ed25519 key (signed-note, "Ed25519 signatures"); more lines come by `Note.plus`."""
    _check_text(text)
    if key.algorithm != ED25519:
        raise NoteError("key_algorithm", "Sign a note with a key of type 1; cosign with the others.")
    return Note(text, (Signature(key.name, key.key_id, sign(text.encode())),))


def verified(note: Note, keys: Iterable[VerifierKey], verify: Verify) -> tuple[VerifierKey, ...]:
    """The plain Ed25519 keys, of those given, that have signed the note; never none.

    Lines of unknown keys are ignored, keys of other types are unknown here (`domain.log.cosignature` knows them).
    `NoteError` when a line of a known key fails, even beside a good one, or no known key has signed.
    """
    plain = [key for key in keys if key.algorithm == ED25519]
    found = holding(note, plain, lambda key, blob: verify(key.public, note.text.encode(), blob))
    if not found:
        raise NoteError("no_known_signature", "Do not read this note: no key that you trust has signed it.")
    return tuple(dict.fromkeys(key for key, _ in found))


def holding(
    note: Note, keys: Iterable[VerifierKey], holds: Callable[[VerifierKey, bytes], bool]
) -> list[tuple[VerifierKey, Signature]]:
    """Every line by one of these keys, in the note's order, each checked (signed-note, "Signatures").

    A line twice, or two lines of one key, are both checked. `NoteError` for the first line that does not hold.
    """
    known = {(key.name, key.key_id): key for key in keys}
    found = []
    for one in note.signatures:
        key = known.get((one.name, one.key_id))
        if key is None:
            continue
        if not holds(key, one.blob):
            raise NoteError("bad_signature", f"Reject this note: the signature by {one.name} does not hold.")
        found.append((key, one))
    return found


def _clean(data: bytes | str) -> str:
    if len(data) > MOST_BYTES:
        raise NoteError("note_too_long", "Give a note of at most a megabyte.")
    try:
        text = data.decode() if isinstance(data, bytes) else data
        text.encode()
    except UnicodeError as error:
        raise NoteError("note_form", "Give the note as UTF-8.") from error
    if any(one < " " and one != "\n" for one in text):
        raise NoteError("note_form", "Give the note without control characters other than newlines.")
    return text


def _check_text(text: str) -> None:
    if not _clean(text).endswith("\n"):
        raise NoteError("note_form", "End the text of a note with a newline.")


def _signature(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != "—":
        raise NoteError("signature_form", "Begin a signature line with an em dash and a space.")
    _check_name(name)
    try:
        data = from_base64(encoded)
    except ValueError as error:
        raise NoteError("signature_form", "Copy the signature whole: it is not base64.") from error
    if len(data) < 5:
        raise NoteError("signature_form", "Copy the signature whole: it is too short.")
    return Signature(name, int.from_bytes(data[:4], "big"), data[4:])
