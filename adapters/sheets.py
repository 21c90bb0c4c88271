"""XLSX workbooks as somebody sends them: opened with bounds, read row by row, nothing in them evaluated."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import IO, TYPE_CHECKING, Any
from xml.parsers import expat

from domain.refusal import Refused

if TYPE_CHECKING:
    from pathlib import Path

    from openpyxl.workbook.workbook import Workbook

MOST_PARTS = 2_000
MOST_UNPACKED = 512 * 1024 * 1024
"""Bytes of all parts together, unpacked; they are read in a stream."""
MOST_TEXTS = 32 * 1024 * 1024
"""Bytes of the parts that are held in memory whole: shared texts, styles, the list of sheets."""
_PIECE = 65_536
_BROKEN = (zipfile.BadZipFile, KeyError, ValueError, expat.ExpatError, SyntaxError)


@contextmanager
def workbook(source: Path | IO[bytes], *, formulas: bool = False) -> Iterator[Workbook]:
    """The workbook, read-only: of a formula the result that was saved with it, or with `formulas` the formula itself.

    Raises Refused "unreadable_file" for what is no workbook, or too large a one.
    """
    from openpyxl import load_workbook  # here, since most tables are CSV
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(source) as packed:
            _bounded(packed)
        book = load_workbook(source, read_only=True, data_only=not formulas)
    except (InvalidFileException, OSError, *_BROKEN) as broken:
        raise _unreadable("Save it as an XLSX workbook again: it cannot be read.") from broken
    try:
        yield book
    except _BROKEN as broken:
        raise _unreadable("Save it as an XLSX workbook again: it breaks off.") from broken
    finally:
        book.close()


def text_of(cell: Any) -> str:
    """A cell's value as text: times as ISO 8601 without an offset, whole numbers without a point."""
    match cell:
        case None:
            return ""
        case datetime():
            return _moment(cell)
        case date():
            return cell.isoformat()
        case time():
            return cell.isoformat()
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer():
            return str(int(cell))
        case _:
            return str(cell).strip()


def _moment(moment: datetime) -> str:
    if moment.time() == time.min:
        return moment.date().isoformat()
    return moment.isoformat(" ", "seconds" if moment.second else "minutes")


def _bounded(packed: zipfile.ZipFile) -> None:
    """What a part says of its own size binds the unpacking too: it ends there, or the checksum does not fit."""
    parts = packed.infolist()
    held = sum(part.file_size for part in parts if "/worksheets/" not in part.filename)
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED or held > MOST_TEXTS:
        raise _unreadable("Split the workbook, or send it as CSV: unpacked it is larger than is read here.")
    for part in parts:
        if part.filename.endswith((".xml", ".rels")):
            with packed.open(part) as content:
                _plain(content)


def _plain(content: IO[bytes]) -> None:
    """A part declares no document type: no entity of its own is ever needed in a workbook."""
    begun: list[bool] = []

    def declared(*_: object) -> None:
        raise _unreadable("Save it as an XLSX workbook again: a part of it declares a document type.")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = declared
    parser.StartElementHandler = lambda *_: begun.append(True)
    while not begun and (piece := content.read(_PIECE)):
        parser.Parse(piece, False)


def _unreadable(advice: str) -> Refused:
    return Refused("unreadable_file", advice)
