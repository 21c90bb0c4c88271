"""Reading a table of another system: CSV, also packed, row by row; a row that cannot be read does not stop the rest."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from domain.refusal import Refused

MOST_CHARACTERS = 10_000_000
"""The longest cell that is read at all; a quote that is never closed makes a cell of the rest of the file."""


class Row(NamedTuple):
    """A row: `number` counts as a spreadsheet does (the head is 1), `line` is the line it begins on.

    `cells` is None where it cannot be read, and `why` then says so.
    """

    number: int
    line: int
    cells: list[str] | None
    why: str = ""


class Table:
    """An open table: its head, and its rows once. `read` bytes of `size` have been read so far."""

    def __init__(self, raw: IO[bytes], text: io.TextIOWrapper, size: int, delimiter: str) -> None:
        self._raw, self.size = raw, size
        csv.field_size_limit(MOST_CHARACTERS)
        self._reader = csv.reader(text, delimiter=delimiter, strict=True)
        self.head = [name.strip() for name in self._next() or []]

    @property
    def read(self) -> int:
        """How many bytes of the file have been read, packed ones as they are packed."""
        return self._raw.tell()

    def __iter__(self) -> Iterator[Row]:
        """The rows; an empty line is none. Raises Refused `bad_table` when the file breaks off."""
        number = 1
        while True:
            line = self._reader.line_num + 1
            try:
                cells = self._next()
            except csv.Error as error:
                number += 1
                yield Row(number, line, None, f"Mend the row: it is not CSV ({error}).")
                continue
            if cells is None:
                return
            if not cells:
                continue
            number += 1
            if len(cells) == len(self.head):
                yield Row(number, line, cells)
            else:
                why = f"Mend the row: it has {len(cells)} cells, and the head {len(self.head)}."
                yield Row(number, line, None, why)

    def _next(self) -> list[str] | None:
        try:
            return next(self._reader, None)
        except (OSError, EOFError, zlib.error) as error:
            raise Refused("bad_table", f"Give a table that can be read to its end: {error}.") from None


@contextmanager
def opened(path: Path, delimiter: str = ",") -> Iterator[Table]:
    """A CSV file in UTF-8, packed if its name ends in .gz; bytes that are not UTF-8 come as lone surrogates.

    Raises Refused `bad_table` for a file that cannot be read or has no head.
    """
    try:
        raw = path.open("rb")
    except OSError as error:
        raise Refused("bad_table", f"Give a readable table: {error.strerror} ({path.name}).") from None
    with (
        raw,
        gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw as content,
        io.TextIOWrapper(content, encoding="utf-8-sig", errors="surrogateescape", newline="") as text,
    ):
        try:
            table = Table(raw, text, path.stat().st_size, delimiter)
        except csv.Error as error:
            raise Refused("bad_table", f"Give {path.name} a first line with its columns: {error}.") from None
        yield table
