"""An act from the command line: its command built, its sealed values read, handed in, and the answer told."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import typer
from pydantic import ValidationError

from adapters.acts import EVIDENCE, about_whom
from adapters.cli.act_fields import filled
from adapters.cli.act_receipt import receipt_given
from adapters.cli.door import exit_code, identify, told
from adapters.cli.duplicates import offered_beside
from adapters.cli.people import acting, valid_text
from adapters.derived import Derived
from adapters.duplicates.offering import take_in
from adapters.engine import Engine
from adapters.finding import case_of
from domain.acting import RESIDENT, Actor, Command
from domain.matter import commands as do
from domain.matter.orders import signatures
from workflows.standing import REGISTER
from workflows.submission import Answer, OutsideNumber, Sealing, Submission

CLIENT = "cli"


@dataclass(slots=True)
class Doing:
    """One act: what was typed (`given`, by parameter), who acts, and where its ids come from.

    `command_id` is what the envelopes name the last command by that was handed in.
    """

    engine: Engine
    given: dict[str, Any]
    noun: str
    key: str = ""
    command_id: str = ""
    made: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises typer.BadParameter for an argument that is not Unicode, or a time without which a key means nothing."""
        for name, value in self.given.items():
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, str) and not valid_text(one):
                    raise typer.BadParameter(
                        "invalid_text: give valid UTF-8", param_hint="--" + name.replace("_", "-")
                    )
        self.key = self.given["key"] or uuid4().hex

    @property
    def ids(self) -> Derived:
        """Fresh ids of this act: the same again under the same key."""
        return Derived(self.engine.keys.pepper(), (CLIENT, self.key))

    @property
    def actor(self) -> Actor:
        """Who acts; a new resident's id is as much a part of the act as its other ids."""
        if self.given["as_"] == RESIDENT:
            return Actor(person=self.ids.id("resident"), body=RESIDENT)
        return acting(self.given["as_"], identify(self.engine))

    def hand_in(
        self, command: Command, case: str, sealed: tuple[Sealing, ...] = (), part: str = ""
    ) -> Answer:
        """The answer to a command of this act; `part` tells several commands of one act apart."""
        submission = Submission(
            client=CLIENT, key=f"{self.key}{part}", case=case, command=command, actor=self.actor,
            authority=self.given["authority"], occurred_at=self.given["occurred_at"], sealed=sealed,
            outside=self.outside(case),
        )  # fmt: skip
        self.command_id = self.engine.handle.command_id(submission)
        answer = self.engine.handle(submission)
        take_in(self.engine, submission, answer)
        return answer

    def outside(self, case: str) -> tuple[OutsideNumber, ...]:
        """The outside numbers given, without those by which this very case is known already."""
        found = []
        for text in self.given.get("outside") or ():
            source, colon, number = text.partition(":")
            if not colon or not number:
                raise typer.BadParameter(
                    "give SOURCE:NUMBER, such as hotline_12345:20261123001", param_hint="--outside"
                )
            if self.engine.handle.find(source, number, self.actor) != case:
                found.append(OutsideNumber(source, number))
        return tuple(found)


def perform(doing: Doing, command: type[Command], fixed: dict[str, Any], sealed: tuple[str, ...]) -> Answer:
    """Build the command, hand it in, tell the answer and return it."""
    case = _about_which(doing, command)
    made = built(doing, command, fixed, case)
    answer = doing.hand_in(made, case, values(doing, made, sealed))
    tell(doing, answer, made, **receipt_given(doing, answer, made), **offered_beside(doing, answer, made))
    return answer


def _about_which(doing: Doing, command: type[Command]) -> str:
    """The stream: a new matter's, the register's, or that of the case that was named."""
    if command is do.RegisterMatter:
        return doing.ids.id("case")
    return REGISTER if doing.noun == "register" else case_of(doing.engine, doing.given["case"], doing.actor)


def tell(doing: Doing, answer: Answer, command: Command, **more: Any) -> None:
    """Print the answer with the number, the key and the ids that the act has made."""
    number = getattr(command, "number", None) if isinstance(command, do.RegisterMatter) else None
    if answer.accepted and number is None and doing.noun != "register":
        state = doing.engine.handle.load(answer.case)
        number = state.number if state else None
    told(answer, doing.given["as_json"], number=number, key=doing.key, **doing.made, **more)


def finish(answer: Answer) -> None:
    """End the command with the answer's exit code."""
    raise typer.Exit(exit_code(answer))


def built(doing: Doing, command: type[Command], fixed: dict[str, Any], case: str) -> Command:
    """The command of what was typed and of what the act fills in by itself. Raises typer.BadParameter."""
    fields: dict[str, Any] = {}
    for name in command.model_fields:
        value = fixed[name] if name in fixed else filled(doing, command, name, case, fields)
        if value is not None:
            fields[name] = value
    try:
        return command(**fields)
    except ValidationError as wrong:
        faults = wrong.errors(include_url=False, include_input=False, include_context=False)
        said = "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in faults)
        raise typer.BadParameter(said) from None


# -- sealed values ------------------------------------------------------------------------------------------------------------


def values(doing: Doing, command: Command, names: tuple[str, ...]) -> tuple[Sealing, ...]:
    """The sealed values of an act, each under the person whom it concerns."""
    found: list[Sealing] = []
    about = about_whom(command, doing.actor, of_register=doing.noun == "register")
    for name in names:
        given = doing.given.get(f"sealed_{name}")
        if name == EVIDENCE:
            found += [Sealing(name, about, _digest(path)) for path in given or ()]
        elif isinstance(given, list):
            persons = getattr(command, "requesters", ())
            found += [Sealing(name, person, read(text)) for person, text in zip(persons, given, strict=False)]
        elif given is not None:
            found.append(Sealing(name, about, read(given)))
    found += [Sealing("outside_number", about, text) for text in doing.given.get("outside") or ()]
    return tuple(found)


def read(text: str) -> str:
    """A sealed text as typed, or from the file that it names. Raises typer.BadParameter."""
    if not text.startswith("@"):
        return text
    try:
        content = sys.stdin.buffer.read() if text == "@-" else Path(text[1:]).read_bytes()
        return content.decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"give a readable file in UTF-8: {error}") from None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def missing_signatures(doing: Doing, order: str, case: str) -> list[str]:
    """The signatures that an order needs before it is issued: of each group, who may give it.

    An emergency whistle needs none: it is confirmed afterwards.
    """
    state = doing.engine.handle.load(case)
    drafted = state.orders.get(order) if state else None
    if drafted is None or drafted.emergency or drafted.status != "drafted":
        return []
    law = doing.engine.handle.standing.caught_up().law_at(doing.engine.handle.clock())
    needed = signatures(drafted, law.book.authorisers(drafted.full_kind))
    return [" or ".join(one.split("|")) for one in needed if one not in drafted.signed]
