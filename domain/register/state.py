"""The register as it stands: an immutable view with cheap ways in (DESIGN.md §5).

Every question takes `at`, an aware UTC moment: what was in force then. Every answer about an unknown body,
person or item is None, False or an empty list; nothing here raises. `domain.register.evolve` builds it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from domain.acting import CLOCK_PERSON
from domain.register.entries import Admission, Body, SubscriptionEntry
from domain.register.evolve import evolve
from domain.register.history import Version, in_force, overlap
from domain.register.shelf import Shelf
from domain.register.words import EVERYWHERE, OFFICE_NOTICES, POSTS, SYSTEM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.register.entries import (
        AdmissionItem,
        Application,
        DutyItem,
        FirstLink,
        Held,
        PowerItem,
        Shift,
        SystemKeyEntry,
    )
    from domain.register.words import DutyPost, Kind, Post, PowerKind

__all__ = ["Register", "beginnings", "evolve"]

_DEEPEST = 16  # ranks forbid deeper trees; an odd stored history must still not hang a reader


Bodies = tuple[Version[Body], ...]

_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
_SYSTEM_BODY = Body(SYSTEM, "system", None, "系统管理", "System administration", SYSTEM)


def _system_only() -> Shelf[str, Bodies]:
    return Shelf[str, Bodies]().put(SYSTEM, (Version(_SYSTEM_BODY, 1, _BEGINNING, None),))


def _system_ids() -> Shelf[str, tuple[str, ...]]:
    return Shelf[str, tuple[str, ...]]().put("system", (SYSTEM,))


def _office_notices() -> Shelf[str, SubscriptionEntry | None]:
    own = SubscriptionEntry("notice", CLOCK_PERSON, SYSTEM, "")
    return Shelf[str, SubscriptionEntry | None]().put(OFFICE_NOTICES, own)


def beginnings(code: str) -> Iterator[str]:
    """The code, then each shorter beginning of it, then `*`: what a list may call it, the closest first."""
    for length in range(len(code), 0, -1):
        yield code[:length]
    if code != EVERYWHERE:
        yield EVERYWHERE


@dataclass(frozen=True, slots=True)
class Register:
    """All that the register holds after `version` events. `Register()` is empty but for the body `system` and the
    office's own notices.

    `contacts`: of whom a contact was changed, the digests of what was sealed last.
    """

    version: int = 0
    first_link: FirstLink | None = None
    persons: Shelf[str, bool] = field(default_factory=Shelf)
    body_history: Shelf[str, Bodies] = field(default_factory=_system_only)
    body_ids: Shelf[str, tuple[str, ...]] = field(default_factory=_system_ids)
    children: Shelf[str, tuple[str, ...]] = field(default_factory=Shelf)
    held_by: Shelf[str, tuple[Held, ...]] = field(default_factory=Shelf)
    seats: Shelf[tuple[str, str], tuple[Held, ...]] = field(default_factory=Shelf)
    shifts: Shelf[tuple[str, str], tuple[Shift, ...]] = field(default_factory=Shelf)
    absences: Shelf[tuple[str, str], tuple[tuple[datetime, datetime], ...]] = field(default_factory=Shelf)
    power_history: Shelf[str, tuple[Version[PowerItem], ...]] = field(default_factory=Shelf)
    powers_of: Shelf[str, tuple[str, ...]] = field(default_factory=Shelf)
    duty_history: Shelf[str, tuple[Version[DutyItem], ...]] = field(default_factory=Shelf)
    duties_for: Shelf[str, tuple[str, ...]] = field(default_factory=Shelf)
    duties_of: Shelf[str, tuple[str, ...]] = field(default_factory=Shelf)
    admission_history: Shelf[str, tuple[Version[AdmissionItem], ...]] = field(default_factory=Shelf)
    admissions_for: Shelf[str, tuple[str, ...]] = field(default_factory=Shelf)
    system_keys: Shelf[str, SystemKeyEntry | None] = field(default_factory=Shelf)
    signins: Shelf[str, str | None] = field(default_factory=Shelf)
    subscriptions: Shelf[str, SubscriptionEntry | None] = field(default_factory=_office_notices)
    contacts: Shelf[str, tuple[str, ...]] = field(default_factory=Shelf)
    applications: Shelf[str, Application] = field(default_factory=Shelf)
    applications_for: Shelf[str, tuple[str, ...]] = field(default_factory=Shelf)

    # ---- bodies

    def body(self, body_id: str, at: datetime) -> Body | None:
        """The body in force at `at`, or None."""
        return in_force(self.body_history.get(body_id, ()), at)

    def bodies(self, kind: Kind, at: datetime) -> list[Body]:
        """Every body of a kind in force at `at`, in the order in which they were entered."""
        found = (self.body(body_id, at) for body_id in self.body_ids.get(kind, ()))
        return [body for body in found if body is not None]

    def lineage(self, body_id: str, at: datetime) -> Iterator[Body]:
        """The body itself, the one it lies under, and so on up."""
        body = self.body(body_id, at)
        for _ in range(_DEEPEST):
            if body is None:
                return
            yield body
            body = None if body.parent is None else self.body(body.parent, at)

    def within(self, body_id: str, ancestor_id: str, at: datetime) -> bool:
        """Whether the body is `ancestor_id` or lies somewhere below it."""
        return any(body.id == ancestor_id for body in self.lineage(body_id, at))

    def ancestor(self, body_id: str, kind: Kind, at: datetime) -> str | None:
        """The nearest body of `kind` on the way up, the body itself included: a community's sub-district."""
        return next((body.id for body in self.lineage(body_id, at) if body.kind == kind), None)

    # ---- posts and duty

    def holds(self, person: str, body_id: str, post: str, at: datetime) -> bool:
        """Whether the person holds that post of that body."""
        return any(
            held.body == body_id and held.post == post and held.covers(at)
            for held in self.held_by.get(person, ())
        )

    def posts_of(self, person: str, at: datetime) -> list[tuple[str, Post]]:
        """Every (body, post) that the person holds."""
        return [(held.body, held.post) for held in self.held_by.get(person, ()) if held.covers(at)]

    def holders(self, body_id: str, post: str, at: datetime) -> list[str]:
        """Everyone who holds that post of that body, the longest in it first."""
        return [held.person for held in self.seats.get((body_id, post), ()) if held.covers(at)]

    def seats_of(self, body_id: str) -> Iterator[Held]:
        """Every term of every post of a body, past and planned ones too."""
        for post in POSTS:
            yield from self.seats.get((body_id, post), ())

    def staff(self, body_id: str, at: datetime) -> list[str]:
        """Everyone who holds any post of that body, each once."""
        return list(dict.fromkeys(person for post in POSTS for person in self.holders(body_id, post, at)))

    def on_duty(self, body_id: str, at: datetime, post: DutyPost | None = None) -> list[str]:
        """Who is on duty for the body (on that seat, if named): the deputy where the first is absent."""
        seats: tuple[DutyPost, ...] = ("duty_leader", "duty_officer") if post is None else (post,)
        found = (self._on_seat(body_id, seat, at) for seat in seats)
        return list(dict.fromkeys(person for person in found if person is not None))

    def _on_seat(self, body_id: str, post: DutyPost, at: datetime) -> str | None:
        for shift in reversed(self.shifts.get((body_id, post), ())):
            if shift.begins <= at < shift.ends:
                return next(
                    (one for one in (shift.person, *shift.deputies) if self.there(one, body_id, at)), None
                )
        return None

    def there(self, person: str, body_id: str, at: datetime) -> bool:
        """Whether the person still holds a post of the body and is not marked absent from its duty."""
        away = self.absences.get((person, body_id), ())
        return any(
            held.body == body_id and held.covers(at) for held in self.held_by.get(person, ())
        ) and not any(begins <= at < ends for begins, ends in away)

    def duty_gaps(
        self, body_id: str, post: DutyPost, begins: datetime, ends: datetime
    ) -> list[tuple[datetime, datetime]]:
        """The spans between `begins` and `ends` in which nobody is on that seat (A07), in order."""
        shifts = [s for s in self.shifts.get((body_id, post), ()) if overlap(begins, ends, s.begins, s.ends)]
        moments = {begins, ends} | {moment for shift in shifts for moment in self._turns(shift)}
        cuts = sorted(moment for moment in moments if begins <= moment <= ends)
        gaps: list[tuple[datetime, datetime]] = []
        for start, end in pairwise(cuts):
            if self._on_seat(body_id, post, start) is None:
                follows = bool(gaps) and gaps[-1][1] == start
                gaps[-1:] = [(gaps[-1][0], end)] if follows else [*gaps[-1:], (start, end)]
        return gaps

    def _turns(self, shift: Shift) -> Iterator[datetime]:
        """The moments at which another person may come on duty within a shift."""
        yield from (shift.begins, shift.ends)
        for person in (shift.person, *shift.deputies):
            for away in self.absences.get((person, shift.body), ()):
                yield from away
            for held in self.held_by.get(person, ()):
                yield from (held.valid_from, *(() if held.valid_until is None else (held.valid_until,)))

    # ---- powers and the duty list

    def power(self, item_id: str, at: datetime) -> PowerItem | None:
        """The power item in force at `at`, or None."""
        return in_force(self.power_history.get(item_id, ()), at)

    def powers(
        self, body_id: str, power_kind: PowerKind, at: datetime, over: str | None = None
    ) -> list[PowerItem]:
        """Every power item by which the body may do this (on the body `over`, if one is named)."""
        found = (self.power(item_id, at) for item_id in self.powers_of.get(body_id, ()))
        held = (item for item in found if item is not None and item.holder == body_id)
        return [
            item
            for item in held
            if item.kind == power_kind and (over is None or not item.over or over in item.over)
        ]

    def may(
        self, body_id: str, power_kind: PowerKind, at: datetime, over: str | None = None
    ) -> PowerItem | None:
        """The first of those power items, or None where the body may not do this."""
        return next(iter(self.powers(body_id, power_kind, at, over)), None)

    def duty_items(self, code: str, place: str, at: datetime) -> list[DutyItem]:
        """The lines of the duty list for a code at a place: closest code first, then closest place."""
        near = {body.id: step for step, body in enumerate(self.lineage(place, at))}
        found: list[tuple[int, DutyItem]] = []
        for beginning in beginnings(code):
            here = []
            for item_id in self.duties_for.get(beginning, ()):
                item = in_force(self.duty_history.get(item_id, ()), at)
                if (
                    item is not None
                    and item.code == beginning
                    and (item.place == EVERYWHERE or item.place in near)
                ):
                    here.append((near.get(item.place, _DEEPEST), item))
            found += sorted(here, key=lambda pair: (pair[0], pair[1].id))
        return [item for _, item in found]

    def duty_bodies(self, code: str, place: str, at: datetime) -> list[str]:
        """The bodies that answer for a code at a place, the closest line first, each once."""
        return list(dict.fromkeys(item.body for item in self.duty_items(code, place, at)))

    def answers_for(self, body_id: str, code: str, place_body_id: str, at: datetime) -> bool:
        """Whether the duty list names this body for the code at that place (or for a place around it)."""
        return any(item.body == body_id for item in self.duty_items(code, place_body_id, at))

    def stands_on_duty_list(self, body_id: str, place_body_id: str, at: datetime) -> bool:
        """Whether the duty list names this body for anything at that place (or at a place around it)."""
        near = {body.id for body in self.lineage(place_body_id, at)}
        lines = (in_force(self.duty_history.get(item, ()), at) for item in self.duties_of.get(body_id, ()))
        return any(line is not None and (line.place == EVERYWHERE or line.place in near) for line in lines)

    # ---- admission of work items

    def on_list(self, item_code: str, at: datetime) -> AdmissionItem | None:
        """What the three lists say of a code: a negative class before all, then the closest code."""
        found: list[AdmissionItem] = []
        for beginning in beginnings(item_code):
            for item_id in self.admissions_for.get(beginning, ()):
                item = in_force(self.admission_history.get(item_id, ()), at)
                if item is not None and item.code == beginning:
                    found.append(item)
        negative = (item for item in found if item.on_list == "negative_class")
        return next(negative, found[0] if found else None)

    def negative(self, item_code: str, at: datetime) -> bool:
        """Whether the code falls under a class of the negative list 负面清单."""
        item = self.on_list(item_code, at)
        return item is not None and item.on_list == "negative_class"

    def admitted(self, community_id: str, item_code: str, at: datetime) -> Admission | None:
        """Why the community may be given this work item, or None: what is not admitted is refused (A26)."""
        item = self.on_list(item_code, at)
        if item is not None:
            if item.on_list == "negative_class":
                return None
            return Admission(item.id, item.code, item.on_list, item.department, item.conditions)
        for application_id in self.applications_for.get(item_code, ()):
            asked = self.applications.get(application_id, None)
            if asked is None or not (asked.admitted and asked.valid_from <= at < asked.valid_until):
                continue
            if asked.place == EVERYWHERE or self.within(community_id, asked.place, at):
                return Admission(asked.id, asked.code, "application", asked.department, asked.conditions)
        return None
