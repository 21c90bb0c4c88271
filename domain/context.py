"""Context: what a decision may know besides the case itself. All of it is given; nothing is looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from domain.acting import Actor, When
from domain.refusal import Refused

if TYPE_CHECKING:
    from domain.calendar import Calendar
    from domain.register import Register
    from domain.rulebook import Rulebook


class Law(NamedTuple):
    """A released rulebook with the calendar that its hours and the notices entered so far make."""

    book: Rulebook
    calendar: Calendar


class Held(NamedTuple):
    """That a sealed value is stored: its digest, and whom it is about."""

    digest: str
    subject: str


@dataclass(frozen=True, slots=True)
class Context:
    """Who acts, when, on what ground, under which rules, and the other cases that the command touches.

    `rulebook` and `calendar` are the versions in force when the act happened (law 8); `sealed` names the
    sealed values that come with the command, never their content; `others` holds the touched cases by id; `held`
    says by case which sealed values are stored, to commands that name them all.
    """

    actor: Actor
    when: When
    authority: str | None
    rulebook: Rulebook
    calendar: Calendar
    register: Register
    others: Mapping[str, Any] = field(default_factory=dict)
    sealed: frozenset[str] = frozenset()
    laws: Mapping[str, Law] = field(default_factory=dict)
    held: Mapping[str, tuple[Held, ...]] = field(default_factory=dict)

    def law(self, name: str) -> Law:
        """A released rulebook by name, with its calendar: a clock keeps the one it started under (law 7)."""
        try:
            return self.laws[name]
        except KeyError:
            raise Refused(
                "rulebook_unknown", f"Release the rulebook {name} first; its text is missing."
            ) from None
