"""Whose leaves a board may read; of all others it is given the hashes (evidence.md 2.7, DESIGN.md law 10).

An accusation (检举控告) is for discipline inspection alone, with all that was refused or read about it. Other cases are
for the boards whose remit they lie in: that of a board which lies under a body is what that body and those below it
take part in, and that of the district's board is the whole district.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from domain.event import decode
from domain.log.words import GENESIS, LOG
from domain.matter import Matter, replay
from domain.refusal import Refused
from domain.register import Register
from workflows.ports import EventStore, Stored
from workflows.records import (
    BundleTaken,
    CommandRefused,
    MattersIndexed,
    NoticeDelivered,
    NoticeFailed,
    SealedRead,
)
from workflows.rooms import STREAMS

Reads = Callable[[str], bool]
"""Whether the leaves of a stream may be read."""

BOARDS = ("supervisory_board", "discipline_inspection")
_OF_EVERYBODY = frozenset({GENESIS, LOG, *STREAMS})
_OPENING = ("matter_registered.v1", "matter_backfilled.v1")
_ABOUT_A_CASE = (CommandRefused.TYPE, SealedRead.TYPE, NoticeDelivered.TYPE, NoticeFailed.TYPE)
_OF_NOBODY = (BundleTaken.TYPE, MattersIndexed.TYPE)
"""What was taken or read of many cases at once: it says nothing about any of them."""


class Remit:
    """What one board may read, as things stand `at` (UTC). Every stream is judged once."""

    def __init__(
        self, store: EventStore, register: Register, board: str, at: datetime, *, whole: bool
    ) -> None:
        """`whole`: every case that is no accusation. Raises Refused "not_a_board"."""
        body = register.body(board, at)
        if body is None or body.kind not in BOARDS:
            raise Refused(
                "not_a_board", "Name a supervisory board or discipline inspection, as the register does."
            )
        self._store, self._register, self._at, self._board = store, register, at, board
        self._discipline = body.kind == "discipline_inspection"
        above = None if body.parent is None else register.body(body.parent, at)
        narrow = above is not None and above.kind != "district" and not whole
        self._under = above.id if above is not None and narrow else None
        self._known: dict[str, bool] = dict.fromkeys(_OF_EVERYBODY, True)

    def reads(self, stream: str) -> bool:
        """Whether the board may read the leaves of this stream. Raises Unavailable."""
        known = self._known.get(stream)
        if known is None:
            known = self._known[stream] = self._judged(self._store.load(stream))
        return known

    def _judged(self, rows: list[Stored]) -> bool:
        if not rows:
            return False
        if rows[0].version > 1:  # its beginning is gone from the record: a board must be shown that hole
            return self._under is None and not _diverted(rows)
        if rows[0].type in _ABOUT_A_CASE:
            return self._about(decode(rows[0].type, rows[0].body).pub.case)
        if rows[0].type not in _OPENING:
            return rows[0].type in _OF_NOBODY
        if self._under is None and not _accuses(rows):
            return True
        matter = replay(decode(row.type, row.body) for row in rows)
        return matter is not None and (
            self._accusation(matter) if matter.confidential else self._within(matter)
        )

    def _about(self, case: str) -> bool:
        """What was refused or read of a case goes with it; what was refused before there was one is nobody's secret."""
        return self.reads(case) if self._store.versions((case,)) != (0,) else self._under is None

    def _accusation(self, matter: Matter) -> bool:
        """As domain.visibility has it: not for the accused unit, and once diverted for that body alone."""
        if not self._discipline or matter.diverted_to not in (None, self._board):
            return False
        return matter.subject is None or not self._register.within(self._board, matter.subject, self._at)

    def _within(self, matter: Matter) -> bool:
        under = self._under
        return under is None or any(self._register.within(one, under, self._at) for one in matter.bodies())


def _accuses(rows: list[Stored]) -> bool:
    """Whether a case is confidential from the start, or was diverted later."""
    opened = decode(rows[0].type, rows[0].body).pub
    return getattr(opened, "confidential", False) or _diverted(rows)


def _diverted(rows: list[Stored]) -> bool:
    return any(row.type == "matter_diverted.v1" for row in rows)
