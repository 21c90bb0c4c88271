"""How the roles hold the outbox: the follower fills it, the worker empties it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Worker

from adapters.deliveries.activity import Deliveries
from adapters.deliveries.consumer import OutboxConsumer, SubscriptionRouter
from adapters.deliveries.desk import Desk, deliveries
from adapters.deliveries.observed import ObservedSender
from adapters.deliveries.ports import Router, Sender
from adapters.deliveries.sending import Pace, Sending
from adapters.deliveries.subscriptions import WEBHOOK
from adapters.deliveries.webhook import WebhookSender
from adapters.dispatch import routing as dispatching
from adapters.dispatch.routing import DispatchRouter
from adapters.dispatch.sending import DispatchSender
from adapters.engine import Engine
from adapters.notices import routing as notices
from adapters.notices.role import notice_router, notice_sender
from workflows.delivery_process import sending_queue

AT_ONCE = 64
"""Subscriptions that one worker sends for at a time."""
GRACE = timedelta(seconds=10)
"""A try takes less; what is cut off is sent again, under the same id."""


def outbox_consumer(engine: Engine, desk: Desk, woken: Callable[[], None]) -> OutboxConsumer:
    """The follower's consumer, with everybody who is to be told of events."""
    routers: list[Router] = [
        SubscriptionRouter(engine.store, desk.subscriptions), DispatchRouter(engine.store, desk.subscriptions),
    ]  # fmt: skip
    of_notices = notice_router(engine, desk.subscriptions)
    if of_notices is not None:
        routers.append(of_notices)
    return OutboxConsumer(engine.store, desk.outbox, routers, engine.handle.clock, woken)


@asynccontextmanager
async def delivering(engine: Engine, client: Client, pace: Pace | None = None) -> AsyncIterator[None]:
    """A worker that sends, by the sender of every channel, for as long as the context lasts.

    It has a task queue of its own, so that slow receivers never hold up the processes of matters.
    """
    with deliveries(engine) as desk:
        webhook = WebhookSender(engine, desk.subscriptions, desk.outbox)
        dispatch = DispatchSender(engine, desk.subscriptions, desk.outbox)
        senders: dict[str, Sender] = {
            WEBHOOK: webhook, dispatching.CHANNEL: dispatch, notices.CHANNEL: notice_sender(engine),
        }  # fmt: skip
        observed = {channel: ObservedSender(sender, engine.store) for channel, sender in senders.items()}
        sending = Sending(desk.outbox, desk.subscriptions, observed, pace=pace)
        try:
            async with Worker(
                client, task_queue=sending_queue(engine.settings.task_queue), activities=[Deliveries(sending).deliver],
                max_concurrent_activities=AT_ONCE, graceful_shutdown_timeout=GRACE,
            ):  # fmt: skip
                yield
        finally:
            await webhook.close()
            await dispatch.close()
