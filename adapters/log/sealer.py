"""The sealer: seals every event of the store into the log, in order, and signs what is committed (DESIGN.md law 12).

It is a consumer of the follower's, in a role of its own (`seal`). Each batch is one transaction of leaves, tiles,
streams' heads and state; the head is signed only then, over the size and root read back from the committed row, and no
head is ever signed for a size that has one. Killed anywhere, it does the last batch again, which gives the same leaves.
Beside the key stands how far it has signed (adapters.log.mark): a state that falls behind that is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import structlog

from adapters.failpoint import failpoint
from adapters.log.checks import check_log, check_tail
from adapters.log.genesis import Opening, first_growth
from adapters.log.growing import Tip, grown, tip_of
from adapters.log.keys import Signer
from adapters.log.mark import Mark, boards_in_force, roots_of
from adapters.log.store import Head, LogState, LogStore
from domain.log.checkpoint import Checkpoint
from domain.log.events import PolicyAdopted
from domain.log.notes import format_note, sign_note
from domain.log.policy import Witness
from domain.refusal import Conflict, Refused
from workflows.ports import EventStore, Stored

BATCH = 4096
"""Events sealed at once at most: a backlog is read in pages of this many, and memory stays modest."""

TROUBLE = "trouble"
"""The note by which the sealer tells the doctor why it does not seal."""

_log = structlog.get_logger("sealer")


class Claim(NamedTuple):
    """A board that has cosigned more leaves than this log holds: proved by a head with the log's own signature, or by
    its word alone."""

    board: str
    size: int
    proved: bool


Ahead = Callable[[LogState], list[Claim]]
"""The boards that are ahead of this state, but for words that were set aside; it may block, and asks again each time."""


def nobody(_: LogState) -> list[Claim]:
    """Where no witness is known, none is ahead."""
    return []


class Sealer:
    """The consumer `sealer`."""

    name = "sealer"

    def __init__(
        self, store: EventStore, log: LogStore, signer: Signer, mark: Mark, opening: Opening,
        clock: Callable[[], datetime], ahead: Ahead = nobody,
    ) -> None:  # fmt: skip
        """`opening` is used once, where the log has not been opened yet; `mark` says how far the signer has signed."""
        self._store, self._log, self._signer, self._mark, self._opening = store, log, signer, mark, opening
        self._clock, self._ahead = clock, ahead
        self._tip: Tip | None = None
        self._boards: tuple[Witness, ...] = ()

    def position(self) -> int:
        """How far the log has come, once everything has been checked and what was committed last is signed.

        Raises Refused for whatever forbids sealing: see adapters.log.checks, adapters.log.mark, "witness_ahead", and
        "witness_claims_more" for a board's word without proof. Unavailable.
        """
        try:
            self._tip = self._begun()
            check_log(self._log, self._store, self._tip, self._signer.vkey)
            self._check_witnesses(self._tip.state)
            self._mark.check(self._tip.state, roots_of(self._log))
            self._boards = boards_in_force(self._store)
            self._sign()
        except Refused as refused:
            self._report(refused)
            raise
        if self._log.meta(TROUBLE) is not None:
            self._log.set_meta(TROUBLE, None)
        return self._tip.state.position

    async def take(self, batch: Sequence[Stored]) -> None:
        """Seal the batch and sign the head. Raises as `position`, and Conflict where another process has sealed it."""
        await asyncio.to_thread(self.seal, batch)

    def seal(self, batch: Sequence[Stored]) -> None:
        """What `take` does, in the caller's thread."""
        assert self._tip is not None, "position is asked first"
        try:
            check_tail(self._log, self._store, self._tip)
            self._append(batch, self._tip)
            self._sign()
        except Refused as refused:
            self._report(refused)
            raise

    def _begun(self) -> Tip:
        """Where the log ends; opened, if it has not been."""
        tip = tip_of(self._log)
        if tip.state.size:
            return tip
        # A log that was lost is not begun anew under its name: it would have another first leaf.
        self._mark.check(tip.state._replace(origin=self._opening.origin), roots_of(self._log))
        failpoint("sealer.before_genesis")
        growth, after = first_growth(self._opening, self._signer.vkey, self._store.epoch(), self._clock())
        self._log.append(tip.state, growth)
        _log.info("log_opened", origin=self._opening.origin)
        return after

    def _append(self, batch: Sequence[Stored], tip: Tip) -> None:
        made = grown(tip, batch, self._log.stream_heads)
        for position in made.out_of_step:
            # Sealed all the same: the hole stands in the log for every verifier to see.
            _log.error("stream_out_of_step", position=position)
        failpoint("sealer.before_append")
        self._log.append(tip.state, made.growth)
        self._tip = made.tip
        if any(stored.type == PolicyAdopted.TYPE for stored in batch):
            self._boards = boards_in_force(self._store)

    def _sign(self) -> None:
        """Sign the committed state, unless its head stands already."""
        state = self._log.state()
        if self._tip is None or state != self._tip.state:
            raise Conflict("another process has moved the log")
        failpoint("sealer.before_mark")
        self._mark.move(state, self._boards, roots_of(self._log))
        newest = self._log.head()
        if newest is not None and newest.size == state.size:
            return  # its root was compared at the start, and has been ours since
        failpoint("sealer.before_sign")
        text = Checkpoint(state.origin, state.size, state.root).text
        note = format_note(sign_note(text, self._signer.vkey, self._signer.sign))
        failpoint("sealer.after_sign")
        self._log.save_head(Head(state.size, state.root, note, self._signed_at(newest)))

    def _signed_at(self, newest: Head | None) -> datetime:
        """Now, or the newest head's moment where the clock has gone backwards since: order never turns."""
        now = self._clock()
        if newest is None or now >= newest.signed_at:
            return now
        _log.warning("clock_went_backwards", seconds=(newest.signed_at - now).total_seconds())
        return newest.signed_at

    def _check_witnesses(self, state: LogState) -> None:
        ahead = self._ahead(state)
        proved = [one.board for one in ahead if one.proved]
        if proved:
            raise Refused(
                "witness_ahead",
                f"{', '.join(proved)} cosigned more than this log's {state.size} leaves, so that newer ones were lost:"
                " restore a newer backup of record and log. If there is none, tell the boards and open a new log that"
                " names this one (huiyin log open --after).",
            )
        if ahead:
            said = ", ".join(f"{one.board} ({one.size})" for one in ahead)
            raise Refused(
                "witness_claims_more",
                f"These boards say that they cosigned more than this log's {state.size} leaves, and show no head that this"
                f" log signed: {said}. Ask each for the head. If there is one, newer leaves were lost: restore a newer"
                " backup. If there is none, set the board's word aside, on record and for every board to see"
                " (huiyin log set-aside BOARD --claimed SIZE), and start the role seal again.",
            )

    def _report(self, refused: Refused) -> None:
        """Leave word for the doctor; what is wrong names positions and leaves, nothing personal."""
        trouble = f"{refused.code}: {refused.advice}"
        if self._log.meta(TROUBLE) != trouble:
            self._log.set_meta(TROUBLE, trouble)
