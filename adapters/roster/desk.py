"""The desk: hands an import's commands to `handle`, each by the administrator whose task it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from adapters.roster.run import Outcome
from domain.acting import Actor, Command, When
from domain.refusal import Refused
from domain.register.decide import ADMINISTRATOR, decide
from domain.register.words import SYSTEM
from workflows.standing import REGISTER
from workflows.submission import Sealing, Submission

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workflows.handle import Handle


class Desk(NamedTuple):
    """What an import needs: where commands go, and how staff references become person ids."""

    submit: Callable[[Command, Mapping[str, tuple[str, str]]], Outcome]
    identify: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the register is told when it is only asked."""

    actor: Actor
    when: When
    authority: str | None
    sealed: frozenset[str]


def desk(
    handle: Handle,
    identify: Callable[[str], str],
    *,
    system_admin: str,
    security_admin: str,
    authority: str,
) -> Desk:
    """A desk for two administrators, each named by staff reference or person id; `authority` is what they cite.

    A command of `ADMINISTRATOR` is given by the one named there, all others by the security administrator.
    What the register knows already is not handed in: a repeated import is no refusal worth recording.
    """
    persons = {"system_admin": identify(system_admin), "security_admin": identify(security_admin)}

    def submit(command: Command, sealed: Mapping[str, tuple[str, str]]) -> Outcome:
        post = ADMINISTRATOR.get(type(command), "security_admin")
        actor = Actor(person=persons[post], body=SYSTEM, post=post)
        if _is_known(handle, command, actor, authority, sealed):
            return Outcome("already_known")
        values = tuple(Sealing(name, subject, value) for name, (subject, value) in sealed.items())
        answer = handle(
            Submission("roster", str(uuid4()), REGISTER, command, actor, authority=authority, sealed=values)
        )
        return Outcome(answer.code, answer.advice or "")

    return Desk(submit, identify)


def _is_known(
    handle: Handle, command: Command, actor: Actor, authority: str, sealed: Mapping[str, tuple[str, str]]
) -> bool:
    moment = handle.clock()
    asked = _Asked(actor, When(occurred_at=moment, recorded_at=moment), authority, frozenset(sealed))
    try:
        decide(handle.standing.caught_up().register, command, asked)
    except Refused as refusal:
        return refusal.code == "already_known"
    return False
