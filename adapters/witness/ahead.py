"""Is any board ahead of us? Asked before the sealer signs: after a restored backup the boards know more than the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx
import structlog

from adapters.log.store import Head, LogState, LogStore
from adapters.witness.client import BoardFailed, WitnessClient, http_client
from adapters.witness.keeping import by_the_log, policy_in_force
from domain.log.notes import VerifierKey
from domain.log.policy import Policy, Witness
from workflows.handle import Handle

_log = structlog.get_logger("ahead")


@dataclass(frozen=True, slots=True)
class Seen:
    """How far a board's witness has come by its own account.

    `size` is None for a board that could not be asked, then `why` says why. `root` is there where the witness showed a
    head with the log's own signature, which is proof; without it the size is the board's word.
    """

    board: str
    size: int | None
    root: bytes | None = None
    why: str | None = None


def boards_ahead(log: LogStore, handle: Handle) -> Callable[[LogState], list[str]]:
    """What the sealer asks: the boards of the policy in force that have cosigned more leaves than a state has.

    A board that cannot be asked holds nothing up. The function blocks, and may raise Unavailable.
    """

    def ahead(state: LogState) -> list[str]:
        policy = policy_in_force(handle.standing.caught_up().cosigning, handle.store)
        if policy is None:
            return []
        origin = state.origin or policy.log_keys[0].name
        seen = asyncio.run(seen_by_boards(policy, origin, log.head()))
        for one in seen:
            _log.info("board", board=one.board, size=one.size, proved=one.root is not None, why=one.why)
        return [one.board for one in seen if one.size is not None and one.size > state.size]

    return ahead


async def seen_by_boards(policy: Policy, origin: str, head: Head | None) -> list[Seen]:
    """What every board with a URL has seen last, all asked at once; at most half a minute.

    `head` is the newest head of this log: a board that shows none of its own is asked about that one.
    """
    log_keys = [key for key in policy.log_keys if key.name == origin]
    boards = [one for one in policy.witnesses if one.url]
    async with http_client() as http:
        return await asyncio.gather(*(_seen(one, http, origin, log_keys, head) for one in boards))


async def _seen(
    board: Witness, http: httpx.AsyncClient, origin: str, log_keys: Sequence[VerifierKey], head: Head | None
) -> Seen:
    client, why = WitnessClient(board, http), None
    try:
        shown = await client.latest(origin, log_keys)
        if shown is not None:
            return Seen(board.name, shown.size, shown.root)
    except BoardFailed as failed:
        why = failed.why
    if head is None:
        return Seen(board.name, None if why else 0, why=why)
    try:
        # By the submission prefix: an old size of zero makes a witness name its own (tlog-witness, add-checkpoint).
        return Seen(board.name, await client.size_told(by_the_log(head.note, log_keys)))
    except BoardFailed as failed:
        return Seen(board.name, None, why=failed.why)
