"""The worker: runs the processes' code and their one activity, and stops when told to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Worker

from adapters.temporal.observed_steps import ObservedSteps
from workflows.handle import Handle

ACTIVITIES_AT_ONCE = 16
"""As many as there are threads for them: a synchronous activity without a thread would wait for nothing."""

GRACE = timedelta(seconds=10)
"""An activity takes milliseconds; what is cut off is taken again elsewhere, and changes nothing twice."""

LEFT_ALONE = timedelta(seconds=3)
"""How long a process waits for the worker that has it in memory before any other worker may take it."""

MOST_CACHED = 1_000
"""Processes kept in memory, each about a tenth of a megabyte; the others are read again from their history when they
wake."""


@asynccontextmanager
async def working(client: Client, handle: Handle, task_queue: str) -> AsyncIterator[Worker]:
    """A worker at work for as long as the context lasts; `client` brings the workflows and their runner."""
    with ThreadPoolExecutor(ACTIVITIES_AT_ONCE, thread_name_prefix="activity") as threads:
        worker = Worker(
            client, task_queue=task_queue, activities=[ObservedSteps(handle).advance], activity_executor=threads,
            max_concurrent_activities=ACTIVITIES_AT_ONCE, max_cached_workflows=MOST_CACHED,
            sticky_queue_schedule_to_start_timeout=LEFT_ALONE, graceful_shutdown_timeout=GRACE,
        )  # fmt: skip
        async with worker:
            yield worker
