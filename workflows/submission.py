"""What an edge hands to `handle`, and what it gets back (DESIGN.md §4)."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.acting import CLOCK_PERSON, Actor, Command
from domain.codes import like_a_telephone
from domain.event import canonical
from domain.log.words import LOG
from domain.refusal import Refused
from workflows.ports import Sealable, Stored

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/#-]{0,119}")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CASE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,39}")

OWN_NUMBER = "number"
"""The source under which a matter's own number is kept among the references; no outside system has this name."""

NOBODYS = "case"
"""The subject of sealed values that concern no single person: they are erased with the case."""


@dataclass(frozen=True, slots=True)
class Sealing:
    """A value that comes with a command: the field's name, whom it is about (an id, or NOBODYS), and the value."""

    name: str
    subject: str
    value: Sealable


@dataclass(frozen=True, slots=True)
class OutsideNumber:
    """A number under which another system knows the matter."""

    source: str
    number: str


@dataclass(frozen=True, slots=True)
class Submission:
    """A command with all that law 4 asks for.

    `key` is unique per `client`: the same key again changes nothing and returns the first answer (law 3).
    `occurred_at` is the claimed time, None for now. `rulebook` names a released rulebook where it is not the one
    in force then (backfill). `expected` is the version decided on, or those; another one refuses as `version_moved`.
    """

    client: str
    key: str
    case: str
    command: Command
    actor: Actor
    authority: str | None = None
    occurred_at: datetime | None = None
    sealed: tuple[Sealing, ...] = ()
    outside: tuple[OutsideNumber, ...] = ()
    texts: tuple[str, ...] = ()
    rulebook: str | None = None
    expected: int | tuple[int, ...] | None = None
    correlation: str | None = None
    causation: str | None = None

    def __post_init__(self) -> None:
        """Raises Refused for what is malformed: free text has no place in an envelope or beside it (law 9)."""
        check_authority(self.authority)
        given = (self.client, self.key, self.rulebook, self.correlation, self.causation)
        if not all(one is None or _WORD.fullmatch(one) for one in given):
            raise Refused("malformed", "Keys are codes of up to 120 letters, digits and ._:/#- signs.")
        if not is_case_id(self.case) and self.case != LOG:
            raise Refused("malformed", "A case is named by a random UUID (version 4), in lower case.")
        if any(one.source == OWN_NUMBER or not _WORD.fullmatch(one.source) for one in self.outside):
            raise Refused(
                "malformed", "An outside number names the system that gave it, such as hotline_12345."
            )
        if self.occurred_at is not None and self.occurred_at.utcoffset() is None:
            raise Refused("malformed", "Give the time with its offset from UTC.")
        for one in self.sealed:
            _check_sealing(one)
        for text in self.texts:
            _check_unicode(text)


def check_authority(authority: str | None) -> None:
    """Raises Refused for an authority that must not stand in an envelope, where it is public for ever (law 9)."""
    if authority is not None and (not _WORD.fullmatch(authority) or like_a_telephone(authority)):
        raise Refused(
            "malformed",
            "An authority is a code of up to 120 letters, digits and ._:/#- signs, no seven digits in a row.",
        )


def is_case_id(stream: str) -> bool:
    """Whether a stream may be a case's. Derived streams (refusals, reads) are of another UUID version."""
    return _CASE.fullmatch(stream) is not None


def _check_sealing(one: Sealing) -> None:
    if not _FIELD.fullmatch(one.name):
        raise Refused("malformed", "A sealed field has a name in lower case, such as text.")
    if not (_ID.fullmatch(one.subject) or one.subject in (NOBODYS, CLOCK_PERSON)):
        raise Refused("malformed", "A sealed value names whom it is about by their id.")
    if type(one.value) is not str and not _whole(one.value):
        raise Refused("malformed", "A sealed value is text, whole numbers, or lists and tables of these.")


def _whole(value: object) -> bool:
    """Whether a value is JSON without fractions."""
    match value:
        case None | bool() | int() | str():
            return True
        case list():
            return all(_whole(one) for one in value)
        case dict():
            return all(isinstance(key, str) and _whole(one) for key, one in value.items())
        case _:
            return False


def length_of(value: Sealable) -> int:
    """How many characters of text a value holds."""
    match value:
        case str():
            return len(value)
        case list():
            return sum(map(length_of, value))
        case dict():
            return sum(len(key) + length_of(one) for key, one in value.items())
        case _:
            return 0


def _check_unicode(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Refused("invalid_text", "Send the text as valid Unicode.") from error


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command: `accepted` with the case's new version and the events' types, or `refused`.

    `repeated` tells that this answer was given before, to the same key. `number` is that of a case that was there
    before, where it is known by deciding, and `written` what it has stored in its case; a repeated answer leaves both out.
    """

    outcome: str
    case: str
    version: int = 0
    events: tuple[str, ...] = ()
    code: str | None = None
    advice: str | None = None
    repeated: bool = field(default=False, compare=False)
    number: str | None = field(default=None, compare=False)
    written: tuple[Stored, ...] = field(default=(), compare=False, repr=False)

    @property
    def accepted(self) -> bool:
        """Whether the command was accepted."""
        return self.outcome == "accepted"

    def to_bytes(self) -> bytes:
        """As stored in the command's row."""
        return canonical(
            {
                "outcome": self.outcome, "case": self.case, "version": self.version, "events": list(self.events),
                "code": self.code, "advice": self.advice,
            }
        )  # fmt: skip


def answer_from(stored: bytes) -> Answer:
    """The first answer, given again."""
    row = json.loads(stored)
    return Answer(
        row["outcome"],
        row["case"],
        row["version"],
        tuple(row["events"]),
        row["code"],
        row["advice"],
        repeated=True,
    )


def digest_of(submission: Submission, pepper: bytes | None) -> str:
    """SHA-256 (hex) of all that the command says; sealed values and outside numbers enter under an HMAC, so that nobody
    without the pepper guesses one. Without a pepper they are left out, and nobody at all can."""

    def hidden(value: Sealable) -> str | None:
        return keyed(pepper, value) if pepper else None

    said: dict[str, Any] = {
        "case": submission.case,
        "command": submission.command.NAME,
        "body": submission.command.model_dump(mode="json"),
        "actor": submission.actor.model_dump(),
        "authority": submission.authority,
        "occurred_at": submission.occurred_at.isoformat() if submission.occurred_at else None,
        "expected": submission.expected,
        "rulebook": submission.rulebook,
        "sealed": [(one.name, one.subject, hidden(one.value)) for one in submission.sealed],
        "outside": [(one.source, hidden(one.number)) for one in submission.outside],
        "texts": [hashlib.sha256(text.encode()).hexdigest() for text in submission.texts],
    }
    try:
        return hashlib.sha256(canonical(said)).hexdigest()
    except ValueError as error:
        raise Refused("malformed", "Send whole numbers below 2**53.") from error


_WRITER = json.JSONEncoder(ensure_ascii=True, sort_keys=True)


def keyed(pepper: bytes, value: Sealable) -> str:
    """HMAC-SHA256 (hex) of a value under the store's secret: findable again, not guessable."""
    written = _WRITER.encode(value).encode("ascii")
    return hmac.digest(pepper, written, "sha256").hex()
