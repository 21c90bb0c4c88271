"""References: the numbers by which a case is found again, its own and those of other systems (DESIGN.md §9).

A number is kept as an HMAC and belongs to one case. Of a case that somebody may not see, its number must not tell
that it is taken (law 10): used again, it is answered like a fresh one. The second case of a number gets a place of
its own beside the first; whoever asks for the number is given the first one that exists for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import count
from typing import NamedTuple

from domain import visibility
from domain.acting import Actor
from domain.matter import Matter
from domain.matter.commands import BackfillMatter, RegisterMatter, SplitMatter
from domain.refusal import Refused
from domain.register import Register
from workflows.ports import EventStore, KeyStore, Reference
from workflows.submission import OWN_NUMBER, Submission, keyed


class Numbered(NamedTuple):
    """A number that a command gives to a case."""

    source: str
    number: str
    case: str


def given(submission: Submission) -> list[Numbered]:
    """The numbers that a command brings: outside ones, and its own where it opens a case."""
    found = [Numbered(one.source, one.number, submission.case) for one in submission.outside]
    command = submission.command
    if isinstance(command, RegisterMatter | BackfillMatter):
        found.append(Numbered(OWN_NUMBER, command.number, submission.case))
    elif isinstance(command, SplitMatter):
        found.append(Numbered(OWN_NUMBER, command.number, command.child))
    return found


class References:
    """The numbers of a store. Every method may raise Unavailable."""

    def __init__(self, store: EventStore, keys: KeyStore) -> None:
        self._store, self._keys = store, keys

    def cases(self, source: str, number: str) -> Iterator[str]:
        """The cases of a number, in the order in which they got it: one, unless that one was hidden from somebody."""
        for place in count():
            case = self._store.find(source, self._digest(number, place))
            if case is None:
                return
            yield case

    def first_places(self, submission: Submission, *, opens: bool) -> tuple[Reference, ...]:
        """The rows of a command, each number at its first place; of an open case without those that it has."""
        return tuple(
            Reference(one.source, self._digest(one.number), one.case)
            for one in given(submission)
            if opens or one.case not in self.cases(one.source, one.number)
        )

    def next_places(self, submission: Submission) -> tuple[Reference, ...]:
        """The same rows, each number at its first free place, behind the cases that have it."""
        found = []
        for one in given(submission):
            holders = [*self.cases(one.source, one.number)]
            if one.case not in holders:
                found.append(Reference(one.source, self._digest(one.number, len(holders)), one.case))
        return tuple(found)

    def _digest(self, number: str, place: int = 0) -> str:
        return keyed(self._keys.pepper(), [number, place] if place else number)


def hidden(matter: Matter | None, viewer: Actor | None, register: Register, at: datetime) -> bool:
    """Whether a case is confidential and does not exist for the viewer; None is an operator at the machine."""
    if matter is None or not matter.confidential:
        return False
    return visibility.sees(matter, viewer, register, at) == visibility.NOTHING


def taken(one: Numbered) -> Refused:
    """The refusal of a number that another case has, which exists for the actor."""
    if one.source == OWN_NUMBER:
        return Refused("number_taken", "This number is another matter's; draw a fresh one and try again.")
    return Refused("known_number", "This outside number belongs to a matter already; supplement that one.")
