"""The part of follower and worker that tells people, as a process of its own: `python -m tests.faults.telling`.

Settings from the environment. It queues what the record gives rise to and sends what is due, one message after the
other in the order of their events, until nothing waits.
"""

from __future__ import annotations

import asyncio

from adapters import exit_guard
from adapters.deliveries.desk import deliveries
from adapters.deliveries.role import outbox_consumer
from adapters.deliveries.sending import Pace, Sending
from adapters.engine import open_engine
from adapters.notices.role import notice_sender
from adapters.notices.routing import CHANNEL, SUBSCRIPTION
from adapters.settings import Settings

ONE_BY_ONE = Pace(first=0.05, longest=0.2, at_once=1)


async def tell() -> None:
    """Queue and send."""
    engine = open_engine(Settings())
    with deliveries(engine) as desk:
        consumer = outbox_consumer(engine, desk, lambda: None)
        at = consumer.position()
        while batch := engine.store.read(at, 500):
            await consumer.take(batch)
            at = batch[-1].position
        sending = Sending(desk.outbox, desk.subscriptions, {CHANNEL: notice_sender(engine)}, pace=ONE_BY_ONE)
        while desk.outbox.counts():
            await sending.deliver(SUBSCRIPTION)
            await asyncio.sleep(0.05)
    engine.close()


if __name__ == "__main__":
    exit_guard.install()
    asyncio.run(tell())
