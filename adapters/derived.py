"""Ids that an edge makes: random to everybody else, and the same again for the same act.

An id is an HMAC under the store's secret of what the act is about (a client's key, another system's reference),
so that a repeated command is the same command to its last byte (DESIGN.md law 3), and nobody without the secret
can tell an id of one from an id drawn at random, or find one by guessing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from adapters.numbers import number_from


@dataclass(frozen=True, slots=True)
class Derived:
    """Draws ids for one act, named by `about`; `pepper` is the key store's secret."""

    pepper: bytes
    about: tuple[str, ...]

    def id(self, *what: str) -> str:
        """A UUID in lower case."""
        return str(UUID(bytes=self._digest(*what)[:16], version=4))

    def number(self, district: str, day: date, *what: str) -> str:
        """A number such as people use; `day` is the local date of intake."""
        return number_from(district, day, int.from_bytes(self._digest("number", *what)))

    def key(self, *what: str) -> str:
        """An idempotency key."""
        return self._digest("key", *what).hex()

    def _digest(self, *what: str) -> bytes:
        said = json.dumps([*self.about, *what], ensure_ascii=True).encode("ascii")
        return hmac.digest(self.pepper, b"huiyin id\0" + said, hashlib.sha256)
