"""Moments as the stores keep them: microseconds since 1970, which both databases compare alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CLOCK_TOLERANCE = 1_000_000
"""Microseconds that an append may lie behind the newest event (law 6)."""
CLOCK_AHEAD = 5_000_000
"""Microseconds that an append may lie ahead of the database server's clock."""


def as_microseconds(moment: datetime) -> int:
    """Microseconds since 1970-01-01T00:00Z; `moment` must be aware."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def before_moment(moment: datetime | None) -> int:
    """What `recorded_at` stays below before that moment; without one, what it always stays below."""
    return 2**63 - 1 if moment is None else as_microseconds(moment)


def as_moment(microseconds: int) -> datetime:
    """The aware UTC datetime of `as_microseconds`."""
    return EPOCH + timedelta(microseconds=microseconds)


def last_known(peek: Callable[[int], Sequence[int] | None], head: int, moment: datetime) -> int:
    """The highest position whose known_at is at most `moment`, 0 if none, by halving.

    `peek(position)` gives (position, known_at) of the first event from there on; known_at never falls.
    """
    until = as_microseconds(moment)
    known, beyond = 0, head + 1
    while beyond - known > 1:
        middle = (known + beyond) // 2
        found = peek(middle)
        if found is not None and found[0] < beyond and found[1] <= until:
            known = found[0]
        else:
            beyond = middle
    return known
