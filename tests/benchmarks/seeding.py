"""A million matters straight into the store: the rows of one backfilled matter, copied under other ids.

Each is a matter of its own: its event names its own case, number and command, its references and sealed values are its
own. The read models are then built from these events as from any others.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from adapters.demo.district import District
from adapters.engine import Engine
from adapters.numbers import fresh_number, number_from
from adapters.rulebooks import template
from domain.acting import Actor
from domain.instant import written
from domain.matter.commands import BackfillMatter
from domain.rulebook.releases import release_of
from tests.benchmarks.raw import COLUMNS, Kept, Rows, rows_of
from workflows.handle import Handle
from workflows.standing import RELEASES
from workflows.submission import OutsideNumber, Sealing, Submission

SLICE = 20_000
FIRST, CLOSED = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)
APART = timedelta(seconds=50)
"""Between the openings of two matters: a million of them is a year and a half."""


def seed(engine: Engine, district: District, dsn: str, count: int) -> float:
    """Copy so many matters in; returns the seconds it took."""
    begun = time.monotonic()
    rows, old = pattern(engine, district, _released(engine, district))
    for start in range(0, count, SLICE):
        several = [_as(rows, old, n) for n in range(start, min(start + SLICE, count))]
        with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
            for table in COLUMNS:
                with cursor.copy(
                    f"COPY cases.{table} {COLUMNS[table]} FROM STDIN WITH (FORMAT TEXT)"
                ) as copy:
                    for one in several:
                        for name, row in one:
                            if name == table:
                                copy.write_row(row)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("ANALYZE")
    return time.monotonic() - begun


def _released(engine: Engine, district: District) -> str:
    """The packaged rulebook for backfill, released; its name."""
    text = template("backfill")
    security = Actor(person=district.security, body="system", post="security_admin")
    answer = engine.handle(
        Submission(
            client="seed", key=str(uuid.uuid4()), case=RELEASES, command=release_of(text), actor=security,
            authority="law:subdistrict-office-ordinance", texts=(text,),
        )
    )  # fmt: skip
    assert answer.accepted, answer
    return "backfill/2026.1"


def pattern(engine: Engine, district: District, rulebook: str) -> tuple[Rows, tuple[str, ...]]:
    """The rows of one backfilled matter, and the texts in them that must be another matter's in a copy."""
    kept = Kept(engine.store)
    handle = Handle(kept, engine.vault, engine.keys, engine.handle.clock, "seeded")
    case, requester, opened = str(uuid.uuid4()), str(uuid.uuid4()), FIRST
    number = fresh_number(district.code, opened.date())
    command = BackfillMatter(
        number=number, source="phone", opened_at=opened, status="closed",
        closed_at=CLOSED, requesters=(requester,), kind="hazard", code="FW-01",
        host=district.communities[0],
    )  # fmt: skip
    answer = handle(
        Submission(
            client="seed", key=str(uuid.uuid4()), case=case, command=command, rulebook=rulebook,
            actor=district.actor("hotline", "intake_officer"), authority="mandate:import",
            sealed=(Sealing("text", requester, "路灯不亮"), Sealing("name", requester, "甲")),
            outside=(OutsideNumber("board", number),),
        )
    )  # fmt: skip
    assert answer.accepted, answer
    rows = rows_of(kept.batches[-1])
    key, digest = (next(row[1] for name, row in rows if name == table) for table in ("commands", "refs"))
    return rows, (case, requester, number, str(key), str(digest), written(opened))


def _as(rows: Rows, old: tuple[str, ...], n: int) -> Rows:
    """The rows as those of the n-th matter."""
    case, requester, number, key, digest, _ = old
    ids = f"{n:08x}"
    new = (
        ids + case[8:], ids + requester[8:], number_from(number[:6], FIRST.date(), n), ids + key[8:], ids + digest[8:],
        written(FIRST + n * APART),
    )  # fmt: skip
    changes = list(zip(old, new, strict=True))
    return tuple((table, tuple(_changed(value, changes) for value in row)) for table, row in rows)


def _changed(value: Any, changes: Sequence[tuple[str, str]]) -> Any:
    if isinstance(value, str):
        for was, becomes in changes:
            value = value.replace(was, becomes)
    elif isinstance(value, bytes):
        for was, becomes in changes:
            value = value.replace(was.encode(), becomes.encode())
    return value
