"""From TOML text to a rulebook, or to the list of all that is wrong with it."""

from __future__ import annotations

import tomllib
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from domain.rulebook.checks import problems_across
from domain.rulebook.lines import Path, line_of, lines_of
from domain.rulebook.problems import BadRulebook, Problem, of_schema, of_syntax, written
from domain.rulebook.rulebook import Rulebook
from domain.rulebook.sections import Book


def parse(text: str, *, released: bool = False) -> Rulebook:
    """The rulebook in a TOML text.

    Raises BadRulebook with every problem found: first of syntax, then of each section, then across sections.
    A `released` text was checked across sections at its release; a check that came later does not unmake it (law 8).
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadRulebook([of_syntax(error, text)]) from None
    lines = lines_of(text)
    try:
        book = Book.model_validate(content)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise BadRulebook(of_schema(one, lines, _known(one["loc"])) for one in found) from None
    found_across = () if released else problems_across(book)
    across = [Problem(line_of(path, lines), written(path), sentence) for path, sentence in found_across]
    if across:
        raise BadRulebook(across)
    return Rulebook(book)


def _known(path: Path) -> list[str]:
    """The keys that are allowed where the last part of the path stands."""
    model: Any = Book
    for part in path[:-1]:
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return []
        if isinstance(part, str) and part in model.model_fields:
            model = _model_in(model.model_fields[part].annotation)
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _model_in(annotation: Any) -> Any:
    """The section model inside an annotation such as `tuple[ClockEntry, ...]` or `X | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner)) is not None), None)
