"""What an act is about: the order and the leg by what a person calls them."""

from __future__ import annotations

from typing import TypeVar

import typer

from adapters.finding import is_id
from domain.matter import Matter, Order

T = TypeVar("T")
_GONE = frozenset({"settled", "cancelled"})


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
