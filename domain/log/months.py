"""Months of the census: calendar months in UTC, written 2026-11, by an event's own `recorded_at`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

MONTH: Final = r"^[12][0-9]{3}-(0[1-9]|1[0-2])$"

SETTLED_AFTER: Final = timedelta(seconds=1)
"""The store refuses what lies further behind its newest event: with one that is more than this past a month's end, or
past its own recording, nothing of that month can be stored any more."""


def month_after(month: str) -> str:
    """The month that follows."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04d}-{number % 12 + 1:02d}"


def begin_of(month: str) -> datetime:
    """The moment (UTC) at which it begins."""
    return datetime.fromisoformat(f"{month}-01").replace(tzinfo=UTC)


def end_of(month: str) -> datetime:
    """The moment (UTC) at which the next one begins."""
    return begin_of(month_after(month))
