"""Reading the read models: lists of matters, work, clocks and figures, as plain rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from adapters.store.moment import as_microseconds
from adapters.views.sql import ReadingPool

Record = dict[str, Any]
"""One row by column; moments are microseconds since 1970 (UTC)."""

MOST = 500


class Reader:
    """Questions to the read models. Safe to share between threads; every method may raise Unavailable."""

    def __init__(self, url: str) -> None:
        """`url` as for StoredPositions."""
        self.pool = ReadingPool(url)

    def rows(self, statement: str, *parameters: object) -> list[Record]:
        """Any reading statement over the tables of `schema`; `?` stands for a parameter."""
        return self.pool.records(statement, *parameters)

    def case_of(self, number: str) -> str | None:
        """The case of a number, or None."""
        found = self.rows("SELECT case_id FROM numbers WHERE number = ?", number)
        return found[0]["case_id"] if found else None

    def case(self, case: str) -> Record | None:
        """The row of one case, or None."""
        found = self.rows("SELECT * FROM cases WHERE case_id = ?", case)
        return found[0] if found else None

    def cases(
        self, *, now: datetime, status: str | None = None, subdistrict: str | None = None, late: bool = False,
        limit: int = MOST, after: Sequence[int | str] | None = None,
    ) -> list[Record]:  # fmt: skip
        """Cases, the newest first; `late`: a running clock is past due, or a stopped one was.

        `after` pages: opened and case of the last row of the page before.
        """
        wanted, given = ["1 = 1"], list[object]()
        for column, value in (("status", status), ("subdistrict", subdistrict)):
            if value is not None:
                wanted.append(f"{column} = ?")
                given.append(value)
        if after is not None:
            wanted.append("(opened < ? OR (opened = ? AND case_id > ?))")
            given += [after[0], *after]
        if late:
            wanted.append(
                "case_id IN (SELECT case_id FROM clocks WHERE (stopped IS NULL AND due < ?) OR stopped > due)"
            )
            given.append(as_microseconds(now))
        return self.rows(
            f"SELECT * FROM cases WHERE {' AND '.join(wanted)} ORDER BY opened DESC, case_id LIMIT ?",
            *given,
            limit,
        )

    def work(
        self, body: str, body_kind: str | None = None, post: str | None = None, limit: int = MOST
    ) -> list[Record]:
        """What the body (or any body of its kind) is to do next, the soonest due first; those for one post, if named."""
        wanted, given = "(w.body = ? OR w.body_kind = ?)", [body, body_kind or ""]
        if post is not None:
            wanted += " AND w.posts LIKE ?"
            given.append(f"%,{post},%")
        return self.rows(
            "SELECT w.*, c.status, c.host, c.subdistrict, c.code, c.urgent FROM work w"
            f" JOIN cases c ON c.case_id = w.case_id WHERE {wanted}"
            " ORDER BY CASE WHEN w.due IS NULL THEN 1 ELSE 0 END, w.due, w.since LIMIT ?",
            *given, limit,
        )  # fmt: skip

    def open_clocks(
        self, *, body: str | None = None, limit: int = MOST, after: Sequence[int | str] | None = None
    ) -> list[Record]:
        """Clocks that run, the soonest due first. `after` pages: due, case and clock of the last row before."""
        wanted, given = ("AND k.body = ?", list[object]([body])) if body else ("", [])
        if after is not None:
            wanted += " AND (k.due, k.case_id, k.clock) > (?, ?, ?)"
            given += after
        return self.rows(
            "SELECT k.*, c.number, c.subdistrict, c.status FROM clocks k JOIN cases c ON c.case_id = k.case_id"
            f" WHERE k.stopped IS NULL {wanted} ORDER BY k.due, k.case_id, k.clock LIMIT ?", *given, limit,
        )  # fmt: skip

    def late_legs(self, body: str, since: datetime, now: datetime) -> list[Record]:
        """The clocks of the body's own legs that it missed, started since then: which whistle, which stage, by how much."""
        moment = as_microseconds(now)
        return self.rows(
            "SELECT k.case_id, c.number, k.leg, k.stage, k.due, k.stopped, COALESCE(k.stopped, ?) - k.due AS late_by"
            " FROM clocks k JOIN cases c ON c.case_id = k.case_id WHERE k.body = ? AND k.leg IS NOT NULL"
            " AND k.started >= ? AND COALESCE(k.stopped, ?) > k.due ORDER BY k.due",
            moment, body, as_microseconds(since), moment,
        )  # fmt: skip

    def repeats(self, case: str) -> list[Record]:
        """The cases that say they repeat this one."""
        return self.rows("SELECT * FROM cases WHERE repeat_of = ? ORDER BY opened", case)

    def consumers(self) -> list[tuple[str, int]]:
        """Every consumer that keeps its position beside the read models, and how far it has come."""
        return [
            (row["consumer"], row["position"])
            for row in self.rows("SELECT consumer, position FROM positions ORDER BY consumer")
        ]

    def close(self) -> None:
        """Close the connections."""
        self.pool.close()
