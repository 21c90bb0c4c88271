"""Stand-ins: what is looked at in the place of a case that does not exist, so that it takes as long as a hidden one.

A case that somebody may not see is loaded, folded and judged before it is answered like none (law 10). Who asks for one
that does not exist would be told so sooner. So another case is loaded and folded in its place, always the same one for
the same name, and nothing of it is used. The hidden one in turn is followed by a look for a case that is nobody's.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from threading import Lock
from uuid import UUID

from domain.matter.evolve import FOLDS
from workflows.ports import EventStore, KeyStore, Stored

PLACES, NEWEST = 64, 500
FRESH_SECONDS = 300.0
"""How long the same stand-ins are good."""
_OF_CASES = frozenset(event.TYPE for event in FOLDS)


class StandIns:
    """The stand-ins of a store, drawn from all over it. Every method may raise Unavailable."""

    def __init__(self, store: EventStore, keys: KeyStore) -> None:
        self._store, self._keys, self._lock = store, keys, Lock()
        self._known: tuple[str, ...] = ()
        self._until = float("-inf")

    def rows(self, name: str) -> list[Stored]:
        """The events of the case that stands in for this name; none while the store has no case."""
        known = self._drawn()
        return self._store.load(known[self._number(name) % len(known)]) if known else []

    def nobodys(self, name: str) -> str:
        """The id of a case that does not exist, for a name that nobody has: the same for the same name."""
        return str(UUID(int=self._number(name), version=4))

    def _number(self, name: str) -> int:
        said = hmac.digest(self._keys.pepper(), b"huiyin stand-in\0" + name.encode(), hashlib.sha256)
        return int.from_bytes(said[:16])

    def _drawn(self) -> tuple[str, ...]:
        """Case ids from evenly spread places of the record, and from its end: an office may just have begun."""
        if time.monotonic() < self._until:
            return self._known
        with self._lock:
            if time.monotonic() >= self._until:
                head = self._store.head()
                places = {head * n // PLACES for n in range(PLACES)}
                found = [row for place in places for row in self._store.read(place, 1)]
                found += self._store.read(max(0, head - NEWEST), NEWEST)
                self._known = tuple(sorted({row.stream for row in found if row.type in _OF_CASES}))
                self._until = time.monotonic() + (FRESH_SECONDS if self._known else 1.0)
        return self._known
