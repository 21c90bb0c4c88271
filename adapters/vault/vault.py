"""The vault: seals values and opens them again (DESIGN.md law 9).

A value becomes a disclosure of RFC 9901, `base64url(JSON [salt, name, value])` with a salt of 128 bits; its
digest, `base64url(SHA-256(disclosure))`, stands in the event; the disclosure is stored encrypted
(AES-256-GCM) under the key of its person in its case, bound to both and to its name.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.refusal import Refused
from workflows.ports import EventStore, KeyStore, Opened, Plain, Sealable, SealedRow

SALT_BYTES = 16
NONCE_BYTES = 12


class Vault:
    """The port Vault over the event store, where the ciphertexts are, and the key store."""

    def __init__(self, store: EventStore, keys: KeyStore) -> None:
        self._store = store
        self._keys = keys

    def seal(
        self, stream: str, subject: str, name: str, value: Sealable, *, holder: str = "ordinary"
    ) -> SealedRow:
        """The sealed row of one value; its key is durable before this returns."""
        (row,) = self.seal_all([Plain(stream, subject, name, value)], holder=holder)
        return row

    def seal_all(
        self, values: Iterable[Plain], *, holder: str = "ordinary", fresh: bool = False
    ) -> list[SealedRow]:
        """The sealed rows of many values, in order, with one write of keys."""
        plain = list(values)
        disclosed = [disclose(each.name, each.value) for each in plain]
        keys = self._keys.create([(each.stream, each.subject) for each in plain], holder=holder, fresh=fresh)
        return [
            _encrypt(keys[each.stream, each.subject], each, disclosure)
            for each, disclosure in zip(plain, disclosed, strict=True)
        ]

    def open(
        self, stream: str, *, holder: str = "ordinary", locked: bool = False, subject: str | None = None
    ) -> list[Opened]:
        """All sealed values of a case, as far as their keys are the holder's and not destroyed, nor locked.

        With `locked` also what is locked: for a body that the rules let see it all the same. With `subject` only what
        is about that person: no other one's key is asked for.
        """
        rows = [row for row in self._store.sealed(stream) if subject in (None, row.subject)]
        keys = {
            subject: self._keys.key(stream, subject, holder=holder, locked=locked)
            for subject in {row.subject for row in rows}
        }
        shut = self._keys.locked(stream) if None in keys.values() else frozenset()
        return [_decrypt(keys[row.subject], row, row.subject in shut) for row in rows]


def disclose(name: str, value: Sealable) -> str:
    """A fresh disclosure. Raises Refused("invalid_text", …) for what is not valid Unicode or JSON."""
    salt = _base64url(secrets.token_bytes(SALT_BYTES))
    try:
        return _base64url(json.dumps([salt, name, value], ensure_ascii=False, allow_nan=False).encode())
    except ValueError as error:  # a lone surrogate, or a number that JSON does not know
        raise Refused("invalid_text", f"Send {name} as valid Unicode text.") from error


def disclosure_digest(disclosure: str) -> str:
    """The digest that stands in the event for a disclosure."""
    return _base64url(hashlib.sha256(disclosure.encode("ascii")).digest())


def _encrypt(key: bytes, plain: Plain, disclosure: str) -> SealedRow:
    nonce = secrets.token_bytes(NONCE_BYTES)
    bound = _bound(plain.stream, plain.subject, plain.name)
    ciphertext = nonce + AESGCM(key).encrypt(nonce, disclosure.encode("ascii"), bound)
    return SealedRow(disclosure_digest(disclosure), plain.stream, plain.subject, plain.name, ciphertext)


def _decrypt(key: bytes | None, row: SealedRow, locked: bool) -> Opened:
    if key is None:
        return Opened(row.subject, row.name, None, row.digest, "locked" if locked else "erased", None)
    nonce, ciphertext = row.ciphertext[:NONCE_BYTES], row.ciphertext[NONCE_BYTES:]
    try:
        disclosure = (
            AESGCM(key).decrypt(nonce, ciphertext, _bound(row.stream, row.subject, row.name)).decode("ascii")
        )
    except InvalidTag:
        return Opened(row.subject, row.name, None, row.digest, "damaged", None)
    if disclosure_digest(disclosure) != row.digest:
        return Opened(row.subject, row.name, None, row.digest, "damaged", None)
    _, _, value = json.loads(base64.urlsafe_b64decode(disclosure + "=" * (-len(disclosure) % 4)))
    return Opened(row.subject, row.name, value, row.digest, "open", disclosure)


def _bound(stream: str, subject: str, name: str) -> bytes:
    return f"{stream}|{subject}|{name}".encode()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
