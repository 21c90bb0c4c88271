"""Keys of systems: a hotline, a grid app. Shown once, kept as a digest, bound to a body and a source.

    hy_<id, 16 hex>_<secret, 64 hex>

A system is a person of the register to the rest of the house, entered and given a post like any other: the key says
that it is calling, for which body, and the source of what it hands in; what it may do is decided by its post.

Two things make a key work: its digest stands here, and the register says that it was issued and has not ended. So it
is on record who gave which system a key, one event ends the old key and begins the new one, a key that was put into
these tables by hand is nobody's, and a restored record brings no revoked key back, for its end stands here as well.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

from adapters.access.recording import Giver, recorded
from adapters.access.store import AccessStore
from adapters.store.moment import as_microseconds, as_moment
from domain.matter.words import Source
from domain.refusal import NotFound, Refused
from domain.register import commands as c
from workflows.handle import Handle

TOKEN = re.compile(r"hy_([0-9a-f]{16})_([0-9a-f]{64})")
KEPT_SECONDS, MOST_KEPT = 1.0, 1_000
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

    def __init__(self, store: AccessStore, handle: Handle) -> None:
        self._store, self._handle = store, handle
        self._kept = dict[str, tuple[float, Any]]()

    def create(self, by: Giver, person: str, body: str, source: str | None = None) -> Issued:
        """A key for the system `person`, acting for `body`. Raises Refused, "unknown_source" among others."""
        if source is not None and source not in get_args(Source):
            raise Refused("unknown_source", f"Name one of the sources: {', '.join(get_args(Source))}.")
        return self._issue(by, person, body, source)

    def rotate(self, by: Giver, key: str, grace: timedelta) -> Issued:
        """A new key for the same system; the old one works for `grace` longer. Raises NotFound, Refused "key_ended"."""
        old = self._row(key)
        issued = self._issue(by, old.person, old.body, old.source, key, self._handle.clock() + grace)
        self._keep_end(key)
        return issued

    def revoke(self, by: Giver, key: str) -> None:
        """It works no longer, from now on. Raises NotFound, Refused "key_ended"."""
        self._row(key)
        recorded(self._handle, by, c.EndSystemKey(key=key))
        self._keep_end(key)

    def known(self) -> list[SystemKey]:
        """All keys there ever were and the register knows of, the newest first."""
        rows = self._store.rows(f"SELECT {_COLUMNS} FROM system_keys ORDER BY made_at DESC, id")
        return [key for row in rows if (key := self._as_recorded(row)) is not None]

    def holder(self, token: str) -> SystemKey | None:
        """The working key of a token; None for any other text."""
        parts = TOKEN.fullmatch(token)
        if parts is None:
            return None
        found = self._seen(parts[1])
        right = hmac.compare_digest(found[6] if found else "", _digest(parts[2]))
        key = self._as_recorded(found) if right else None
        if key is None or (key.ends_at is not None and key.ends_at <= self._handle.clock()):
            return None
        return key

    def _seen(self, key: str) -> Any:
        """The row of a key, read anew every second: it does not change but for its end, which is on record too."""
        at, kept = time.monotonic(), self._kept.get(key)
        if kept is not None and at - kept[0] < KEPT_SECONDS:
            return kept[1]
        found = self._store.rows(f"SELECT {_COLUMNS}, digest FROM system_keys WHERE id = ?", key)
        if not found:
            return None
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[key] = (at, found[0])
        return found[0]

    def _issue(
        self, by: Giver, person: str, body: str, source: str | None, replaces: str | None = None,
        until: datetime | None = None,
    ) -> Issued:  # fmt: skip
        """The row first: as long as the register does not know of it, it opens nothing."""
        made = SystemKey(secrets.token_hex(8), person, body, source, self._handle.clock(), None)
        secret = secrets.token_hex(32)
        self._store.run(
            "INSERT INTO system_keys (id, digest, person, body, source, made_at) VALUES (?, ?, ?, ?, ?, ?)",
            made.id, _digest(secret), person, body, source or "", as_microseconds(made.made_at),
        )  # fmt: skip
        command = c.IssueSystemKey(
            key=made.id, person=person, body=body, source=source, replaces=replaces, replaced_until=until
        )
        try:
            recorded(self._handle, by, command)
        except Refused:
            self._store.run("DELETE FROM system_keys WHERE id = ?", made.id)
            raise
        return Issued(made, f"hy_{made.id}_{secret}")

    def _row(self, key: str) -> SystemKey:
        found = self._store.rows(f"SELECT {_COLUMNS} FROM system_keys WHERE id = ?", key)
        made = self._as_recorded(found[0]) if found else None
        if made is None:
            raise NotFound("Check the key's id: there is none of this name (huiyin key list).")
        return made

    def _as_recorded(self, row: Any) -> SystemKey | None:
        """The key, ending when the first of record and row says so; None where the record says something else."""
        entry = self._handle.standing.caught_up().register.system_keys.get(row[0], None)
        if entry is None or (entry.person, entry.body, entry.source or "") != tuple(row[1:4]):
            return None
        here = None if row[5] is None else as_moment(row[5])
        ends = min((one for one in (here, entry.until) if one is not None), default=None)
        return SystemKey(row[0], entry.person, entry.body, entry.source, as_moment(row[4]), ends)

    def _keep_end(self, key: str) -> None:
        """The end that is on record, kept here too: a record restored to before it does not bring the key back."""
        until = self._handle.standing.caught_up().register.system_keys.get(key, None)
        if until is not None and until.until is not None:
            ends = as_microseconds(until.until)
            self._store.run("UPDATE system_keys SET ends_at = ? WHERE id = ?", ends, key)


def _digest(secret: str) -> str:
    # 256 random bits need neither salt nor stretching.
    return hashlib.sha256(secret.encode()).hexdigest()
