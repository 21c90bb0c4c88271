"""Deliveries seen from outside: a span, a count and a log line for each try, under the id of what it tells of."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from adapters.correlation import working_for
from adapters.deliveries.outbox import Outbox
from adapters.deliveries.ports import Outcome, Queued, Sender
from adapters.deliveries.subscriptions import Subscription
from adapters.telemetry.figures import KEPT_SECONDS, Ask, kept
from adapters.telemetry.metrics import DELIVERY_SECONDS, TRIES
from adapters.telemetry.traces import say, span
from workflows.ports import EventStore

_log = structlog.get_logger("delivery")


class ObservedSender:
    """The same sender."""

    def __init__(self, sender: Sender, store: EventStore) -> None:
        self._sender, self._store = sender, store

    async def send(self, to: Subscription, queued: Queued) -> Outcome:
        """As the sender."""
        about = await asyncio.to_thread(self._correlation, queued)
        began = time.perf_counter()
        with (
            working_for(about),
            span("deliver", parent=about, subscription=to.id, attempt=queued.attempts + 1) as made,
        ):
            outcome = await self._sender.send(to, queued)
            say(made, outcome=outcome.kind, code=outcome.code or None)
            _log.info(
                "delivery_tried",
                delivery=queued.id,
                subscription=to.id,
                outcome=outcome.kind,
                code=outcome.code,
            )
        DELIVERY_SECONDS.labels(to.channel).observe(time.perf_counter() - began)
        TRIES.labels(to.channel, outcome.kind).inc()
        return outcome

    def _correlation(self, queued: Queued) -> str | None:
        """That of the event. Raises Unavailable."""
        rows = self._store.read(queued.row.position - 1, 1)
        return str(json.loads(rows[0].body)["correlation"]) if rows else None


def of_outbox(outbox: Outbox) -> Ask:
    """How many deliveries wait, how many lanes are parked, and since when the oldest waits."""

    def ask() -> Iterable[Metric]:
        waiting = GaugeMetricFamily("huiyin_deliveries", "Deliveries by state.", labels=["state"])
        counts = outbox.counts().values()
        waiting.add_metric(["waiting"], sum(one.waiting for one in counts))
        waiting.add_metric(["parked_lanes"], sum(one.parked for one in counts))
        oldest = min((one.oldest for one in counts if one.oldest is not None), default=None)
        age = 0.0 if oldest is None else max(0.0, time.time() - oldest / 1_000_000)
        return waiting, GaugeMetricFamily("huiyin_delivery_age_seconds", "Age of the oldest that waits.", age)

    return kept(ask, KEPT_SECONDS)
