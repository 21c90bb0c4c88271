"""Now and then what was attached and never named by an act is let go."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from adapters.attachments.store import Attachments
from domain.refusal import Unavailable
from workflows.ports import Positions

ROUND = timedelta(hours=1)

log = structlog.get_logger(__name__)


async def sweep_attachments(
    attachments: Attachments, positions: Positions, *, every: timedelta = ROUND
) -> None:
    """Go round for ever, in one of the processes that try to; cancel it to stop."""
    while True:
        try:
            with positions.leader("attachments-round") as leads:
                if leads:
                    await asyncio.to_thread(attachments.sweep)
        except Unavailable as error:
            log.warning("attachments_not_swept", why=str(error))
        await asyncio.sleep(every.total_seconds())
