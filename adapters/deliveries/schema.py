"""The tables of deliveries: `deliveries.db`, or a schema `deliveries` of a PostgreSQL database.

No backup holds them: the record holds every event, and a subscription is made again in a minute. Moments are
microseconds since 1970 (UTC).
"""

from __future__ import annotations

from adapters.store.tables import Tables, open_tables

TABLES = (
    "CREATE TABLE IF NOT EXISTS subscriptions (id TEXT PRIMARY KEY, channel TEXT NOT NULL, person TEXT NOT NULL,"
    " body TEXT NOT NULL, post TEXT NOT NULL, source TEXT NOT NULL, url TEXT NOT NULL, types TEXT NOT NULL,"
    " ground TEXT NOT NULL, state TEXT NOT NULL, why TEXT NOT NULL, made_at BIGINT NOT NULL, since BIGINT NOT NULL,"
    " failures BIGINT NOT NULL DEFAULT 0, failing_since BIGINT, next_at BIGINT NOT NULL DEFAULT 0,"
    " lease TEXT NOT NULL DEFAULT '', lease_until BIGINT NOT NULL DEFAULT 0)",
    "CREATE TABLE IF NOT EXISTS secrets (id TEXT PRIMARY KEY, subscription TEXT NOT NULL, sealed TEXT NOT NULL,"
    " made_at BIGINT NOT NULL, ends_at BIGINT)",
    "CREATE TABLE IF NOT EXISTS deliveries (id TEXT PRIMARY KEY, subscription TEXT NOT NULL, lane TEXT NOT NULL,"
    " stream TEXT NOT NULL, version BIGINT NOT NULL, position BIGINT NOT NULL, event TEXT NOT NULL, type TEXT NOT NULL,"
    " what TEXT NOT NULL, queued_at BIGINT NOT NULL, done_at BIGINT, outcome TEXT NOT NULL DEFAULT '',"
    " code TEXT NOT NULL DEFAULT '', attempts BIGINT NOT NULL DEFAULT 0, opened BIGINT NOT NULL DEFAULT 0)",
    "CREATE INDEX IF NOT EXISTS deliveries_waiting ON deliveries (subscription, lane, position) WHERE done_at IS NULL",
    "CREATE INDEX IF NOT EXISTS deliveries_done ON deliveries (done_at) WHERE done_at IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS lanes (subscription TEXT NOT NULL, lane TEXT NOT NULL, first BIGINT NOT NULL,"
    " last BIGINT NOT NULL, attempts BIGINT NOT NULL DEFAULT 0, failing_since BIGINT, next_at BIGINT NOT NULL DEFAULT 0,"
    " parked_at BIGINT, code TEXT NOT NULL DEFAULT '', PRIMARY KEY (subscription, lane))",
    "CREATE INDEX IF NOT EXISTS lanes_due ON lanes (subscription, next_at, first) WHERE parked_at IS NULL",
    "CREATE TABLE IF NOT EXISTS positions (consumer TEXT PRIMARY KEY, position BIGINT NOT NULL, epoch TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS marks (position BIGINT PRIMARY KEY, event TEXT NOT NULL)",
)
"""A lane is what must go out in order: while it has rows that wait it has a row of its own, which holds how its head
stands (only the head is ever tried). `first` and `last` are positions; a lane with `parked_at` waits for somebody's
hand. A subscription's `failures`, `failing_since` and `next_at` are about the receiver as a whole; `lease` names the
one attempt at work that may send. `positions` also names the life (epoch) of the store, `marks` some events that were
read, by which the place is found again in a restored store."""


def open_deliveries(url: str) -> Tables:
    """The tables at a file, a folder (`deliveries.db` in it) or a DSN, made where missing. Raises Unavailable."""
    return open_tables(url, "deliveries", TABLES)
