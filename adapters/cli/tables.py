"""Tables for people and JSON for programs: the same rows, said twice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console, Group
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table

from adapters.engine import Engine
from adapters.history.trail import DEFAULT_ZONE
from domain.refusal import Refused

UNBOUNDED = 10_000
"""A width that any table fits."""

_WHOLE = frozenset({"number", "due", "opened", "position", "occurred", "stage", "act", "what"})
"""Columns that are never broken over two lines: what people copy or read at a glance."""


def zone_of(engine: Engine) -> ZoneInfo:
    """The zone in which this store's people read the time: that of the rulebook in force."""
    try:
        return ZoneInfo(engine.handle.standing.caught_up().law_at(engine.handle.clock()).book.zone)
    except Refused:  # nothing is in force yet
        return ZoneInfo(DEFAULT_ZONE)


def print_json(body: object) -> None:
    """One JSON object, in UTF-8."""
    typer.echo(json.dumps(body, ensure_ascii=False))


def local(moment: datetime | str | None, zone: ZoneInfo) -> str:
    """A moment as people read it, with seconds; `-` for none."""
    if moment is None:
        return "-"
    given = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return given.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def cell(value: Any, zone: ZoneInfo) -> str:
    """A value as people read it: moments in their zone, positions as spans."""
    match value:
        case None | [] | "":
            return "-"
        case bool():
            return "是 yes" if value else "否 no"
        case float():
            return f"{value:.1f}"
        case [int(), *_]:
            return spans(value)
        case list():
            return "\n".join(cell(one, zone) for one in value)
    return _MOMENT.sub(lambda found: local(found.group(), zone), str(value))


_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def spans(numbers: Sequence[int]) -> str:
    """Numbers in order, neighbours together: `158, 161-164`."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and found[-1][-1] == number - 1:
            found[-1][1:] = [number]
        else:
            found.append([number])
    return ", ".join("-".join(map(str, one)) for one in found)


def print_table(
    title: str, rows: Iterable[Mapping[str, Any]], columns: Sequence[str], zone: ZoneInfo
) -> None:
    """A table of these columns; a column that no row has anything for is left out.

    Where the screen is too narrow for the table, each row is a paragraph of its own.
    """
    listed = list(rows)
    shown = [name for name in columns if any(row.get(name) not in (None, "", []) for row in listed)]
    screen = console()
    table = Table(title=title or None, title_justify="left")
    for name in shown:
        table.add_column(name.replace("_", " "), no_wrap=name in _WHOLE, overflow="fold")
    for row in listed:
        table.add_row(*[cell(row.get(name), zone) for name in shown])
    if Measurement.get(screen, screen.options.update(width=UNBOUNDED), table).maximum <= screen.width:
        screen.print(table)
        return
    screen.print(title)
    for row in listed:
        screen.print(_paragraph({name: cell(row.get(name), zone) for name in shown}))


def _paragraph(row: Mapping[str, str]) -> Padding:
    """What is read at a glance in the first line, all else below it, each with its name."""
    told = {name: value for name, value in row.items() if value != "-"}
    first = "  ".join(value for name, value in told.items() if name in _WHOLE)
    rest = (f"{name.replace('_', ' ')}: {value}" for name, value in told.items() if name not in _WHOLE)
    below = " · ".join(one.replace("\n", ", ") for one in rest)
    return Padding(Group(first, Padding(below, (0, 0, 0, 4))), (0, 0, 0, 1))


def console() -> Console:
    """Where people read; no markup, so that nothing stored can colour or hide what is printed."""
    return Console(markup=False, highlight=False, emoji=False)
