"""The reconciler: it notices a Temporal that was wiped while nothing happened, and now and then it pokes every open
case, so that a process that was lost comes back by itself."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import structlog

from adapters.temporal.starter import ProcessStarter
from domain.refusal import Conflict, Unavailable
from workflows.ports import Positions

log = structlog.get_logger(__name__)

GLANCE = timedelta(seconds=10)
"""How often it is asked whether Temporal still lives the same life: one small call."""

ROUND = timedelta(hours=1)
"""How often every open case is poked: a few calls for each."""


async def reconcile(
    starter: ProcessStarter, positions: Positions, *, glance: timedelta = GLANCE, every: timedelta = ROUND
) -> None:
    """Look and go round for ever, in one of the processes that try to; cancel it to stop. Temporal may be down."""
    last = time.monotonic()
    while True:
        await asyncio.sleep(min(glance, every).total_seconds())
        try:
            with positions.leader("processes-round") as leads:
                if not leads:
                    continue
                await starter.settle()
                await starter.retry()
                if time.monotonic() - last >= every.total_seconds():
                    log.info("processes_poked", open=await starter.rebuild())
                    last = time.monotonic()
        except Conflict:
            continue  # the follower has just done it
        except Unavailable as error:
            log.warning("processes_not_poked", why=str(error))
