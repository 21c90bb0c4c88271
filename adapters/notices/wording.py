"""The words of notices: one text per moment and language, from files that an office may override.

A file is TOML, a table per moment with `subject` and `text`. They may name the fields of their moment in braces and
nothing else, so that no template reaches for what a notice must not say; it is checked when it is loaded.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any, Final

from domain.matter.telling import TO_REQUESTER, TO_STAFF, Moment
from domain.refusal import Refused
from domain.rulebook.lines import line_of, lines_of

LANGUAGES: Final = ("zh", "en")
"""In the order in which they stand in a message."""

PACKAGED = Path(__file__).with_name("texts")
MOST_SUBJECT, MOST_TEXT = 120, 1000
"""Characters."""

_OF_REQUESTERS = frozenset({"number", "at", "office"})
_OF_STAFF = frozenset({"number", "at", "body", "act", "due", "order"})
_MORE: dict[str, frozenset[str]] = {
    "not_accepted": frozenset({"ground", "other_channel"}), "handed_on": frozenset({"bodies"}),
    "extended": frozenset({"due"}), "deferred": frozenset({"ground", "due"}),
}  # fmt: skip
FIELDS: dict[str, frozenset[str]] = {
    **{moment: _OF_REQUESTERS | _MORE.get(moment, frozenset()) for moment in TO_REQUESTER},
    **dict.fromkeys(TO_STAFF, _OF_STAFF),
}
"""What the texts of each moment may name. All of it is public; nobody's name, contact or words are among it."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Written:
    """A text in one language, filled in."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """A notice in every language, Chinese first."""

    written: Mapping[str, Written]

    @property
    def subject(self) -> str:
        """One line in all languages."""
        return " | ".join(one.subject for one in self.written.values())

    @property
    def text(self) -> str:
        """The whole text, a paragraph per language."""
        return "\n\n".join(one.text for one in self.written.values()) + "\n"


class Texts:
    """The texts of every moment. Immutable."""

    def __init__(self, tables: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
        self._tables = tables

    def sends(self, moment: Moment) -> bool:
        """Whether the office sends anything of this moment."""
        return all(table[moment].get("send", True) for table in self._tables.values())

    def words(self, moment: Moment, fields: Mapping[str, Mapping[str, str]]) -> Words:
        """The notice, with the fields of each language filled in; what would break a line is made a blank."""
        return Words(
            {
                language: Written(
                    *(_filled(table[moment][part], fields[language]) for part in ("subject", "text"))
                )
                for language, table in self._tables.items()
            }
        )


def _filled(template: str, fields: Mapping[str, str]) -> str:
    return template.format_map({name: _CONTROL.sub(" ", value) for name, value in fields.items()})


def load_texts(folder: Path | None = None) -> Texts:
    """The packaged texts, overridden by the tables of the files in `folder` (`zh.toml`, `en.toml`).

    Raises Refused "bad_texts", which names the file and the line.
    """
    tables = {language: _table(PACKAGED / f"{language}.toml") for language in LANGUAGES}
    if folder is not None and not folder.is_dir():
        raise Refused("bad_texts", f"There is no folder {folder}; correct HUIYIN_NOTICE_TEXTS.")
    for language in LANGUAGES:
        own = folder / f"{language}.toml" if folder is not None else None
        for moment, table in (_table(own) if own is not None and own.exists() else {}).items():
            tables[language][moment] = tables[language][moment] | table
    return Texts(tables)


def _table(file: Path) -> dict[str, dict[str, Any]]:
    try:
        text = file.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except (OSError, UnicodeDecodeError):
        raise Refused("bad_texts", f"{file}: make this file readable, as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise Refused("bad_texts", f"{file}: this is no TOML: {error}.") from None
    lines = lines_of(text)
    for moment, table in content.items():
        if moment not in FIELDS or not isinstance(table, dict):
            _bad(file, lines, (moment,), f"there is no moment {moment}")
        for part, value in table.items():
            wrong = _wrong(moment, part, value)
            if wrong:
                _bad(file, lines, (moment, part), wrong)
    return content


def _bad(file: Path, lines: Mapping[tuple[str | int, ...], int], path: tuple[str, ...], what: str) -> None:
    raise Refused("bad_texts", f"{file}:{line_of(path, lines)}: {'.'.join(path)}: {what}.")


def _wrong(moment: str, part: str, value: Any) -> str | None:
    """What is wrong with one entry, or None."""
    if part == "send":
        return None if isinstance(value, bool) else "say true or false"
    if part not in ("subject", "text"):
        return "unknown; there are subject, text and send"
    most = MOST_SUBJECT if part == "subject" else MOST_TEXT
    if not isinstance(value, str) or not 0 < len(value) <= most:
        return f"give a text of up to {most} characters"
    if _CONTROL.search(value if part == "subject" else value.replace("\n", "")):
        return "no control characters, and no second line in a subject"
    return _unknown(moment, value)


def _unknown(moment: str, template: str) -> str | None:
    try:
        named = [one for one in Formatter().parse(template) if one[1] is not None]
    except ValueError as error:
        return f"{error}; write a brace of your own twice"
    for _, name, form, conversion in named:
        if name not in FIELDS[moment] or form or conversion:
            known = ", ".join(sorted(FIELDS[moment]))
            return f"unknown field {{{name}}}; of this moment there are {known}"
    return None
