"""Reading: requests by their ids or by a window of time, and the updates of a window, with pages.

Without dates the last 90 days count; with one of them the 90 days from it or up to it; a longer span is refused.
A page holds 1000 rows unless it is asked to hold fewer, the newest request first, the oldest update first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from adapters.open311.fields import Fields
from adapters.store.moment import as_microseconds
from adapters.views.reader import Reader, Record
from domain.refusal import Refused

WINDOW = timedelta(days=90)
MOST_ROWS = 1000
MOST_IDS = 50
MOST_CODES = 50
FARTHEST = 50_000
"""How many rows pages may go into a window; beyond it a shorter window finds them sooner."""


class Window(NamedTuple):
    """A span of time, both ends in it (microseconds), and which rows of it."""

    since: int
    until: int
    rows: int
    before: int


def window_of(fields: Fields, now: datetime) -> Window:
    """The window that is asked for. Raises Refused."""
    start, end = fields.moment("start_date"), fields.moment("end_date")
    try:
        since = start or (end or now) - WINDOW
        until = end or (start + WINDOW if start else now)
    except OverflowError:
        raise Refused("bad_datetime", "Give dates that a calendar reaches.") from None
    if until < since:
        raise Refused("bad_window", "Let end_date lie after start_date.")
    if until - since > WINDOW:
        raise Refused("bad_window", "Ask for 90 days at most; use several windows for more.")
    rows = fields.number("page_size", 1, MOST_ROWS) or MOST_ROWS
    page = fields.number("page", 1, 10**8) or 1
    before = (page - 1) * rows
    if before > FARTHEST:
        raise Refused("bad_page", f"Ask for a shorter window: pages end after {FARTHEST:,} rows.")
    return Window(as_microseconds(since), as_microseconds(until), rows, before)


def statuses_of(fields: Fields) -> list[int]:
    """Which of open (1) and closed (0); both where none is named. Raises Refused."""
    said = fields.many("status")
    if not {"open", "closed"}.issuperset(said):
        raise Refused("bad_status", "Ask for the status open, closed, or both.")
    return sorted({int(one == "open") for one in said}) or [0, 1]


class Requests:
    """The two tables of what everybody may see. Every method may raise Unavailable."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def numbered(self, numbers: Sequence[str]) -> dict[str, Record]:
        """The requests of these numbers, as far as there are any."""
        marks = ", ".join("?" * len(numbers))
        found = self._reader.rows(f"SELECT * FROM requests WHERE number IN ({marks})", *numbers)
        return {row["number"]: row for row in found}

    def within(
        self, window: Window, statuses: Sequence[int], codes: Sequence[str], withheld: Sequence[str]
    ) -> list[Record]:
        """The requests made in a window, the newest first. `withheld` are codes that may be shown no longer."""
        whole = window.before == 0 and len(codes) <= 1
        columns = "*" if whole else "case_id, opened"
        parts, given = list[str](), list[object]()
        for code in codes or (None,):
            for status in statuses:
                wanted = "is_open = ? AND opened BETWEEN ? AND ?"
                given += [status, window.since, window.until]
                if code is not None:
                    wanted += " AND code = ?"
                    given.append(code)
                part, given = _without(wanted, given, withheld)
                parts.append(
                    f"SELECT * FROM (SELECT {columns} FROM requests WHERE {part}"
                    " ORDER BY opened DESC, case_id DESC LIMIT ?) AS k"
                )
                given.append(window.before + window.rows)
        page = f"{' UNION ALL '.join(parts)} ORDER BY opened DESC, case_id DESC LIMIT ? OFFSET ?"
        if not whole:  # most of what is sorted is left out again: their keys will do for that
            page = (
                f"SELECT r.* FROM ({page}) AS page JOIN requests r ON r.case_id = page.case_id"
                " ORDER BY r.opened DESC, r.case_id DESC"
            )
        return self._reader.rows(page, *given, window.rows, window.before)

    def steps(self, window: Window, number: str | None, withheld: Sequence[str]) -> list[Record]:
        """What happened in a window, the earliest first; of one request, if its number is given."""
        wanted, given = "at BETWEEN ? AND ?", list[object]([window.since, window.until])
        if number is not None:
            wanted += " AND case_id IN (SELECT case_id FROM requests WHERE number = ?)"
            given.append(number)
        wanted, given = _without(wanted, given, withheld)
        return self._reader.rows(
            f"SELECT * FROM request_steps WHERE {wanted} ORDER BY at, case_id, version LIMIT ? OFFSET ?",
            *given, window.rows, window.before,
        )  # fmt: skip


def _without(wanted: str, given: list[object], withheld: Sequence[str]) -> tuple[str, list[object]]:
    if not withheld:
        return wanted, given
    return f"{wanted} AND code NOT IN ({', '.join('?' * len(withheld))})", [*given, *withheld]
