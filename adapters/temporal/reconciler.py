"""The reconciler: now and then it pokes every open case, so that a process that was lost comes back by itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from adapters.temporal.starter import ProcessStarter
from domain.refusal import Unavailable
from workflows.ports import Positions

log = structlog.get_logger(__name__)

EVERY = timedelta(hours=1)


async def reconcile(starter: ProcessStarter, positions: Positions, every: timedelta = EVERY) -> None:
    """Go round for ever, one process of all that try to; cancel it to stop. While Temporal is down it waits."""
    while True:
        await asyncio.sleep(every.total_seconds())
        try:
            with positions.leader("processes-round") as leads:
                if leads:
                    await starter.settle()
                    log.info("processes poked", open=await starter.rebuild())
        except Unavailable as error:
            log.warning("processes not poked", why=str(error))
