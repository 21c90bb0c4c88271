"""Keys of systems: a hotline, a grid app. Shown once, kept as a digest, bound to a body and a source.

    hy_<id, 16 hex>_<secret, 64 hex>

A system is a person of the register to the rest of the house, entered and given a post like any other: the key says
that it is calling, for which body, and the source of what it hands in; what it may do is decided by its post.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

from adapters.access.store import AccessStore
from adapters.store.moment import as_microseconds, as_moment
from domain.matter.words import Source
from domain.refusal import NotFound, Refused

TOKEN = re.compile(r"hy_([0-9a-f]{16})_([0-9a-f]{64})")
_COLUMNS = "id, person, body, source, made_at, ends_at"


@dataclass(frozen=True, slots=True)
class SystemKey:
    """A key without its secret. `source` None: it hands nothing in under a source. `ends_at` None: until revoked."""

    id: str
    person: str
    body: str
    source: str | None
    made_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key, with the token that is shown this once."""

    key: SystemKey
    token: str


class SystemKeys:
    """The keys. Every method may raise domain.refusal.Unavailable."""

    def __init__(self, store: AccessStore, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = store, clock

    def create(self, person: str, body: str, source: str | None = None) -> Issued:
        """A key for the system `person`, acting for `body`. Raises Refused "unknown_source"."""
        if source is not None and source not in get_args(Source):
            raise Refused("unknown_source", f"Name one of the sources: {', '.join(get_args(Source))}.")
        made = SystemKey(secrets.token_hex(8), person, body, source, self._clock(), None)
        secret = secrets.token_hex(32)
        self._store.run(
            "INSERT INTO system_keys (id, digest, person, body, source, made_at) VALUES (?, ?, ?, ?, ?, ?)",
            made.id, _digest(secret), person, body, source or "", as_microseconds(made.made_at),
        )  # fmt: skip
        return Issued(made, f"hy_{made.id}_{secret}")

    def rotate(self, key: str, grace: timedelta) -> Issued:
        """A new key for the same system; the old one works for `grace` longer. Raises NotFound, Refused "key_ended"."""
        old = self._working(key)
        issued = self.create(old.person, old.body, old.source)
        self._end(key, self._clock() + grace)
        return issued

    def revoke(self, key: str) -> None:
        """It works no longer, from now on. Raises NotFound, Refused "key_ended"."""
        self._working(key)
        self._end(key, self._clock())

    def known(self) -> list[SystemKey]:
        """All keys there ever were, the newest first."""
        return [
            _key(row)
            for row in self._store.rows(f"SELECT {_COLUMNS} FROM system_keys ORDER BY made_at DESC, id")
        ]

    def holder(self, token: str) -> SystemKey | None:
        """The working key of a token; None for any other text."""
        parts = TOKEN.fullmatch(token)
        if parts is None:
            return None
        found = self._store.rows(f"SELECT {_COLUMNS}, digest FROM system_keys WHERE id = ?", parts[1])
        right = hmac.compare_digest(found[0][6] if found else "", _digest(parts[2]))
        if not right or not self._works(key := _key(found[0])):
            return None
        return key

    def _working(self, key: str) -> SystemKey:
        found = self._store.rows(f"SELECT {_COLUMNS} FROM system_keys WHERE id = ?", key)
        if not found:
            raise NotFound("Check the key's id: there is none of this name (huiyin key list).")
        if not self._works(made := _key(found[0])):
            raise Refused("key_ended", "This key has ended already; make a new one: huiyin key create.")
        return made

    def _works(self, key: SystemKey) -> bool:
        return key.ends_at is None or self._clock() < key.ends_at

    def _end(self, key: str, at: datetime) -> None:
        self._store.run("UPDATE system_keys SET ends_at = ? WHERE id = ?", as_microseconds(at), key)


def _digest(secret: str) -> str:
    # 256 random bits need neither salt nor stretching.
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: Any) -> SystemKey:
    ends = None if row[5] is None else as_moment(row[5])
    return SystemKey(row[0], row[1], row[2], row[3] or None, as_moment(row[4]), ends)
