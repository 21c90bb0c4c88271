"""The tables of the read models. One statement serves SQLite and PostgreSQL.

Moments are whole microseconds since 1970 (UTC), so that lateness is a subtraction and as-of is a `where` in both
databases; flags are 0 and 1. Tables carry the number of their generation (`facts_3`) and are read through a view
of the plain name (`facts`), which is what a rebuild swaps.
"""

from __future__ import annotations

from dataclasses import dataclass

VERSION = 5
"""Raise it when a table changes: the next start builds a new generation beside the old one and swaps."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its columns with their types, its primary key, and what it is searched by."""

    name: str
    columns: tuple[str, ...]
    key: str
    indexes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(column.split()[0] for column in self.columns)

    def create(self, generation: int) -> list[str]:
        """The statements that make the table of a generation."""
        mine = f"{self.name}_{generation}"
        made = [f"CREATE TABLE {mine} ({', '.join(self.columns)}, PRIMARY KEY ({self.key}))"]
        made += [f"CREATE INDEX {mine}_by_{n} ON {mine} ({index})" for n, index in enumerate(self.indexes, 1)]
        return made


FACTS = Table(
    "facts",
    (
        "position BIGINT", "stream TEXT NOT NULL", "version INTEGER NOT NULL", "type TEXT NOT NULL", "case_id TEXT",
        "recorded_at BIGINT NOT NULL", "occurred_at BIGINT NOT NULL", "backfill INTEGER NOT NULL",
        "person TEXT NOT NULL", "capacity TEXT NOT NULL", "post TEXT", "authority TEXT", "rule TEXT NOT NULL",
        "rulebook TEXT NOT NULL", "calendar TEXT NOT NULL", "register_version INTEGER NOT NULL", "command TEXT NOT NULL",
        "correlation TEXT NOT NULL", "causation TEXT", "order_id TEXT", "order_kind TEXT", "leg TEXT", "body TEXT",
        "stage TEXT", "due BIGINT", "sealed INTEGER NOT NULL", "pub TEXT NOT NULL",
    ),
    "position", ("case_id, version", "type, recorded_at", "stream, version"),
)  # fmt: skip
"""One row per event. `case_id` is the case it belongs to (a refusal's and a read's too); `body` the body it concerns,
which need not be the one acted for (`capacity`); `sealed` counts its sealed values; `pub` is its public JSON."""

CASES = Table(
    "cases",
    (
        "case_id TEXT", "number TEXT NOT NULL", "source TEXT NOT NULL", "kind TEXT", "code TEXT", "demand TEXT",
        "scale TEXT", "urgent INTEGER NOT NULL", "channel TEXT", "status TEXT NOT NULL", "tier TEXT", "host TEXT",
        "subdistrict TEXT", "subject TEXT", "emergency INTEGER NOT NULL", "proactive INTEGER NOT NULL",
        "backfilled INTEGER NOT NULL", "department TEXT", "parent TEXT", "master TEXT", "repeat_of TEXT",
        "disposition TEXT", "reopened INTEGER NOT NULL", "requesters INTEGER NOT NULL", "opened BIGINT NOT NULL",
        "registered_at BIGINT NOT NULL", "accepted_at BIGINT", "completed_at BIGINT", "ended_at BIGINT",
        "first_due BIGINT", "finish_due BIGINT", "next_due BIGINT", "next_stage TEXT", "version INTEGER NOT NULL",
        "updated_at BIGINT NOT NULL",
    ),
    "case_id", ("status, next_due", "subdistrict, status", "opened", "repeat_of"),
)  # fmt: skip
"""One row per case: `opened` when it was first seen, `ended_at` when it was closed, refused, merged or withdrawn,
`first_due` and `finish_due` of the clock `finish`, `next_due` and `next_stage` of the next running clock."""

CLOCKS = Table(
    "clocks",
    (
        "case_id TEXT", "clock TEXT", "owner TEXT NOT NULL", "stage TEXT NOT NULL", "n INTEGER NOT NULL",
        "held_for TEXT NOT NULL", "body TEXT", "order_id TEXT", "leg TEXT", "rulebook TEXT NOT NULL",
        "started BIGINT NOT NULL", "first_due BIGINT NOT NULL", "due BIGINT NOT NULL", "provisional INTEGER NOT NULL",
        "stopped BIGINT", "cancelled INTEGER NOT NULL", "extensions INTEGER NOT NULL",
    ),
    "case_id, clock", ("stopped, due", "body, due"),
)  # fmt: skip
"""Every clock that ever ran. Late is `COALESCE(stopped, now) > due`; `body` owes the act, None where a centre does."""

LEGS = Table(
    "legs",
    (
        "leg TEXT", "case_id TEXT NOT NULL", "order_id TEXT NOT NULL", "order_kind TEXT NOT NULL",
        "order_status TEXT NOT NULL", "issuer TEXT NOT NULL", "call_id TEXT", "body TEXT NOT NULL", "role TEXT NOT NULL",
        "mandatory INTEGER NOT NULL", "measured_as TEXT", "status TEXT NOT NULL", "issued_at BIGINT",
        "acknowledged_at BIGINT", "contacted_at BIGINT", "checked_in_at BIGINT", "reported_at BIGINT", "ended_at BIGINT",
        "acknowledge_due BIGINT", "contact_due BIGINT", "check_in_due BIGINT", "finish_due BIGINT",
        "missed INTEGER NOT NULL", "late_by BIGINT NOT NULL", "returns INTEGER NOT NULL",
        "speed_rating INTEGER", "result_rating INTEGER",
    ),
    "leg", ("case_id", "body, issued_at"),
)  # fmt: skip
"""One row per summoned body. `missed` counts its own stopped clocks that were late, `late_by` is the worst of them in
microseconds; a clock that still runs is judged in `clocks`. Ratings are the lower ones where several bodies rated."""

WORK = Table(
    "work",
    (
        "case_id TEXT", "item TEXT", "act TEXT NOT NULL", "body TEXT", "body_kind TEXT", "posts TEXT NOT NULL",
        "number TEXT NOT NULL", "order_id TEXT", "leg TEXT", "due BIGINT", "since BIGINT NOT NULL",
    ),
    "case_id, item", ("body, due", "body_kind, due"),
)  # fmt: skip
"""What is to be done next: by `body`, or by any body of `body_kind`; `posts` is `,officer,leader,`, by the rulebook."""

NUMBERS = Table("numbers", ("number TEXT", "case_id TEXT NOT NULL"), "number", ("case_id",))
"""The numbers that people use. Outside numbers are found through the store, by their HMAC."""

NOTICES = Table(
    "notices",
    (
        "position BIGINT", "n INTEGER", "case_id TEXT NOT NULL", "number TEXT NOT NULL", "at BIGINT NOT NULL",
        "what TEXT NOT NULL", "audience TEXT NOT NULL", "body TEXT", "leg TEXT", "stage TEXT", "due BIGINT",
    ),
    "position, n", ("body, at", "case_id"),
)  # fmt: skip
"""Who was to be told what: `audience` is `body`, `level` or `body_kind` (in `body`), `requesters`, or `requester`, one."""

REFUSALS = Table(
    "refusals",
    (
        "position BIGINT", "case_id TEXT NOT NULL", "at BIGINT NOT NULL", "command TEXT NOT NULL", "code TEXT NOT NULL",
        "person TEXT NOT NULL", "body TEXT NOT NULL", "post TEXT",
    ),
    "position", ("case_id", "code, at"),
)  # fmt: skip
"""Commands that the rules refused (law 5), on cases that may be seen; the others stand in the store alone."""

REQUESTS = Table(
    "requests",
    (
        "case_id TEXT", "number TEXT NOT NULL", "code TEXT NOT NULL", "is_open INTEGER NOT NULL", "status TEXT NOT NULL",
        "disposition TEXT", "host TEXT", "grid TEXT", "agency TEXT", "rulebook TEXT NOT NULL", "opened BIGINT NOT NULL",
        "updated BIGINT NOT NULL", "due BIGINT",
    ),
    "case_id", ("is_open, opened, case_id", "code, is_open, opened, case_id", "number"),
)  # fmt: skip
"""One row per matter that everybody may see: `updated` is when it ended once it has, `due` when it is to be finished."""

REQUEST_STEPS = Table(
    "request_steps",
    (
        "case_id TEXT", "version INTEGER", "number TEXT NOT NULL", "code TEXT NOT NULL", "at BIGINT NOT NULL",
        "what TEXT NOT NULL", "is_open INTEGER NOT NULL",
    ),
    "case_id, version", ("at, case_id, version",),
)  # fmt: skip
"""What happened to these matters, as far as everybody may hear of it; `is_open` just after it."""

TABLES = (FACTS, CASES, CLOCKS, LEGS, WORK, NUMBERS, NOTICES, REFUSALS, REQUESTS, REQUEST_STEPS)
REWRITTEN = (CASES, CLOCKS, LEGS, WORK, NUMBERS, REQUESTS, REQUEST_STEPS)
"""Tables whose rows of a case are written anew whenever it changed; the others only grow."""

GENERATIONS = (
    "CREATE TABLE IF NOT EXISTS generations ("
    "name TEXT PRIMARY KEY, generation INTEGER NOT NULL, version INTEGER NOT NULL, epoch TEXT NOT NULL)"
)
"""One row, `current`: which generation the views show, by which schema, of which life of the store."""
