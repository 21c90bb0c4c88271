"""Figures of the stores, asked for at a scrape: how far consumers are, what runs, what was missed, how old the head is.

None of them reads the record from its beginning: positions, one event each, and rows of the read models.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from threading import Lock

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from adapters.log.store import LogStore
from adapters.store.moment import as_microseconds
from adapters.store.postgres_pool import pools
from adapters.telemetry.metrics import show
from adapters.views.reader import Reader
from domain.refusal import Unavailable
from workflows.ports import EventStore

KEPT_SECONDS = 15.0
"""How long figures that are counted over many rows are shown again before they are counted anew."""
REST = 20
"""And never sooner than so many times as long as counting them took."""

_log = structlog.get_logger("metrics")
Ask = Callable[[], Iterable[Metric]]


def kept(ask: Ask, seconds: float = 0.0) -> Ask:
    """The same, counted at most once in so many seconds; what is out of reach shows nothing, and takes nothing else down."""
    lock, again, found = Lock(), float("-inf"), list[Metric]()

    def asked() -> list[Metric]:
        nonlocal again, found
        with lock:
            began = time.monotonic()
            if began >= again:
                try:
                    found = list(ask())
                except Unavailable:
                    _log.warning("figures_out_of_reach")
                    return []
                took = time.monotonic() - began
                again = began + max(seconds, REST * took) if seconds else began
            return found

    return asked


@contextmanager
def figures(*asks: Ask) -> Iterator[None]:
    """Show these figures for as long as the context lasts."""
    with ExitStack() as shown:
        for ask in asks:
            shown.callback(show(ask))
        yield


def of_followers(
    at: Callable[[], Mapping[str, int]], store: EventStore, clock: Callable[[], datetime]
) -> Ask:
    """The lag of the consumers that this process leads; `at` says where each stands."""

    def ask() -> Iterable[Metric]:
        positions = GaugeMetricFamily(
            "huiyin_follower_lag_positions", "Positions between a consumer and the newest event.", labels=["consumer"]
        )  # fmt: skip
        seconds = GaugeMetricFamily(
            "huiyin_follower_lag_seconds", "Age of the oldest event that a consumer has not taken.", labels=["consumer"]
        )  # fmt: skip
        head = store.head()
        for consumer, position in sorted(at().items()):
            positions.add_metric([consumer], max(0, head - position))
            waiting = store.read(position, 1) if head > position else ()
            age = 0.0
            for one in waiting:
                age = (clock() - datetime.fromisoformat(json.loads(one.body)["recorded_at"])).total_seconds()
            seconds.add_metric([consumer], max(0.0, age))
        return positions, seconds

    return kept(ask)


def of_views(reader: Reader, clock: Callable[[], datetime]) -> Ask:
    """Open clocks and missed due moments by stage, and open cases by state, from the read models."""

    def ask() -> Iterable[Metric]:
        running = GaugeMetricFamily("huiyin_open_clocks", "Clocks that run.", labels=["stage"])
        overdue = GaugeMetricFamily("huiyin_overdue_clocks", "Clocks that run past due.", labels=["stage"])
        missed = CounterMetricFamily(
            "huiyin_missed_due_times", "Missed due moments on record.", labels=["stage"]
        )
        cases = GaugeMetricFamily("huiyin_cases", "Cases that are not over.", labels=["status"])
        now = as_microseconds(clock())
        for row in reader.rows(
            "SELECT stage, COUNT(*) AS n, SUM(CASE WHEN due < ? THEN 1 ELSE 0 END) AS late FROM clocks"
            " WHERE stopped IS NULL GROUP BY stage", now,
        ):  # fmt: skip
            running.add_metric([row["stage"]], row["n"])
            overdue.add_metric([row["stage"]], row["late"])
        for row in reader.rows(
            "SELECT COALESCE(stage, '') AS stage, COUNT(*) AS n FROM facts WHERE type = 'due_missed.v1' GROUP BY stage"
        ):
            missed.add_metric([row["stage"]], row["n"])
        for row in reader.rows(
            "SELECT status, COUNT(*) AS n FROM cases WHERE status NOT IN"
            " ('closed', 'archived', 'refused', 'merged', 'withdrawn') GROUP BY status"
        ):
            cases.add_metric([row["status"]], row["n"])
        return running, overdue, missed, cases

    return kept(ask, KEPT_SECONDS)


def of_log(log: LogStore, clock: Callable[[], datetime]) -> Ask:
    """How many leaves the evidence log has, and how old its newest heads are."""

    def ask() -> Iterable[Metric]:
        leaves = GaugeMetricFamily("huiyin_log_leaves", "Leaves of the evidence log.", log.state().size)
        age = GaugeMetricFamily(
            "huiyin_log_head_age_seconds", "Since the newest head was signed, or cosigned by enough boards.",
            labels=["head"],
        )  # fmt: skip
        signed, cosigned = log.head(), log.cosigned()
        if signed is not None:
            age.add_metric(["signed"], (clock() - signed.signed_at).total_seconds())
        if cosigned is not None and cosigned.cosigned_at is not None:
            age.add_metric(["cosigned"], (clock() - cosigned.cosigned_at).total_seconds())
        return leaves, age

    return kept(ask)


def of_pools() -> Iterable[Metric]:
    """The connections to PostgreSQL of this process; none of these on SQLite."""
    held = GaugeMetricFamily("huiyin_postgres_connections", "Connections by what they do.", labels=["state"])
    idle = used = 0
    for pool in pools():
        idle, used = idle + pool.idle, used + pool.in_use
    held.add_metric(["idle"], idle)
    held.add_metric(["in_use"], used)
    return (held,)
