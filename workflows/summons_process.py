"""The process of one summons: what the sub-district blew the whistle for, one department at a time (DESIGN.md §6)."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.messages import POKE, SUMMONS_PROCESS, Snapshot

from workflows.following import Following

DELIVERED = frozenset({"issued"})
ON_THE_WAY = frozenset({"acknowledged", "return_requested", "disputed"})
AT_WORK = frozenset({"checked_in", "working"})


@workflow.defn(name=SUMMONS_PROCESS)
class SummonsProcess:
    """送达—签收—联系—报到—回告—撤哨 of one department."""

    @workflow.init
    def __init__(self, begin: Snapshot) -> None:
        self.summons = Following(begin)

    @workflow.run
    async def run(self, begin: Snapshot) -> None:
        """Follow the summons until the blower has let the department go (事不完人不撤)."""
        while not self.summons.seen.closed:
            await (
                self.acknowledged()
            )  # 签收: reminded, urged, shown to the next level when nobody signs for it
            await self.checked_in()  # 联系, 报到: who does not come is on record as a no-show
            await self.reported()  # 办理, 回告: urged and supervised (催办, 督办) when the time is over
            await self.released()  # 验收, 撤哨: the blower too has a due moment
        self.summons.show()

    async def acknowledged(self) -> None:
        """The summons was delivered; somebody must sign for it."""
        while self._stands(DELIVERED):
            await self.summons.next()

    async def checked_in(self) -> None:
        """Signed for; now first contact and check-in by their due moments, or a return or a dispute."""
        while self._stands(ON_THE_WAY):
            await self.summons.next()

    async def reported(self) -> None:
        """There; now the work and its report."""
        while self._stands(AT_WORK):
            await self.summons.next()

    async def released(self) -> None:
        """Reported; only the blower lets the department go. After that, what was missed is still put on record."""
        while not self.summons.seen.closed and not self._stands(DELIVERED | ON_THE_WAY | AT_WORK):
            await self.summons.next()

    def _stands(self, phases: frozenset[str]) -> bool:
        return not self.summons.seen.closed and self.summons.seen.phase in phases

    @workflow.signal(name=POKE)
    def poke(self, told: Snapshot) -> None:
        """Something happened that cannot wait for the due moment."""
        self.summons.poke(told)
