"""From a body to a command: what an edge derives is filled in, what people call by a name is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from adapters.acts import EVIDENCE, about_whom
from adapters.derived import Derived
from adapters.engine import Engine
from adapters.finding import case_of
from adapters.http.bodies import CASES, PERSONS, Given
from adapters.http.operations import Operation
from adapters.roster import person_ids
from domain.acting import RESIDENT, Actor, Command
from domain.matter import commands as do
from domain.matter import order_commands as odo
from domain.matter.order_events import Receiver
from domain.refusal import Refused
from domain.register.commands import EnterPerson
from workflows.submission import Sealing


@dataclass(slots=True)
class Building:
    """One act: who does it on which case, what came in, and the ids that are made for it (`made`)."""

    engine: Engine
    operation: Operation
    given: Given
    where: dict[str, str]
    actor: Actor
    ids: Derived
    case: str
    made: dict[str, Any] = field(default_factory=dict)
    fresh: bool = False
    """Whether it is known that nothing was decided under its key before."""

    def command(self) -> Command:
        """The command. Raises NotFound, Refused "malformed"."""
        fields: dict[str, Any] = {}
        for name in self.operation.command.model_fields:
            value = self._value(name, fields)
            if value is not None:
                fields[name] = value
        try:
            return self.operation.command(**fields)
        except ValidationError as wrong:
            names = sorted({str(one["loc"][0]) for one in wrong.errors(include_input=False) if one["loc"]})
            raise Refused(
                "malformed", f"Correct {', '.join(names) or 'the body'} and send it again."
            ) from None

    def sealed(self, command: Command) -> tuple[Sealing, ...]:
        """The sealed values, each under the person whom it concerns."""
        about = about_whom(command, self.actor, of_register=self.operation.act.noun == "register")
        values = getattr(self.given, "sealed", None)
        found: list[Sealing] = []
        for name in type(values).model_fields if values is not None else ():
            value = getattr(values, name)
            said = value if name == EVIDENCE else [] if value is None else [value]
            found += [Sealing(name, about, one) for one in said]
        found += self._of_requesters(command)
        found += [
            Sealing("outside_number", about, f"{one.source}:{one.number}")
            for one in getattr(self.given, "outside", ())
        ]
        return tuple(found)

    def _of_requesters(self, command: Command) -> list[Sealing]:
        persons = getattr(command, "requesters", ())
        given = getattr(self.given, "requesters", ())
        return [
            Sealing(name, person, value)
            for person, one in zip(persons, given, strict=False)
            for name, value in (("name", one.name), ("contact", one.contact))
            if value is not None
        ]

    def _value(self, name: str, fields: dict[str, Any]) -> Any:
        if name in self.where:
            return self.where[name]
        value = getattr(self.given, name, None)
        if name in _FILLS:
            return _FILLS[name](self, value, fields)
        if name in CASES:
            return None if value is None else case_of(self.engine, value, self.actor)
        if name in PERSONS:
            return self._person(name, value)
        return tuple(value) if isinstance(value, list) else value

    def _person(self, name: str, value: Any) -> Any:
        identify = person_ids(self.engine.keys.pepper())
        if name == "deputies":
            return tuple(identify(one) for one in value)
        if value is None and self.operation.command is EnterPerson:
            return self.make("person")
        return None if value is None else identify(value)

    def make(self, what: str) -> str:
        """A fresh id of this act: the same again under the same key."""
        self.made[what] = self.ids.id(what)
        return str(self.made[what])


def _order(one: Building, value: Any, fields: dict[str, Any]) -> Any:
    return one.make("order") if one.operation.command is odo.DraftOrder else value


def _leg(one: Building, value: Any, fields: dict[str, Any]) -> Any:
    return one.make("leg") if one.operation.command is odo.AddLeg else value


def _receivers(one: Building, value: Any, fields: dict[str, Any]) -> Any:
    found = tuple(Receiver(leg=one.ids.id("leg", given.body), **given.model_dump()) for given in value)
    one.made["legs"] = {receiver.body: receiver.leg for receiver in found}
    return found


def _number(one: Building, value: Any, fields: dict[str, Any]) -> Any:
    if one.operation.command is odo.SuperviseLeg:
        return value
    before = None if one.fresh else one.engine.handle.load(one.ids.id("child"))
    if before is not None:
        return before.number  # the act is sent again, perhaps on another day
    at: datetime = getattr(one.given, "seen_at", None) or one.engine.handle.clock()
    release = one.engine.handle.standing.caught_up().releases.in_force(at)
    day = at.astimezone(ZoneInfo(release.zone) if release else UTC).date()
    return one.ids.number(one.engine.district(at), day)


def _requesters(one: Building, value: Any, fields: dict[str, Any]) -> Any:
    """One per person given; a resident is the first of them."""
    count = len(value)
    if one.actor.body == RESIDENT:
        found = (one.actor.person, *(one.ids.id("requester", str(n)) for n in range(1, count)))
    else:
        found = tuple(one.ids.id("requester", str(n)) for n in range(count))
    one.made["requesters"] = list(found)
    return found


def _requester(one: Building, value: Any, fields: dict[str, Any]) -> Any:
    command = one.operation.command
    if value is not None or one.actor.body == RESIDENT:
        return value or one.actor.person
    if command is do.JoinRequester:
        return one.make("requester")
    return None


def _child(one: Building, value: Any, fields: dict[str, Any]) -> Any:
    return one.make("child")


def _evidence(one: Building, value: Any, fields: dict[str, Any]) -> Any:
    values = getattr(one.given, "sealed", None)
    return len(values.evidence) if values is not None else 0


def _outside(one: Building, value: Any, fields: dict[str, Any]) -> Any:
    return bool(getattr(one.given, "outside", ()))


_FILLS: dict[str, Callable[[Building, Any, dict[str, Any]], Any]] = {
    "order": _order, "leg": _leg, "receivers": _receivers, "number": _number, "requesters": _requesters,
    "requester": _requester, "child": _child, "evidence": _evidence, "outside_number": _outside,
}  # fmt: skip
