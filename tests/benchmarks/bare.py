"""The bare server: workflows that do nothing, signalled as often and with as many activities as the processes of ours."""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

QUEUE = "bare"
AT_ONCE = 16


@dataclass(frozen=True)
class Cost:
    """What some workflows cost the server, read from their histories."""

    workflows: int
    tasks: int
    signals: int
    activities: int
    events: int


@activity.defn(name="bare_nothing")
def nothing() -> None:
    """Does nothing."""


@workflow.defn(name="bare")
class Bare:
    """Runs activities that do nothing and waits to be signalled."""

    def __init__(self) -> None:
        self.told = 0

    @workflow.run
    async def run(self, signals: int, activities: int) -> None:
        """End when signalled often enough."""
        for _ in range(activities):
            await workflow.execute_activity(nothing, start_to_close_timeout=timedelta(seconds=30))
        await workflow.wait_condition(lambda: self.told >= signals)

    @workflow.signal
    def poke(self) -> None:
        """Be told."""
        self.told += 1


async def worker(client: Client) -> None:
    """Work until cancelled; runs in a process of its own, as ours does."""
    runner = SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_all_modules())
    with ThreadPoolExecutor(AT_ONCE) as threads:
        async with Worker(
            client, task_queue=QUEUE, workflows=[Bare], activities=[nothing], activity_executor=threads,
            workflow_runner=runner,
        ):  # fmt: skip
            await asyncio.Event().wait()


Run = tuple[str, str | None]
"""A workflow's id and run id; its newest run where that is None."""


async def drive(client: Client, like: Cost) -> tuple[float, list[Run]]:
    """As many bare workflows as ours, with as many signals and activities; the seconds taken, and which they were."""
    turns, mark = asyncio.Semaphore(AT_ONCE), uuid.uuid4().hex
    signals, activities = shares(like.signals, like.workflows), shares(like.activities, like.workflows)

    async def one(number: int) -> None:
        async with turns:
            handle = await client.start_workflow(
                Bare.run,
                args=[signals[number], activities[number]],
                id=f"bare/{mark}/{number}",
                task_queue=QUEUE,
            )
            for _ in range(signals[number]):
                await handle.signal(Bare.poke)
            await handle.result()

    begun = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(like.workflows)))
    taken = time.perf_counter() - begun
    return taken, [(f"bare/{mark}/{number}", None) for number in range(like.workflows)]


def shares(total: int, parts: int) -> list[int]:
    """A total spread over so many parts as evenly as whole numbers allow."""
    return [total * (n + 1) // parts - total * n // parts for n in range(parts)]


async def cost(client: Client, runs: Sequence[Run]) -> Cost:
    """What these runs cost."""
    turns, found = asyncio.Semaphore(AT_ONCE), Counter[int]()

    async def one(name: str, run: str | None) -> None:
        async with turns:
            history = await client.get_workflow_handle(name, run_id=run).fetch_history()
            found.update(event.event_type for event in history.events)

    await asyncio.gather(*(one(*each) for each in runs))
    return Cost(
        workflows=len(runs),
        tasks=found[EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED],
        signals=found[EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED],
        activities=found[EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED],
        events=found.total(),
    )
