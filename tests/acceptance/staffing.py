"""Newcomers: a person (or a system) entered into the register of a founded district, with posts."""

from __future__ import annotations

from uuid import uuid4

from adapters.access import Giver
from adapters.demo.district import District
from adapters.engine import Engine
from domain.acting import Actor, Command
from domain.register.commands import EnterPerson, FillPost
from tests.acceptance.world import GROUND
from workflows.rooms import REGISTER
from workflows.submission import Sealing, Submission


def newcomer(engine: Engine, district: District, body: str, *posts: str, contact: str | None = None) -> str:
    """Somebody new in these posts of a body; gives their id."""
    person = str(uuid4())
    sealed = [Sealing("name", person, "某员")]
    sealed += [Sealing("contact", person, contact)] if contact is not None else []
    enter(engine, district, EnterPerson(person=person), *sealed)
    for post in posts:
        enter(engine, district, FillPost(person=person, body=body, post=post))  # type: ignore[arg-type]
    return person


def keeper(engine: Engine) -> Giver:
    """The security administrator of a founded district, who gives keys and opens channels."""
    register = engine.handle.standing.caught_up().register
    (person, *_) = register.holders("system", "security_admin", engine.handle.clock())
    return Giver(Actor(person=person, body="system", post="security_admin"), GROUND)


def enter(engine: Engine, district: District, command: Command, *sealed: Sealing) -> None:
    """One act of the security administrator on the register."""
    security = Actor(person=district.security, body="system", post="security_admin")
    answer = engine.handle(
        Submission(
            client="test", key=str(uuid4()), case=REGISTER, command=command, actor=security, authority=GROUND,
            sealed=sealed,
        )
    )  # fmt: skip
    assert answer.accepted, answer
