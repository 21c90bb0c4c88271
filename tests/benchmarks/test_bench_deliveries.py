"""Deliveries: how many events a second the outbox takes in, and how many webhooks a second go out to a fast receiver.

`make bench ARGS="-k deliveries"`. The limit of going out is the HTTP client alone, posting the same number of bodies to
the same receiver, as many at once.
"""

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from adapters.deliveries.desk import Desk, deliveries
from adapters.deliveries.role import outbox_consumer
from adapters.deliveries.sending import Pace, Sending
from adapters.deliveries.subscriptions import WEBHOOK, Wanted
from adapters.deliveries.webhook import WebhookSender
from adapters.demo.district import SUBDISTRICT, District
from adapters.engine import Engine
from tests.acceptance.staffing import keeper
from tests.benchmarks.results import Figure, Results
from tests.benchmarks.world import by_threads, lives_of_a_thread, opened
from tests.faults.role import Role
from tests.servers import PostgresServer, accepts, create_database, free_port

pytestmark = pytest.mark.benchmark

FILLING_SECONDS = 5.0
POST = (SUBDISTRICT, "officer")


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_events_go_through_the_outbox_and_out(
    results: Results, flushing_postgres: PostgresServer, tmp_path: Path, store: str
) -> None:
    dsn = create_database(flushing_postgres.dsn, "bench_deliveries") if store == "postgres" else None
    port = free_port()
    url = f"http://127.0.0.1:{port}/hook"
    receiver = Role(
        "receiver", ("tests.receiver", str(port), str(tmp_path / "received.jsonl"), ""), {}, tmp_path
    )
    with opened(tmp_path, dsn) as (engine, district), deliveries(engine) as desk:
        by_threads(2, lives_of_a_thread, (engine.handle, district, FILLING_SECONDS), FILLING_SECONDS)
        receiver.start()
        try:
            while not accepts(port):
                time.sleep(0.05)
            idle, events = asyncio.run(_taken_in(engine, desk))
            _subscribe(engine, desk, district, url)
            asyncio.run(_taken_in(engine, desk))
            waiting = sum(count.waiting for count in desk.outbox.counts().values())
            out = waiting / asyncio.run(_sent(engine, desk))
            alone = 2_000 / asyncio.run(_posted(url, 2_000))
        finally:
            receiver.end()
    results.add(Figure("Deliveries", f"{store}, {events:,} events, nobody subscribed", idle, "events/s"))
    results.add(
        Figure(
            "Deliveries",
            f"{store}, {waiting:,} to one receiver",
            out,
            "webhooks/s",
            alone,
            note="limit: the client alone",
        )
    )
    assert out > 0


def _subscribe(engine: Engine, desk: Desk, district: District, url: str) -> None:
    desk.subscriptions.make(keeper(engine), Wanted(district.staff[POST], *POST, url, ["all"]), 0)


async def _taken_in(engine: Engine, desk: Desk) -> tuple[float, int]:
    """Events a second, and how many there were."""
    desk.outbox.move(0, engine.store.epoch())
    consumer = outbox_consumer(engine, desk, lambda: None)
    at, count, begun = consumer.position(), 0, time.perf_counter()
    while batch := engine.store.read(at, 500):
        await consumer.take(batch)
        at, count = batch[-1].position, count + len(batch)
    return count / (time.perf_counter() - begun), count


async def _sent(engine: Engine, desk: Desk) -> float:
    """Seconds until nothing waits."""
    sender = WebhookSender(engine, desk.subscriptions, desk.outbox)
    sending = Sending(desk.outbox, desk.subscriptions, {WEBHOOK: sender}, engine.handle.clock)
    begun = time.perf_counter()
    for one in desk.subscriptions.known():
        while desk.outbox.counts():
            await sending.deliver(one.id)
    taken = time.perf_counter() - begun
    await sender.close()
    return taken


async def _posted(url: str, count: int) -> float:
    """Seconds for so many posts of a body that the receiver reads alike."""
    body = b'{"type":"x","data":{"case":"x","version":1,"pad":"' + b"x" * 1_200 + b'"}}'
    turns = asyncio.Semaphore(Pace().at_once)
    async with httpx.AsyncClient(trust_env=False) as client:

        async def post() -> None:
            async with turns:
                await client.post(url, content=body, headers={"webhook-id": "x"})

        begun = time.perf_counter()
        await asyncio.gather(*(post() for _ in range(count)))
        return time.perf_counter() - begun
