"""Where a key stands in a TOML text: `tomllib` gives values without lines, and a person needs the line."""

from __future__ import annotations

import re
from collections.abc import Mapping

Path = tuple[str | int, ...]

_NAME = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_KEY = re.compile(rf"\s*({_DOTTED})\s*=")
_TABLE = re.compile(rf"\s*\[\s*({_DOTTED})\s*\]")
_TABLES = re.compile(rf"\s*\[\[\s*({_DOTTED})\s*\]\]")
_OPENS_STRING = re.compile(r'"""|\'\'\'|"|\'|#|[\[{]|[\]}]')


def lines_of(text: str) -> Mapping[Path, int]:
    """Each key and table of a well-formed TOML text with its line, from 1; items of arrays by index."""
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    rest = _Rest()
    for number, line in enumerate(text.splitlines(), start=1):
        if rest.inside:
            rest.read(line)
        elif (tables := _TABLES.match(line)) is not None:
            path = _resolved(_names(tables[1]), counts)
            counts[path] = counts.get(path, -1) + 1
            found.setdefault(path, number)
            table = (*path, counts[path])
            found[table] = number
        elif (header := _TABLE.match(line)) is not None:
            table = _resolved(_names(header[1]), counts, whole=True)
            found.setdefault(table, number)
        elif (key := _KEY.match(line)) is not None:
            names = _names(key[1])
            for length in range(1, len(names) + 1):
                found.setdefault((*table, *names[:length]), number)
            rest.read(line[key.end() :])
    return found


def line_of(path: Path, lines: Mapping[Path, int]) -> int:
    """The line of a path, or of the nearest table around it; 1 for the file itself."""
    for length in range(len(path), 0, -1):
        if (line := lines.get(path[:length])) is not None:
            return line
    return 1


class _Rest:
    """A value that goes on over several lines: an open string, or brackets not yet closed."""

    def __init__(self) -> None:
        self.depth = 0
        self.quote = ""

    @property
    def inside(self) -> bool:
        return self.depth > 0 or bool(self.quote)

    def read(self, line: str) -> None:
        at = 0
        while at < len(line):
            if self.quote:
                at = self._to_end_of_string(line, at)
                continue
            mark = _OPENS_STRING.search(line, at)
            if mark is None or mark[0] == "#":
                return
            at = mark.end()
            if mark[0] in "[{":
                self.depth += 1
            elif mark[0] in "]}":
                self.depth -= 1
            else:
                self.quote = mark[0]

    def _to_end_of_string(self, line: str, at: int) -> int:
        while at < len(line):
            if line[at] == "\\" and self.quote.startswith('"'):
                at += 2
            elif line.startswith(self.quote, at):
                at += len(self.quote)
                self.quote = ""
                return at
            else:
                at += 1
        return at


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(name.strip("\"'") for name in re.findall(_NAME, dotted))


def _resolved(names: tuple[str, ...], counts: Mapping[Path, int], *, whole: bool = False) -> Path:
    """The names as a path, with the index of the present item wherever one names an array of tables."""
    path: Path = ()
    for place, name in enumerate(names, start=1):
        path = (*path, name)
        if path in counts and (whole or place < len(names)):
            path = (*path, counts[path])
    return path
