"""The read models: how many events a second they take in, following and being rebuilt.

`make bench ARGS="-k views"`. The limit is what every projection must do: reading and decoding the same events.
"""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.views import Views
from domain.event import decode
from tests.benchmarks.results import Figure, Results
from tests.benchmarks.world import by_threads, lives_of_a_thread, opened
from tests.servers import PostgresServer, create_database
from workflows.ports import EventStore, Stored

pytestmark = pytest.mark.benchmark

FILLING_SECONDS = 10.0


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_views_take_in_events(
    results: Results, flushing_postgres: PostgresServer, tmp_path: Path, store: str
) -> None:
    dsn = create_database(flushing_postgres.dsn, "bench_views") if store == "postgres" else None
    with opened(tmp_path, dsn) as (engine, district):
        by_threads(2, lives_of_a_thread, (engine.handle, district, FILLING_SECONDS), FILLING_SECONDS)
        events = len(everything(engine.store))
        decoded = events / seconds(lambda: [decode(row.type, row.body) for row in everything(engine.store)])
        views = Views(engine.settings.views_url, engine.store)
        followed, rebuilt = events / seconds(views.catch_up), events / seconds(views.rebuild)
        views.close()
    for what, per_s in (("following", followed), ("rebuilding", rebuilt)):
        name = f"{store}, {what} {events:,} events"
        results.add(
            Figure("Read models", name, per_s, "events/s", decoded, note="limit: read and decoded alone")
        )
    assert followed > 0


def everything(store: EventStore) -> list[Stored]:
    """All rows, page by page."""
    rows: list[Stored] = []
    position = 0
    while page := store.read(position, 1000):
        rows += page
        position = page[-1].position
    return rows


def seconds(act: Callable[[], object]) -> float:
    """How long it takes."""
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun
