"""Reading a table of another system, CSV or XLSX, row by row; a row that cannot be read does not stop the rest.

What a file is, is told by its content. CSV may be UTF-8 (with or without a mark at its beginning) or GB18030.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, Protocol

from adapters.sheets import text_of, workbook
from domain.refusal import Refused

MOST_CHARACTERS = 10_000_000
"""The longest cell that is read at all; a quote that is never closed makes a cell of the rest of the file."""

MOST_COLUMNS = 64
MOST_SHEET_ROWS = 200_000
_SAMPLE = 262_144
"""Bytes by which the encoding of a CSV file is told."""
_XLSX, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")

Encoding = Literal["auto", "utf-8", "gb18030"]


class Row(NamedTuple):
    """A row: `number` counts as a spreadsheet does (the head is 1), `line` is the line it begins on.

    `cells` is None where it cannot be read, and `why` then says so. `first` is the row before it that has the same id
    in the other system; 0 where there is none.
    """

    number: int
    line: int
    cells: list[str] | None
    why: str = ""
    first: int = 0


class Table(Protocol):
    """An open table: its head, and its rows once. `read` of `size` (bytes, or rows) have been read so far."""

    head: list[str]
    size: int

    @property
    def read(self) -> int:
        """How much has been read."""
        ...

    def __iter__(self) -> Iterator[Row]:
        """The rows; an empty line is none. Raises Refused `bad_table` when the file breaks off."""
        ...


class CsvTable:
    """A table as CSV; sizes are bytes of the file, packed ones as they are packed."""

    def __init__(self, raw: IO[bytes], text: io.TextIOWrapper, size: int, delimiter: str) -> None:
        self._raw, self.size = raw, size
        csv.field_size_limit(MOST_CHARACTERS)
        self._reader = csv.reader(text, delimiter=delimiter, strict=True)
        try:
            self.head = checked([name.strip() for name in self._next() or []])
        except csv.Error as error:
            raise Refused(
                "bad_table", f"Give the table a first line with its columns: {_said(error)}."
            ) from None

    @property
    def read(self) -> int:
        """How many bytes of the file have been read."""
        return self._raw.tell()

    def __iter__(self) -> Iterator[Row]:
        number = 1
        while True:
            line = self._reader.line_num + 1
            try:
                cells = self._next()
            except csv.Error as error:
                number += 1
                yield Row(number, line, None, f"Mend the row: it is not CSV ({_said(error)}).")
                continue
            if cells is None:
                return
            if not cells:
                continue
            number += 1
            yield Row(number, line, cells) if len(cells) == len(self.head) else self._odd(number, line, cells)

    def _odd(self, number: int, line: int, cells: Sequence[str]) -> Row:
        why = f"Mend the row: it has {len(cells)} cells, and the head {len(self.head)}."
        return Row(number, line, None, why)

    def _next(self) -> list[str] | None:
        try:
            return next(self._reader, None)
        except (OSError, EOFError, zlib.error) as error:
            raise Refused("bad_table", f"Give a table that can be read to its end: {error}.") from None


class SheetTable:
    """A sheet of a workbook; sizes are rows, as far as the sheet says how many there are. Formulas are not evaluated."""

    def __init__(self, sheet: Any) -> None:
        self.size, self.read = int(sheet.max_row or 0), 0
        sheet.reset_dimensions()  # what a sheet says of its size may be wrong
        last, far = MOST_SHEET_ROWS + 2, MOST_COLUMNS + 1
        self._rows = enumerate(sheet.iter_rows(max_row=last, max_col=far), 1)
        self.head = checked(_trimmed([text_of(cell.value) for cell in self._first()]))

    def __iter__(self) -> Iterator[Row]:
        width, number = len(self.head), 1
        for line, cells in self._rows:
            self.read = line
            texts = [text_of(cell.value) for cell in cells]
            if not any(texts):
                continue
            if line > MOST_SHEET_ROWS + 1:
                raise Refused(
                    "bad_table", f"Split the table: a sheet holds at most {MOST_SHEET_ROWS:,} rows."
                )
            number += 1
            yield Row(number, line, *_cells(cells, texts, width))

    def _first(self) -> Sequence[Any]:
        for line, cells in self._rows:
            self.read = line
            if any(text_of(cell.value) for cell in cells):
                return cells
        return ()


def _cells(cells: Sequence[Any], texts: list[str], width: int) -> tuple[list[str] | None, str]:
    wrong = next((n for n, cell in enumerate(cells[:width], 1) if cell.data_type in ("f", "e")), 0)
    if wrong:
        return None, f"Mend the row: column {wrong} holds a formula or an error; put the value in its place."
    if any(texts[width:]):
        return None, f"Mend the row: it has cells beyond the {width} columns of the head."
    return texts[:width] + [""] * (width - len(texts)), ""


def _trimmed(names: list[str]) -> list[str]:
    while names and not names[-1]:
        names.pop()
    return names


def checked(head: list[str]) -> list[str]:
    """The names of the columns. Raises Refused `bad_table`, without a name: the first line may be somebody's data."""
    if not any(head):
        raise Refused(
            "bad_table", "Give a table with a first line that names its columns; this one is empty."
        )
    if len(head) > MOST_COLUMNS:
        raise Refused(
            "bad_table", f"Leave out columns that nobody needs: a table has at most {MOST_COLUMNS}."
        )
    places: dict[str, int] = {}
    for place, name in enumerate(head, 1):
        first = places.setdefault(name, place)
        if name and first != place:
            raise Refused("bad_table", f"Rename one of the columns {first} and {place}: they have one name.")
    if not all(name.isprintable() for name in head):
        raise Refused(
            "bad_table", "Save the table as CSV in UTF-8 or GB18030, or as XLSX: its head is no text."
        )
    return head


@contextmanager
def opened(path: Path, delimiter: str = ",", encoding: Encoding = "auto") -> Iterator[Table]:
    """A file of this machine; CSV may be packed by gzip. Raises Refused `bad_table`, `unreadable_file`."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise Refused("bad_table", f"Give a readable table: {error.strerror} ({path.name}).") from None
    with raw, reading(raw, path.stat().st_size, delimiter, encoding, packed=True) as table:
        yield table


@contextmanager
def reading(
    raw: IO[bytes], size: int, delimiter: str = ",", encoding: Encoding = "auto", *, packed: bool = False
) -> Iterator[Table]:
    """The table that a file's bytes hold, from their beginning; `raw` can be read anywhere.

    Raises Refused `bad_table` for a table that cannot be used, `unreadable_file` for a broken workbook, and
    `wrong_file_type` for what is neither.
    """
    begins = raw.read(4)
    raw.seek(0)
    with ExitStack() as held:
        if begins == _XLSX:
            sheets = held.enter_context(workbook(raw, formulas=True)).worksheets
            if not sheets:
                raise Refused("bad_table", "Give a workbook with a sheet; its first one is read.")
            yield SheetTable(sheets[0])
            return
        content: IO[bytes] = raw
        if packed and begins.startswith(_GZIP):
            sample = _sample_of(gzip.GzipFile(fileobj=raw))
            raw.seek(0)
            content = gzip.GzipFile(fileobj=raw)  # type: ignore[assignment]  # reads as one
        else:
            sample = _sample_of(raw)
            raw.seek(0)
        how = encoding_of(sample) if encoding == "auto" else encoding
        text = io.TextIOWrapper(
            content, encoding="utf-8-sig" if how == "utf-8" else how, errors="surrogateescape", newline=""
        )
        try:
            yield CsvTable(raw, text, size, delimiter)
        finally:
            text.detach()  # the file is its opener's to close


def _sample_of(content: IO[bytes] | gzip.GzipFile) -> bytes:
    try:
        return content.read(_SAMPLE)
    except (OSError, EOFError, zlib.error) as error:
        raise Refused("bad_table", f"Give a table that can be read to its end: {error}.") from None


def encoding_of(sample: bytes) -> Literal["utf-8", "gb18030"]:
    """How a CSV file is written, told by its beginning: GB18030 if more lines are that than are UTF-8.

    Lines that are neither, or the other, are named when they are read. Raises Refused `wrong_file_type` for no text.
    """
    if sample.startswith(_UTF16) or b"\0" in sample:
        raise Refused("wrong_file_type", "Send the table as CSV in UTF-8 or GB18030, or as an XLSX workbook.")
    lines = [line for line in sample.splitlines() if not line.isascii()]
    if len(sample) == _SAMPLE and len(lines) > 1:
        lines.pop()  # it may be cut in the middle of a character
    utf8 = sum(_is(line, "utf-8") for line in lines)
    return (
        "gb18030" if sum(_is(line, "gb18030") for line in lines) > utf8 and utf8 * 2 < len(lines) else "utf-8"
    )


def _is(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _said(error: csv.Error) -> str:
    said = str(error)
    if "unexpected end of data" in said:
        return "a quote in it is never closed, so that all after it was taken for one cell"
    return said
