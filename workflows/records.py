"""Events of record that belong to no case's own stream: refusals and reads of sealed values (DESIGN.md law 5, 10, §9)."""

from __future__ import annotations

import uuid

from domain.event import Event

_REFUSALS = uuid.UUID("5e91a2d4-0f3c-4f5e-9b1a-6c1f3a7d2e03")
_READS = uuid.UUID("5e91a2d4-0f3c-4f5e-9b1a-6c1f3a7d2e04")
_NOTICES = uuid.UUID("5e91a2d4-0f3c-4f5e-9b1a-6c1f3a7d2e08")
_BUNDLES = uuid.UUID("5e91a2d4-0f3c-4f5e-9b1a-6c1f3a7d2e07")
INDEXED = "5e91a2d4-0f3c-4f5e-9b1a-6c1f3a7d2e0d"
"""The stream of what machines read to compare matters."""


class CommandRefused(Event, name="command_refused.v1"):
    """A well-formed command of an authenticated caller was refused; it changed nothing."""

    case: str
    command_name: str
    code: str


class SealedRead(Event, name="sealed_read.v1"):
    """Somebody read sealed values of a case: which fields, for what purpose."""

    case: str
    fields: tuple[str, ...]
    purpose: str


class NoticeDelivered(Event, name="notice_delivered.v1"):
    """Somebody was told of a moment of a case by message: the receiving side has taken it over (law 10: when, and what).

    `about` is the version of the case that is told of, `to` the requester's or officer's random id; the text is made
    from public fields alone, and where it went to is sealed.
    """

    case: str
    about: int
    moment: str
    to: str
    channel: str


class NoticeFailed(Event, name="notice_failed.v1"):
    """A message that will not arrive: `code` says why, and `channel` is `none` where no way led to them."""

    case: str
    about: int
    moment: str
    to: str
    channel: str
    code: str


class BundleTaken(Event, name="bundle_taken.v1"):
    """An audit bundle was made for a board: of the leaves from `start` up to `end`, of which `withheld` as hashes only.

    `whole`: without regard to the board's remit; accusations stay withheld from all but discipline inspection.
    """

    board: str
    start: int
    end: int
    withheld: int
    whole: bool


class MattersIndexed(Event, name="matters_indexed.v1"):
    """A machine read text and place of `cases` matters, of those opened or taken up again after `start` up to `end`
    (positions of the store), so that likely duplicates can be offered. Nobody was shown them."""

    cases: int
    start: int
    end: int


def refusals_of(case: str) -> str:
    """The stream of a case's refusals; derived, so that many callers do not wait for one stream."""
    return str(uuid.uuid5(_REFUSALS, case))


def reads_of(case: str) -> str:
    """The stream of reads of a case's sealed values."""
    return str(uuid.uuid5(_READS, case))


def notices_of(case: str) -> str:
    """The stream of what became of messages about a case."""
    return str(uuid.uuid5(_NOTICES, case))


def bundles_of(board: str) -> str:
    """The stream of bundles taken for a board."""
    return str(uuid.uuid5(_BUNDLES, board))
