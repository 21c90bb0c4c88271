"""Working hours: which spans of each weekday are working time, on the wall clock."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, model_validator

MINUTE = 60_000_000
"""Microseconds: the unit of this room's arithmetic within a day."""
DAY = 24 * 60 * MINUTE

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_SPAN = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)", re.ASCII)


class Span(NamedTuple):
    """Working time from `opens` up to but not including `closes`, in microseconds since midnight."""

    opens: int
    closes: int

    def __str__(self) -> str:
        return f"{_written(self.opens)}-{_written(self.closes)}"


def _written(time: int) -> str:
    hours, minutes = divmod(time // MINUTE, 60)
    return f"{hours:02}:{minutes:02}"


def _span(text: object) -> Span:
    if isinstance(text, Span):
        return text
    found = _SPAN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"{text!r} is no span: write 09:00-12:00")
    a, b, c, d = (int(part) for part in found.groups())
    span = Span((a * 60 + b) * MINUTE, (c * 60 + d) * MINUTE)
    if not span.opens < span.closes <= DAY:
        raise ValueError(
            f"{text!r} ends before it begins: a night shift is two spans, up to 24:00 and from 00:00"
        )
    return span


def _spans(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise ValueError('give a list of spans, such as ["09:00-12:00", "14:00-18:00"]')
    spans = tuple(_span(item) for item in value)
    if any(later.opens < earlier.closes for earlier, later in pairwise(spans)):
        raise ValueError("put the spans of a day in order, without overlap")
    return _joined(spans)


def _joined(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Spans that touch are one."""
    joined: list[Span] = []
    for span in spans:
        if joined and joined[-1].closes == span.opens:
            joined[-1] = Span(joined[-1].opens, span.closes)
        else:
            joined.append(span)
    return tuple(joined)


DayHours = Annotated[
    tuple[Span, ...],
    BeforeValidator(_spans),
    PlainSerializer(lambda spans: [str(span) for span in spans], return_type=list[str]),
]
"""The working spans of one day, in order and apart; none means a rest day."""


class Hours(BaseModel):
    """The working spans of each weekday, and of make-up workdays (`makeup`; else as the first one)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    monday: DayHours = ()
    tuesday: DayHours = ()
    wednesday: DayHours = ()
    thursday: DayHours = ()
    friday: DayHours = ()
    saturday: DayHours = ()
    sunday: DayHours = ()
    makeup: DayHours = ()

    @model_validator(mode="after")
    def _some(self) -> Hours:
        if not any(self.week):
            raise ValueError("give at least one weekday working hours")
        return self

    @property
    def week(self) -> tuple[tuple[Span, ...], ...]:
        """The spans from Monday to Sunday."""
        return (
            self.monday, self.tuesday, self.wednesday, self.thursday, self.friday, self.saturday, self.sunday,
        )  # fmt: skip

    @property
    def on_makeup(self) -> tuple[Span, ...]:
        """The spans of a make-up workday."""
        return self.makeup or next(spans for spans in self.week if spans)
