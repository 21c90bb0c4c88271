"""From a row of a table to the matter that it stands for, or to the reason why it stands for none."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from adapters.derived import Derived
from adapters.imports.mapping import FieldRule, Mapping, SealedRule
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
_CODES = frozenset({"code", "host", "department", "grid"})


class Order(NamedTuple):
    """A row read as a live request: the body of its registration, and which message it is in the other system."""

    body: dict[str, Any]
    reference: str
    message: str


class Plan(NamedTuple):
    """A row read as history: its command, its sealed values, its id in the other system."""

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
        self._id, self._message = at[mapping.reference.column], at.get(mapping.reference.message or "")
        self._closed = at[mapping.closed.column] if mapping.closed else None
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

    def plan(self, cells: Sequence[str], reference: str, ids: Derived | None = None) -> Plan:
        """What the row of a history stands for, under these ids (else fresh ones). Raises Refused, never quoting a cell."""
        fields = self._read_fields(cells)
        asked = self._requester is not None and bool(cells[self._requester].strip())
        day = fields["opened_at"].astimezone(self._zone).date()
        drawn = ids or Derived(secrets.token_bytes(32), ())
        try:
            command = BackfillMatter(
                **fields, number=drawn.number(self._district, day), status="closed" if self._over(cells) else "in_handling",
                requesters=(drawn.id("requester"),) if asked else (),
            )  # fmt: skip
        except ValidationError as wrong:
            raise Refused("malformed", what_is_wrong(wrong)) from None
        return Plan(drawn.id("case"), command, self._seal(cells, command.requesters), reference)

    def order(self, cells: Sequence[str], reference: str) -> Order:
        """The live request that the row stands for. Raises Refused, never quoting a cell."""
        fields = self._read_fields(cells)
        if self._over(cells):
            raise Refused(
                "closed_already", "Import it as history: it is closed, and nobody is to take it up."
            )
        sealed = {name: value for name, _, value in self._values(cells)}
        person = {name: sealed.pop(name) for name in ("name", "contact") if name in sealed}
        asked = self._requester is None or bool(cells[self._requester].strip())
        body = {
            **{name: value for name, value in fields.items() if name != "opened_at" and value is not None},
            "seen_at": fields["opened_at"].isoformat(), "sealed": sealed,
            "requesters": [person] if person and asked else [],
            "outside": [{"source": self._mapping.reference.source, "number": reference}],
        }  # fmt: skip
        return Order(body, reference, self._which(cells))

    def _which(self, cells: Sequence[str]) -> str:
        """The id of the message; without a column for it, a digest of all that is read of the row."""
        given = "" if self._message is None else cells[self._message].strip()
        if given:
            return given
        said = json.dumps([cells[place].strip() for place in self._used], ensure_ascii=True)
        return hashlib.sha256(said.encode("ascii")).hexdigest()

    def _read_fields(self, cells: Sequence[str]) -> dict[str, Any]:
        for place in self._used:
            if not cells[place].isascii():
                _valid(cells[place])
        fields: dict[str, Any] = {name: get(cells) for name, get in self._fields}
        self._check_times(fields["opened_at"], fields.get("closed_at"))
        return fields

    def _over(self, cells: Sequence[str]) -> bool:
        rule, place = self._mapping.closed, self._closed
        return rule is not None and place is not None and rule.holds(cells[place].strip())

    def _check_times(self, opened: datetime | None, closed: datetime | None) -> None:
        if opened is None:
            raise Refused("time_missing", "Give the time at which the matter was opened.")
        if closed is not None and closed < opened:
            raise Refused("closed_before_opened", "Correct the row: it was closed before it was opened.")
        if max(opened, closed or opened) > self._now:
            raise Refused("future", "Correct the row: its time lies in the future.")

    def _seal(self, cells: Sequence[str], requesters: tuple[str, ...]) -> tuple[Sealing, ...]:
        return tuple(
            Sealing(name, _subject(rule, requesters), value) for name, rule, value in self._values(cells)
        )

    def _values(self, cells: Sequence[str]) -> list[tuple[str, SealedRule, str]]:
        """The sealed values that the row has, by name."""
        found = [
            (name, rule, "\n".join(filter(None, (cells[place].strip() for place in places))))
            for name, rule, places in self._sealed
        ]
        return [one for one in found if one[2]]

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


def what_is_wrong(wrong: ValidationError) -> str:
    """Which fields a model did not take, and why, without the values."""
    faults = wrong.errors(include_url=False, include_input=False, include_context=False)
    return "Correct " + "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in faults) + "."
