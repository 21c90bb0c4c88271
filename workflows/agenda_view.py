"""What each process of a case has before it: the agenda, split by owner, and whom an event concerns (DESIGN.md §6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from domain.context import Law
from domain.event import Recorded
from domain.matter import Item, Matter, agenda, evolve, owner_of
from domain.matter.words import ENDED_MATTER
from workflows.messages import Snapshot

_NEVER = datetime.max.replace(tzinfo=UTC)

LawOf = Callable[[str], Law]
"""A released rulebook and its calendar, by name."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What one owner has before it: its items, the next one first, and whether nothing is left to do, ever."""

    items: tuple[Item, ...]
    closed: bool

    @property
    def due(self) -> datetime | None:
        """The moment of the next step."""
        return self.items[0].at if self.items else None


def ahead(state: Matter, law: LawOf) -> dict[str, Ahead]:
    """By owner: '' for the matter, else the leg. The matter is closed last, when no owner has anything left."""
    items = agenda(state, law)
    split: dict[str, list[Item]] = {"": [], **{leg.id: [] for leg in state.legs()}}
    for item in items:
        split[owner_of(state, item.owner)].append(item)
    ended = state.backfilled or state.status in ENDED_MATTER
    legs = {
        leg.id: Ahead(tuple(split[leg.id]), not split[leg.id] and (ended or not leg.live))
        for leg in state.legs()
    }
    return {"": Ahead(tuple(split[""]), ended and not items), **legs}


def snapshot(state: Matter, epoch: str, law: LawOf, owner: str = "") -> Snapshot:
    """The whole snapshot of the matter with its open legs, or of one leg."""
    views = ahead(state, law)
    if owner:
        return _of_leg(state, epoch, owner, views)
    legs = tuple(_of_leg(state, epoch, leg, views) for leg, view in views.items() if leg and not view.closed)
    return _of(state, epoch, "", views[""], state.status, "", legs)


def _of_leg(state: Matter, epoch: str, owner: str, views: dict[str, Ahead]) -> Snapshot:
    leg = state.leg(owner)
    if leg is None:
        return nothing(state.id, owner, epoch, state.version)
    return _of(state, epoch, owner, views[owner], leg.status, leg.body)


def _of(
    state: Matter, epoch: str, owner: str, view: Ahead, phase: str, body: str, legs: tuple[Snapshot, ...] = ()
) -> Snapshot:
    shown = not state.confidential
    step = f"{view.items[0].do}/{view.items[0].stage}" if view.items else ""
    return Snapshot(
        case=state.id, owner=owner, epoch=epoch, version=state.version, due=view.due, closed=view.closed, phase=phase,
        step=step, number=state.number if shown else "", place=(state.subdistrict or "") if shown else "",
        body=body if shown else "", legs=legs,
    )  # fmt: skip


def nothing(case: str, owner: str, epoch: str, version: int = 0) -> Snapshot:
    """The snapshot of what this store does not hold: there is nothing to do."""
    return Snapshot(
        case=case, owner=owner, epoch=epoch, version=version, due=None, closed=True, phase="unknown"
    )


class Watched:
    """A matter as the follower sees it, event after event: whom does each concern?"""

    def __init__(self) -> None:
        self.state: Matter | None = None
        self._views: list[dict[str, Ahead]] = []

    @property
    def version(self) -> int:
        """The version heard of so far."""
        return self.state.version if self.state is not None else 0

    def catch_up(self, events: Iterable[Recorded[Any]], law: LawOf) -> None:
        """Begin with what has been told already."""
        for recorded in events:
            self.state = evolve(self.state, recorded)
        self._views = [ahead(self.state, law)] if self.state is not None else []

    def hear(self, events: Iterable[Recorded[Any]], law: LawOf) -> frozenset[str]:
        """The owners whose process must be told that these events, the next ones of the matter, have happened.

        Told are: an opening, a due moment earlier than at any version since, a leg that was issued (its matter is
        told), an end, and a life after an end. A due moment that moved later needs no telling: the old timer fires
        and the record says "not yet". Every version is looked at, for a process may have seen any of them by itself.
        """
        for recorded in events:
            self.state = evolve(self.state, recorded)
            self._views.append(ahead(self.state, law))
        if not self._views:
            return frozenset()
        *before, now = self._views
        self._views = [now]
        return frozenset().union(
            *(_told(owner, view, [earlier.get(owner) for earlier in before]) for owner, view in now.items())
        )


def _told(owner: str, view: Ahead, before: list[Ahead | None]) -> set[str]:
    open_before = [earlier for earlier in before if earlier is not None and not earlier.closed]
    if view.closed:
        return {owner} if open_before else set()
    # One that begins, or lives again, is brought up by the matter's process.
    found = {""} if len(open_before) < len(before) or not before else set()
    latest = max(((earlier.due or _NEVER) for earlier in open_before), default=None)
    if latest is not None and view.due is not None and view.due < latest:
        found.add(owner)
    return found
