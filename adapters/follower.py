"""The follower: reads the store in order and hands every event to each consumer, once in effect (DESIGN.md §4, §6).

A consumer applies a batch and saves its own position with it; after a crash between the two it is handed the same
batch again. One process leads each consumer; a consumer that fails is tried again, later and later, and holds up
nobody else. Nothing of an event is logged.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from typing import Protocol, TypeVar

import structlog

from adapters.failpoint import failpoint
from adapters.telemetry.metrics import BATCH_SECONDS, FAILED, FOLLOWED
from adapters.telemetry.traces import span
from domain.refusal import Conflict, Refused, Unavailable
from workflows.ports import EventStore, Stored

BATCH = 500
NEWS_SECONDS = 1.0
"""How long the store is asked to wait for news at a time; stopping takes no longer."""
GATHER_SECONDS = 0.05
"""How long news are left to gather: the acts of a busy moment are then one batch, one look at each case."""
BUSY_EVENTS, BUSY_SECONDS = 50, 2.0
"""A second that brought so many is a busy time, and the next may gather for longer: a case is then looked at once for many
of its acts, and one that closes meanwhile needs no process at all. It lies well below what a slow machine takes in: whoever
follows each event there costs so much that the pace never reaches a higher bound."""
PACE_SECONDS = 1.0
"""Over how long the pace is taken: a quick consumer gets the many in small batches."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 15.0
STANDBY_SECONDS = 1.0
"""How often a follower that does not lead a consumer tries to."""

T = TypeVar("T")
_log = structlog.get_logger("follower")


class Consumer(Protocol):
    """Somebody who must hear of every event, in store order.

    `position` may block; it is asked at the start, and after every failure. `take` applies a batch and saves its own
    position (the last event's), by compare-and-set; it may be handed a batch twice. It raises Conflict when another
    process has moved the position, and whatever else goes wrong: it is handed the batch again.
    """

    name: str

    def position(self) -> int:
        """How far it has come, as saved."""
        ...

    async def take(self, batch: Sequence[Stored]) -> None:
        """Apply the batch and save the position of its last event."""
        ...


class Leaders(Protocol):
    """Who says which process leads a consumer: the database that its position is saved in."""

    def leader(self, consumer: str) -> AbstractContextManager[bool]:
        """Try to lead it, for as long as the context lasts; the value says whether one does."""
        ...


class Pace:
    """How many events have come within a second, counted from the first of them."""

    def __init__(self) -> None:
        self._since, self._events = 0.0, 0

    def count(self, events: int) -> int:
        """So many more have come; returns how many there are by now."""
        now = time.monotonic()
        if now - self._since > PACE_SECONDS:
            self._since, self._events = now, 0
        self._events += events
        return self._events


class Follower:
    """Runs consumers until it is stopped. `run` once; `stop` from the same event loop."""

    def __init__(
        self, store: EventStore, consumers: Sequence[Consumer], leaders: Leaders, *, batch: int = BATCH,
        gather: float = GATHER_SECONDS, busy: float = BUSY_SECONDS, busy_from: int = BUSY_EVENTS,
    ) -> None:  # fmt: skip
        """`batch` events at the most are handed over at a time, after `gather` seconds for more to come; where `busy_from`
        and more came within a second, after `busy` ones."""
        self._store, self._consumers, self._leaders = store, tuple(consumers), leaders
        self._batch, self._gather, self._busy, self._busy_from = batch, gather, busy, busy_from
        self._at: dict[str, int] = {}
        self._head, self._waiting = 0, 0
        self._stopping, self._wanted = asyncio.Event(), asyncio.Event()
        self._news = asyncio.Condition()
        self._threads = ThreadPoolExecutor(
            max_workers=2 * len(self._consumers) + 1, thread_name_prefix="follower"
        )

    async def run(self) -> None:
        """Follow until `stop`; a batch under way is finished first."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch())
                for consumer in self._consumers:
                    tasks.create_task(self._lead(consumer))
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def stop(self) -> None:
        """End `run` after the batches under way."""
        self._stopping.set()
        self._wanted.set()  # the watch may be waiting for somebody to ask for news

    def positions(self) -> dict[str, int]:
        """Where each consumer stands that this process leads, or has led."""
        return dict(self._at)

    # -- news -----------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Wait for news in one place, so that no consumer's thread does; never while nobody waits for any.

        In a busy time every consumer has the next batch before it, and a look at the store for each of so many events
        would cost more than the batches do.
        """
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            await self._wanted.wait()
            try:
                grown = await self._aside(self._store.wait, self._head, NEWS_SECONDS)
                head = await self._aside(self._store.head) if grown else self._head
                pause = FIRST_PAUSE
            except Unavailable:
                _log.warning("store_unavailable", again_in=pause)
                await self._pause(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            async with self._news:
                self._head = head
                self._news.notify_all()
        async with self._news:
            self._news.notify_all()

    async def _newer_than(self, position: int) -> None:
        self._waiting += 1
        self._wanted.set()
        try:
            async with self._news:
                await self._news.wait_for(lambda: self._head > position or self._stopping.is_set())
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._wanted.clear()

    # -- one consumer ---------------------------------------------------------------------------------------------

    async def _lead(self, consumer: Consumer) -> None:
        """Lead the consumer whenever nobody else does, and see it through its failures."""
        pause, failed_at = FIRST_PAUSE, -1
        while not self._stopping.is_set():
            try:
                with ExitStack() as held:
                    if await self._aside(held.enter_context, self._leaders.leader(consumer.name)):
                        await self._follow(consumer)
                        continue
                await self._pause(STANDBY_SECONDS)
            except Conflict:
                await self._pause(FIRST_PAUSE)  # somebody else did this work: look where it stands now
            except Exception as error:  # noqa: BLE001 - one consumer's fault, of any kind, must not end the others
                FAILED.labels(consumer.name).inc()
                at = self._at.get(consumer.name, 0)
                pause = min(pause * 2, LONGEST_PAUSE) if at == failed_at else FIRST_PAUSE
                failed_at = at
                _report(consumer.name, error, pause)
                await self._pause(pause)

    async def _follow(self, consumer: Consumer) -> None:
        after = self._at[consumer.name] = await self._aside(consumer.position)
        ahead: asyncio.Future[list[Stored]] | None = None
        pace = Pace()
        try:
            while not self._stopping.is_set():
                batch = await (ahead or self._page(after))
                # Behind by more than a batch: the next one is read while this one is taken.
                ahead = self._page(batch[-1].position) if len(batch) == self._batch else None
                if not batch:
                    await self._newer_than(after)
                    await self._pause(self._gather)
                    continue
                with (
                    span("follow", consumer=consumer.name, events=len(batch)),
                    BATCH_SECONDS.labels(consumer.name).time(),
                ):
                    await consumer.take(batch)
                FOLLOWED.labels(consumer.name).inc(len(batch))
                failpoint("follower.after_take")
                after = self._at[consumer.name] = batch[-1].position
                self._head = max(self._head, after)
                if pace.count(len(batch)) >= self._busy_from and len(batch) < self._batch:
                    await self._pause(self._busy)
        finally:
            if ahead is not None:
                # Nobody needs it any more, but the store must not be closed under the thread that still reads it.
                await asyncio.wait({ahead})
                ahead.exception()

    def _page(self, after: int) -> asyncio.Future[list[Stored]]:
        return asyncio.get_running_loop().run_in_executor(self._threads, self._store.read, after, self._batch)

    async def _aside(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return


def _report(consumer: str, error: Exception, pause: float) -> None:
    """Say what went wrong and where in the code, never with the error's words: they might quote a value (law 9)."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    code = error.code if isinstance(error, Refused) else None
    _log.error(
        "consumer_failed", consumer=consumer, error=type(error).__name__, code=code, again_in=pause,
        at=f"{last.name}:{last.lineno}",
    )  # fmt: skip
