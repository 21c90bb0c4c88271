"""Which person of the register an identity provider's subject is; the subject itself is kept nowhere."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime

from adapters.access.store import AccessStore
from adapters.store.moment import as_microseconds


class People:
    """Links from (issuer, sub) to a person's id. Every method may raise domain.refusal.Unavailable."""

    def __init__(
        self, store: AccessStore, pepper: Callable[[], bytes], clock: Callable[[], datetime]
    ) -> None:
        self._store, self._pepper, self._clock = store, pepper, clock

    def link(self, issuer: str, subject: str, person: str) -> None:
        """From now on this subject is that person; a link that was there is replaced."""
        self._store.run(
            "INSERT INTO subjects (digest, person, made_at) VALUES (?, ?, ?)"
            " ON CONFLICT (digest) DO UPDATE SET person = excluded.person, made_at = excluded.made_at",
            self._digest(issuer, subject), person, as_microseconds(self._clock()),
        )  # fmt: skip

    def unlink(self, issuer: str, subject: str) -> bool:
        """Whether there was a link, which is gone now."""
        return self._store.run("DELETE FROM subjects WHERE digest = ?", self._digest(issuer, subject)) == 1

    def person(self, issuer: str, subject: str) -> str | None:
        """The person of a subject, or None."""
        found = self._store.rows(
            "SELECT person FROM subjects WHERE digest = ?", self._digest(issuer, subject)
        )
        return found[0][0] if found else None

    def _digest(self, issuer: str, subject: str) -> str:
        said = json.dumps([issuer, subject], ensure_ascii=True).encode("ascii")
        return hmac.digest(self._pepper(), b"huiyin subject\0" + said, hashlib.sha256).hex()
