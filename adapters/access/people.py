"""Which person of the register an identity provider's subject is; the subject itself is kept nowhere.

A link counts while it stands here and in the register: it is on record who linked whom, and a record restored to before
an unlinking does not bring the link back.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable

from adapters.access.recording import Giver, recorded
from adapters.access.store import AccessStore
from adapters.store.moment import as_microseconds
from domain.refusal import Refused
from domain.register import commands as c
from workflows.handle import Handle


class People:
    """Links from (issuer, sub) to a person's id. Every method may raise domain.refusal.Unavailable."""

    def __init__(self, store: AccessStore, pepper: Callable[[], bytes], handle: Handle) -> None:
        self._store, self._pepper, self._handle = store, pepper, handle

    def link(self, by: Giver, issuer: str, subject: str, person: str) -> None:
        """From now on this subject is that person; a link that was there is replaced. Raises Refused."""
        digest = self._digest(issuer, subject)
        try:
            recorded(self._handle, by, c.LinkSignin(person=person, link=digest))
        except Refused as refused:
            if (
                refused.code != "already_known"
            ):  # on record, and perhaps not kept: a crash came between the two
                raise
        self._store.run(
            "INSERT INTO subjects (digest, person, made_at) VALUES (?, ?, ?)"
            " ON CONFLICT (digest) DO UPDATE SET person = excluded.person, made_at = excluded.made_at",
            digest, person, as_microseconds(self._handle.clock()),
        )  # fmt: skip

    def unlink(self, by: Giver, issuer: str, subject: str) -> bool:
        """Whether there was a link, which is gone now. Raises Refused."""
        digest = self._digest(issuer, subject)
        try:
            recorded(self._handle, by, c.UnlinkSignin(link=digest))
        except Refused as refused:
            if refused.code != "not_in_force":
                raise
            return self._store.run("DELETE FROM subjects WHERE digest = ?", digest) == 1
        self._store.run("DELETE FROM subjects WHERE digest = ?", digest)
        return True

    def person(self, issuer: str, subject: str) -> str | None:
        """The person of a subject, or None."""
        digest = self._digest(issuer, subject)
        found = self._store.rows("SELECT person FROM subjects WHERE digest = ?", digest)
        on_record = self._handle.standing.caught_up().register.signins.get(digest, None)
        return found[0][0] if found and found[0][0] == on_record else None

    def _digest(self, issuer: str, subject: str) -> str:
        said = json.dumps([issuer, subject], ensure_ascii=True).encode("ascii")
        return hmac.digest(self._pepper(), b"huiyin subject\0" + said, hashlib.sha256).hex()
