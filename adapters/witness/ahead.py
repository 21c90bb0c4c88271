"""Is any board ahead of us? Asked before the sealer signs: after a restored backup the boards know more than the log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
import structlog

from adapters.log.genesis import key_in_force
from adapters.log.mark import Mark
from adapters.log.sealer import Ahead, Claim
from adapters.log.store import Head, LogState, LogStore
from adapters.witness.client import BoardFailed, WitnessClient, http_client
from adapters.witness.keeping import by_the_log, policy_in_force, remembered
from domain.log.notes import VerifierKey
from domain.log.policy import Witness
from domain.log.state import Cosigning
from workflows.handle import Handle

_log = structlog.get_logger("ahead")


@dataclass(frozen=True, slots=True)
class Seen:
    """How far a board's witness has come by its own account.

    `size` is None for a board that could not be asked, then `why` says why. `root` is there where the witness showed a
    head with the log's own signature, which is proof; without it the size is the board's word.
    """

    board: Witness
    size: int | None
    root: bytes | None = None
    why: str | None = None


def boards_ahead(log: LogStore, handle: Handle, mark: Mark) -> Ahead:
    """What the sealer asks: the boards that have cosigned more leaves than a state has.

    Those of the policy in force are asked, and those of the mark: a restored record may be older than its policy. A
    board that cannot be asked holds nothing up, nor does one whose word was set aside on record: see `set_aside`. The
    function blocks, and may raise Unavailable, Refused `mark_damaged`.
    """

    def ahead(state: LogState) -> list[Claim]:
        cosigning = handle.standing.caught_up().cosigning
        policy = policy_in_force(cosigning, handle.store)
        marked = mark.read(state.origin)
        boards = (*(policy.witnesses if policy else ()), *(marked.boards if marked else ()))
        if not boards:
            return []
        log_keys = [*(policy.log_keys if policy else ()), VerifierKey.parse(key_in_force(log, handle.store))]
        seen = asyncio.run(seen_by_boards(boards, state.origin, log_keys, log.head()))
        for one in seen:
            _log.info("board", board=one.board.name, size=one.size, proved=one.root is not None, why=one.why)
        return list(
            dict.fromkeys(
                Claim(one.board.name, one.size, one.root is not None)
                for one in seen
                if one.size is not None and one.size > state.size and not set_aside(one, cosigning, log)
            )
        )

    return ahead


def set_aside(seen: Seen, cosigning: Cosigning, log: LogStore) -> bool:
    """Whether what a board says counts for nothing: its word alone, no larger than what was set aside on record, and it
    has cosigned nothing that came after. A head with the log's own signature always counts.
    """
    aside = cosigning.asides.get(str(seen.board.vkey))
    if aside is None or seen.root is not None or seen.size is None or seen.size > aside.claimed:
        return False
    return remembered(log, seen.board).size <= aside.size


async def seen_by_boards(
    boards: Sequence[Witness], origin: str, log_keys: Sequence[VerifierKey], head: Head | None
) -> list[Seen]:
    """What every board with a URL has seen last, each key and URL once, all asked at once; at most half a minute.

    `log_keys` are the keys that may have signed for this origin. `head` is the newest head of this log: a board that
    shows none of its own is asked about that one.
    """
    keys = [key for key in dict.fromkeys(log_keys) if key.name == origin]
    asked = {(one.vkey, one.url): one for one in boards if one.url}
    async with http_client() as http:
        return await asyncio.gather(*(_seen(one, http, origin, keys, head) for one in asked.values()))


async def _seen(
    board: Witness, http: httpx.AsyncClient, origin: str, log_keys: Sequence[VerifierKey], head: Head | None
) -> Seen:
    client, why = WitnessClient(board, http), None
    try:
        shown = await client.latest(origin, log_keys)
        if shown is not None:
            return Seen(board, shown.size, shown.root)
    except BoardFailed as failed:
        why = failed.why
    if head is None:
        return Seen(board, None if why else 0, why=why)
    try:
        # By the submission prefix: an old size of zero makes a witness name its own (tlog-witness, add-checkpoint).
        return Seen(board, await client.size_told(by_the_log(head.note, log_keys)))
    except BoardFailed as failed:
        return Seen(board, None, why=failed.why)
