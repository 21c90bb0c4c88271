"""Fields of a command that an act fills in by itself, or reads in a person's words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError

from adapters.cli.act_targets import leg_of, only_requester, order_of
from adapters.cli.door import identify
from adapters.finding import case_of, is_id, known
from domain.acting import RESIDENT, Command
from domain.matter import commands as do
from domain.matter import order_commands as odo
from domain.matter.order_events import Receiver
from domain.register.commands import EnterPerson

if TYPE_CHECKING:
    from adapters.cli.act_run import Doing

_CASES = ("master", "repeat_of")
Fill = Callable[["Doing", type[Command], Any, str, dict[str, Any]], Any]


def filled(doing: Doing, command: type[Command], name: str, case: str, fields: dict[str, Any]) -> Any:
    """The value of one field, from what was typed; `fields` are those that stand before it.

    Raises typer.BadParameter, domain.refusal.NotFound.
    """
    value = doing.given.get(name)
    if name in _FILLS:
        return _FILLS[name](doing, command, value, case, fields)
    if name in _CASES:
        return None if value is None else case_of(doing.engine, value, doing.actor)
    return tuple(value) if isinstance(value, list) else value


def _order(doing: Doing, command: type[Command], value: Any, case: str, fields: dict[str, Any]) -> Any:
    if command is odo.DraftOrder:
        doing.made["order"] = doing.ids.id("order")
        return doing.made["order"]
    if value is not None and is_id(value):
        return value
    kind = None if doing.noun == "leg" else doing.noun.replace("-", "_")
    return order_of(known(doing.engine, case), kind, value)


def _leg(doing: Doing, command: type[Command], value: Any, case: str, fields: dict[str, Any]) -> Any:
    if command is odo.AddLeg:
        doing.made["leg"] = doing.ids.id("leg")
        return doing.made["leg"]
    return value if value and is_id(value) else leg_of(known(doing.engine, case), value, doing.actor.body)


def _lead(doing: Doing, command: type[Command], value: Any, case: str, fields: dict[str, Any]) -> Any:
    if value is None or is_id(value):
        return value
    return leg_of(known(doing.engine, case), value, value, "--lead")


def _receivers(doing: Doing, command: type[Command], value: Any, case: str, fields: dict[str, Any]) -> Any:
    parts = [text.partition(":") for text in value or ()]
    if any(role not in ("", "lead", "assist") for _, _, role in parts):
        raise typer.BadParameter("give BODY, BODY:lead or BODY:assist", param_hint="--to")
    leads = any(role == "lead" for _, _, role in parts)
    roles = [role or ("assist" if leads or place else "lead") for place, (_, _, role) in enumerate(parts)]
    try:
        found = tuple(
            Receiver.model_validate({"leg": doing.ids.id("leg", body), "body": body, "role": role})
            for (body, _, _), role in zip(parts, roles, strict=True)
        )
    except ValidationError:
        raise typer.BadParameter("give bodies by their id in the register", param_hint="--to") from None
    doing.made["legs"] = {one.body: one.leg for one in found}
    return found


def _number(doing: Doing, command: type[Command], value: Any, case: str, fields: dict[str, Any]) -> Any:
    if command is odo.SuperviseLeg:
        return value
    at: datetime = doing.given.get("seen_at") or doing.engine.handle.clock()
    number = doing.ids.number(doing.engine.district(at), _local_day(doing, at))
    if command is do.SplitMatter:
        doing.made["child_number"] = number
    return number


def _local_day(doing: Doing, at: datetime) -> date:
    """The date of intake, in the zone of the rulebook in force."""
    release = doing.engine.handle.standing.caught_up().releases.in_force(at)
    return at.astimezone(ZoneInfo(release.zone) if release else UTC).date()


def _seen_at(doing: Doing, command: type[Command], value: Any, case: str, fields: dict[str, Any]) -> Any:
    if value is None and doing.given["key"]:
        hint = "with a key of your own give the time too: a repeated command is the same to its last byte"
        raise typer.BadParameter(hint, param_hint="--seen-at")
    return value or doing.given["occurred_at"] or doing.engine.handle.clock()


def _requesters(doing: Doing, command: type[Command], value: Any, case: str, fields: dict[str, Any]) -> Any:
    """One per name or contact given; a resident is the first of them."""
    given = max(len(doing.given.get(name) or ()) for name in ("sealed_name", "sealed_contact"))
    actor = doing.actor
    if actor.body == RESIDENT:
        found = (actor.person, *(doing.ids.id("requester", str(n)) for n in range(1, given)))
    else:
        found = tuple(doing.ids.id("requester", str(n)) for n in range(given))
    doing.made["requester"] = ", ".join(found)
    return found


def _requester(doing: Doing, command: type[Command], value: Any, case: str, fields: dict[str, Any]) -> Any:
    actor = doing.actor
    if value is not None or actor.body == RESIDENT:
        return value or actor.person
    if command is do.JoinRequester:
        doing.made["requester"] = doing.ids.id("requester")
        return doing.made["requester"]
    if command is do.RecordCallback and fields.get("how") == "site_check":
        return None
    return only_requester(known(doing.engine, case))


def _child(doing: Doing, command: type[Command], value: Any, case: str, fields: dict[str, Any]) -> Any:
    doing.made["child"] = doing.ids.id("child")
    return doing.made["child"]


def _person(doing: Doing, command: type[Command], value: Any, case: str, fields: dict[str, Any]) -> Any:
    """A person by staff reference or id; whoever is entered without either is made known under a fresh id."""
    if isinstance(value, list):
        return tuple(identify(doing.engine)(one) for one in value)
    if value is None and command is EnterPerson:
        doing.made["person"] = doing.ids.id("person")
        return doing.made["person"]
    return None if value is None else identify(doing.engine)(value)


def _evidence(doing: Doing, command: type[Command], value: Any, case: str, fields: dict[str, Any]) -> Any:
    return len(doing.given.get("sealed_evidence") or ())


def _outside(doing: Doing, command: type[Command], value: Any, case: str, fields: dict[str, Any]) -> Any:
    return bool(doing.given.get("outside"))


_FILLS: dict[str, Fill] = {
    "order": _order,
    "leg": _leg,
    "lead": _lead,
    "receivers": _receivers,
    "number": _number,
    "seen_at": _seen_at,
    "requesters": _requesters,
    "requester": _requester,
    "child": _child,
    "witness": _person,
    "person": _person,
    "deputies": _person,
    "evidence": _evidence,
    "outside_number": _outside,
}
