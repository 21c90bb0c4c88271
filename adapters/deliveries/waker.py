"""The waker: whoever has something to be sent has a process that sends it, whatever became of Temporal meanwhile."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.service import RPCError

from adapters.deliveries.outbox import Outbox
from adapters.store.moment import as_microseconds
from adapters.temporal.client import RPC_TIMEOUT, reported
from domain.refusal import Unavailable
from workflows.delivery_process import DELIVERY_PROCESS, NEWS, Deliver, delivery_id
from workflows.ports import Positions

GLANCE = timedelta(seconds=3)
"""How often it is asked what is due, beside being told: after a resume, a re-sending by hand, a wiped Temporal."""
KEPT = timedelta(days=90)
"""For how long it is known what was sent."""
TIDY = timedelta(hours=1)
_log = structlog.get_logger("outbox")


class Waker:
    """Starts or wakes the process of every subscription that has something due."""

    def __init__(self, client: Client, outbox: Outbox, task_queue: str) -> None:
        self._client, self._outbox, self._task_queue = client, outbox, task_queue
        self._news = asyncio.Event()
        self._tidied = 0.0

    def news(self) -> None:
        """Something was queued. Call it in the event loop that `run` is in."""
        self._news.set()

    async def run(self, positions: Positions, glance: timedelta = GLANCE) -> None:
        """Look for ever, at every news, and in one of the processes that try to every little while; cancel to stop."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), glance.total_seconds())
            told = self._news.is_set()
            self._news.clear()
            try:
                if told:
                    await self.wake()
                    continue
                with positions.leader("deliveries-round") as leads:
                    if leads:
                        await self.wake()
                        await self._tidy()
            except (Unavailable, RPCError) as error:  # Temporal is away, or begins anew: it is asked again
                _log.warning("deliveries_not_woken", error=type(error).__name__)
                await asyncio.sleep(glance.total_seconds())

    async def wake(self) -> int:
        """Wake every subscription that has something due; returns how many there were. Raises Unavailable."""
        due = await asyncio.to_thread(self._due)
        for subscription in due:
            with reported():
                await self._client.start_workflow(
                    DELIVERY_PROCESS, Deliver(subscription), id=delivery_id(subscription), task_queue=self._task_queue,
                    start_signal=NEWS, id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE, rpc_timeout=RPC_TIMEOUT,
                    static_summary=f"投递 deliveries to {subscription}",
                )  # fmt: skip
        return len(due)

    async def _tidy(self) -> None:
        if time.monotonic() - self._tidied < TIDY.total_seconds():
            return
        await asyncio.to_thread(self._forget)
        self._tidied = time.monotonic()

    def _due(self) -> list[str]:
        return self._outbox.due(as_microseconds(self._outbox.now()))

    def _forget(self) -> None:
        self._outbox.forget(as_microseconds(self._outbox.now() - KEPT))
