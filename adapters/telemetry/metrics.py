"""The figures of this process, by name. `REGISTRY` holds them; `serving` and the API's `/metrics` show them.

Labels come from closed lists alone: acts and refusals' codes stand in the code, routes are templates, stages and
consumers are the house's own words. A district's bodies are no label here: figures per body are read models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

REGISTRY: Final = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)

COMMANDS = Counter(
    "huiyin_commands", "Commands decided, by act and outcome: accepted, refused, repeated, unavailable.",
    ("act", "outcome", "code"), registry=REGISTRY,
)  # fmt: skip
CONFLICTS = Counter(
    "huiyin_command_conflicts", "Decisions taken again because somebody else was faster.", ("act",), registry=REGISTRY
)  # fmt: skip
COMMAND_SECONDS = Histogram(
    "huiyin_command_seconds", "From the command to its stored answer.", ("act",), buckets=_QUICK, registry=REGISTRY
)  # fmt: skip
APPEND_SECONDS = Histogram(
    "huiyin_store_append_seconds", "One append to the event store.", buckets=_QUICK, registry=REGISTRY
)
REQUESTS = Counter(
    "huiyin_http_requests", "Requests answered, by route template.", ("method", "route", "status"), registry=REGISTRY
)  # fmt: skip
REQUEST_SECONDS = Histogram(
    "huiyin_http_request_seconds", "From a request's head to its whole answer.", ("route",), buckets=_QUICK,
    registry=REGISTRY,
)  # fmt: skip
IN_FLIGHT = Gauge("huiyin_http_in_flight", "Requests being answered now.", registry=REGISTRY)
TURNED_AWAY = Counter(
    "huiyin_http_turned_away", "Requests and connections not let in, by problem code.", ("code",), registry=REGISTRY
)  # fmt: skip
BATCH_SECONDS = Histogram(
    "huiyin_follower_batch_seconds", "One batch taken by a consumer.", ("consumer",), registry=REGISTRY
)
FOLLOWED = Counter("huiyin_follower_events", "Events handed to a consumer.", ("consumer",), registry=REGISTRY)
FAILED = Counter(
    "huiyin_follower_failures", "Batches that a consumer failed on.", ("consumer",), registry=REGISTRY
)
ACTIVITY_SECONDS = Histogram(
    "huiyin_activity_seconds", "One look at what is due.", buckets=_QUICK, registry=REGISTRY
)

TRIES = Counter(
    "huiyin_delivery_tries", "Deliveries tried, by what became of the try.", ("channel", "outcome"), registry=REGISTRY
)  # fmt: skip
DELIVERY_SECONDS = Histogram(
    "huiyin_delivery_seconds", "One try to deliver.", ("channel",), buckets=_QUICK, registry=REGISTRY
)


class _Asked(Collector):
    """Figures that are asked for at each scrape."""

    def __init__(self, ask: Callable[[], Iterable[Metric]]) -> None:
        self._ask = ask

    def collect(self) -> Iterable[Metric]:
        """The figures now."""
        return self._ask()

    def describe(self) -> Iterable[Metric]:
        """Nothing: else registering would already ask."""
        return ()


def show(ask: Callable[[], Iterable[Metric]]) -> Callable[[], None]:
    """Ask for these figures at each scrape, in a thread of its own; gives what takes them out again.

    `ask` yields metric families of `prometheus_client.core` and should take milliseconds; see `figures.kept` for
    what takes longer, and for what becomes of an `Unavailable`.
    """
    collector = _Asked(ask)
    REGISTRY.register(collector)

    def hide() -> None:
        REGISTRY.unregister(collector)

    return hide
