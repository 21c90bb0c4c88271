"""Whom to believe: known logs, known boards, and which of them must have cosigned a head (C2SP tlog-policy).

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <member> …       members: witnesses and groups defined above, each in one group only
    quorum <name>|none                        exactly one such line

Names are compared byte for byte and mean nothing outside the file. Empty lines and lines that begin with # are skipped.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from domain.log.checkpoint import Checkpoint
from domain.log.cosignature import signers
from domain.log.notes import (
    ED25519_COSIGNATURE,
    ML_DSA_44_COSIGNATURE,
    Note,
    NoteError,
    VerifierKey,
    Verify,
)
from domain.refusal import Refused

NONE: Final = "none"


class PolicyError(Refused):
    """A policy is malformed; the advice names the line."""


@dataclass(frozen=True, slots=True)
class Log:
    """A log whose heads are accepted; its key's name is its origin."""

    vkey: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Witness:
    """A board that cosigns, by the name that this policy gives it."""

    name: str
    vkey: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Witnessed when at least `least` of its members are."""

    name: str
    least: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A head that a policy accepts: by which log key, and which boards (by name) cosigned when (POSIX seconds)."""

    checkpoint: Checkpoint
    log_key: VerifierKey
    cosigned: dict[str, int]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as read; every name in it is defined before it is used."""

    logs: tuple[Log, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str

    @classmethod
    def parse(cls, text: bytes | str) -> Policy:
        """The policy of this text; `PolicyError` names the first line that is wrong."""
        found = _Reader()
        for number, line in enumerate(_lines(text), start=1):
            items = [item for item in re.split("[ \t]+", line) if item]
            if not items or items[0].startswith("#"):
                continue
            try:
                found.read(*items)
            except (_Wrong, NoteError) as error:
                said = error.advice if isinstance(error, NoteError) else str(error)
                raise PolicyError("policy_line", f"Correct line {number}: {said}") from error
        if found.quorum is None:
            raise PolicyError("policy_quorum", "Add a quorum line; quorum none asks for no board.")
        return cls(tuple(found.logs), tuple(found.witnesses), tuple(found.groups), found.quorum)

    @property
    def log_keys(self) -> tuple[VerifierKey, ...]:
        """The keys of the known logs."""
        return tuple(log.vkey for log in self.logs)

    @property
    def fewest(self) -> int:
        """How many boards must cosign at the least."""
        needed = {NONE: 0} | {witness.name: 1 for witness in self.witnesses}
        for group in self.groups:  # no witness is below two members, so that their needs add up
            needed[group.name] = sum(sorted(needed[member] for member in group.members)[: group.least])
        return needed[self.quorum]

    def satisfied(self, names: Collection[str]) -> bool:
        """Whether these boards (their names in this policy) are enough; other names count for nothing."""
        given = {NONE} | {witness.name for witness in self.witnesses if witness.name in names}
        for group in self.groups:
            if sum(member in given for member in group.members) >= group.least:
                given.add(group.name)
        return self.quorum in given

    def accept(self, note: Note, verify: Verify, ml_dsa: Verify | None = None) -> Accepted:
        """The head in this note, if a known log has signed it and enough boards have cosigned it.

        A log's key signs only for the origin of its own name (tlog-policy, "Defining a log"). `NoteError` when the
        note is no checkpoint, a line of a known key fails, no known log has signed it, or boards are missing.
        """
        checkpoint = Checkpoint.parse(note.text)
        logs = [key for key in self.log_keys if key.name == checkpoint.origin]
        boards = {witness.vkey: witness.name for witness in self.witnesses}
        signed = signers(note, (*logs, *boards), verify, ml_dsa)
        by = next((key for key in logs if key in signed), None)
        if by is None:
            raise NoteError("log_unknown", "Do not trust this head: no log of the policy has signed it.")
        cosigned = {boards[key]: timestamp for key, timestamp in signed.items() if key in boards}
        if not self.satisfied(cosigned):
            raise NoteError(
                "quorum_missing", "Wait for more boards: too few of the policy have cosigned this head."
            )
        return Accepted(checkpoint, by, cosigned)


class _Wrong(Exception):
    """What is wrong with the line, as a sentence."""


@dataclass
class _Reader:
    logs: list[Log] = field(default_factory=list)
    witnesses: list[Witness] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    quorum: str | None = None
    names: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)

    def read(self, word: str, *rest: str) -> None:
        """One line that is neither empty nor a comment."""
        match (word, *rest):
            case ("log", vkey, *url) if len(url) < 2:
                self._log(VerifierKey.parse(vkey), *url)
            case ("witness", name, vkey, *url) if len(url) < 2:
                self._witness(name, VerifierKey.parse(vkey), *url)
            case ("group", name, least, *members) if members:
                self._group(name, least, members)
            case ("quorum", name):
                self._quorum(name)
            case _:
                raise _Wrong("Write log, witness, group or quorum with what belongs to it.")

    def _log(self, vkey: VerifierKey, url: str | None = None) -> None:
        if any(vkey.public == log.vkey.public for log in self.logs):
            raise _Wrong("Name each log key once.")
        self.logs.append(Log(vkey, url))

    def _witness(self, name: str, vkey: VerifierKey, url: str | None = None) -> None:
        if vkey.algorithm not in (ED25519_COSIGNATURE, ML_DSA_44_COSIGNATURE):
            raise _Wrong("Give a witness a key that cosigns, of type 4 or 6.")
        if any(vkey.public == witness.vkey.public for witness in self.witnesses):
            raise _Wrong("Name each witness key once.")
        self._define(name)
        self.witnesses.append(Witness(name, vkey, url))

    def _group(self, name: str, least: str, members: list[str]) -> None:
        for member in members:
            if member not in self.names:
                raise _Wrong("List members that are defined above, and never none.")
            if member in self.members:
                raise _Wrong("List each name as a member once, in one group.")
            self.members.add(member)
        self._define(name)
        self.groups.append(Group(name, _least(least, len(members)), tuple(members)))

    def _quorum(self, name: str) -> None:
        if self.quorum is not None:
            raise _Wrong("Keep one quorum line.")
        if name != NONE and name not in self.names:
            raise _Wrong("Name a quorum that is defined above, or none.")
        self.quorum = name

    def _define(self, name: str) -> None:
        if name == NONE or name in self.names:
            raise _Wrong("Give every witness and group a name of its own, other than none.")
        self.names.add(name)


def _least(word: str, members: int) -> int:
    if word in ("all", "any"):
        return members if word == "all" else 1
    if re.fullmatch("[1-9][0-9]{0,5}", word) is None or int(word) > members:
        raise _Wrong("Ask for all, any, or a number from 1 to that of the members.")
    return int(word)


def _lines(text: bytes | str) -> list[str]:
    """Octets with the high bit stay opaque: what is no UTF-8 is kept as it is, and equals only itself."""
    whole = text.decode(errors="surrogateescape") if isinstance(text, bytes) else text
    if any((one < " " and one not in "\t\n") or one == "\x7f" for one in whole):
        raise PolicyError(
            "policy_form", "Write the policy without control characters other than tab and newline."
        )
    if not whole.endswith("\n"):
        raise PolicyError(
            "policy_form", "End the policy with a newline: its last line may have been cut off."
        )
    return whole[:-1].split("\n")
