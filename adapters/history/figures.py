"""What other cases have to say to an answer: read from the read models, so that confidential ones never do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from adapters.history.questions import Row
from adapters.store.moment import as_moment
from adapters.views.reader import Reader, Record
from domain.instant import written

AGAIN = timedelta(days=30)
"""The same thing at the same place within this time of its end counts as come back (domain.md E, question 13)."""


class ViewFigures:
    """Figures over the read models as of `at` (UTC); quarters are those of the zone's calendar."""

    def __init__(self, reader: Reader, at: datetime, zone: ZoneInfo) -> None:
        self._reader, self._at, self._zone = reader, at, zone

    def late_of(self, body: str) -> int:
        """How many due moments the body missed in this quarter. Raises Unavailable."""
        local = self._at.astimezone(self._zone)
        month = (local.month - 1) // 3 * 3 + 1
        since = datetime(local.year, month, 1, tzinfo=self._zone)
        return len(self._reader.late_legs(body, since, self._at))

    def again(self, case: str) -> Sequence[Row]:
        """The cases that repeat this one, and those of the same code and host soon after its end. Raises Unavailable."""
        found = {row["case_id"]: row for row in self._reader.repeats(case)}
        mine = self._reader.case(case)
        if mine is not None and mine["ended_at"] is not None and mine["code"] and mine["host"]:
            found |= {row["case_id"]: row for row in self._soon_after(mine)}
        return [
            {
                "number": row["number"],
                "source": row["source"],
                "opened": written(as_moment(row["opened"])),
                "case": one,
            }
            for one, row in found.items()
        ]

    def _soon_after(self, mine: Record) -> list[Record]:
        return self._reader.rows(
            "SELECT * FROM cases WHERE code = ? AND host = ? AND opened >= ? AND opened < ? AND case_id <> ? LIMIT 50",
            mine["code"], mine["host"], mine["ended_at"], mine["ended_at"] + AGAIN // timedelta(microseconds=1), mine["case_id"],
        )  # fmt: skip
