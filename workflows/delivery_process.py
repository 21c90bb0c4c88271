"""The process of one subscription: what is due is sent, in order per case, for as long as the subscription lasts.

The queue is the outbox's, not Temporal's: this only remembers when to look. It may be wiped, ended or started anew at
any moment; nothing is lost, for the outbox is asked what waits (DESIGN.md law 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

DELIVERY_PROCESS = "delivery_process"
DELIVER = "deliver"
NEWS = "news"
"""The names under which Temporal knows workflow, activity and signal: constants, never Python paths."""

_PATIENCE = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10))
_LOOK_AGAIN = timedelta(hours=1)
"""How long it waits at most: then it sees that the subscription was ended, if nobody told."""


def delivery_id(subscription: str) -> str:
    """The id of the process of a subscription: derived, so that there is one of each."""
    return f"delivery/{subscription}"


def sending_queue(task_queue: str) -> str:
    """The task queue on which is sent: slow receivers must not hold up the processes of matters."""
    return f"{task_queue}-deliveries"


@dataclass(frozen=True)
class Deliver:
    """Send what is due of this subscription."""

    subscription: str


@dataclass(frozen=True)
class Delivered:
    """What is left: when something is due next (UTC; None: nothing waits), and whether the subscription has ended."""

    next_at: datetime | None
    ended: bool = False


@workflow.defn(name=DELIVERY_PROCESS)
class DeliveryProcess:
    """投递 to one subscriber."""

    @workflow.init
    def __init__(self, begin: Deliver) -> None:
        self.news = False

    @workflow.run
    async def run(self, begin: Deliver) -> None:
        """Send what is due; wait until something is due or is news; until the subscription has ended."""
        while True:
            self.news = False
            left = await self._deliver(begin)
            if left.ended:
                return
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(begin)
            await self._wait(left.next_at)

    @workflow.signal(name=NEWS)
    def hear(self) -> None:
        """Something was queued, or is to be sent again."""
        self.news = True

    async def _deliver(self, begin: Deliver) -> Delivered:
        found: Delivered = await workflow.execute_activity(
            DELIVER, begin, result_type=Delivered, task_queue=sending_queue(workflow.info().task_queue),
            start_to_close_timeout=timedelta(minutes=2),
            heartbeat_timeout=timedelta(seconds=10), retry_policy=_PATIENCE, summary="投递 deliver",
        )  # fmt: skip
        return found

    async def _wait(self, until: datetime | None) -> None:
        wait = _LOOK_AGAIN if until is None else min(max(until - workflow.now(), timedelta()), _LOOK_AGAIN)
        workflow.set_current_details(
            "等待新事件 nothing waits" if until is None else f"待发 due at {until.isoformat()}"
        )
        try:
            await workflow.wait_condition(lambda: self.news, timeout=wait, timeout_summary="等待 wait")
        except TimeoutError:
            return
