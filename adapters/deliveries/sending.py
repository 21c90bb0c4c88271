"""Sending: what is due of one subscription, in order within each lane, several lanes at once, until nothing is due.

A lane that fails is tried again later and later; when its head has failed for `Pace.park_after` it parks. A receiver that
is away as a whole is left alone as a whole, and then tried with one delivery at a time until it takes one. Nobody
sends without the lease, and no try begins that might outlast it: two never send for one subscription at once. When it ends
the outbox's own clock says, and who lost it writes nothing: how the clocks of two workers' hosts stand does not matter.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from adapters.deliveries.channels import Channels
from adapters.deliveries.outbox import Done, Failed, Outbox, Page
from adapters.deliveries.ports import Outcome, Queued, Row, Sender
from adapters.deliveries.subscriptions import Subscription
from adapters.failpoint import failpoint
from adapters.store.moment import as_microseconds, as_moment
from domain.refusal import Unavailable
from workflows.delivery_process import Delivered

_log = structlog.get_logger("delivery")
_SECOND = 1_000_000
MOST_SECONDS = 10.0
"""What one try may take at most, whatever its sender does."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast, and how patiently. Seconds, but for `at_once` (tries at the same time) and `lanes` (in one page)."""

    first: float = 1.0
    longest: float = 300.0
    park_after: float = 72 * 3600.0
    lease: float = 30.0
    slice: float = 20.0
    at_once: int = 16
    lanes: int = 64

    def pause(self, failures: int) -> float:
        """How long to wait after so many failures in a row."""
        return float(min(self.longest, self.first * 2 ** min(failures - 1, 30)))


@dataclass(slots=True)
class _Round:
    """One page under way."""

    to: Subscription
    until: float
    done: list[Done] = field(default_factory=list)
    failed: list[tuple[Queued, Outcome]] = field(default_factory=list)
    instead: tuple[Row, ...] = ()
    down: Outcome | None = None
    gone: bool = False
    broken: Unavailable | None = None

    @property
    def over(self) -> bool:
        return self.down is not None or self.gone or self.broken is not None or time.monotonic() > self.until

    @property
    def blamed(self) -> list[Outcome]:
        """What failed on the way or there; a case that cannot be read says nothing of the receiver."""
        return [outcome for _, outcome in self.failed if outcome.kind != "unreadable"]

    @property
    def sent(self) -> bool:
        return any(one.outcome == "sent" for one in self.done)


class Sending:
    """Sends for one subscription at a time, by the sender of its channel. `clock` says when what is tried again; left out,
    it is the outbox's own."""

    def __init__(
        self, outbox: Outbox, subscriptions: Channels, senders: Mapping[str, Sender],
        clock: Callable[[], datetime] | None = None, pace: Pace | None = None,
    ) -> None:  # fmt: skip
        self._outbox, self._subscriptions, self._senders = outbox, subscriptions, dict(senders)
        self._clock, self._pace = clock or outbox.now, pace or Pace()

    async def deliver(self, subscription: str, stopping: Callable[[], bool] = lambda: False) -> Delivered:
        """Send what is due, for a while. Raises Unavailable, NotFound."""
        to = await asyncio.to_thread(self._subscriptions.now, subscription)
        if to.state != "active":
            return Delivered(None, ended=to.state == "ended")
        lease = await asyncio.to_thread(self._leased, subscription)
        if lease is not None:
            try:
                await self._while_due(subscription, lease, stopping)
            finally:
                await asyncio.to_thread(self._outbox.release, subscription, lease)
        to = await asyncio.to_thread(self._subscriptions.get, subscription)
        due = await asyncio.to_thread(self._outbox.next_due, subscription)
        waits = due is None or to.state != "active"
        return Delivered(None if waits else as_moment(due or 0), ended=to.state == "ended")

    def _leased(self, subscription: str, held: str = "") -> str | None:
        return self._outbox.lease(subscription, round(self._pace.lease * _SECOND), held)

    async def _while_due(self, subscription: str, lease: str, stopping: Callable[[], bool]) -> None:
        ends = time.monotonic() + self._pace.slice
        while time.monotonic() < ends and not stopping():
            # The lease counts from before it was asked for: no try may outlast it.
            until = time.monotonic() + self._pace.lease - MOST_SECONDS - 1.0
            if await asyncio.to_thread(self._leased, subscription, lease) is None:
                return
            to = await asyncio.to_thread(self._subscriptions.get, subscription)
            now = await asyncio.to_thread(self._now)
            if to.state != "active" or (to.next_at is not None and as_microseconds(to.next_at) > now):
                return
            most = 1 if to.failures else self._pace.lanes
            page = await asyncio.to_thread(self._outbox.page, subscription, now, most)
            if not page.lanes and not page.empty:
                return
            await self._send(to, lease, page, min(until, ends))

    async def _send(self, to: Subscription, lease: str, page: Page, until: float) -> None:
        turns, round_ = asyncio.Semaphore(self._pace.at_once), _Round(to, until)

        async def in_turn(lane: tuple[Queued, ...]) -> None:
            async with turns:
                await self._lane(lane, round_)

        await asyncio.gather(*(in_turn(lane) for lane in page.lanes))
        failpoint("deliver.after_sent")
        await asyncio.to_thread(self._settle, lease, page, round_)
        if round_.broken is not None:
            raise round_.broken

    async def _lane(self, lane: tuple[Queued, ...], under_way: _Round) -> None:
        """One after the other, until one of them is not taken."""
        for queued in lane:
            if under_way.over:
                return
            try:
                outcome = await self._try(under_way.to, queued)
            except Unavailable as error:
                under_way.broken = error
                return
            if outcome.kind in ("sent", "withheld"):
                under_way.done.append(Done(queued, outcome.kind, outcome.code))
                if outcome.instead:
                    under_way.instead += outcome.instead
                    return  # what came out of it goes before the rest of the lane
                continue
            under_way.gone = under_way.gone or outcome.kind == "gone"
            if outcome.kind == "down":
                under_way.down = outcome
            if outcome.kind in ("refused", "unreadable") or outcome.charged:
                under_way.failed.append((queued, outcome))
            return

    async def _try(self, to: Subscription, queued: Queued) -> Outcome:
        try:
            async with asyncio.timeout(MOST_SECONDS):
                return await self._senders[to.channel].send(to, queued)
        except TimeoutError:
            return Outcome("refused", "no_answer")

    def _failed(self, queued: Queued, outcome: Outcome, now: int) -> Failed:
        since = now if queued.failing_since is None else queued.failing_since
        wait = max(self._pace.pause(queued.attempts + 1), outcome.wait or 0.0)
        parked = now - since >= self._pace.park_after * _SECOND
        if parked:
            _log.error(
                "delivery_parked", delivery=queued.id, subscription=queued.row.subscription, code=outcome.code
            )
        unreadable = outcome.kind == "unreadable"
        return Failed(queued, outcome.code, now + round(wait * _SECOND), since, parked, unreadable)

    def _settle(self, lease: str, page: Page, after: _Round) -> None:
        to, now = after.to, self._now()
        failed = [self._failed(queued, outcome, now) for queued, outcome in after.failed]
        if after.instead:
            self._outbox.add(after.instead, now)
        if not self._outbox.settle(to.id, lease, after.done, failed, page.empty, now):
            _log.warning("lease_lost", subscription=to.id)
        elif after.gone:
            _log.warning("subscription_ended", subscription=to.id, code="http_410")
            self._subscriptions.gone(to.id)
        elif after.down is not None or self._nobody_there(after):
            failures = 1 if after.sent else to.failures + 1
            since = to.failing_since if to.failing_since is not None and not after.sent else as_moment(now)
            wait = max(self._pace.pause(failures), (after.down.wait if after.down else None) or 0.0)
            self._outbox.away(to.id, failures, as_microseconds(since), now + round(wait * _SECOND))
            code = (after.down or after.blamed[0]).code
            _log.warning("receiver_away", subscription=to.id, code=code, failures=failures, again_in=wait)
        elif after.sent and to.failures:
            self._outbox.back(to.id)

    @staticmethod
    def _nobody_there(after: _Round) -> bool:
        """Whether everything that was tried failed, and more than one matter's: then it is the receiver."""
        return bool(after.blamed) and not after.sent and (len(after.blamed) > 1 or after.to.failures > 0)

    def _now(self) -> int:
        return as_microseconds(self._clock())
