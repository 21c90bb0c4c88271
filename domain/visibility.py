"""Visibility: who may see how much of a case (DESIGN.md law 10). Pure; the edges ask it before they show anything.

- Nothing: the case looks exactly like one that does not exist.
- Public: the public fields of its events; never a name, a contact or a word that somebody wrote.
- Sealed: its sealed values as well, but for those about certain subjects, or only some.

Whoever made a request keeps the view of it when it turns out to be an accusation and is handed to discipline
inspection (转纪检): what they said, their receipt and all that happened until then, and that it was handed over, to
whom and when (law 10: a requester sees all that is held on them). Of its handling from there on they see nothing
here, not even who reads it; the competent body tells them itself. To everybody else the case is gone.

Whoever reads sealed values leaves a record of it (`sealed_read.v1`); that is the reader's duty, not this room's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from domain.acting import CLOCK_PERSON, RESIDENT
from domain.matter.state import WHOLE
from domain.matter.words import ENDED_MATTER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime

    from domain.acting import Actor
    from domain.event import Recorded
    from domain.matter.state import Leg, Matter
    from domain.register import Register
    from domain.rulebook import CatalogueItem

Level = Literal["nothing", "public", "sealed"]

ANSWERS = frozenset({"reply"})
"""Sealed values that every requester of the case may read, whoever wrote them: what the office answered."""

CENTRES = frozenset({"hotline", "dispatch_centre", "district"})
"""Kinds of body that dispatch, call back and supervise any matter of the district, and so must know it whole."""

OVERSEERS = frozenset({"supervisory_board", "panel", "archive", "discipline_inspection"})
"""Kinds of body that look at how offices acted, not at who asked: a requester's own values are withheld from them."""

DIVERTED = "matter_diverted.v1"
"""The event by which a case is handed to discipline inspection."""

_NO_BUSINESS = frozenset({"system_admin", "security_admin"})
"""三员分立: these administrators have no business in cases (B9.3)."""

SHOWN_KINDS = frozenset({"request", "hazard"})
"""Kinds of matter of which everybody may know; never a dispute, a petition, or what offices give each other to do."""

_PETITIONS = frozenset({"petition"})
"""Sources whose matters are petitions, whatever they are about."""

_OUT = frozenset({"returned", "excused", "rejected", "cancelled"})
"""A body whose leg ended so has nothing more to do with the matter."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a viewer sees. Of sealed values: all but those about the `withheld` subjects; or, where `own` names a
    requester, only those about them and the office's answers. `handed_over`: of the events only those until it was
    handed to discipline inspection, and what `own` said since."""

    level: Level
    withheld: frozenset[str] = frozenset()
    own: str | None = None
    handed_over: bool = False

    def opens(self, subject: str, field: str) -> bool:
        """Whether the sealed value of this name about this subject may be shown."""
        if self.level != "sealed" or subject in self.withheld:
            return False
        return self.own is None or subject == self.own or field in ANSWERS

    def shows(self, history: Iterable[Recorded[Any]]) -> Iterator[bool]:
        """For each event of the case, in order, whether it may be shown."""
        gone = False
        for recorded in history:
            yield self.level != "nothing" and (not gone or recorded.person == self.own)
            gone = gone or (self.handed_over and recorded.type == DIVERTED)


NOTHING = Sight("nothing")
PUBLIC = Sight("public")


def sees(matter: Matter, viewer: Actor | None, register: Register, at: datetime) -> Sight:
    """What `viewer` may see of the matter at `at` (UTC). None is an operator at the machine: public fields only."""
    if viewer is not None and viewer.body == RESIDENT:
        return _requester(matter, viewer)
    if matter.confidential:
        return _confidential(matter, viewer, register, at)
    if viewer is None or viewer.person == CLOCK_PERSON:
        return PUBLIC
    if viewer.post is None or not register.holds(viewer.person, viewer.body, viewer.post, at):
        return NOTHING
    sight = _officer(matter, viewer, register, at)
    if sight.level == "sealed" and _accused(matter, viewer, register, at):
        return Sight("sealed", frozenset(matter.requesters))
    return sight


def surely_sees(carriers: Collection[str], viewer: Actor, register: Register, at: datetime) -> bool:
    """Whether `sees` gives more than nothing of any matter, not confidential, that these bodies carry (among others).

    What lists ask of the many cases for which it settles the matter; `sees` judges the others. A resident is never sure.
    """
    if viewer.post is None or viewer.post in _NO_BUSINESS:
        return False
    if not register.holds(viewer.person, viewer.body, viewer.post, at):
        return False
    if viewer.body in carriers:
        return True
    body = register.body(viewer.body, at)
    return body is not None and body.kind in CENTRES


def in_public(matter: Matter, item: CatalogueItem | None) -> bool:
    """Whether everybody may see that there is this matter, what the catalogue calls it, in which grid, and how it stands.

    Never an accusation or what complains about a body, a dispute, a petition, anything with a visit to somebody, a
    person's own affairs, what is locked or erased, or taken over from elsewhere unread. `item`: its catalogue's.
    """
    return (
        item is not None
        and item.public
        and {item.kind, matter.kind} <= SHOWN_KINDS
        and matter.source not in _PETITIONS
        and matter.subject is None
        and matter.diverted_to is None
        and not (matter.confidential or matter.backfilled)
        and matter.shut(WHOLE) is None
        and all(order.kind != "visit" for order in matter.orders.values())
    )


def _requester(matter: Matter, viewer: Actor) -> Sight:
    """A requester sees all that is held on them and the answer; of what was diverted, all until then."""
    if viewer.person not in matter.requesters:
        return NOTHING
    others = frozenset(one for one in matter.requesters if one != viewer.person)
    return Sight("sealed", others, own=viewer.person, handed_over=matter.diverted_to is not None)


def _confidential(matter: Matter, viewer: Actor | None, register: Register, at: datetime) -> Sight:
    """检举控告: discipline inspection alone, and nobody of the accused unit."""
    if viewer is None or viewer.post is None:
        return NOTHING
    body = register.body(viewer.body, at)
    here = body is not None and body.kind == "discipline_inspection"
    if not here or not register.holds(viewer.person, viewer.body, viewer.post, at):
        return NOTHING
    if matter.diverted_to is not None and viewer.body != matter.diverted_to:
        return NOTHING
    return NOTHING if _accused(matter, viewer, register, at) else Sight("sealed")


def _officer(matter: Matter, viewer: Actor, register: Register, at: datetime) -> Sight:
    if viewer.post in _NO_BUSINESS:
        return NOTHING
    body = register.body(viewer.body, at)
    kind = body.kind if body is not None else None
    if viewer.body in _taking_part(matter) or kind in CENTRES:
        return Sight("sealed")
    if kind in OVERSEERS:
        return _overseer(matter, str(kind))
    return PUBLIC if viewer.post == "audit_admin" or _near(matter, viewer.body, register, at) else NOTHING


def _overseer(matter: Matter, kind: str) -> Sight:
    withheld = Sight("sealed", frozenset(matter.requesters))
    if kind == "supervisory_board":
        return withheld
    if kind == "panel":
        return withheld if any(leg.status == "disputed" for leg in matter.legs()) else PUBLIC
    if kind == "archive":
        return withheld if matter.status in ENDED_MATTER else NOTHING
    return PUBLIC


def _taking_part(matter: Matter) -> set[str]:
    """The bodies that carry the matter or are summoned to it; one that returned it or was let off is out again."""
    found = {*matter.communities, *(body for body in (matter.host, matter.subdistrict) if body)}
    for order in matter.orders.values():
        found |= {order.issuer, *order.joint_blowers}
    return found | {leg.body for leg in _still(matter)}


def _still(matter: Matter) -> Iterator[Leg]:
    return (leg for leg in matter.legs() if leg.status not in _OUT)


def _near(matter: Matter, other: str, register: Register, at: datetime) -> bool:
    """Whether the other body took part once, lies above one that does, or belongs to one: a community's grid.

    What lies below a sub-district is no part of it: the neighbouring communities have no need to know.
    """
    taking_part = matter.bodies()
    if any(register.within(one, other, at) for one in taking_part):
        return True
    wide = {body.id for kind in ("subdistrict", "district") for body in register.bodies(kind, at)}
    return any(register.within(other, one, at) for one in taking_part - wide)


def _accused(matter: Matter, viewer: Actor, register: Register, at: datetime) -> bool:
    """Whether the viewer acts for the accused unit or below it, or holds any post there: one person is one person."""
    if matter.subject is None:
        return False
    bodies = {viewer.body, *(body for body, _ in register.posts_of(viewer.person, at))}
    return any(register.within(body, matter.subject, at) for body in bodies)
