"""The activity `deliver`: Temporal asks for what is due, and hears that it is still being sent."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from temporalio import activity
from temporalio.exceptions import ApplicationError

from adapters.deliveries.sending import Sending
from domain.refusal import Refused
from workflows.delivery_process import DELIVER, Deliver, Delivered

BEAT_SECONDS = 2.0


class Deliveries:
    """The activity, over one `Sending`."""

    def __init__(self, sending: Sending) -> None:
        self._sending = sending

    @activity.defn(name=DELIVER)
    async def deliver(self, asked: Deliver) -> Delivered:
        """Send what is due. Unavailable is tried again by Temporal; a subscription that nobody knows is final."""
        beating = asyncio.create_task(_beat())
        try:
            return await self._sending.deliver(asked.subscription, activity.is_worker_shutdown)
        except Refused as refused:
            raise ApplicationError(refused.code, type="Refused", non_retryable=True) from None
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(BEAT_SECONDS)
