"""Importing: rows handed to `handle` in batches, and what became of each.

A row whose id in the other system is known is not handed in again, so that a second import adds nothing, and one
that was broken off goes on where it stopped by being run again. Each run is an act of its own: its commands are
`import.NAME:RUN:ROW`, and share RUN as their correlation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, NamedTuple
from uuid import uuid4

from adapters.imports.rows import Plan, Rows
from adapters.imports.table import Row
from domain.acting import Actor
from domain.matter.commands import BackfillMatter
from domain.refusal import Refused
from workflows.handle import Handle
from workflows.submission import Answer, OutsideNumber, Submission

BATCH = 500
_FOR_EVERY_ROW = frozenset({
    "authority_missing", "not_for_backfill", "not_an_officer", "not_your_body", "not_your_post", "post_lapsed",
    "rulebook_not_in_force", "rulebook_unknown", "no_rulebook_in_force", "clock_behind", "clock_ahead",
})  # fmt: skip
"""Refusals that concern who imports and under which rules: they would be those of every row."""

_KNOWN_BY_NOW = frozenset({"known_number", "exists_already"})
"""Refusals of a row that another import brought in meanwhile."""


class RowOutcome(NamedTuple):
    """What became of a row. "changed": it was imported before and says something else now."""

    number: int
    line: int
    verdict: Literal["added", "known", "changed", "refused"]
    code: str | None = None
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class Importing:
    """One run: who imports, on what ground, under which rulebook (one marked for backfill), from which system."""

    handle: Handle
    actor: Actor
    authority: str
    rulebook: str
    name: str
    source: str
    run: str = field(default_factory=lambda: uuid4().hex)

    def known(self, plan: Plan) -> BackfillMatter | None:
        """The matter of this row's id as it was imported, under its number; None for a new one."""
        case = self.handle.find(self.source, plan.reference)
        if case is None:
            return None
        first = self.handle.history(case)[0].pub
        return (
            BackfillMatter.model_validate(first.model_dump())
            if first.TYPE == "matter_backfilled.v1"
            else None
        )

    def submission(self, row: Row, plan: Plan, attempt: str = "") -> Submission:
        """The command of a row."""
        return Submission(
            client=f"import.{self.name}", key=f"{self.run}:{row.number}{attempt}", case=plan.case, command=plan.command,
            actor=self.actor, authority=self.authority, sealed=plan.sealed, rulebook=self.rulebook,
            outside=(OutsideNumber(self.source, plan.reference),), correlation=self.run,
        )  # fmt: skip


def bring_in(
    importing: Importing, rows: Iterable[Row], reading: Rows, batch: int = BATCH
) -> Iterator[list[RowOutcome]]:
    """Import the rows, and say batch by batch what became of each; what was said is kept.

    Raises Refused where every row would be refused alike (the importer holds no post, the rulebook is not one for
    backfill), after the first of them, and Unavailable when the store cannot be reached.
    """
    seen: dict[str, int] = {}
    waiting = iter(rows)
    size = 1  # the first row alone: what is wrong with all of them is then said once
    while taken := [*islice(waiting, size)]:
        outcomes: list[RowOutcome] = []
        fresh: list[tuple[Row, Plan]] = []
        for row in taken:
            try:
                plan = _read(row, reading, seen)
            except Refused as refused:
                outcomes.append(RowOutcome(row.number, row.line, "refused", refused.code, refused.advice))
                continue
            before = importing.known(plan)
            if before is None:
                fresh.append((row, plan))
            else:
                outcomes.append(_compared(row, plan.command, before))
        outcomes += _handed_in(importing, reading, fresh)
        yield sorted(outcomes)
        size = batch if fresh or size > 1 else 1


def _read(row: Row, reading: Rows, seen: dict[str, int]) -> Plan:
    if row.cells is None:
        raise Refused("not_readable", row.why)
    reference = reading.reference(row.cells)
    first = seen.setdefault(reference, row.number)
    if first != row.number:
        raise Refused("twice_in_file", f"Keep one of them: row {first} has the same id.")
    return reading.plan(row.cells, reference)


def _compared(row: Row, command: BackfillMatter, before: BackfillMatter) -> RowOutcome:
    same = {"number": before.number, "requesters": before.requesters}  # drawn at random in every run
    if command.model_copy(update=same) == before:
        return RowOutcome(row.number, row.line, "known")
    advice = "It was imported before with other content, which stays; supplement that matter."
    return RowOutcome(row.number, row.line, "changed", "changed", advice)


def _handed_in(importing: Importing, reading: Rows, fresh: list[tuple[Row, Plan]]) -> list[RowOutcome]:
    answers = importing.handle.backfill([importing.submission(row, plan) for row, plan in fresh])
    outcomes = []
    for (row, plan), answer in zip(fresh, answers, strict=True):
        if answer.code == "number_taken":  # one in many millions: draw everything again
            again = reading.plan(row.cells or [], plan.reference)
            answer = importing.handle(importing.submission(row, again, ":again"))
        outcomes.append(_told(row, answer))
    return outcomes


def _told(row: Row, answer: Answer) -> RowOutcome:
    if answer.code in _FOR_EVERY_ROW:
        raise Refused(answer.code, answer.advice or "")
    if answer.code in _KNOWN_BY_NOW:
        return RowOutcome(row.number, row.line, "known")
    if not answer.accepted:
        return RowOutcome(row.number, row.line, "refused", answer.code, answer.advice)
    return RowOutcome(row.number, row.line, "added")
