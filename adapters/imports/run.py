"""Importing history: rows handed to `handle` in batches, and what became of each.

A row whose id in the other system is known is not handed in again, so that a second import adds nothing, and one
that was broken off goes on where it stopped by being run again. Each run is an act of its own: its commands are
`import.NAME:RUN:ROW`, share RUN as their correlation, and stand under ids that are derived from run and row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, NamedTuple
from uuid import uuid4

from adapters.derived import Derived
from adapters.imports.rows import Plan, Rows
from adapters.imports.table import Row
from domain.acting import Actor
from domain.matter.commands import BackfillMatter
from domain.refusal import Refused
from workflows.handle import Handle
from workflows.submission import Answer, OutsideNumber, Submission

BATCH = 500
FOR_EVERY_ROW = frozenset({
    "authority_missing", "not_for_backfill", "not_an_officer", "not_your_body", "not_your_post", "post_lapsed",
    "rulebook_not_in_force", "rulebook_unknown", "no_rulebook_in_force", "clock_behind", "clock_ahead",
})  # fmt: skip
"""Refusals that concern who imports and under which rules: they would be those of every row."""

_KNOWN_BY_NOW = frozenset({"known_number", "exists_already"})
"""Refusals of a row that another import brought in meanwhile."""


Verdict = Literal["added", "supplement", "urging", "reopening", "known", "changed", "refused"]


class RowOutcome(NamedTuple):
    """What became of a row. "changed": it was imported before and says something else now.

    "supplement", "urging" and "reopening": what a live request became of a matter that its number was known by.
    `matter` is the matter's number, None where there is none.
    """

    number: int
    line: int
    verdict: Verdict
    code: str | None = None
    advice: str | None = None
    matter: str | None = None


@dataclass(frozen=True, slots=True)
class Importing:
    """One run: who imports, on what ground, under which rulebook (one marked for backfill), from which system.

    A `trial` decides and keeps nothing.
    """

    handle: Handle
    actor: Actor
    authority: str
    rulebook: str
    name: str
    source: str
    run: str = field(default_factory=lambda: uuid4().hex)
    trial: bool = False

    def ids(self, row: Row, *again: str) -> Derived:
        """The ids of a row in this run: the same again when it is handed in again."""
        return Derived(self.handle.keys.pepper(), ("import", self.run, str(row.number), *again))

    def known(self, plan: Plan) -> tuple[str, BackfillMatter | None] | None:
        """The case of this row's id and, if it was imported, the matter as it came; None for a new one."""
        case = self.handle.find(self.source, plan.reference, self.actor)
        if case is None:
            return None
        first = self.handle.history(case)[0].pub
        if first.TYPE != "matter_backfilled.v1":
            return case, None
        return case, BackfillMatter.model_validate(first.model_dump())

    def submission(self, row: Row, plan: Plan, attempt: str = "") -> Submission:
        """The command of a row."""
        return Submission(
            client=f"import.{self.name}", key=f"{self.run}:{row.number}{attempt}", case=plan.case, command=plan.command,
            actor=self.actor, authority=self.authority, sealed=plan.sealed, rulebook=self.rulebook,
            outside=(OutsideNumber(self.source, plan.reference),), correlation=self.run,
        )  # fmt: skip


def marked(rows: Iterable[Row], reading: Rows) -> Iterator[Row]:
    """The rows, each with the number of the first row before it that has the same id."""
    seen: dict[str, int] = {}
    for row in rows:
        try:
            reference = "" if row.cells is None else reading.reference(row.cells)
        except Refused:
            reference = ""  # told when it is read
        first = seen.setdefault(reference, row.number) if reference else row.number
        yield row if first == row.number else row._replace(first=first)


def bring_in(
    importing: Importing, rows: Iterable[Row], reading: Rows, batch: int = BATCH
) -> Iterator[list[RowOutcome]]:
    """Import the rows, and say batch by batch what became of each; what was said is kept.

    Raises Refused where every row would be refused alike (the importer holds no post, the rulebook is not one for
    backfill), after the first of them, and Unavailable when the store cannot be reached.
    """
    waiting = marked(rows, reading)
    size = 1  # the first row alone: what is wrong with all of them is then said once
    while taken := [*islice(waiting, size)]:
        outcomes = brought(importing, taken, reading)
        yield outcomes
        tried = size > 1 or any(one.verdict != "refused" for one in outcomes)
        size = batch if tried else 1


def brought(importing: Importing, rows: Sequence[Row], reading: Rows) -> list[RowOutcome]:
    """Hand these rows in, in one transaction, and say what became of each. Raises as `bring_in` does."""
    outcomes: list[RowOutcome] = []
    fresh: list[tuple[Row, Plan]] = []
    for row in rows:
        try:
            plan = _read(importing, row, reading)
        except Refused as refused:
            outcomes.append(RowOutcome(row.number, row.line, "refused", refused.code, refused.advice))
            continue
        before = importing.known(plan)
        if before is None:
            fresh.append((row, plan))
        else:
            outcomes.append(_compared(row, plan, *before))
    return sorted(outcomes + _handed_in(importing, reading, fresh))


def _read(importing: Importing, row: Row, reading: Rows) -> Plan:
    if row.cells is None:
        raise Refused("not_readable", row.why)
    reference = reading.reference(row.cells)
    if row.first:
        raise Refused("twice_in_file", f"Keep one of them: row {row.first} has the same id.")
    return reading.plan(row.cells, reference, importing.ids(row))


def _compared(row: Row, plan: Plan, case: str, before: BackfillMatter | None) -> RowOutcome:
    """A row whose id is known: brought in by this very run before it was broken off, by another, or not by an import."""
    number = None if before is None else before.number
    if case == plan.case:
        return RowOutcome(row.number, row.line, "added", matter=number)
    if before is None:
        return RowOutcome(row.number, row.line, "known")
    same = {"number": before.number, "requesters": before.requesters}  # each run has its own
    if plan.command.model_copy(update=same) == before:
        return RowOutcome(row.number, row.line, "known", matter=number)
    advice = "It was imported before with other content, which stays; supplement that matter."
    return RowOutcome(row.number, row.line, "changed", "changed", advice, number)


def _handed_in(importing: Importing, reading: Rows, fresh: list[tuple[Row, Plan]]) -> list[RowOutcome]:
    handle, submissions = importing.handle, [importing.submission(row, plan) for row, plan in fresh]
    answers = [*map(handle.preview, submissions)] if importing.trial else handle.backfill(submissions)
    outcomes = []
    for (row, plan), answer in zip(fresh, answers, strict=True):
        if answer.code == "number_taken":  # one in many millions: draw everything again
            plan = reading.plan(row.cells or [], plan.reference, importing.ids(row, "again"))
            answer = handle(importing.submission(row, plan, ":again"))
        outcomes.append(_told(row, plan, answer))
    return outcomes


def _told(row: Row, plan: Plan, answer: Answer) -> RowOutcome:
    if answer.code in FOR_EVERY_ROW:
        raise Refused(answer.code, answer.advice or "")
    if answer.code in _KNOWN_BY_NOW:
        return RowOutcome(row.number, row.line, "known")
    if not answer.accepted:
        return RowOutcome(row.number, row.line, "refused", answer.code, answer.advice)
    return RowOutcome(row.number, row.line, "added", matter=plan.command.number)


def released_for_backfill(handle: Handle) -> str:
    """The rulebook for backfill that was released last. Raises Refused "no_rulebook_for_backfill"."""
    found = [one for one in handle.standing.caught_up().releases.released if one.use == "backfill"]
    if not found:
        raise Refused(
            "no_rulebook_for_backfill",
            'Release one first: huiyin rulebook release backfill, or one of your own with use = "backfill".',
        )
    return max(found, key=lambda release: release.in_force_from).name
