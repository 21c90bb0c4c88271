"""What the log's own stream says: the policy in force, the boards that are silent, the keys that have signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from domain.event import Recorded
from domain.log.events import (
    CensusTaken,
    ClaimSetAside,
    LogKeyChanged,
    PolicyAdopted,
    RulesPublished,
    WitnessNamed,
    WitnessReturned,
    WitnessSilent,
)


class Adopted(NamedTuple):
    """A policy and the moment it was recorded (UTC): heads are judged by it from then on."""

    digest: str
    log_keys: tuple[str, ...]
    witnesses: tuple[WitnessNamed, ...]
    k: int
    n: int
    delay: timedelta
    at: datetime


@dataclass(frozen=True, slots=True)
class Cosigning:
    """The stream folded up to an event; immutable.

    `policies` from the first to the one in force; `appointed` since when each board (by name) has had to cosign with
    its present key; `silent` the boards whose silence is on record and not ended; `keys` the changes of the log's key;
    `asides` what was set aside last of each board's word, by its key;
    `rules` the digest of the process law published last; `census` the month (2026-11) whose census was taken last.
    """

    policies: tuple[Adopted, ...] = ()
    appointed: Mapping[str, datetime] = field(default_factory=dict)
    silent: Mapping[str, WitnessSilent] = field(default_factory=dict)
    keys: tuple[LogKeyChanged, ...] = ()
    asides: Mapping[str, ClaimSetAside] = field(default_factory=dict)
    rules: str | None = None
    census: str | None = None
    version: int = 0

    @property
    def policy(self) -> Adopted | None:
        """The policy in force, None before the first."""
        return self.policies[-1] if self.policies else None

    def board(self, name: str) -> WitnessNamed | None:
        """The board of this name in the policy in force."""
        named = self.policy.witnesses if self.policy else ()
        return next((one for one in named if one.name == name), None)


def evolve(state: Cosigning, recorded: Recorded[Any]) -> Cosigning:
    """The state after one more stored event; it accepts every event that was ever stored."""
    return replace(_folded(state, recorded.pub, recorded.recorded_at), version=state.version + 1)


def _folded(state: Cosigning, event: object, at: datetime) -> Cosigning:
    match event:
        case PolicyAdopted():
            return _adopted(state, event, at)
        case WitnessSilent():
            return replace(state, silent={**state.silent, event.witness: event})
        case WitnessReturned():
            return replace(
                state, silent={name: one for name, one in state.silent.items() if name != event.witness}
            )
        case ClaimSetAside():
            return replace(state, asides={**state.asides, event.vkey: event})
        case LogKeyChanged():
            return replace(state, keys=(*state.keys, event))
        case RulesPublished():
            return replace(state, rules=event.digest)
        case CensusTaken():
            return replace(state, census=event.month)
        case _:
            return state


def _adopted(state: Cosigning, event: PolicyAdopted, at: datetime) -> Cosigning:
    """A board that stays, under its key, stays appointed and, if it was, silent; the others begin or end here."""
    adopted = Adopted(
        event.digest, event.log_keys, event.witnesses, event.k, event.n, timedelta(hours=event.delay_hours), at
    )  # fmt: skip
    stays = {one.name for one in event.witnesses if one == state.board(one.name)}
    return replace(
        state,
        policies=(*state.policies, adopted),
        appointed={
            one.name: state.appointed[one.name] if one.name in stays else at for one in event.witnesses
        },
        silent={name: one for name, one in state.silent.items() if name in stays},
    )
