"""The pull feed: the events of the caller's own matters, in store order, for who cannot be called.

A page looks at a bounded number of events and says where to go on, however few of them concern the caller: whoever
follows `next` misses none. What the caller may not see is left out, and what a case was before it was diverted too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from adapters.deliveries.envelope import Case, case_for, cloud_event
from adapters.deliveries.own import Listener, heard
from adapters.engine import Engine
from domain.acting import Actor
from domain.refusal import Refused
from workflows.ports import Stored

SCANNED = 500
"""Events of the store that one page looks at."""


_AGAIN = "The record was restored to an earlier moment: begin again with after=0; what you have already has the same id."


class FeedPage(NamedTuple):
    """CloudEvents with their positions, the position to go on from, and whether there is more to look at already."""

    items: tuple[tuple[int, dict[str, Any]], ...]
    next: int
    more: bool


class Asked(NamedTuple):
    """Who asks, for the matters of which source beside their body's own, and for which kinds of events."""

    viewer: Actor
    source: str | None
    types: tuple[str, ...]


class Feed:
    """The feed over an open engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def head(self) -> int:
        """The position of the newest event. Raises Unavailable."""
        return self._engine.store.head()

    def life(self, after: int, known: str | None) -> str:
        """The life of the store, by its random name; a restore begins another one, in which positions are given anew.

        Raises Refused "another_life" for a position of another life: what that one would go on with was never told.
        Raises Unavailable.
        """
        life = self._engine.store.epoch()
        if known not in (None, life) or after > self.head():
            raise Refused("another_life", _AGAIN)
        return life

    def page(self, asked: Asked, after: int, limit: int) -> FeedPage:
        """Up to `limit` events above the position `after`. Raises Unavailable."""
        batch = self._engine.store.read(after, SCANNED)
        if not batch:
            return FeedPage((), after, more=False)
        found = self._heard(asked, batch)
        items: list[tuple[int, dict[str, Any]]] = []
        cases: dict[str, Case | None] = {}
        for stored in found:
            if stored.stream not in cases:
                cases[stored.stream] = case_for(self._engine, stored.stream, asked.viewer)
            case = cases[stored.stream]
            if case is None:
                continue
            if len(items) == limit:
                return FeedPage(tuple(items), items[-1][0], more=True)
            items.append((stored.position, json.loads(cloud_event(self._engine, case, stored))))
        return FeedPage(tuple(items), batch[-1].position, more=len(batch) == SCANNED)

    def _heard(self, asked: Asked, batch: Sequence[Stored]) -> list[Stored]:
        listener = Listener(asked.viewer.person, asked.viewer.body, asked.source, asked.types)
        found = [
            one.stored for one in heard(self._engine.store, batch, (listener,)) if one.readable
        ]  # what cannot be read can be shown to nobody
        return sorted(found, key=lambda stored: stored.position)
