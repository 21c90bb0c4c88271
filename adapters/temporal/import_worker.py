"""Imports beside Temporal: the worker that takes their turns, and the round that brings their processes up.

They have a task queue of their own, on which a process takes one turn at a time: live matters never wait behind them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.worker import Worker

from adapters.imports.store import Imports
from adapters.imports.turns import Turns
from adapters.temporal.client import RPC_TIMEOUT, reported
from domain.refusal import Unavailable
from workflows.import_process import IMPORT_PROCESS, ImportTurn, import_process_id
from workflows.ports import Positions

log = structlog.get_logger(__name__)

GLANCE = timedelta(seconds=2)
"""How often it is asked which imports have not ended: one small reading."""
SWEEP_SECONDS = 600.0
GRACE = timedelta(seconds=10)


def import_queue(task_queue: str) -> str:
    """The task queue of imports beside that of matters."""
    return f"{task_queue}-imports"


@asynccontextmanager
async def bringing_in(client: Client, turns: Turns, task_queue: str) -> AsyncIterator[Worker]:
    """The imports' worker at work for as long as the context lasts; `task_queue` is that of matters."""
    with ThreadPoolExecutor(1, thread_name_prefix="import") as thread:
        worker = Worker(
            client, task_queue=import_queue(task_queue), activities=[turns.take_turn], activity_executor=thread,
            max_concurrent_activities=1, max_concurrent_workflow_tasks=2, max_cached_workflows=10,
            graceful_shutdown_timeout=GRACE,
        )  # fmt: skip
        async with worker:
            yield worker


async def bring_up_imports(
    client: Client, imports: Imports, positions: Positions, task_queue: str, *, glance: timedelta = GLANCE
) -> None:
    """See to it for ever that every import that has not ended has its process; cancel it to stop. Temporal may be down."""
    loop = asyncio.get_running_loop()
    swept, told = loop.time() - SWEEP_SECONDS, False
    while True:
        try:
            with positions.leader("imports-round") as leads:
                if leads:
                    for each in await asyncio.to_thread(imports.unfinished):
                        await bring_up_import(client, each, task_queue)
                    if loop.time() - swept >= SWEEP_SECONDS:
                        await asyncio.to_thread(imports.sweep)
                        swept = loop.time()
            told = False
        except Unavailable as error:
            if not told:  # once, not every other second
                log.warning("imports_not_brought_up", why=str(error))
            told = True
        await asyncio.sleep(glance.total_seconds())


async def bring_up_import(client: Client, import_id: str, task_queue: str) -> None:
    """Start the process of an import, unless it runs. Raises Unavailable."""
    with reported():
        await client.start_workflow(
            IMPORT_PROCESS, ImportTurn(import_id), id=import_process_id(import_id), task_queue=import_queue(task_queue),
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING, static_summary="批量导入 import",
            rpc_timeout=RPC_TIMEOUT,
        )  # fmt: skip
