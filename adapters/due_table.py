"""Due times for a table: `id,type,opened` in, `id,due,provisional` out, row by row.

`opened` and `due` are wall time of the rulebook's zone, without offset; `due` is written as `opened` is, with a
blank or a `T` between date and time. A row that cannot be computed is left out and reported; the others go on.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, NamedTuple, TextIO

from domain.calendar import Calendar, Length
from domain.refusal import Refused

COLUMNS = ("id", "type", "opened")
_EVERY = 4096


class BadRow(NamedTuple):
    """A row that was left out: its line in the file (the head is line 1), and why."""

    line: int
    reason: str


class Counted(NamedTuple):
    """How many rows were written and how many left out."""

    written: int
    bad: int


def compute(
    lengths: Mapping[str, Length],
    calendar: Calendar,
    source: Path,
    target: Path,
    *,
    on_bad: Callable[[BadRow], None],
    on_read: Callable[[int], None] = lambda size: None,
) -> Counted:
    """Read `source`, write `target` (whole or not at all); `on_read` is told the bytes read now and then.

    Raises Refused `bad_table` when the file cannot be read or lacks a column.
    """
    with _reading(source) as (raw, text), _writing(target) as out:
        rows = csv.reader(text)
        at = _columns(rows, source)
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("id", "due", "provisional"))
        written = bad = 0
        for line, row in _each(rows, on_bad=on_bad):
            if row is None:
                bad += 1
                continue
            try:
                writer.writerow(_row(row, at, lengths, calendar))
                written += 1
            except _Unusable as unusable:
                bad += 1
                on_bad(BadRow(line, str(unusable)))
            if not (written + bad) % _EVERY:
                on_read(raw.tell())
        on_read(raw.tell())
    return Counted(written, bad)


class _Unusable(Exception):
    """This row cannot be computed."""


def _row(
    row: list[str], at: tuple[int, int, int], lengths: Mapping[str, Length], calendar: Calendar
) -> tuple[str, str, str]:
    try:
        name, kind, opened = row[at[0]], row[at[1]], row[at[2]]
    except IndexError:
        raise _Unusable(f"has {len(row)} columns, too few") from None
    length = lengths.get(kind)
    if length is None:
        raise _Unusable(f"unknown type {kind!r:.60}")
    try:
        start = datetime.fromisoformat(opened)
    except ValueError:
        raise _Unusable(f"opened is no time: {opened!r:.60}") from None
    if start.tzinfo is not None:
        raise _Unusable(f"opened has an offset; give wall time: {opened!r:.60}")
    try:
        end, provisional = calendar.due_on_wall(start, length)
    except (ValueError, OverflowError):
        raise _Unusable(f"lies outside the calendar: {opened!r:.60}") from None
    return name, end.isoformat("T" if opened[10:11] == "T" else " "), "true" if provisional else "false"


def _each(
    rows: Iterator[list[str]], *, on_bad: Callable[[BadRow], None]
) -> Iterator[tuple[int, list[str] | None]]:
    """The rows with their lines; None for one that is not CSV (reported here); empty lines are passed over."""
    while True:
        line = rows.line_num + 1  # type: ignore[attr-defined]
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            on_bad(BadRow(line, f"is not CSV: {error}"))
            yield line, None
            continue
        except (OSError, EOFError, zlib.error) as error:
            raise Refused("bad_table", f"Give a table that can be read to its end: {error}.") from None
        if row:
            yield line, row


def _columns(rows: Iterator[list[str]], source: Path) -> tuple[int, int, int]:
    try:
        head = [name.strip().lower() for name in next(rows, [])]
        first, second, third = (head.index(name) for name in COLUMNS)
    except (ValueError, csv.Error):
        raise Refused(
            "bad_table", f"Give {source.name} a first line with the columns id, type, opened."
        ) from None
    return first, second, third


@contextmanager
def _reading(source: Path) -> Iterator[tuple[IO[bytes], TextIO]]:
    """The file's bytes (to measure) and its text; `.gz` is unpacked; bytes that are not UTF-8 pass through."""
    try:
        raw = source.open("rb")
    except OSError as error:
        raise Refused("bad_table", f"Give a readable table: {error.strerror} ({source.name}).") from None
    with (
        raw,
        gzip.GzipFile(fileobj=raw) if source.suffix == ".gz" else raw as content,
        io.TextIOWrapper(content, encoding="utf-8-sig", errors="surrogateescape", newline="") as text,
    ):
        yield raw, text


@contextmanager
def _writing(target: Path) -> Iterator[TextIO]:
    """A file beside the target that takes its place when everything has been written."""
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with beside.open("w", encoding="utf-8", errors="surrogateescape", newline="") as out:
            yield out
        beside.replace(target)
    except OSError as error:
        raise Refused(
            "bad_table", f"Give a place that can be written: {error.strerror} ({target.name})."
        ) from None
    finally:
        beside.unlink(missing_ok=True)
