"""Gaps in the cosigning, put on record by the clock: since when a board has been silent, and that it is back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import uuid4

import structlog

from adapters.log.store import Head, LogStore
from adapters.witness.keeping import named_since, remembered, signing_key
from domain.acting import CLOCK, Command
from domain.log.commands import NoteReturn, NoteSilence
from domain.log.policy import Policy, Witness
from domain.log.state import Cosigning
from domain.log.texts import to_base64
from domain.log.words import LOG
from workflows.handle import Handle
from workflows.submission import Submission

_log = structlog.get_logger("cosigner")


class Gaps:
    """Notes what it sees, each thing once: the record says what has been noted before."""

    def __init__(self, log: LogStore, handle: Handle) -> None:
        self._log, self._handle = log, handle
        self._refused: set[Command] = set()

    def note(self, policy: Policy, head: Head) -> None:
        """Hand in what is not on record yet. Raises Unavailable."""
        cosigning = self._handle.standing.caught_up().cosigning
        for command in self._seen(policy, head, cosigning):
            if command in self._refused:
                continue
            answer = self._handle(Submission("seal", uuid4().hex, LOG, command, CLOCK))
            if not answer.accepted:
                self._refused.add(command)  # what is refused once is not handed in every second
            _log.warning("gap", noted=command.NAME, board=command.witness, outcome=answer.outcome)

    def _seen(self, policy: Policy, head: Head, cosigning: Cosigning) -> Iterator[NoteSilence | NoteReturn]:
        named = named_since(cosigning, signing_key(cosigning, self._log))
        for board in policy.witnesses:
            size, silent = remembered(self._log, board).size, cosigning.silent.get(board.name)
            if silent is not None:
                if size > silent.last_size:
                    yield from self._return(board, size)
            elif (
                size < head.size and named is not None
            ):  # what they cannot know by its key they refuse rightly
                yield from self._silence(board, size, head, cosigning, named)

    def _return(self, board: Witness, size: int) -> Iterator[NoteReturn]:
        head = self._log.head_at(size)
        if head is not None:
            yield NoteReturn(witness=board.name, size=size, root=to_base64(head.root))

    def _silence(
        self, board: Witness, size: int, head: Head, cosigning: Cosigning, named: datetime
    ) -> Iterator[NoteSilence]:
        """The first head that waits for the board has waited too long, by a key that its policy has named since."""
        appointed = cosigning.appointed.get(board.name)
        waiting = self._log.heads(size, 1)
        if appointed is None or cosigning.policy is None or not waiting:
            return
        since = max(waiting[0].signed_at, appointed, named)
        if self._now() - since > cosigning.policy.delay:
            yield NoteSilence(
                witness=board.name, since=since, size=head.size, root=to_base64(head.root),
                last_size=size,
            )  # fmt: skip

    def _now(self) -> datetime:
        return self._handle.clock()
