"""What an act is about: the case by number or id, the order and the leg by what a person calls them."""

from __future__ import annotations

import re
from typing import TypeVar

import typer

from adapters.engine import Engine
from domain.acting import Actor
from domain.matter import Matter, Order
from domain.refusal import NotFound
from workflows.submission import OWN_NUMBER

T = TypeVar("T")
_ID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_GONE = frozenset({"settled", "cancelled"})


def is_id(text: str) -> bool:
    """Whether a text is an id as stored."""
    return _ID.match(text) is not None


def case_of(engine: Engine, text: str, viewer: Actor | None) -> str:
    """The case of an id, a number, or another system's number as SOURCE:NUMBER.

    Raises NotFound, also for the number of a case that is hidden from the viewer.
    """
    if is_id(text):
        return text
    found = engine.handle.find(OWN_NUMBER, text.upper(), viewer)
    source, colon, number = text.partition(":")
    if found is None and colon:
        found = engine.handle.find(source, number, viewer)
    if found is None:
        raise NotFound
    return found


def order_of(matter: Matter, kind: str | None, text: str | None, hint: str = "--order") -> str:
    """The order of an id; without one the only order of that kind still open. Raises typer.BadParameter."""
    if text is not None:
        return _as_id(text, hint)
    open_ones = [
        one for one in matter.orders.values() if kind in (None, one.kind) and one.status not in _GONE
    ]
    return _only([(one.id, _said(one)) for one in open_ones], hint).split()[0]


def leg_of(matter: Matter, text: str | None, body: str, hint: str = "--leg") -> str:
    """The leg of an id or of a body; without one that of `body`, or the only one still open.

    Raises typer.BadParameter where none is meant, or several.
    """
    if text is not None and is_id(text):
        return text
    legs = list(matter.legs())
    named = [leg for leg in legs if leg.body == (text or body)]
    chosen = [leg for leg in named if leg.live] or named
    if not chosen and text is None:
        chosen = [leg for leg in legs if leg.live]
    return _only([(leg.id, f"{leg.body} {leg.status}") for leg in chosen], hint)


def known(engine: Engine, case: str) -> Matter:
    """The case for what a person calls its parts. Raises NotFound, also for a confidential one: name ids there."""
    matter = engine.handle.load(case)
    if matter is None or matter.confidential:
        raise NotFound
    return matter


def only_requester(matter: Matter) -> str | None:
    """The requester where there is one alone."""
    return next(iter(matter.requesters)) if len(matter.requesters) == 1 else None


def _said(order: Order) -> str:
    return f"{order.full_kind} {order.status}"


def _only(found: list[tuple[str, str]], hint: str) -> str:
    if len(found) == 1:
        return found[0][0]
    if not found:
        raise typer.BadParameter("the matter has none that is open; name one by its id", param_hint=hint)
    listed = "; ".join(f"{one} ({what})" for one, what in found)
    raise typer.BadParameter(f"the matter has several, name one by its id: {listed}", param_hint=hint)


def _as_id(text: str, hint: str) -> str:
    if not is_id(text):
        raise typer.BadParameter("give an id, as the order's draft printed it", param_hint=hint)
    return text
