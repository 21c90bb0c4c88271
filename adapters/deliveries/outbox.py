"""The outbox: what is to be delivered, in lanes, each of which goes out in order (DESIGN.md §4 step 4).

A row is queued in the transaction in which the consumer's position moves: once for every (subscription, event). Only
the head of a lane is ever tried; while it fails or is parked the later ones of its lane wait, and nobody else does.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from adapters.deliveries.lanes import Standing, end, put, set_aside
from adapters.deliveries.ports import Queued, Row
from adapters.failpoint import failpoint
from adapters.store.moment import as_moment
from adapters.store.tables import Tables
from domain.refusal import Conflict, NotFound, Refused

CONSUMER = "outbox"
MARKS = 1_000
"""How many of the events that were read are remembered, to find the place again in a restored store."""
IN_LANE = 50
"""Rows of one lane that a page holds at most."""


class Done(NamedTuple):
    """A row that is done: sent, or withheld from whoever may not see it."""

    queued: Queued
    outcome: str
    code: str


class Failed(NamedTuple):
    """The head of a lane that failed: when it is tried again; `parked`: not by itself. Moments in microseconds.

    `unreadable`: because of its case. What waits of that case is set aside into a lane of the case's own.
    """

    queued: Queued
    code: str
    next_at: int
    failing_since: int
    parked: bool
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Lanes that may be tried now, each with its next rows in order; `empty` ones have nothing left."""

    lanes: tuple[tuple[Queued, ...], ...]
    empty: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Parked:
    """The head of a parked lane. Moments are microseconds."""

    id: str
    subscription: str
    stream: str
    type: str
    what: str
    position: int
    code: str
    attempts: int
    failing_since: int
    parked_at: int
    held_back: int


@dataclass(frozen=True, slots=True)
class Count:
    """How a subscription's queue stands: rows that wait (parked ones too), parked lanes, since when the oldest waits."""

    waiting: int = 0
    parked: int = 0
    oldest: int | None = None


class Outbox:
    """The queue. Moments are microseconds since 1970; every method may raise domain.refusal.Unavailable."""

    def __init__(self, tables: Tables) -> None:
        self._tables, self._clock = tables, tables.clock

    # -- filling ------------------------------------------------------------------------------------------------------

    def stands(self) -> tuple[int, str]:
        """How far the consumer has come, and in which life (epoch) of the store; 0 and '' before it has begun."""
        found = self._tables.rows("SELECT position, epoch FROM positions WHERE consumer = ?", CONSUMER)
        return (found[0][0], found[0][1]) if found else (0, "")

    def marks(self) -> list[tuple[int, str]]:
        """Positions that were read, with the id of their event, the newest first."""
        return [
            (row[0], row[1])
            for row in self._tables.rows("SELECT position, event FROM marks ORDER BY position DESC")
        ]

    def move(self, position: int, epoch: str) -> None:
        """Set the consumer to a place of another life of the store; what was read beyond it is read again."""
        with self._tables.transaction() as work:
            work.run("DELETE FROM marks WHERE position > ?", position)
            work.run("UPDATE subscriptions SET since = ? WHERE since > ?", position, position)
            work.run(
                "INSERT INTO positions VALUES (?, ?, ?) ON CONFLICT (consumer) DO UPDATE SET"
                " position = excluded.position, epoch = excluded.epoch", CONSUMER, position, epoch,
            )  # fmt: skip

    def queue(self, expected: int, new: tuple[int, str], rows: Sequence[Row], now: int) -> None:
        """Queue the rows and move from `expected` to the position and event of `new`, in one transaction.

        Raises Conflict if the consumer stands elsewhere. A row that was queued before changes nothing.
        """
        with self._tables.transaction() as work:
            moved = work.run(
                "UPDATE positions SET position = ? WHERE consumer = ? AND position = ?", new[0], CONSUMER, expected
            )  # fmt: skip
            if moved != 1:
                raise Conflict(f"{CONSUMER} does not stand at {expected}")
            put(work, rows, now)
            work.run(
                "INSERT INTO marks VALUES (?, ?) ON CONFLICT (position) DO UPDATE SET event = excluded.event", *new
            )  # fmt: skip
            work.run(
                "DELETE FROM marks WHERE position <= (SELECT position FROM marks ORDER BY position DESC LIMIT 1 OFFSET ?)",
                MARKS,
            )
            failpoint("outbox.before_commit")
        failpoint("outbox.after_commit")

    def add(self, rows: Sequence[Row], now: int) -> None:
        """Queue rows in the place of one whose lane is being sent: by whoever holds the lease, before it is settled."""
        with self._tables.transaction() as work:
            put(work, rows, now)

    # -- sending ------------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The moment by the tables' own clock: what all hosts that fill and empty the queue agree on."""
        (row,) = self._tables.rows(f"SELECT {self._tables.clock}")
        return as_moment(row[0])

    def due(self, now: int) -> list[str]:
        """The subscriptions that have something to be sent now, and that nobody is sending for."""
        rows = self._tables.rows(
            f"SELECT s.id FROM subscriptions s WHERE s.state = 'active' AND s.next_at <= ? AND s.lease_until <= {self._clock}"
            " AND EXISTS (SELECT 1 FROM lanes l WHERE l.subscription = s.id AND l.parked_at IS NULL AND l.next_at <= ?)"
            " ORDER BY s.id", now, now,
        )  # fmt: skip
        return [row[0] for row in rows]

    def lease(self, subscription: str, span: int, held: str = "") -> str | None:
        """Take the lease on sending for a subscription, or renew the one that is held, for `span` microseconds; None:
        another one has it. Whether it has run out the tables' own clock says: those of two hosts may differ."""
        lease = held or secrets.token_hex(8)
        taken = self._tables.run(
            f"UPDATE subscriptions SET lease = ?, lease_until = {self._clock} + ? WHERE id = ? AND state = 'active'"
            f" AND (lease = ? OR lease_until <= {self._clock})", lease, span, subscription, lease,
        )  # fmt: skip
        return lease if taken else None

    def release(self, subscription: str, lease: str) -> None:
        """Give the lease back."""
        self._tables.run(
            "UPDATE subscriptions SET lease_until = 0 WHERE id = ? AND lease = ?", subscription, lease
        )

    def page(self, subscription: str, now: int, most: int) -> Page:
        """Up to `most` lanes whose head may be tried now, the oldest first, each with its next rows."""
        lanes = self._tables.rows(
            "SELECT lane, attempts, failing_since, last FROM lanes WHERE subscription = ? AND parked_at IS NULL"
            " AND next_at <= ? ORDER BY first, lane LIMIT ?", subscription, now, most,
        )  # fmt: skip
        if not lanes:
            return Page(())
        marks = ", ".join("?" * len(lanes))
        rows = self._tables.rows(
            "SELECT id, stream, version, position, event, type, what, lane, queued_at, opened FROM ("
            "SELECT d.*, ROW_NUMBER() OVER (PARTITION BY lane ORDER BY position, what, id) AS place FROM deliveries d"
            f" WHERE subscription = ? AND done_at IS NULL AND lane IN ({marks})) AS rest"
            " WHERE place <= ? ORDER BY position, what, id", subscription, *(lane[0] for lane in lanes), IN_LANE,
        )  # fmt: skip
        found: dict[str, list[Queued]] = {lane[0]: [] for lane in lanes}
        stands = {lane[0]: lane for lane in lanes}
        for row in rows:
            lane = found[row[7]]
            tried = stands[row[7]][1:3] if not lane else (0, None)
            lane.append(Queued(row[0], Row(subscription, *row[1:8]), row[8], bool(row[9]), *tried))
        return Page(
            tuple(tuple(lane) for lane in found.values() if lane),
            tuple((name, stands[name][3]) for name, lane in found.items() if not lane),
        )

    def settle(
        self, subscription: str, lease: str, done: Iterable[Done], failed: Iterable[Failed],
        empty: Iterable[tuple[str, int]], now: int,
    ) -> bool:  # fmt: skip
        """Write down what became of a page, in one transaction; False, and nothing, where the lease is another one's by now.

        Who was held up for longer than its lease must not write over what the next one found: a message that both sent
        has the same id (at least once), but only one says how its lane stands.
        """
        finished = list(done)
        stays, aside = _asunder(failed)
        ended = dict(empty) | {one.queued.row.lane: one.queued.row.position for one in finished}
        with self._tables.transaction() as work:
            held = "UPDATE subscriptions SET lease = lease WHERE id = ? AND lease = ?"
            if work.run(held, subscription, lease) != 1:
                return False
            if aside:  # nothing is queued meanwhile: it would not go behind what is set aside
                work.run("UPDATE positions SET position = position WHERE consumer = ?", CONSUMER)
            work.run_all(
                "UPDATE deliveries SET done_at = ?, outcome = ?, code = ?, attempts = ? WHERE id = ?",
                [(now, one.outcome, one.code, one.queued.attempts + 1, one.queued.id) for one in finished],
            )
            for lane, last in sorted(ended.items()):  # in the order of `put`
                end(work, subscription, lane, last)
            for each in sorted(stays, key=lambda one: one.queued.row.lane):
                work.run(
                    "UPDATE lanes SET attempts = ?, failing_since = ?, next_at = ?, parked_at = ?, code = ?"
                    " WHERE subscription = ? AND lane = ?", *_standing(each, now), subscription, each.queued.row.lane,
                )  # fmt: skip
            for each in sorted(aside, key=lambda one: (one.queued.row.stream, one.queued.row.lane)):
                set_aside(work, each.queued.row, _standing(each, now))
            failpoint("deliver.before_settled")
        return True

    def opened(self, delivery: str) -> None:
        """Note that sealed values leave with this delivery, once that is on record."""
        self._tables.run("UPDATE deliveries SET opened = 1 WHERE id = ?", delivery)

    def back(self, subscription: str) -> None:
        """The receiver takes deliveries again: whatever failed meanwhile is tried at once."""
        with self._tables.transaction() as work:
            work.run(
                "UPDATE subscriptions SET failures = 0, failing_since = NULL, next_at = 0 WHERE id = ?",
                subscription,
            )
            work.run(
                "UPDATE lanes SET next_at = 0 WHERE subscription = ? AND parked_at IS NULL AND next_at > 0", subscription
            )  # fmt: skip

    def away(self, subscription: str, failures: int, failing_since: int, next_at: int) -> None:
        """The receiver as a whole failed: how often in a row, since when, and when it is tried again."""
        self._tables.run(
            "UPDATE subscriptions SET failures = ?, failing_since = ?, next_at = ? WHERE id = ?", failures, failing_since,
            next_at, subscription,
        )  # fmt: skip

    def next_due(self, subscription: str) -> int | None:
        """When something of the subscription may be tried next (0: now); None: nothing waits, or it is not active."""
        found = self._tables.rows(
            "SELECT s.next_at, s.lease_until, (SELECT MIN(l.next_at) FROM lanes l WHERE l.subscription = s.id"
            " AND l.parked_at IS NULL) FROM subscriptions s WHERE s.id = ? AND s.state = 'active'", subscription,
        )  # fmt: skip
        if not found or found[0][2] is None:
            return None
        return max(found[0])

    # -- what waits for somebody's hand ----------------------------------------------------------------------------------

    def parked(self, subscription: str | None = None, most: int = 500) -> list[Parked]:
        """The heads of parked lanes, the longest parked first."""
        rows = self._tables.rows(
            "SELECT d.id, d.subscription, d.stream, d.type, d.what, d.position, l.code, l.attempts, l.failing_since,"
            " l.parked_at, (SELECT COUNT(*) - 1 FROM deliveries o WHERE o.subscription = l.subscription AND o.lane = l.lane"
            " AND o.done_at IS NULL) FROM lanes l JOIN deliveries d ON d.id = (SELECT h.id FROM deliveries h WHERE"
            " h.subscription = l.subscription AND h.lane = l.lane AND h.done_at IS NULL ORDER BY h.position, h.what, h.id"
            " LIMIT 1) WHERE l.parked_at IS NOT NULL AND (? = '' OR l.subscription = ?) ORDER BY l.parked_at, d.id LIMIT ?",
            subscription or "", subscription or "", most,
        )  # fmt: skip
        return [Parked(*row) for row in rows]

    def resend(self, delivery: str) -> None:
        """Try a parked delivery again, now. Raises NotFound, Refused "not_parked"."""
        found = self._tables.rows("SELECT subscription, lane FROM deliveries WHERE id = ?", delivery)
        if not found:
            raise NotFound("Check the id: there is no such delivery (huiyin delivery list).")
        if not self._unpark(" AND subscription = ? AND lane = ?", *found[0]):
            raise Refused("not_parked", "Only what is parked is sent again; what waits is tried by itself.")

    def resend_all(self, subscription: str | None = None) -> int:
        """Try everything that is parked again, now; returns how many lanes there were."""
        return self._unpark(" AND (? = '' OR subscription = ?)", subscription or "", subscription or "")

    def _unpark(self, which: str, *parameters: object) -> int:
        return self._tables.run(
            "UPDATE lanes SET parked_at = NULL, attempts = 0, failing_since = NULL, next_at = 0, code = ''"
            f" WHERE parked_at IS NOT NULL{which}", *parameters,
        )  # fmt: skip

    def counts(self) -> dict[str, Count]:
        """How the queue of every subscription stands that has one."""
        rows = self._tables.rows(
            "SELECT subscription, COUNT(*), MIN(queued_at) FROM deliveries WHERE done_at IS NULL GROUP BY subscription"
        )
        parked = dict(
            self._tables.rows(
                "SELECT subscription, COUNT(*) FROM lanes WHERE parked_at IS NOT NULL GROUP BY subscription"
            )
        )
        return {row[0]: Count(row[1], parked.get(row[0], 0), row[2]) for row in rows}

    def forget(self, before: int) -> int:
        """Delete the rows that were done before then; returns how many."""
        return self._tables.run("DELETE FROM deliveries WHERE done_at < ?", before)

    def done(self, subscription: str) -> list[Any]:
        """Id, position, outcome, code and attempts of what is done, in order."""
        return self._tables.rows(
            "SELECT id, position, outcome, code, attempts FROM deliveries WHERE subscription = ? AND done_at IS NOT NULL"
            " ORDER BY position, what", subscription,
        )  # fmt: skip


def _asunder(failed: Iterable[Failed]) -> tuple[list[Failed], list[Failed]]:
    """What stays in its lane, and what goes into its case's own."""
    stays, aside = list[Failed](), list[Failed]()
    for one in failed:
        row = one.queued.row
        (aside if one.unreadable and row.lane != row.stream else stays).append(one)
    return stays, aside


def _standing(failed: Failed, now: int) -> Standing:
    return Standing(
        failed.queued.attempts + 1,
        failed.failing_since,
        failed.next_at,
        now if failed.parked else None,
        failed.code,
    )
