"""The consumer `outbox` of the follower: it reads the record in order and queues what is to be delivered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from adapters.deliveries.outbox import CONSUMER, Outbox
from adapters.deliveries.own import Listener, heard
from adapters.deliveries.ports import Router, Row, event_id
from adapters.deliveries.subscriptions import WEBHOOK, Subscriptions
from adapters.store.moment import as_microseconds
from workflows.ports import EventStore, Stored


class OutboxConsumer:
    """The consumer `outbox`. `woken` is called when something was queued; it must not block."""

    name = CONSUMER

    def __init__(
        self, store: EventStore, outbox: Outbox, routers: Sequence[Router], clock: Callable[[], datetime],
        woken: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self._store, self._outbox, self._routers = store, outbox, tuple(routers)
        self._clock, self._woken = clock, woken
        self._at = 0

    def position(self) -> int:
        """How far it has come. In a new life of the store: the newest event that it read and that is still there.

        Raises Unavailable.
        """
        at, life = self._outbox.stands()
        epoch = self._store.epoch()
        if life != epoch:
            at = self._still_there() if life else 0
            self._outbox.move(at, epoch)
        self._at = at
        return at

    async def take(self, batch: Sequence[Stored]) -> None:
        """Queue what the batch gives rise to, and save the position with it. Raises Conflict, Unavailable."""
        if await asyncio.to_thread(self._take, batch):
            self._woken()

    def _take(self, batch: Sequence[Stored]) -> bool:
        rows = [row for router in self._routers for row in router.rows(batch)]
        last = batch[-1]
        self._outbox.queue(
            self._at, (last.position, event_id(last.body)), rows, as_microseconds(self._clock())
        )
        self._at = last.position
        return bool(rows)

    def _still_there(self) -> int:
        for position, event in self._outbox.marks():
            found = self._store.read(position - 1, 1)
            if found and found[0].position == position and event_id(found[0].body) == event:
                return position
        return 0


class SubscriptionRouter:
    """Tells the subscribed systems of the events of their own matters."""

    def __init__(self, store: EventStore, subscriptions: Subscriptions, channel: str = WEBHOOK) -> None:
        self._store, self._subscriptions, self._channel = store, subscriptions, channel

    def rows(self, batch: Sequence[Stored]) -> list[Row]:
        """A row for every subscription that hears of an event. Raises Unavailable."""
        listeners = [
            Listener(one.id, one.body, one.source, one.types, one.since)
            for one in self._subscriptions.hearing(self._channel)
        ]
        if not listeners:
            return []
        return [
            Row(each.name, stored.stream, stored.version, stored.position, event_id(stored.body), stored.type)
            for stored, asking, _ in heard(self._store, batch, listeners)
            for each in asking
        ]
