"""What is wrong with a rulebook: line, key, and a sentence that says what to do."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pydantic_core import ErrorDetails

from domain.refusal import Refused
from domain.rulebook.lines import Path, line_of

_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")


class Problem(NamedTuple):
    """One thing to correct: the line from 1, the key as a dotted path, a sentence."""

    line: int
    key: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.line}:{self.key}: {self.sentence}"


class BadRulebook(Refused):
    """This text is no rulebook; `problems` holds all that is wrong, in order of the lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        more = f" ({len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
        super().__init__("bad_rulebook", f"Correct the rulebook at {self.problems[0]}{more}")


def of_syntax(error: tomllib.TOMLDecodeError, text: str) -> Problem:
    """A text that is not TOML."""
    place = _PLACE.search(str(error))
    line = int(place[1]) if place else text.count("\n") + 1
    return Problem(line, "", f"This is not TOML: {_PLACE.sub('', str(error)).strip()}.")


def of_schema(error: ErrorDetails, lines: Mapping[Path, int], known: Iterable[str]) -> Problem:
    """A key that is missing, unknown or of the wrong shape; `known` are the keys allowed beside it."""
    path = tuple(part for part in error["loc"] if part != "[key]")
    return Problem(line_of(path, lines), written(path), _sentence(error, path, known))


def written(path: Path) -> str:
    """`clock[3].length` for ("clock", 3, "length"), items counted from 1 as people do."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _sentence(error: ErrorDetails, path: Path, known: Iterable[str]) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        return "Add this key: it is missing."
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(path[-1]), list(known), n=1)
        return f"Remove this key: it is unknown{f'; did you mean {near[0]}?' if near else '.'}"
    if kind == "value_error":
        return f"{_capital(str(context.get('error', error['msg'])))}."
    return f"{_capital(error['msg'])}, not {error['input']!r:.60}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
