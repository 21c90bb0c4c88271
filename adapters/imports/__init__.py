"""Imports of another system's history: a table and a mapping become one backfilled matter per row (DESIGN.md §9)."""

from __future__ import annotations

from adapters.imports.mapping import Mapping, read_mapping
from adapters.imports.report import Tally, write_report
from adapters.imports.run import Importing, RowOutcome, bring_in, released_for_backfill

__all__ = [
    "Importing", "Mapping", "RowOutcome", "Tally", "bring_in", "read_mapping", "released_for_backfill", "write_report",
]  # fmt: skip
