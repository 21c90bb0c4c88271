"""Importing a roster: each row handed to the register, and a report of what became of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from pydantic import ValidationError

from adapters.roster.rows import Reading, Step, since, steps
from adapters.roster.words import value_word
from domain.refusal import Refused
from domain.register import commands as c
from domain.register.words import RANK, SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from zoneinfo import ZoneInfo

    from adapters.roster.file import Row
    from domain.acting import Command

Verdict = Literal["accepted", "known", "refused"]


class Outcome(NamedTuple):
    """What the register answered: `code` and `advice` of a refusal, or no code."""

    code: str | None = None
    advice: str = ""


class RowReport(NamedTuple):
    """What became of one row; `code` and `advice` say why it was refused, or what to know about it."""

    section: str
    line: int
    verdict: Verdict
    code: str | None = None
    advice: str = ""


_ORDER: Final = ("bodies", "posts", "powers", "duties", "admissions", "shifts")


def import_roster(
    rows: Iterable[Row],
    submit: Callable[[Command, Mapping[str, tuple[str, str]]], Outcome],
    *,
    identify: Callable[[str], str],
    now: datetime,
    zone: ZoneInfo,
) -> Iterator[RowReport]:
    """Submit every row and say what became of it, in the order of work; a bad row never stops the rest.

    `submit(command, sealed)` hands a command to the register, `sealed` being name -> (person id, value);
    `identify` makes a person id of a staff reference; `now` is aware UTC; `zone` is that of the roster's times.
    A second run adds nothing: what is in force already is reported as known.
    """
    listed = list(rows)
    reading = Reading(now, zone, identify, _district(listed))
    readable: list[_Wanted] = []
    for row in sorted(listed, key=_place):
        try:
            readable.append(_Wanted(row, steps(row, reading), since(row, reading)))
        except Refused as refusal:
            yield RowReport(row.section, row.line, "refused", refusal.code, refusal.advice)
        except ValidationError as wrong:
            yield RowReport(row.section, row.line, "refused", "malformed", _what_is_wrong(wrong))
    latest = _latest(readable)
    for wanted in readable:
        yield _told(wanted, _beside(wanted, latest) or _submit_all(wanted.steps, submit))


class _Wanted(NamedTuple):
    """A row that could be read, its commands, and its `from` where that lies behind."""

    row: Row
    steps: list[Step]
    since: datetime | None

    def entry(self) -> tuple[str, str] | None:
        """What the row makes a version of from now on; None for posts, shifts and planned versions."""
        match self.steps[-1].command:
            case c.EnterBody(body=entry, valid_from=None):
                return (self.row.section, entry)
            case c.EnterPower(item=entry, valid_from=None):
                return (self.row.section, entry)
            case c.EnterDuty(item=entry, valid_from=None):
                return (self.row.section, entry)
            case c.EnterAdmissionItem(item=entry, valid_from=None):
                return (self.row.section, entry)
            case _:
                return None


_Latest = dict[tuple[str, str], _Wanted]


def _latest(readable: list[_Wanted]) -> _Latest:
    """For each entry the one row that holds now; else two versions in a file would replace each other for ever."""
    latest: _Latest = {}
    for wanted in readable:
        entry = wanted.entry()
        if entry is not None and (entry not in latest or _begun(latest[entry]) < _begun(wanted)):
            latest[entry] = wanted
    return latest


def _begun(wanted: _Wanted) -> datetime:
    return wanted.since or datetime.min.replace(tzinfo=UTC)


def _beside(wanted: _Wanted, latest: _Latest) -> Outcome | None:
    """Why a row gives way to another one of the same file, if it does."""
    entry = wanted.entry()
    other = wanted if entry is None else latest[entry]
    if other.steps[-1].command == wanted.steps[-1].command:
        return None
    if _begun(other) > _begun(wanted):
        return Outcome("back_dated", f"Leave it out: line {other.row.line} has replaced it by now.")
    return Outcome(
        "twice_in_file", f"Keep one of them: line {other.row.line} says something else of the same id."
    )


def _place(row: Row) -> tuple[int, int, int]:
    """The order of work: what others stand on comes first, whatever the order of the file.

    Posts of the body `system` come before all, for a new system administrator enters the bodies.
    """
    if row.section == "posts" and row.cells.get("body") == SYSTEM:
        return (-1, 0, row.line)
    section = _ORDER.index(row.section) if row.section in _ORDER else len(_ORDER)
    kind = value_word(row.section, "kind", row.cells.get("kind", ""))
    height = (
        next((rank for known, rank in RANK.items() if known == kind), 0) if row.section == "bodies" else 0
    )
    return (section, -height, row.line)


def _district(rows: list[Row]) -> str | None:
    """The code for bodies that name none: the id of the one district in the file."""
    found = {
        row.cells.get("district", row.cells.get("id"))
        for row in rows
        if row.section == "bodies" and value_word("bodies", "kind", row.cells.get("kind", "")) == "district"
    }
    return found.pop() if len(found) == 1 else None


def _submit_all(
    wanted: list[Step], submit: Callable[[Command, Mapping[str, tuple[str, str]]], Outcome]
) -> Outcome:
    """The answer to the last step, or to the first that is refused."""
    outcome = Outcome()
    for step in wanted:
        outcome = submit(step.command, step.sealed)
        if outcome.code is not None and not (step.prior and outcome.code == "already_known"):
            return outcome
    return outcome


def _told(wanted: _Wanted, outcome: Outcome) -> RowReport:
    row = wanted.row
    if outcome.code == "already_known":
        return RowReport(row.section, row.line, "known")
    if outcome.code is not None:
        return RowReport(row.section, row.line, "refused", outcome.code, outcome.advice)
    if wanted.since is not None:
        advice = "In force from now on, not from the day given: the register is never back-dated."
        return RowReport(row.section, row.line, "accepted", "from_now_on", advice)
    return RowReport(row.section, row.line, "accepted")


def _what_is_wrong(wrong: ValidationError) -> str:
    """The columns at fault and why, without the values: they may be personal."""
    faults = wrong.errors(include_url=False, include_input=False, include_context=False)
    told = (f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in faults)
    return "Correct " + "; ".join(told) + "."
