"""The loop that has the log's heads cosigned, in the role `seal`: every board is asked by itself, and none is waited for.

It never holds up sealing. A board that leaves a head without its cosignature for longer than promised becomes a gap on
record, once, and so does its return (evidence.md 2.6).
"""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import httpx
import structlog

from adapters.log.proofs import Proofs
from adapters.log.store import Head, LogStore
from adapters.witness.client import BoardAhead, BoardFailed, WitnessClient, http_client
from adapters.witness.gaps import Gaps
from adapters.witness.keeping import BoardNote, by_the_log, keep, policy_in_force, remember, remembered
from domain.log.notes import Note
from domain.log.policy import Policy, Witness
from domain.refusal import Unavailable
from workflows.handle import Handle

ROUND_SECONDS = 1.0
"""Between two looks for a new head: a board is asked no more often than that."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Before a board that failed is asked again; doubled each time."""
STANDBY_SECONDS = 1.0
_log = structlog.get_logger("cosigner")


@dataclass(slots=True)
class _Asked:
    """A board with a witness that can be asked: what it has cosigned, when it may be asked again, the asking now."""

    board: Witness
    client: WitnessClient
    size: int
    pause: float = FIRST_PAUSE
    not_before: float = 0.0
    task: asyncio.Task[None] | None = None

    def wants(self, head: Head) -> bool:
        """Whether to ask it about this head now."""
        idle = self.task is None or self.task.done()
        return idle and head.size > self.size and time.monotonic() >= self.not_before


class Cosigner:
    """`run` until stopped. One process leads; `handle` takes the gaps, and the policies that it adopted count."""

    def __init__(self, log: LogStore, handle: Handle) -> None:
        self._log, self._handle = log, handle
        self._proofs, self._gaps = Proofs(log), Gaps(log, handle)
        self._digest: str | None = None
        self._unnamed: str | None = None
        self._policy: Policy | None = None
        self._asked: list[_Asked] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Have heads cosigned until told to stop; whatever is out of reach is tried again."""
        async with http_client() as http:
            while not stop.is_set():
                with ExitStack() as held:
                    try:
                        if await asyncio.to_thread(held.enter_context, self._log.leader("cosigner")):
                            await self._rounds(http, stop)
                    except Exception as error:  # noqa: BLE001 - sealing goes on, whatever becomes of the cosigning
                        _log.error("cosigning_failed", error=type(error).__name__, again_in=STANDBY_SECONDS)
                    finally:
                        await self._let_go()
                await _pause(stop, STANDBY_SECONDS)

    async def _rounds(self, http: httpx.AsyncClient, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.round(http)
            await _pause(stop, ROUND_SECONDS)

    async def round(self, http: httpx.AsyncClient) -> None:
        """Begin to ask whom there is something to ask, and put gaps on record. Raises Unavailable."""
        await self._look(http)
        head = await asyncio.to_thread(self._log.head)
        if head is None or self._policy is None:
            return
        for one in self._wanting(head, by_the_log(head.note, self._policy.log_keys)):
            one.task = asyncio.create_task(self._ask(one, head, self._policy))
        await asyncio.to_thread(self._gaps.note, self._policy, head)

    def _wanting(self, head: Head, note: Note) -> list[_Asked]:
        """Whom to ask now: nobody about a head that no key of the policy has signed, which they could only refuse."""
        if note.signatures:
            return [one for one in self._asked if one.wants(head)]
        if self._unnamed != self._digest:
            _log.warning("key_not_named", size=head.size, advice="adopt a policy that names the new key")
            self._unnamed = self._digest
        return []

    async def _look(self, http: httpx.AsyncClient) -> None:
        """Which policy is in force; after a change the boards are met anew."""
        standing = await asyncio.to_thread(self._handle.standing.caught_up)
        present = standing.cosigning.policy
        if present is None or present.digest == self._digest:
            return
        policy = await asyncio.to_thread(policy_in_force, standing.cosigning, self._handle.store)
        if policy is None:
            return
        await self._let_go()
        self._policy, self._digest = policy, present.digest
        for board in policy.witnesses:
            if board.url:
                known = await asyncio.to_thread(remembered, self._log, board)
                self._asked.append(_Asked(board, WitnessClient(board, http), known.size))
        _log.info("policy", digest=present.digest, boards=len(self._asked))

    async def _ask(self, one: _Asked, head: Head, policy: Policy) -> None:
        """Ask one board about one head and keep what it gives; a failure is remembered, and the next try is later."""
        try:
            note = by_the_log(head.note, policy.log_keys)
            given = await one.client.cosign(note, self._proofs.consistency)
            quorum = await asyncio.to_thread(
                keep, self._log, policy, one.board, head.size, given.lines, self._handle.clock()
            )
        except BoardFailed as failed:
            await self._failed(one, failed)
            return
        except Unavailable as error:  # the log's own database: the next round finds it back
            _log.warning("log_out_of_reach", board=one.board.name, why=str(error))
            return
        except Exception as error:  # noqa: BLE001 - one board's fault, of any kind, must not end the others
            await self._failed(one, BoardFailed(type(error).__name__))
            return
        one.size, one.pause, one.not_before = head.size, FIRST_PAUSE, 0.0
        _log.debug("cosigned", board=one.board.name, size=head.size, quorum=quorum)

    async def _failed(self, one: _Asked, failed: BoardFailed) -> None:
        one.not_before = time.monotonic() + one.pause
        one.pause = min(one.pause * 2, LONGEST_PAUSE)
        told = _log.error if isinstance(failed, BoardAhead) else _log.warning
        told("board_failed", board=one.board.name, why=failed.why, size=one.size)
        with suppress(Unavailable):
            await asyncio.to_thread(remember, self._log, one.board, BoardNote(one.size, failed.why))

    async def _let_go(self) -> None:
        running = [one.task for one in self._asked if one.task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self._asked, self._policy, self._digest = [], None, None


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
