"""What an edge hands to `handle`, and what it gets back (DESIGN.md §4)."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.acting import Actor, Command
from domain.event import canonical
from domain.refusal import Refused
from workflows.ports import Sealable

_WORD = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._:/#-]{0,119}$")
_ID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")

OWN_NUMBER = "number"
"""The source under which a matter's own number is kept among the references; no outside system has this name."""


@dataclass(frozen=True, slots=True)
class Sealing:
    """A value that comes with a command: the field's name, whom it is about, and the value itself."""

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
    in force then (backfill). `expected` is the version decided on; another one refuses as `version_moved`.
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
    expected: int | None = None
    correlation: str | None = None
    causation: str | None = None

    def __post_init__(self) -> None:
        """Raises Refused for a malformed key or authority: free text has no place in an envelope (law 9)."""
        given = (self.client, self.key, self.authority, self.rulebook, self.correlation, self.causation)
        if not all(one is None or _WORD.match(one) for one in given):
            raise Refused(
                "malformed", "Keys and authorities are codes of up to 120 letters, digits and ._:/#- signs."
            )
        if not _ID.match(self.case):
            raise Refused("malformed", "A case is named by its UUID, in lower case.")
        if any(one.source == OWN_NUMBER or not _WORD.match(one.source) for one in self.outside):
            raise Refused(
                "malformed", "An outside number names the system that gave it, such as hotline_12345."
            )


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command: `accepted` with the case's new version and the events' types, or `refused`.

    `repeated` tells that this answer was given before, to the same key.
    """

    outcome: str
    case: str
    version: int = 0
    events: tuple[str, ...] = ()
    code: str | None = None
    advice: str | None = None
    repeated: bool = field(default=False, compare=False)

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


def digest_of(submission: Submission, pepper: bytes) -> str:
    """SHA-256 (hex) of all that the command says; sealed values enter under an HMAC, so that none can be guessed."""
    said: dict[str, Any] = {
        "case": submission.case,
        "command": submission.command.NAME,
        "body": submission.command.model_dump(mode="json"),
        "actor": submission.actor.model_dump(),
        "authority": submission.authority,
        "occurred_at": submission.occurred_at.isoformat() if submission.occurred_at else None,
        "expected": submission.expected,
        "rulebook": submission.rulebook,
        "sealed": [(one.name, one.subject, keyed(pepper, one.value)) for one in submission.sealed],
        "outside": [(one.source, keyed(pepper, one.number)) for one in submission.outside],
        "texts": [hashlib.sha256(text.encode()).hexdigest() for text in submission.texts],
    }
    return hashlib.sha256(canonical(said)).hexdigest()


_WRITER = json.JSONEncoder(ensure_ascii=True, sort_keys=True)


def keyed(pepper: bytes, value: Sealable) -> str:
    """HMAC-SHA256 (hex) of a value under the store's secret: findable again, not guessable."""
    written = _WRITER.encode(value).encode("ascii")
    return hmac.digest(pepper, written, "sha256").hex()
