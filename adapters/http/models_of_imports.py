"""What the API says of an import."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from adapters.imports.mapping import Mode
from adapters.imports.run import RowOutcome, Verdict
from adapters.imports.store import Import, State
from domain.instant import written

Outcome = Verdict


class ImportView(BaseModel):
    """An import as it stands. Counts are of rows without the head."""

    id: str = Field(examples=["0e1f4a3c-6a55-4a51-9d3e-0a6a0f9a1c52"])
    state: State = Field(description="waiting: not begun yet; failed: `code` says why.")
    mode: Mode
    dry_run: bool
    rows: int | None = Field(
        default=None, description="How many there are; unknown until the table was read."
    )
    done: int = Field(description="How many have been worked off.")
    counts: dict[str, int] = Field(
        description="How many had each outcome.", examples=[{"added": 190, "known": 10}]
    )
    rate: float | None = Field(default=None, description="Rows a second so far.")
    eta_seconds: int | None = Field(default=None, description="How long the rest will take at this rate.")
    made_at: str
    started_at: str | None = None
    ended_at: str | None = None
    code: str | None = None
    detail: str | None = None


class ImportRow(BaseModel):
    """What became of a row: the first row below the head is 2, as in a spreadsheet. It quotes no cell."""

    row: int
    line: int = Field(description="The line of the file, or the row of the sheet, that it begins on.")
    outcome: Outcome = Field(description="changed: known by its id, and it says something else now.")
    code: str | None = None
    detail: str | None = None
    matter: str | None = Field(default=None, description="The number of its matter.")

    @staticmethod
    def of(row: RowOutcome) -> ImportRow:
        """The same, as it is kept."""
        return ImportRow(
            row=row.number,
            line=row.line,
            outcome=row.verdict,
            code=row.code,
            detail=row.advice,
            matter=row.matter,
        )


def view_of(one: Import, counts: dict[str, int], now: datetime) -> ImportView:
    """The view of an import at a moment."""
    seconds = 0.0 if one.started_at is None else ((one.ended_at or now) - one.started_at).total_seconds()
    rate = one.done / seconds if seconds > 0 and one.done else None
    eta = round(((one.total or 0) - one.done) / rate) if rate and one.state == "running" else None
    return ImportView(
        id=one.id, state=one.state, mode=one.mode, dry_run=one.trial, rows=one.total, done=one.done, counts=counts,
        rate=None if rate is None else round(rate, 1), eta_seconds=eta, made_at=written(one.made_at),
        started_at=None if one.started_at is None else written(one.started_at),
        ended_at=None if one.ended_at is None else written(one.ended_at), code=one.code, detail=one.advice,
    )  # fmt: skip
