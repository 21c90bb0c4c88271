"""Secrets and signatures of webhooks, by Standard Webhooks 1.0: several secrets may be in force while one is rotated.

A secret is kept encrypted under a key that is derived from the key store's own secret: whoever copies these tables
can sign nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from standardwebhooks.webhooks import Webhook

from domain.refusal import Refused

PREFIX = "whsec_"
SECRET_BYTES = 32
_NONCE = 12


def new_secret() -> str:
    """A secret as Standard Webhooks writes it, with 256 random bits."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii")


class Sealer:
    """Encrypts secrets, each bound to its subscription, and opens them."""

    def __init__(self, pepper: Callable[[], bytes]) -> None:
        self._pepper = pepper

    def seal(self, subscription: str, secret: str) -> str:
        """What is kept of a secret. Raises Unavailable."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._cipher().encrypt(nonce, secret.encode(), subscription.encode())
        return base64.b64encode(sealed).decode("ascii")

    def open(self, subscription: str, sealed: str) -> str:
        """The secret. Raises Refused "secret_unreadable", Unavailable."""
        raw = base64.b64decode(sealed)
        try:
            return self._cipher().decrypt(raw[:_NONCE], raw[_NONCE:], subscription.encode()).decode()
        except InvalidTag:
            raise Refused(
                "secret_unreadable",
                "Bring back the key store that the secret was kept under, or rotate the secret.",
            ) from None

    def _cipher(self) -> AESGCM:
        return AESGCM(hmac.digest(self._pepper(), b"huiyin delivery secret\0", hashlib.sha256))


def signed(working: Iterable[str], message: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a message: its id, the moment, and one signature for every secret that works."""
    text = body.decode()
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(message, at, text) for secret in working),
    }
