"""From a row of a table to the matter that it stands for, or to the reason why it stands for none."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import uuid4
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from adapters.imports.mapping import FieldRule, Mapping, SealedRule
from adapters.numbers import fresh_number
from domain.matter.commands import BackfillMatter
from domain.refusal import Refused
from workflows.submission import Sealing

OF_THE_CASE = "case"
"""The subject of sealed values that concern no single person: they are erased with the case."""

FIRST_YEAR = 1900
"""No matter is older; what claims to be is a slip of the pen."""

_NOT_IN_A_CODE = re.compile(r"[^A-Za-z0-9._:-]+")
_CODE_LENGTH = 80
_TIMES = frozenset({"opened_at", "closed_at", "due_at"})
_CODES = frozenset({"code", "host", "department"})


class Plan(NamedTuple):
    """A row read: its command, its sealed values, its id in the other system."""

    case: str
    command: BackfillMatter
    sealed: tuple[Sealing, ...]
    reference: str


class Rows:
    """Reads the rows of one table by a mapping. `district` begins the numbers; `now` is when the import began."""

    def __init__(self, mapping: Mapping, head: Sequence[str], district: str, now: datetime) -> None:
        """Raises Refused `bad_table` where the table lacks a column that the mapping names."""
        missing = sorted(mapping.columns() - set(head))
        if missing:
            raise Refused(
                "bad_table", f"The table has no column {', '.join(missing)}: choose another mapping."
            )
        self._mapping, self._district, self._now = mapping, district, now
        self._zone = ZoneInfo(mapping.zone)
        at = {name: place for place, name in enumerate(head)}
        self._id, self._closed = at[mapping.reference.column], at[mapping.closed.column]
        self._requester = at[mapping.requester.column] if mapping.requester else None
        self._fields = [(name, self._getter(name, rule, at)) for name, rule in mapping.matter.items()]
        self._sealed = [
            (n, rule, [at[column] for column in rule.columns]) for n, rule in mapping.sealed.items()
        ]
        self._used = sorted({at[column] for column in mapping.columns()})

    def reference(self, cells: Sequence[str]) -> str:
        """The row's id in the other system. Raises Refused where there is none."""
        reference = cells[self._id].strip()
        if not reference:
            raise Refused(
                "id_missing", "Give the row its id: without it a second import would double the matter."
            )
        return reference

    def plan(self, cells: Sequence[str], reference: str) -> Plan:
        """What the row stands for, under fresh ids and a fresh number. Raises Refused, never quoting a cell."""
        for place in self._used:
            if not cells[place].isascii():
                _valid(cells[place])
        fields: dict[str, Any] = {name: get(cells) for name, get in self._fields}
        closed = self._mapping.closed.holds(cells[self._closed].strip())
        self._check_times(fields["opened_at"], fields.get("closed_at"))
        asked = self._requester is not None and bool(cells[self._requester].strip())
        day = fields["opened_at"].astimezone(self._zone).date()
        try:
            command = BackfillMatter(
                **fields, number=fresh_number(self._district, day), status="closed" if closed else "in_handling",
                requesters=(str(uuid4()),) if asked else (),
            )  # fmt: skip
        except ValidationError as wrong:
            raise Refused("malformed", _what_is_wrong(wrong)) from None
        return Plan(str(uuid4()), command, self._seal(cells, command.requesters), reference)

    def _check_times(self, opened: datetime | None, closed: datetime | None) -> None:
        if opened is None:
            raise Refused("time_missing", "Give the time at which the matter was opened.")
        if closed is not None and closed < opened:
            raise Refused("closed_before_opened", "Correct the row: it was closed before it was opened.")
        if max(opened, closed or opened) > self._now:
            raise Refused("future", "Correct the row: its time lies in the future.")

    def _seal(self, cells: Sequence[str], requesters: tuple[str, ...]) -> tuple[Sealing, ...]:
        found = []
        for name, rule, places in self._sealed:
            value = "\n".join(filter(None, (cells[place].strip() for place in places)))
            if value:
                found.append(Sealing(name, _subject(rule, requesters), value))
        return tuple(found)

    def _getter(self, name: str, rule: FieldRule, at: dict[str, int]) -> Callable[[Sequence[str]], Any]:
        if rule.column is None:
            constant = self._read(name, rule.value or "")
            return lambda cells: constant
        place, values, default = at[rule.column], rule.map, rule.default

        def get(cells: Sequence[str]) -> Any:
            cell = cells[place].strip()
            if not cell:
                return default
            if not values:
                return self._read(name, cell)
            found = values.get(cell, default)
            if found is None:
                raise Refused(
                    "unknown_value", f"Map this row's value in column {rule.column}: it is not in the map."
                )
            return found

        return get

    def _read(self, name: str, text: str) -> Any:
        if name in _TIMES:
            return self._time(name, text)
        return as_code(text) if name in _CODES else text

    def _time(self, name: str, text: str) -> datetime:
        for style in self._mapping.times:
            try:
                moment = datetime.fromisoformat(text) if style == "iso" else _strptime(text, style)
            except ValueError:
                continue
            return self._instant(name, moment)
        raise Refused(
            "bad_time", f"Correct {name}: the time is written in none of the ways that the mapping names."
        )

    def _instant(self, name: str, moment: datetime) -> datetime:
        """In UTC. Of a wall time that comes twice, when clocks are set back, the first is meant."""
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
        try:
            instant = moment.replace(tzinfo=self._zone).astimezone(UTC)
            there = instant.astimezone(self._zone)
        except OverflowError:
            raise Refused("bad_time", f"Correct {name}: the time lies outside the calendar.") from None
        if instant.year < FIRST_YEAR:
            raise Refused("bad_time", f"Correct {name}: the time lies before {FIRST_YEAR}.")
        if there.replace(tzinfo=None) != moment:
            raise Refused("no_such_time", f"Correct {name}: clocks were set forward over this time.")
        return instant


def _strptime(text: str, style: str) -> datetime:
    return datetime.strptime(text, style)  # noqa: DTZ007 - wall time; its zone is added where it is read


def as_code(text: str) -> str:
    """A code from words: what a code may not hold becomes a hyphen (`Street Lights` is `Street-Lights`).

    Words with seven digits in a row stay as they are and the row is refused: they may be somebody's number (law 9).
    """
    return _NOT_IN_A_CODE.sub("-", text).strip("-._:")[:_CODE_LENGTH]


def _subject(rule: SealedRule, requesters: tuple[str, ...]) -> str:
    return requesters[0] if rule.about == "requester" and requesters else OF_THE_CASE


def _valid(cell: str) -> None:
    try:
        cell.encode()
    except UnicodeEncodeError:
        raise Refused("invalid_text", "Save the row as UTF-8: it holds bytes that are not.") from None


def _what_is_wrong(wrong: ValidationError) -> str:
    faults = wrong.errors(include_url=False, include_input=False, include_context=False)
    return "Correct " + "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in faults) + "."
