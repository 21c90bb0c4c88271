"""Versions in time: what was in force when (DESIGN.md law 8, domain.md D.8).

A history is a tuple of versions, oldest first; no two of them are in force at one moment.
A version is in force from `valid_from` (included) until `valid_until` (excluded; None: open). UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from domain.instant import written
from domain.refusal import Refused

if TYPE_CHECKING:
    from datetime import datetime

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Version(Generic[T]):
    """One version of an entry, numbered from 1, and when it is in force."""

    value: T
    number: int
    valid_from: datetime
    valid_until: datetime | None

    def covers(self, at: datetime) -> bool:
        """Whether this version is in force at the moment `at`."""
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)


def overlap(
    begins: datetime, ends: datetime | None, other_begins: datetime, other_ends: datetime | None
) -> bool:
    """Whether two spans, each without its end, share a moment."""
    return (other_ends is None or begins < other_ends) and (ends is None or other_begins < ends)


def in_force(history: tuple[Version[T], ...], at: datetime) -> T | None:
    """The value in force at `at`, or None."""
    for version in reversed(history):
        if version.covers(at):
            return version.value
    return None


def throughout(history: tuple[Version[T], ...], begins: datetime, ends: datetime | None) -> bool:
    """Whether something is in force at every moment from `begins` until `ends` (None: for ever)."""
    reached = begins
    for version in history:
        if version.covers(reached):
            if version.valid_until is None:
                return True
            reached = version.valid_until
    return ends is not None and ends <= reached


def entered(history: tuple[Version[T], ...], version: Version[T]) -> tuple[Version[T], ...]:
    """The history with one more version; the one before it ends where the new one begins."""
    return (*ended(history, version.valid_from), version)


def ended(history: tuple[Version[T], ...], at: datetime) -> tuple[Version[T], ...]:
    """The history without anything from `at` on."""
    return tuple(
        replace(version, valid_until=at)
        if version.valid_until is None or at < version.valid_until
        else version
        for version in history
        if version.valid_from < at
    )


def paused(
    history: tuple[Version[T], ...], begins: datetime, ends: datetime | None
) -> tuple[Version[T], ...]:
    """The history with nothing in force from `begins` until `ends`; what was in force comes back after it."""
    before = ended(history, begins)
    if ends is None:
        return before
    after = tuple(
        replace(version, valid_from=max(version.valid_from, ends))
        for version in history
        if version.valid_until is None or ends < version.valid_until
    )
    return (*before, *after)


def next_number(
    history: tuple[Version[T], ...], value: T, begins: datetime, ends: datetime | None, now: datetime
) -> int:
    """The number that a new version gets.

    Raises Refused: `back_dated`, `ends_before_it_begins`, `already_known` (the same content is in force
    for the same time, no end meaning until the next version), `overlap` (another version begins then or later).
    """
    check_span(begins, ends, now)
    for version in history:
        if version.value == value and version.covers(begins) and _as_long(history, version, ends):
            raise Refused("already_known", "Nothing needs to be done: this is in force already.")
        if version.valid_from >= begins:
            raise Refused(
                "overlap",
                f"A version in force from {written(version.valid_from)} is entered already: "
                "date the new one after it, or withdraw that one first.",
            )
    return max((version.number for version in history), default=0) + 1


def _as_long(history: tuple[Version[T], ...], version: Version[T], ends: datetime | None) -> bool:
    followed = any(other.valid_from == version.valid_until for other in history)
    return version.valid_until == ends or (ends is None and followed)


def check_span(begins: datetime, ends: datetime | None, now: datetime) -> None:
    """Raises Refused unless the span begins at `now` or later and ends after it begins."""
    if begins < now:
        raise Refused("back_dated", "Date it from now on: the register never changes what held in the past.")
    if ends is not None and ends <= begins:
        raise Refused("ends_before_it_begins", "Give an end that lies after the beginning, or none.")
