"""Notices: which days are off and which are made up for (调休), as the State Council announces each year.

A notice is data: kept, dated, never edited; a later one overrides it where both name a day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from domain.event import canonical

MOST_DAYS = 400


def _days(value: Any) -> Any:
    """Dates, or ranges `2026-10-01..2026-10-07` with both ends."""
    if not isinstance(value, list | tuple):
        raise ValueError('give a list of dates, such as ["2026-01-01..2026-01-03"]')
    days = {day for item in value for day in _range(item)}
    return tuple(sorted(days))


def _range(item: Any) -> Iterable[date]:
    if isinstance(item, date):
        return (item,)
    first, dots, last = str(item).partition("..")
    try:
        start, end = date.fromisoformat(first), date.fromisoformat(last if dots else first)
    except ValueError:
        raise ValueError(
            f"{item!r} is neither a date nor a range: write 2026-10-01 or 2026-10-01..2026-10-07"
        ) from None
    if not 0 <= (end - start).days < MOST_DAYS:
        raise ValueError(f"{item!r} ends before it begins, or is longer than a year")
    return (start + timedelta(days=n) for n in range((end - start).days + 1))


Days = Annotated[tuple[date, ...], BeforeValidator(_days)]
"""Days in order, each once; written as dates or ranges."""


class Notice(BaseModel):
    """One holiday notice: `off` are rest days, `makeup` rest days that are worked instead (调休).

    `years` are the calendar years that it settles; `dated` the day it was issued, if known; `source` where it
    can be read. It may name days outside its years (the last of December often stand in the next year's).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[A-Za-z0-9._/-]{1,80}$")
    years: tuple[Annotated[int, Field(ge=1900, le=9998)], ...] = Field(min_length=1)
    dated: date | None = None
    off: Days = ()
    makeup: Days = ()
    source: str = Field(min_length=1)

    @model_validator(mode="after")
    def _apart(self) -> Notice:
        both = set(self.off) & set(self.makeup)
        if both:
            raise ValueError(f"{min(both)} is named both off and made up for")
        return self

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of its canonical JSON: what a calendar's version and the entering event name."""
        return hashlib.sha256(canonical(self.model_dump(mode="json"))).hexdigest()


def from_holiday_cn(content: Mapping[str, Any]) -> Notice:
    """A year's file of the holiday-cn project (`year`, `papers`, `days` with `date`, `isOffDay`) as a notice.

    Raises ValueError or KeyError when the content has another shape.
    """
    year = int(content["year"])
    days = [(date.fromisoformat(day["date"]), bool(day["isOffDay"])) for day in content["days"]]
    return Notice(
        id=f"holiday-cn-{year}",
        years=(year,),
        off=tuple(day for day, off in days if off),
        makeup=tuple(day for day, off in days if not off),
        source=" ".join(content.get("papers") or ("holiday-cn",)),
    )


def in_order(notices: Iterable[Notice]) -> tuple[Notice, ...]:
    """Notices by their day of issue: where two name a day, the later one counts."""
    return tuple(sorted(notices, key=lambda notice: (_issued(notice), min(notice.years), notice.id)))


def _issued(notice: Notice) -> date:
    """The day of issue; where it is not known, the November before, when the State Council issues them."""
    return notice.dated or date(min(notice.years) - 1, 11, 1)
