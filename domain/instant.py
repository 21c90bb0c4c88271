"""Instants: aware UTC datetimes. Local time exists only in `domain.calendar`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime


def as_utc(moment: datetime) -> datetime:
    """The same instant in UTC; `moment` must be aware."""
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _in_any_calendar(moment: datetime) -> datetime:
    """The same instant in UTC; ValueError where that lies beyond the years 1 to 9999."""
    try:
        return as_utc(moment)
    except OverflowError as error:
        raise ValueError("give a time between the years 1 and 9999, in UTC") from error


Instant = Annotated[AwareDatetime, AfterValidator(_in_any_calendar)]
"""A moment in time: an aware datetime, kept in UTC. A datetime without offset is refused."""


def written(moment: datetime) -> str:
    """RFC 3339 in UTC with `Z`, as stored bytes and file formats write it."""
    return as_utc(moment).isoformat().replace("+00:00", "Z")
