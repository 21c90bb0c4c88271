"""Following: how a process keeps up with the record. It waits for the next due moment or for a poke, has what is due
taken, and looks at what the record then says. It decides nothing and holds nothing that the record does not hold."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from workflows import wording
    from workflows.messages import ADVANCE, Look, Snapshot

_PATIENCE = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10))
"""The record may be out of reach for hours; what is due is still taken once it is back."""

_BREATH = timedelta(milliseconds=200)
"""Between two looks at a moment that this side's clock calls due and the record's clock does not."""


class Following:
    """What a process has seen of its part of the record, and the way to see more."""

    def __init__(self, begin: Snapshot) -> None:
        self.seen = begin
        self.absent: dict[str, Snapshot] = {}
        self._shown = begin
        self._news = False
        self._reload = False
        self._just_looked = False

    def poke(self, told: Snapshot) -> None:
        """Take a newer snapshot over; of another life of the store, look for yourself; ignore an old one."""
        self.absent.update((leg.owner, leg) for leg in told.legs if leg.owner in told.absent)
        if told.epoch != self.seen.epoch:
            self._reload = True
        elif told.version > self.seen.version:
            self.seen, self._news, self._just_looked = told, True, False

    def look_again(self) -> None:
        """Something has gone that should be there: see what the record says now."""
        self._reload = True

    async def next(self) -> None:
        """Wait for the due moment or for news; when due, have the steps taken. Then the record has been seen anew."""
        self.show()
        if workflow.info().is_continue_as_new_suggested():
            workflow.continue_as_new(self.seen)  # the record holds all there is to carry over
        if not await self._news_before_due():
            self._take_over(await self._advance())
        self._news = False

    def show(self) -> None:
        """Let an operator see where it stands: details in words, and the search attributes that have changed."""
        workflow.set_current_details(wording.details(self.seen))
        before = {pair.key: pair.value for pair in wording.attributes(self._shown)}
        now = {pair.key: pair.value for pair in wording.attributes(self.seen)}
        changes = [key.value_set(value) for key, value in now.items() if before.get(key) != value]
        changes += [key.value_unset() for key in before if key not in now]
        if changes:
            workflow.upsert_search_attributes(changes)
        self._shown = self.seen

    async def _news_before_due(self) -> bool:
        """Whether something was heard before the due moment came."""
        due = self.seen.due
        wait = (
            None if due is None else max(due - workflow.now(), _BREATH if self._just_looked else timedelta())
        )
        try:
            await workflow.wait_condition(
                lambda: self._news or self._reload or bool(self.absent),
                timeout=wait,
                timeout_summary=wording.step(self.seen),
            )
        except TimeoutError:
            return False
        return not self._reload

    async def _advance(self) -> Snapshot:
        self._reload = False
        found: Snapshot = await workflow.execute_activity(
            ADVANCE, Look(self.seen.case, self.seen.owner, self.seen.version), result_type=Snapshot,
            start_to_close_timeout=timedelta(seconds=10), retry_policy=_PATIENCE, summary=wording.step(self.seen),
        )  # fmt: skip
        return found

    def _take_over(self, found: Snapshot) -> None:
        """A poke that came while the steps were taken may be newer than what the steps left behind."""
        if found.epoch != self.seen.epoch or found.version >= self.seen.version:
            self.seen, self._just_looked = found, True
