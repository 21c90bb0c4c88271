"""Reading a roster: CSV or XLSX, to rows of text with the place where each stands."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.roster.words import column_word, section_word
from adapters.sheets import text_of, workbook
from domain.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

MOST_ROWS = 200_000


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a roster: its section, its line (1 is the first of the sheet or file), its filled cells."""

    section: str
    line: int
    cells: dict[str, str]


def read_roster(path: Path) -> list[Row]:
    """Every row of the file that is not empty, in its order.

    Raises Refused `unreadable_file` (neither CSV nor XLSX, a broken file, an unknown encoding) or `too_long`.
    """
    rows: list[Row] = []
    for row in _workbook(path) if path.suffix.lower() in (".xlsx", ".xlsm") else _sections(_lines(path)):
        if len(rows) == MOST_ROWS:
            raise Refused("too_long", f"Split the roster: a file holds at most {MOST_ROWS} rows.")
        rows.append(row)
    return rows


def _workbook(path: Path) -> Iterator[Row]:
    with workbook(path) as book:
        for sheet in book.worksheets:
            lines = (
                (number, list(cells)) for number, cells in enumerate(sheet.iter_rows(values_only=True), 1)
            )
            yield from _table(section_word(sheet.title), lines)


def _lines(path: Path) -> Iterator[tuple[int, Sequence[object]]]:
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            reader = csv.reader(io.StringIO(content.decode(encoding), newline=""), strict=True)
            yield from ((reader.line_num, list(cells)) for cells in reader)
        except UnicodeDecodeError:
            continue
        except csv.Error as broken:
            raise Refused("unreadable_file", f"Mend line {reader.line_num}: it is not CSV.") from broken
        return
    raise Refused("unreadable_file", "Save the roster as CSV in UTF-8, or as XLSX.")


def _sections(lines: Iterable[tuple[int, Sequence[object]]]) -> Iterator[Row]:
    section = ""
    block: list[tuple[int, Sequence[object]]] = []
    for number, cells in lines:
        first = str(cells[0]).strip() if cells else ""
        if first.startswith("[") and first.endswith("]"):
            yield from _table(section, block)
            section, block = section_word(first[1:-1]), []
        else:
            block.append((number, cells))
    yield from _table(section, block)


def _table(section: str, lines: Iterable[tuple[int, Sequence[object]]]) -> Iterator[Row]:
    headings: list[str] | None = None
    for number, cells in lines:
        values = [text_of(cell) for cell in cells]
        if not any(values):
            continue
        if headings is None:
            headings = [column_word(value) for value in values]
            continue
        filled = {column: value for column, value in zip(headings, values, strict=False) if column and value}
        yield Row(section, number, filled)
