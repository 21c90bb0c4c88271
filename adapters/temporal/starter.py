"""The process starter: a consumer of the store that starts, wakes and ends processes (DESIGN.md §6).

It follows after the record: a batch is delivered first and its position saved then, so that everything is told at
least once. The position belongs to one life of Temporal's namespace and one life (epoch) of the store: where either
is a new one, every open process is brought up again, whatever was told before.

A case that cannot be read (its fold raises) holds up nobody: it is set aside, on record beside the positions and in
the log, and tried again by the reconciler until it can be.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

import structlog
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from adapters.failpoint import failpoint
from adapters.temporal.client import RPC_TIMEOUT, namespace_id, prepare_namespace, reported
from domain.event import decode
from domain.matter.evolve import FOLDS
from domain.refusal import Conflict, Unavailable
from workflows import wording
from workflows.advance import snapshot
from workflows.agenda_view import Watched, nothing
from workflows.agenda_view import snapshot as snapshot_of
from workflows.handle import Handle
from workflows.messages import MATTER_PROCESS, POKE, Snapshot, process_id
from workflows.ports import Positions, Stored

log = structlog.get_logger(__name__)

T = TypeVar("T")

AT_ONCE = 16
SURE_SECONDS = 1.0
"""How long it is taken for granted that Temporal and the store still live the same life."""

MOST_WATCHED = 2_000
"""Matters kept in memory, the least lately heard of given up first; the others are read again from their start."""

MATTER_EVENTS = frozenset(event.TYPE for event in FOLDS)

ASIDE = "aside-"
"""Before the id of a case that was set aside, the name under which that is kept among the positions."""

OpenCases = Callable[[], Iterable[str]]
"""Lists the cases that may need a process; one too many does no harm, for the store is asked about each."""


class ProcessStarter:
    """The consumer `processes`. `open_cases` lists what is brought up when Temporal or the store has a new life."""

    name = "processes"

    def __init__(
        self, client: Client, handle: Handle, positions: Positions, open_cases: OpenCases, task_queue: str
    ) -> None:
        self.client, self.handle, self.positions = client, handle, positions
        self.open_cases, self.task_queue = open_cases, task_queue
        self._life, self._asked_for = "", ""
        self._sure_until = 0.0
        self._settling = asyncio.Lock()
        self._watched: dict[str, Watched] = {}
        self._aside: frozenset[str] = frozenset()
        self._turns = asyncio.Semaphore(AT_ONCE)

    # -- the consumer's contract ----------------------------------------------------------------------------------

    def position(self) -> int:
        """How far this life has been told; 0 as long as Temporal has not answered. Raises Unavailable."""
        life, self._asked_for = self._life, self._life
        return self.positions.position(life) if life else 0

    async def take(self, batch: Sequence[Stored]) -> None:
        """Tell the processes that the batch concerns, then save the position.

        Raises Unavailable (take it again) and Conflict (ask for the position again: it is that of another life now).
        """
        await self.settle()
        if self._asked_for != self._life:
            raise Conflict("processes stand elsewhere in this life of Temporal")
        stands = await asyncio.to_thread(self.positions.position, self._life)
        news = [row for row in batch if row.position > stands]
        firsts: dict[str, int] = {}
        for row in news:
            if row.type in MATTER_EVENTS:
                firsts.setdefault(row.stream, row.version)
        await self._all(self._follow(case, first) for case, first in firsts.items())
        failpoint("starter.after_told")  # tells the same again: a process ignores what is not newer
        if news:
            await asyncio.to_thread(self.positions.save, self._life, stands, news[-1].position)

    async def settle(self) -> None:
        """Notice a new life of Temporal's namespace or of the store, and bring every open process up in it.

        Raises Unavailable, and Conflict when another process has done it.
        """
        async with self._settling:
            if time.monotonic() < self._sure_until:
                return
            life = f"processes-{await namespace_id(self.client)}-{await asyncio.to_thread(self.handle.store.epoch)}"
            self._sure_until = time.monotonic() + SURE_SECONDS
            if life == self._life:
                return
            self._sure_until = 0.0
            await prepare_namespace(self.client)
            head = await asyncio.to_thread(self.handle.store.head)
            if head and not await asyncio.to_thread(self.positions.position, life):
                log.info("processes_brought_up", open=await self.rebuild())
                failpoint("starter.after_rebuild")
                await asyncio.to_thread(self.positions.save, life, 0, head)
            self._life = life
            self._watched.clear()

    # -- telling --------------------------------------------------------------------------------------------------

    async def rebuild(self) -> int:
        """Bring up or poke the processes of every open case; returns how many cases are open. Raises Unavailable."""
        cases = await asyncio.to_thread(lambda: list(self.open_cases()))
        found = await self._all(self.bring_up(case) for case in cases)
        return sum(found)

    async def bring_up(self, case: str) -> bool:
        """Poke the processes of one case and start those that are missing; False if the case is not open, or set aside."""
        told = await self._readable(case, snapshot, self.handle, case)
        if told is None or (told.closed and case not in self._aside):
            return False
        await self._tell(told, {"": told, **{leg.owner: leg for leg in told.legs}})
        if case in self._aside:
            await self._mark(case, None)
        return not told.closed

    async def retry(self) -> None:
        """Try again what was set aside, by whichever process. Raises Unavailable."""
        found = await asyncio.to_thread(self.positions.beginning_with, ASIDE)
        self._aside = frozenset(name.removeprefix(ASIDE) for name in found)
        await self._all(self.bring_up(case) for case in sorted(self._aside))

    async def _readable(self, case: str, read: Callable[..., T], *given: object) -> T | None:
        """What reading a case gives, or None where it cannot be read: it is set aside then. Raises Unavailable."""
        try:
            return await asyncio.to_thread(read, *given)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one case's fault, of any kind, must not hold up the others
            if case not in self._aside:
                # Where in the code, never in the error's words: they might quote a value (law 9).
                last = traceback.extract_tb(error.__traceback__)[-1]
                at = f"{last.name}:{last.lineno}"
                log.error("case_set_aside", case=case, error=type(error).__name__, at=at)
                await self._mark(case, await asyncio.to_thread(self.handle.store.head))
            return None

    async def _mark(self, case: str, head: int | None) -> None:
        """Keep on record that a case is set aside, or is so no longer."""
        name = f"{ASIDE}{case}"
        before = await asyncio.to_thread(self.positions.position, name)
        await asyncio.to_thread(self.positions.save, name, before, head or 0)
        self._aside = self._aside | {case} if head else self._aside - {case}

    async def _follow(self, case: str, first: int) -> None:
        """Tell what the events of a case from version `first` on have changed for its processes."""
        # A failure below forgets the matter: then it is read again from its start.
        before = self._watched.pop(case, None)
        read = await self._readable(case, self._read, case, first, before)
        if read is None:
            return
        watched, told, concerns = read
        if case in self._aside:  # what was not told of it meanwhile
            await self.bring_up(case)
        await self._tell(told, concerns)
        self._watched[case] = watched
        if len(self._watched) > MOST_WATCHED:
            self._watched.pop(next(iter(self._watched)))

    def _read(
        self, case: str, first: int, before: Watched | None
    ) -> tuple[Watched, Snapshot, dict[str, Snapshot]]:
        """Read on to the newest event, not only to the batch's last: what is over is not begun any more."""
        law, epoch = self.handle.standing.caught_up().laws.__getitem__, self.handle.store.epoch()
        known = before or Watched()
        rows = self.handle.store.load(case, known.version)
        events = [decode(row.type, row.body) for row in rows]
        if before is None:
            known.catch_up(events[: first - 1], law)
            events = events[first - 1 :]
        owners = known.hear(events, law)
        if known.state is None:
            return known, nothing(case, "", epoch), {}
        concerns = {owner: snapshot_of(known.state, epoch, law, owner) for owner in owners}
        return known, snapshot_of(known.state, epoch, law), concerns

    async def _tell(self, matter: Snapshot, concerns: dict[str, Snapshot]) -> None:
        """The summons first. Where a process is missing, the matter's process is asked to see to it: it brings up what
        is open, and what it is just bringing up it tells that it is over."""
        legs = [told for owner, told in concerns.items() if owner]
        reached = await asyncio.gather(*(self._signal(leg) for leg in legs))
        absent = [leg for leg, there in zip(legs, reached, strict=True) if not there]
        if not absent and "" not in concerns:
            return
        told = replace(
            matter,
            legs=(*matter.legs, *(leg for leg in absent if leg.closed)),
            absent=tuple(leg.owner for leg in absent),
        )
        if matter.closed:
            await self._signal(told)
        else:
            await self._start(told)

    async def _signal(self, told: Snapshot) -> bool:
        """Poke a process; False if none is running."""
        handle = self.client.get_workflow_handle(process_id(told.case, told.owner))
        try:
            with reported():
                await handle.signal(POKE, told, rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False
        return True

    async def _start(self, told: Snapshot) -> None:
        """Signal with start. Temporal lets one process of an id run at a time; the store said that the case is open,
        so that a process which ended (the matter was reopened, somebody ended it by hand) is followed by another."""
        with reported():
            await self.client.start_workflow(
                MATTER_PROCESS, told, id=process_id(told.case), task_queue=self.task_queue, start_signal=POKE,
                start_signal_args=[told], id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                search_attributes=wording.attributes(told), static_summary=wording.summary(told),
                rpc_timeout=RPC_TIMEOUT,
            )  # fmt: skip

    async def _all(self, calls: Iterable[Awaitable[T]]) -> list[T]:
        """All of them, some at once. The first failure is raised when every call has ended."""

        async def in_turn(call: Awaitable[T]) -> T:
            async with self._turns:
                return await call

        found = await asyncio.gather(*(in_turn(call) for call in calls), return_exceptions=True)
        for one in found:
            if isinstance(one, BaseException):
                raise one
        return [one for one in found if not isinstance(one, BaseException)]
