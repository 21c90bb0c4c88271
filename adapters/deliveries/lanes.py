"""Lanes: in which of them a row waits, and when one ends.

A row names its lane; '' is its stream. Where the lanes of a subscription are not the cases, as those of notices, which
are persons, a case that cannot be read waits in a lane of its own all the same: a row that names its stream as its lane
gathers there whatever waits of the case, and while anything does, what is queued of it later goes behind it. So all of
it stays in order, and nobody's lane is held up by a case that cannot be read.

Every statement here takes the rows of several lanes in the order of their names, so that two transactions never wait for
each other in a circle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from adapters.deliveries.ports import Row
from adapters.store.tables import Work


class Standing(NamedTuple):
    """How the head of a lane stands. Moments are microseconds since 1970; `parked_at` is None while it is tried."""

    attempts: int
    failing_since: int | None
    next_at: int
    parked_at: int | None
    code: str


def put(work: Work, rows: Sequence[Row], now: int) -> None:
    """Queue rows; one that was queued before changes nothing."""
    own = _own(work, rows)
    placed = [
        row._replace(lane=row.stream) if not row.lane or (row.subscription, row.stream) in own else row
        for row in rows
    ]
    work.run_all(
        "INSERT INTO deliveries (id, subscription, lane, stream, version, position, event, type, what, queued_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        [
            (row.id, row.subscription, row.lane, row.stream, row.version, row.position, row.event, row.type, row.what, now)
            for row in placed
        ],
    )  # fmt: skip
    for subscription, case in sorted(_gathering(rows)):
        _gather(work, subscription, case)
    lanes: dict[tuple[str, str], list[int]] = {}
    for row in placed:
        lanes.setdefault((row.subscription, row.lane), []).append(row.position)
    work.run_all(
        "INSERT INTO lanes (subscription, lane, first, last) VALUES (?, ?, ?, ?) ON CONFLICT (subscription, lane) DO UPDATE"
        " SET last = CASE WHEN excluded.last > lanes.last THEN excluded.last ELSE lanes.last END",
        [(*name, min(at), max(at)) for name, at in sorted(lanes.items())],
    )


def _gathering(rows: Sequence[Row]) -> set[tuple[str, str]]:
    """Subscriptions with the cases that begin to wait in lanes of their own."""
    return {(row.subscription, row.stream) for row in rows if row.lane == row.stream}


def _own(work: Work, rows: Sequence[Row]) -> set[tuple[str, str]]:
    """The same, with those that do so already."""
    asked: dict[str, set[str]] = {}
    for row in rows:
        if row.lane:
            asked.setdefault(row.subscription, set()).add(row.stream)
    found = _gathering(rows)
    for subscription, cases in asked.items():
        marks = ", ".join("?" * len(cases))
        lanes = work.rows(
            f"SELECT lane FROM lanes WHERE subscription = ? AND lane IN ({marks})",
            subscription,
            *sorted(cases),
        )
        found |= {(subscription, row[0]) for row in lanes}
    return found


def _gather(work: Work, subscription: str, case: str) -> None:
    """Move whatever waits of a case into the lane of its own."""
    work.run(
        "UPDATE deliveries SET lane = stream WHERE subscription = ? AND stream = ? AND lane <> stream AND done_at IS NULL",
        subscription, case,
    )  # fmt: skip


def end(work: Work, subscription: str, lane: str, last: int) -> None:
    """The lane has got as far as `last` without a failure; it goes where nothing is left in it."""
    # Under the row's lock: who queues meanwhile has either moved `last` on, or will make the lane anew.
    gone = work.run(
        "DELETE FROM lanes WHERE subscription = ? AND lane = ? AND last = ? AND NOT EXISTS (SELECT 1 FROM deliveries d"
        " WHERE d.subscription = ? AND d.lane = ? AND d.done_at IS NULL)", subscription, lane, last, subscription, lane,
    )  # fmt: skip
    if not gone:
        work.run(
            "UPDATE lanes SET attempts = 0, failing_since = NULL, next_at = 0, code = '' WHERE subscription = ? AND lane = ?"
            " AND attempts > 0", subscription, lane,
        )  # fmt: skip


def set_aside(work: Work, head: Row, stands: Standing) -> None:
    """Gather what waits of the head's case in a lane of its own, which then stands so; the lane that it left goes on."""
    _gather(work, head.subscription, head.stream)
    work.run(
        "INSERT INTO lanes (subscription, lane, first, last, attempts, failing_since, next_at, parked_at, code)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (subscription, lane) DO NOTHING",
        head.subscription, head.stream, head.position, head.position, *stands,
    )  # fmt: skip
    work.run(
        "UPDATE lanes SET attempts = 0, failing_since = NULL, next_at = 0, code = '' WHERE subscription = ? AND lane = ?",
        head.subscription, head.lane,
    )  # fmt: skip
