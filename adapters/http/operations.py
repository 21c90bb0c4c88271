"""The acts as operations of the API: each row of `adapters.acts` has a path, so that none is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from adapters.acts import ACTS, Act
from domain.acting import Command
from domain.matter import order_commands as odo
from domain.matter.commands import RegisterMatter

PREFIX = "/api/v1"


class Operation(NamedTuple):
    """An act under its path; `name` is unique. `where` says which of the command's fields the path names."""

    act: Act
    path: str
    name: str
    tag: str
    where: frozenset[str] = frozenset()

    @property
    def command(self) -> type[Command]:
        """The command that it gives."""
        return self.act.command


def operations() -> tuple[Operation, ...]:
    """Every act once. The orders' acts stand in the table by kind; here the kind is a field of the draft."""
    found: dict[type[Command], Operation] = {}
    for act in ACTS:
        found.setdefault(act.command, _operation(act))
    return tuple(found.values())


def _operation(act: Act) -> Operation:
    name = act.command.NAME
    if act.command is RegisterMatter:
        return Operation(act, "/matters", name, "matters")
    if act.noun == "register":
        return Operation(act, f"/register/{act.verb}", name, "register")
    if issubclass(act.command, odo.LegCommand):
        return Operation(act, f"/matters/{{case}}/legs/{{leg}}/{act.verb}", name, "legs", frozenset({"leg"}))
    if issubclass(act.command, odo.OrderCommand):
        return _of_order(act._replace(fixed={}))
    return Operation(act, f"/matters/{{case}}/{act.verb}", name, "matters")


def _of_order(act: Act) -> Operation:
    name = act.command.NAME
    if act.command is odo.DraftOrder:
        return Operation(act, "/matters/{case}/orders", name, "orders")
    if act.command is odo.IssueOrder:  # the reason comes with the draft
        act = act._replace(verb="issue", sealed=())
    return Operation(
        act, f"/matters/{{case}}/orders/{{order}}/{act.verb}", name, "orders", frozenset({"order"})
    )


def path_names(operation: Operation) -> Iterator[str]:
    """The names in the path, in order."""
    for part in operation.path.split("/"):
        if part.startswith("{"):
            yield part[1:-1]
