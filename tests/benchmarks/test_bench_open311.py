"""Open311's lists with a million requests in the read models: how long one takes over HTTP, XML and JSON.

`make bench ARGS="-k open311"`. The rows are made by a generator and written straight into the read models.
"""

import random
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from adapters.demo.ground import release_ground
from adapters.engine import Engine, now
from adapters.settled import settle
from adapters.store.moment import as_microseconds
from adapters.views import Views
from adapters.views.schema import REQUEST_STEPS, REQUESTS
from adapters.views.sql import Sql
from tests.acceptance.http_world import serving
from tests.benchmarks.results import Figure, Results
from tests.benchmarks.world import opened
from tests.servers import PostgresServer, create_database

pytestmark = pytest.mark.benchmark

MATTERS = 1_000_000
DAYS = 365
"""The requests of a year, so that a quarter of them lies in the window of 90 days."""

CALLS, WARM = 40, 3
CODES = ("SL-01", "SL-02", "SL-03", "HJ-01", "HJ-02", "CG-01", "WY-01", "FW-01")
AIM_MS = 100
BATCH = 50_000


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_lists_at_a_million_requests(
    results: Results, flushing_postgres: PostgresServer, tmp_path: Path, store: str
) -> None:
    dsn = create_database(flushing_postgres.dsn, "bench_open311") if store == "postgres" else None
    with opened(tmp_path, dsn) as (engine, district):
        assert release_ground(engine, district).accepted
        numbers = seeded(engine, MATTERS)
        if dsn is not None:
            at_rest(dsn)
        with calling(engine) as client:
            settle()  # as the role does
            for what, path, fields in questions(numbers):
                spent = time.process_time()
                taken = timed(client, path, fields)
                spent = (time.process_time() - spent) / (CALLS + WARM) * 1000
                p50, p95 = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
                note = f"p50 {p50:.0f} ms; processor time of server and client {spent:.0f} ms"
                name = f"{store}, {what}"
                results.add(
                    Figure(
                        "Open311 at a million requests, p95",
                        name,
                        p95,
                        "ms",
                        aim=AIM_MS,
                        less=True,
                        note=note,
                    )
                )


def at_rest(dsn: str) -> None:
    """A million rows poured in at once leave work behind that a running office's database has long done."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")


def questions(numbers: list[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What clients ask: the standard's defaults, windows, filters, pages, ids, updates."""
    month = {
        "start_date": (now() - timedelta(days=200)).isoformat(),
        "end_date": (now() - timedelta(days=170)).isoformat(),
    }
    hundred = {"page_size": 100}
    yield "default window, 1000 rows, XML", "/v2/requests.xml", {}
    yield "default window, 1000 rows, JSON", "/v2/requests.json", {}
    yield "100 rows", "/v2/requests.json", hundred
    yield "100 rows, closed", "/v2/requests.json", {"status": "closed"} | hundred
    yield (
        "100 rows, one service, open",
        "/v2/requests.json",
        {"service_code": "SL-01", "status": "open"} | hundred,
    )
    yield "100 rows, three services", "/v2/requests.json", {"service_code": ",".join(CODES[:3])} | hundred
    yield "100 rows, a month half a year ago", "/v2/requests.json", month | hundred
    yield "100 rows, page 100", "/v2/requests.json", {"page": 100} | hundred
    yield "100 rows, page 500, the last one", "/v2/requests.json", {"page": 500} | hundred
    yield "50 requests by their ids", "/v2/requests.json", {"service_request_id": ",".join(numbers[:50])}
    yield "one request", f"/v2/requests/{numbers[0]}.xml", {}
    yield "1000 updates, XML", "/v2/servicerequestupdates.xml", {}
    yield "services", "/v2/services.xml", {}


def timed(client: httpx.Client, path: str, fields: dict[str, Any]) -> list[float]:
    """Milliseconds of each call, after a few to warm up."""
    taken = []
    for call in range(CALLS + WARM):
        begun = time.perf_counter()
        answer = client.get(path, params=fields)
        if call >= WARM:
            taken.append((time.perf_counter() - begun) * 1000)
        assert answer.status_code == 200, answer.text
        assert len(answer.content) > 200
    return taken


@contextmanager
def calling(engine: Engine) -> Iterator[httpx.Client]:
    """A client of the real server, which no rate holds back."""
    free = {"api_port": 0, "rate_strangers": 1e6, "rate_strangers_burst": 10**6}
    unbound = replace(engine, settings=engine.settings.model_copy(update=free))
    with serving(unbound) as url, httpx.Client(base_url=f"{url}/open311", timeout=60) as client:
        yield client


def seeded(engine: Engine, many: int) -> list[str]:
    """Fill both tables of what everybody may see; gives the numbers of the newest."""
    views = Views(engine.settings.views_url, engine.store)
    try:
        views.catch_up()
        numbers = list[str]()
        for begin in range(0, many, BATCH):
            made = [one for n in range(begin, min(begin + BATCH, many)) for one in [request(n, many)]]
            with views.positions.transaction() as connection:
                sql = Sql(connection)
                (table,) = sql.rows("SELECT generation FROM generations WHERE name = 'current'")
                sql.add(f"{REQUESTS.name}_{table[0]}", REQUESTS.names, made)
                steps = [step for row in made for step in steps_of(row)]
                sql.add(f"{REQUEST_STEPS.name}_{table[0]}", REQUEST_STEPS.names, steps)
            numbers = [row[1] for row in made[-100:]]
        return numbers
    finally:
        views.close()


BEGUN = as_microseconds(now())


def request(n: int, many: int) -> tuple[Any, ...]:
    """The n-th request of the year, the last one now."""
    chance = random.Random(n)
    opened_at = BEGUN - (many - n) * (DAYS * 86_400_000_000 // many)
    still = int(chance.random() < 0.1)
    place = f"grid-{chance.randint(1, 4):03d}"
    return (
        f"{chance.getrandbits(32):08x}-0000-4000-8000-{n:012x}", f"450305-20261123-{n:07d}", chance.choice(CODES), still,
        "in_handling" if still else "closed", None if still else "solved", "com-01", place, "com-01", "demo/2026.1",
        opened_at, opened_at + 3_600_000_000, opened_at + 86_400_000_000,
    )  # fmt: skip


def steps_of(row: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Three steps of a request."""
    for version, what in enumerate(("registered", "accepted", "triaged" if row[3] else "closed"), 1):
        yield (
            row[0],
            version,
            row[1],
            row[2],
            row[10] + version * 60_000_000,
            what,
            int(row[3] or version < 3),
        )
