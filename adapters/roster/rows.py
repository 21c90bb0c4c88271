"""From a row of a roster to the commands that it stands for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from adapters.roster.words import value_word
from domain.refusal import Refused
from domain.register import commands as c
from domain.register.words import EVERYWHERE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from zoneinfo import ZoneInfo

    from adapters.roster.file import Row
    from domain.acting import Command

Sealed = dict[str, tuple[str, str]]
"""Sealed values beside a command: name -> (subject, value)."""

_PARTS = re.compile(r"[;;、]")


@dataclass(frozen=True, slots=True)
class Reading:
    """What rows are read by: the moment (UTC), the zone of wall times, the persons, the district's code."""

    now: datetime
    zone: ZoneInfo
    identify: Callable[[str], str]
    district: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """A command and its sealed values; `prior` marks one whose being known already is no answer for the row."""

    command: Command
    sealed: Mapping[str, tuple[str, str]]
    prior: bool = False


def steps(row: Row, reading: Reading) -> list[Step]:
    """The commands of a row, in order.

    Raises Refused `unknown_section`, `malformed` or `bad_date`, and pydantic.ValidationError for a bad value.
    """
    make = _READERS.get(row.section)
    if make is None:
        raise Refused(
            "unknown_section",
            "Name the sheet or section bodies, posts, powers, duties, admissions or shifts.",
        )
    return make(row, reading)


def since(row: Row, reading: Reading) -> datetime | None:
    """The row's `from` where it lies behind, so that it means from now on; else None."""
    begins = None if "from" not in row.cells else moment(row.cells["from"], reading.zone)
    return begins if begins is not None and begins <= reading.now else None


def moment(text: str, zone: ZoneInfo, *, end: bool = False) -> datetime:
    """A cell's wall time in `zone` as UTC; a day without a time is its beginning, or its end if `end`.

    Raises Refused `bad_date`.
    """
    written = text.replace("/", "-").replace(".", "-") if ":" not in text else text.replace("/", "-")
    try:
        if len(written) <= len("2026-01-31"):
            day = date.fromisoformat("-".join(part.zfill(2) for part in written.split("-")))
            wall = datetime.combine(day + timedelta(days=1) if end else day, time.min)
        else:
            wall = datetime.fromisoformat(written)
    except (ValueError, OverflowError) as wrong:
        raise Refused("bad_date", "Write days as 2026-01-31 and moments as 2026-01-31 08:30.") from wrong
    aware = wall if wall.tzinfo is not None else wall.replace(tzinfo=zone)
    return aware.astimezone(UTC)


def _need(row: Row, column: str) -> str:
    value = row.cells.get(column)
    if value is None:
        raise Refused("malformed", f"Fill the column {column}.")
    return value_word(row.section, column, value)


def _many(row: Row, column: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in _PARTS.split(row.cells.get(column, "")) if part.strip())


def _span(row: Row, reading: Reading) -> dict[str, Any]:
    """`from` and `until`; a `from` that lies behind is left out, and so means from now on."""
    begins = None if "from" not in row.cells else moment(row.cells["from"], reading.zone)
    ends = None if "until" not in row.cells else moment(row.cells["until"], reading.zone, end=True)
    return {
        "valid_from": begins if begins is not None and begins > reading.now else None,
        "valid_until": ends,
    }


def _body(row: Row, reading: Reading) -> list[Step]:
    name = _need(row, "name_zh")
    district = row.cells.get("district", reading.district)
    if district is None:
        raise Refused("malformed", "Fill the column district.")
    command = c.EnterBody(
        body=_need(row, "id"),
        kind=_need(row, "kind"),  # type: ignore[arg-type]  # pydantic judges the word
        parent=row.cells.get("parent"),
        name_zh=name,
        name_en=row.cells.get("name_en", name),
        district=district,
        **_span(row, reading),
    )
    return [Step(command, {})]


def _post(row: Row, reading: Reading) -> list[Step]:
    person = reading.identify(_need(row, "person"))
    sealed: Sealed = {name: (person, row.cells[name]) for name in ("name", "contact") if name in row.cells}
    entering = [Step(c.EnterPerson(person=person), sealed, prior=True)] if "name" in sealed else []
    filling = c.FillPost(
        person=person,
        body=_need(row, "body"),
        post=_need(row, "post"),  # type: ignore[arg-type]  # pydantic judges the word
        **_span(row, reading),
    )
    return [*entering, Step(filling, {})]


def _shift(row: Row, reading: Reading) -> list[Step]:
    command = c.AssignShift(
        body=_need(row, "body"),
        post=_need(row, "post"),  # type: ignore[arg-type]  # pydantic judges the word
        person=reading.identify(_need(row, "person")),
        deputies=tuple(reading.identify(deputy) for deputy in _many(row, "deputies")),
        begins=moment(_need(row, "begins"), reading.zone),
        ends=moment(_need(row, "ends"), reading.zone, end=True),
    )
    return [Step(command, {})]


def _power(row: Row, reading: Reading) -> list[Step]:
    command = c.EnterPower(
        item=_need(row, "id"),
        kind=_need(row, "kind"),  # type: ignore[arg-type]  # pydantic judges the word
        holder=_need(row, "holder"),
        over=_many(row, "over"),
        basis=_need(row, "basis"),
        limits=_many(row, "limits"),
        steps=_many(row, "steps"),
        disclosure=row.cells.get("disclosure"),
        approved_by=_many(row, "approved_by"),
        **_span(row, reading),
    )
    return [Step(command, {})]


def _duty(row: Row, reading: Reading) -> list[Step]:
    body, code, place = _need(row, "body"), _need(row, "code"), row.cells.get("place", EVERYWHERE)
    plain = f"{body}:{code}:{place}".replace(EVERYWHERE, "all").replace("/", ".")
    item = row.cells.get("id", plain)
    return [Step(c.EnterDuty(item=item, body=body, code=code, place=place, **_span(row, reading)), {})]


def _admission(row: Row, reading: Reading) -> list[Step]:
    on_list, code = _need(row, "list"), _need(row, "code")
    command = c.EnterAdmissionItem(
        item=row.cells.get("id", f"{on_list}:{code}".replace(EVERYWHERE, "all").replace("/", ".")),
        code=code,
        on_list=on_list,  # type: ignore[arg-type]  # pydantic judges the word
        department=row.cells.get("department"),
        conditions=row.cells.get("conditions"),
        approved_by=_many(row, "approved_by"),
        **_span(row, reading),
    )
    return [Step(command, {})]


_READERS: dict[str, Callable[[Row, Reading], list[Step]]] = {
    "bodies": _body,
    "posts": _post,
    "powers": _power,
    "duties": _duty,
    "admissions": _admission,
    "shifts": _shift,
}
