"""The process of one matter: 社区呼叫、街道吹哨、部门报到, the result, the callback, the end (DESIGN.md §6)."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.workflow import ChildWorkflowHandle, ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from workflows import wording
    from workflows.messages import MATTER_PROCESS, POKE, SUMMONS_PROCESS, Snapshot, process_id

from workflows.following import Following

HEARD = frozenset({"registered", "accepted", "triaged"})
HANDLED = frozenset({"in_handling", "deferred"})
COMPLETED = frozenset({"completed"})


@workflow.defn(name=MATTER_PROCESS)
class MatterProcess:
    """呼叫—吹哨—报到—办结—回访 of one matter."""

    @workflow.init
    def __init__(self, begin: Snapshot) -> None:
        self.matter = Following(begin)
        self.summoned: set[str] = set()

    @workflow.run
    async def run(self, begin: Snapshot) -> None:
        """Follow the matter to its end; when it is reopened (重办) or sent back, from the top."""
        while not self.matter.seen.closed:
            await self.call_heard()  # 呼叫: accepted, graded, and put into somebody's hands
            await self.whistle_followed()  # 吹哨, 报到: one process for every summoned department
            await self.result_called_back()  # 办结, 回访: somebody independent asks the resident
            await self.case_closed()  # 结案: by somebody who handled no part of it
        await self._fan_out()  # what was just being brought up learns that it is over
        self.matter.show()

    async def call_heard(self) -> None:
        """Somebody called; the office must take it up and grade it in time."""
        while self._stands(HEARD):
            await self._next()

    async def whistle_followed(self) -> None:
        """It is being handled; every department summoned gets a process of its own, as soon as it is summoned."""
        while self._stands(HANDLED):
            await self._next()

    async def result_called_back(self) -> None:
        """The handler says that it is done; the resident is asked."""
        while self._stands(COMPLETED):
            await self._next()

    async def case_closed(self) -> None:
        """The resident was asked; what is left is closing, and what was missed and not yet put on record."""
        while not self.matter.seen.closed and not self._stands(HEARD | HANDLED | COMPLETED):
            await self._next()

    async def _next(self) -> None:
        await self._fan_out()
        await self.matter.next()

    async def _fan_out(self) -> None:
        """One process per open leg; one that was lost comes back, one that lives on its own is left alone."""
        absent, self.matter.absent = self.matter.absent, {}
        # Where the follower found no process of a leg that is over, it may be one that was just being brought up.
        over = [leg for leg in absent.values() if leg.closed and leg.owner in self.summoned]
        self.summoned.difference_update(absent)
        fresh = [leg for leg in self.matter.seen.legs if not leg.closed and leg.owner not in self.summoned]
        self.summoned.update(leg.owner for leg in fresh)
        await asyncio.gather(*(self._tell(leg) for leg in over), *(self._summon(leg) for leg in fresh))

    async def _summon(self, leg: Snapshot) -> None:
        try:
            child = await workflow.start_child_workflow(
                SUMMONS_PROCESS, leg, id=process_id(leg.case, leg.owner), parent_close_policy=ParentClosePolicy.ABANDON,
                search_attributes=wording.attributes(leg), static_summary=wording.summary(leg),
            )  # fmt: skip
        except WorkflowAlreadyStartedError:
            # It outlived an earlier run of this process: tell it what this one knows; it ignores what is old.
            await self._tell(leg)
        else:
            child.add_done_callback(lambda ended: self._ended(leg.owner, ended))

    async def _tell(self, leg: Snapshot) -> None:
        try:
            await workflow.get_external_workflow_handle(process_id(leg.case, leg.owner)).signal(POKE, leg)
        except ApplicationError:
            self._miss(leg.owner)  # it ended in between

    def _ended(self, leg: str, child: ChildWorkflowHandle[Any, Any]) -> None:
        """Somebody ended a summons' process by hand: it comes back if the record says that it is open."""
        if child.cancelled() or child.exception() is not None:
            self._miss(leg)

    def _miss(self, leg: str) -> None:
        self.summoned.discard(leg)
        self.matter.look_again()

    def _stands(self, phases: frozenset[str]) -> bool:
        return not self.matter.seen.closed and self.matter.seen.phase in phases

    @workflow.signal(name=POKE)
    def poke(self, told: Snapshot) -> None:
        """Something happened that cannot wait for the due moment."""
        self.matter.poke(told)
