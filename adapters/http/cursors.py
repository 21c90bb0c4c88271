"""Cursors: where a list goes on, sealed, so that the place of a row that was passed over tells nothing of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.refusal import Refused

_NONCE = 12
Place = list[int | str]


class Cursors:
    """Seals and opens them under a key that is derived from the store's secret; each is good for one kind of list."""

    def __init__(self, pepper: Callable[[], bytes]) -> None:
        self._pepper = pepper

    def at(self, what: str, place: Place) -> str:
        """The cursor of a place."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._cipher().encrypt(nonce, json.dumps(place).encode(), what.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def place(self, what: str, cursor: str | None) -> Place | None:
        """The place of a cursor, None for none. Raises Refused "malformed"."""
        if cursor is None:
            return None
        try:
            raw = base64.urlsafe_b64decode(cursor.encode("ascii"))
            found: Place = json.loads(self._cipher().decrypt(raw[:_NONCE], raw[_NONCE:], what.encode()))
        except (ValueError, InvalidTag):
            raise Refused("malformed", "Give the cursor as the page before gave it, or none.") from None
        return found

    def _cipher(self) -> AESGCM:
        return AESGCM(hmac.digest(self._pepper(), b"huiyin cursor\0", hashlib.sha256))
