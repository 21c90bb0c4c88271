"""The pace of imports: they leave most of the time, and the follower's first attention, to live matters."""

from __future__ import annotations

import time
from collections.abc import Callable

from adapters.views.reader import Reader
from workflows.ports import EventStore

MOST_BEHIND = 200
"""Events that the followers may be behind before an import goes on."""
LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 3.0
ALONE_SECONDS = 60.0
"""A follower that does not move for so long is not waited for in the next minute: it is down, and held up by nobody."""

_FOLLOWERS = ("views", "processes")


class Pace:
    """Rests between batches. `share` (above 0, at most 1) is the part of the time that imports may take.

    A batch's work is over when the followers have taken it too, read models and processes: that is what it costs others.
    """

    def __init__(
        self, share: float, store: EventStore, views: str, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._share, self._store, self._views, self._pause = share, store, views, pause
        self._reader: Reader | None = None
        self._alone_until = 0.0

    def close(self) -> None:
        """Let go of the read models."""
        if self._reader is not None:
            self._reader.close()

    def rest(self, worked: float, alive: Callable[[], None]) -> None:
        """After `worked` seconds: wait for the followers, then for as long as the share says. `alive` is told now and then."""
        waited = self._followed(alive)
        left = (worked + waited) * (1 / self._share - 1)
        while left > 0:
            alive()
            self._pause(min(left, 1.0))
            left -= 1.0

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
