"""The rooms that no case lives in: the register, the releases and the log's own stream.

Each has one stream of its own, which every store has, and stands under no rulebook; `handle` decides them all alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from domain.acting import Command, Decision
from domain.event import Recorded
from domain.log import decide as log
from domain.log import state as log_state
from domain.log.commands import COMMANDS as LOG_COMMANDS
from domain.log.commands import AdoptPolicy, ChangeLogKey
from domain.log.words import LOG
from domain.register import decide as register
from domain.register import evolve as register_state
from domain.rulebook import releases
from domain.rulebook.maps import ReleaseMap

REGISTER = "5e91a2d4-0f3c-4f5e-9b1a-6c1f3a7d2e01"
RELEASES = "5e91a2d4-0f3c-4f5e-9b1a-6c1f3a7d2e02"
"""Streams whose ids say nothing about any case; that of the log is `domain.log.words.LOG`."""

_RELEASES = (releases.ReleaseRulebook, releases.WithdrawRulebook, releases.EnterNotice, ReleaseMap)


class Room(NamedTuple):
    """A stream with its state: the field of `Standing` that holds it, its fold, its decider, and its commands.

    `keepers` are the commands for which the register must know the actor in the post; where it is empty, the decider
    looks for itself.
    """

    stream: str
    held: str
    evolve: Callable[[Any, Recorded[Any]], Any]
    decide: Callable[[Any, Command, Any], Decision]
    commands: tuple[type[Command], ...] = ()
    keepers: tuple[type[Command], ...] = ()


_REGISTER = Room(REGISTER, "register", register_state.evolve, register.decide)
ROOMS = (
    _REGISTER,
    Room(RELEASES, "releases", releases.evolve, releases.decide, _RELEASES, _RELEASES),
    Room(LOG, "cosigning", log_state.evolve, log.decide, LOG_COMMANDS, (AdoptPolicy, ChangeLogKey)),
)
STREAMS = tuple(room.stream for room in ROOMS)


def room_of(command: Command) -> Room:
    """The room that decides a command which is no case's; the register for one that nobody knows, to refuse it."""
    return next((room for room in ROOMS if isinstance(command, room.commands)), _REGISTER)
