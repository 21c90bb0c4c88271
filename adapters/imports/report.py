"""The report of an import: how many rows came in, and which did not, with the reason. It quotes no cell."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from adapters.imports.run import RowOutcome

HEAD = ("row", "line", "verdict", "code", "advice", "matter")


@dataclass(slots=True)
class Tally:
    """Counts the outcomes and keeps those that have to be told."""

    counts: Counter[str] = field(default_factory=Counter)
    told: list[RowOutcome] = field(default_factory=list)

    def add(self, outcomes: Iterable[RowOutcome]) -> None:
        """Count these too."""
        for outcome in outcomes:
            self.counts[outcome.verdict] += 1
            if outcome.code is not None:
                self.told.append(outcome)

    def by_verdict(self) -> dict[str, int]:
        """How many rows were added, known before, changed since, refused."""
        return {verdict: self.counts[verdict] for verdict in ("added", "known", "changed", "refused")}


def write_report(path: Path, told: Iterable[RowOutcome]) -> None:
    """Write the rows that did not come in, as `HEAD` says. Raises OSError."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEAD)
        writer.writerows(told)
