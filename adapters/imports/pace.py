"""The pace of imports: they leave most of the time, and the follower's first attention, to live matters."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from adapters.views.reader import Reader
from domain.acting import CLOCK_PERSON
from workflows.ports import EventStore

MOST_BEHIND = 200
"""Events that the followers may be behind before an import goes on."""
LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 3.0
ALONE_SECONDS = 60.0
"""A follower that does not move for so long is not waited for in the next minute: it is down, and held up by nobody."""
LIVE_EVENTS, HISTORY_EVENTS = 0.25, 2.5
"""Events a second, made by people and systems, beside which an import takes half of its share; at twice as many a third.

A row that opens a live matter costs others more than it takes itself, for its process has only begun; history has none.
"""
MOST_SECONDS = 5.0
"""The longest rest for the sake of others: whoever stops a worker waits for its end."""
MEMORY_SECONDS = 20.0
"""How long it is remembered what others did."""
_MOST_READ = 500
_BY_THE_CLOCK = f'"person":"{CLOCK_PERSON}"'.encode()
"""How a stored body says so: it is canonical JSON."""

_FOLLOWERS = ("views", "processes")


class Others:
    """How much others do, by what came to the store while the import itself rested; the last seconds count most."""

    def __init__(self) -> None:
        self._events = self._seconds = 0.0

    def did(self, events: int, seconds: float) -> None:
        """So many events came within so many seconds."""
        kept = math.exp(-seconds / MEMORY_SECONDS)
        self._events, self._seconds = self._events * kept + events, self._seconds * kept + seconds

    @property
    def rate(self) -> float:
        """Events a second; 0 before anything is known."""
        return self._events / self._seconds if self._seconds else 0.0


class Pace:
    """Rests between batches. `share` (above 0, at most 1) is the part of the time that imports may take.

    A batch's work is over when the followers have taken it too, read models and processes: that is what it costs others.
    Beside others at work it takes a smaller part, the smaller the more they do. What the clock does is work, and nobody
    who waits.
    """

    def __init__(
        self, share: float, store: EventStore, views: str, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._share, self._store, self._views, self._pause = share, store, views, pause
        self._reader: Reader | None = None
        self._alone_until = 0.0
        self._others = Others()

    def close(self) -> None:
        """Let go of the read models."""
        if self._reader is not None:
            self._reader.close()

    def rest(self, worked: float, alive: Callable[[], None], *, live: bool = False) -> None:
        """After `worked` seconds: wait for the followers, then for as long as the share says. `alive` is told now and then.

        `live`: the rows opened live matters.
        """
        waited = self._followed(alive)
        alone = (worked + waited) * (1 / self._share - 1)
        more = 1 + self._others.rate / (LIVE_EVENTS if live else HISTORY_EVENTS)
        beside = (worked + waited) * (more / self._share - 1)
        rests = left = max(alone, min(beside, MOST_SECONDS))
        before = self._store.head()
        while left > 0:
            alive()
            self._pause(min(left, 1.0))
            left -= 1.0
        self._others.did(self._live_since(before), rests)

    def _live_since(self, position: int) -> int:
        """How many events came behind a position that the clock did not make."""
        return sum(_BY_THE_CLOCK not in stored.body for stored in self._store.read(position, _MOST_READ))

    def _followed(self, alive: Callable[[], None]) -> float:
        if time.monotonic() < self._alone_until:
            return 0.0
        begun, behind, moved = time.monotonic(), self._behind(), time.monotonic()
        while behind > MOST_BEHIND:
            alive()
            self._pause(LOOK_SECONDS)
            now_behind = self._behind()
            if now_behind != behind:
                behind, moved = now_behind, time.monotonic()
            elif time.monotonic() - moved > PATIENCE_SECONDS:
                self._alone_until = time.monotonic() + ALONE_SECONDS
                return 0.0
        return time.monotonic() - begun

    def _behind(self) -> int:
        """How many positions the slower of the followers is behind; 0 where none has ever followed."""
        if self._reader is None:
            self._reader = Reader(self._views)
        found: dict[str, int] = {}
        for name, at in self._reader.consumers():
            kind = name.partition("-")[0]
            if kind in _FOLLOWERS:  # of the processes' lives the newest has come farthest
                found[kind] = max(found.get(kind, 0), at)
        return max((self._store.head() - at for at in found.values()), default=0)
