"""The matter room (事项): a request and its orders, from registration to archive (domain.md D.1, D.2).

`decide(state, command, context)` allows or refuses; `evolve(state, recorded)` folds what was stored;
`agenda(state, law)` says what is due, when, and what then.
"""

from domain.matter.decide import COMMANDS, decide
from domain.matter.due import Item, agenda, owner_of
from domain.matter.evolve import evolve, replay
from domain.matter.families import touches
from domain.matter.keeping import lists_digests
from domain.matter.state import Clock, Leg, Matter, Order, Requester

__all__ = [
    "COMMANDS",
    "Clock",
    "Item",
    "Leg",
    "Matter",
    "Order",
    "Requester",
    "agenda",
    "decide",
    "evolve",
    "lists_digests",
    "owner_of",
    "replay",
    "touches",
]
