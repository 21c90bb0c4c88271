"""Lists out of the read models, as far as a viewer may see: for every edge the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.engine import Engine
from adapters.reading import look
from adapters.store.moment import as_moment
from adapters.views.reader import MOST, Reader, Record
from domain.acting import Actor
from domain.instant import written
from domain.refusal import NotFound
from domain.visibility import surely_sees

MOMENTS = frozenset({
    "opened", "registered_at", "accepted_at", "completed_at", "ended_at", "first_due", "finish_due", "next_due",
    "updated_at", "started", "due", "stopped", "since", "at", "recorded_at", "occurred_at", "issued_at",
})  # fmt: skip
"""Columns of the read models that hold microseconds since 1970."""


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row for a program: moments as RFC 3339 in UTC."""
    return {
        name: written(as_moment(value)) if name in MOMENTS and value is not None else value
        for name, value in row.items()
    }


def worked(row: Record) -> dict[str, Any]:
    """A row of work for a program: its posts as a list."""
    return plain(row) | {"posts": [post for post in row["posts"].split(",") if post]}


def visible(engine: Engine, viewer: Actor | None, rows: Sequence[Record]) -> list[Record]:
    """The rows of cases that the viewer may see; each case is asked once. None is an operator at the machine.

    No confidential case stands in the read models, so a row that is as new as its case and names a body of the viewer's
    as host or sub-district is theirs to see; all other cases are loaded and judged.
    """
    if viewer is None:
        return list(rows)
    carried = _carried(engine, rows)
    now, register = engine.handle.clock(), engine.handle.standing.caught_up().register
    seen: dict[str, bool] = {}
    for case in {row["case_id"] for row in rows}:
        if case in carried and surely_sees(carried[case], viewer, register, now):
            seen[case] = True
            continue
        try:
            seen[case] = bool(look(engine, case, viewer))
        except NotFound:
            seen[case] = False
    return [row for row in rows if seen[row["case_id"]]]


def _carried(engine: Engine, rows: Sequence[Record]) -> dict[str, tuple[str, ...]]:
    """The host and the sub-district of the cases whose row has everything that is stored of them by now."""
    told = {row["case_id"]: row for row in rows if row.keys() >= _CARRIERS}
    newest = engine.store.versions([*told]) if told else ()
    return {
        case: tuple(body for body in (row["host"], row["subdistrict"]) if body)
        for (case, row), version in zip(told.items(), newest, strict=True)
        if row["version"] == version
    }


_CARRIERS = frozenset({"host", "subdistrict", "version"})
"""What a row must tell: the work lists, which tell less, are short."""


def work_of_body(
    engine: Engine, reader: Reader, body: str, post: str | None = None, limit: int = MOST
) -> list[Record]:
    """What a body (in one of its posts) is to do. Raises NotFound for a body that the register does not know."""
    known = engine.handle.standing.caught_up().register.body(body, engine.handle.clock())
    if known is None:
        raise NotFound("Check the body: the register does not know it.")
    return reader.work(body, known.kind, post, limit)


def work_of_person(engine: Engine, reader: Reader, person: str, limit: int = MOST) -> list[Record]:
    """What the person may do in any of their posts, each thing once, the soonest due first."""
    register, now = engine.handle.standing.caught_up().register, engine.handle.clock()
    found: dict[tuple[str, str], Record] = {}
    for body, post in register.posts_of(person, now):
        known = register.body(body, now)
        for row in reader.work(body, known.kind if known else None, post, limit):
            found[row["case_id"], row["item"]] = row
    return sorted(found.values(), key=lambda row: (row["due"] is None, row["due"] or 0, row["since"]))
