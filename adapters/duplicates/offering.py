"""Likely duplicates of a matter, for those who may read both: offered at intake and on demand, never merged by itself.

Nothing here may cost an intake anything: the request is on record before its words are put into the index, and where
the index cannot be reached the answer says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

import structlog

from adapters.duplicates.comparing import THRESHOLD, Likeness, compare
from adapters.duplicates.features import Features, features_of
from adapters.duplicates.index import Block, Entry
from adapters.engine import Engine
from adapters.reading import Seen, look
from adapters.store.moment import as_microseconds, as_moment
from domain.acting import RESIDENT, Actor, Command
from domain.event import decode
from domain.instant import written
from domain.matter.commands import RegisterMatter
from domain.matter.events import MatterRegistered
from domain.matter.words import ENDED_MATTER
from domain.refusal import NotFound, Unavailable
from workflows.ports import Stored
from workflows.submission import Answer, Submission

MOST_OFFERED = 10
MOST_LOOKED_AT = 30
"""How many of the likeliest are looked at: some of them the viewer may not see, or have ended."""
REQUESTS = ("request", "dispute", "hazard", "petition")
"""Kinds that neighbour each other: one trouble comes in as any of them."""

_log = structlog.get_logger("duplicates")


class Likely(NamedTuple):
    """One matter that is likely about the same: public fields, how alike in per cent, and by what."""

    case: str
    number: str
    kind: str | None
    code: str | None
    host: str | None
    grid: str | None
    registered_at: str
    status: str
    score: int
    text: int
    address: int
    why: tuple[str, ...]


class Offer(NamedTuple):
    """What is offered; `matters` is None, with a `reason`, where nothing could be compared.

    `compared` counts the matters that it was held against, `more` says that there were others besides.
    """

    matters: tuple[Likely, ...] | None
    reason: str | None = None
    compared: int = 0
    more: bool = False


class Taken(NamedTuple):
    """A matter that was just registered: its events, and its row of the index where it was put in."""

    case: str
    events: tuple[Stored, ...]
    own: tuple[Entry, Features] | None = None


def take_in(engine: Engine, submission: Submission, answer: Answer) -> Taken | None:
    """Put a matter that was just registered into the index; None for any other answer.

    What is missed in the index, the filler brings in. Raises Unavailable where the matter cannot be read back.
    """
    if not isinstance(submission.command, RegisterMatter) or not answer.accepted:
        return None
    events = answer.written or tuple(engine.store.load(answer.case))
    return Taken(answer.case, events, _put(engine, submission, answer, events[0]))


def _put(
    engine: Engine, submission: Submission, answer: Answer, opening: Stored
) -> tuple[Entry, Features] | None:
    said = {one.name: one for one in reversed(submission.sealed) if isinstance(one.value, str)}
    text = said.get("text")
    if text is None:
        return None
    place = said.get("place")
    try:
        entry = entry_of(opening, text.subject)
        # Sent again at the same moment it may be put in by either; sent again later it may have ended.
        if entry is None or (answer.repeated and _ended(engine, answer.case)):
            return None
        features = features_of(str(text.value), None if place is None else str(place.value))
        engine.likeness.index().put([(entry, features)])
        return entry, features
    except Exception as error:  # noqa: BLE001 - accepted is accepted, whatever goes wrong beside it (law 2)
        _log.warning("not_indexed", case=answer.case, error=type(error).__name__)
        return None


def _ended(engine: Engine, case: str) -> bool:
    matter = engine.handle.load(case)
    return matter is None or matter.status in ENDED_MATTER


def entry_of(opening: Stored, subject: str) -> Entry | None:
    """The row of a matter by its first event; None for an accusation, and for what no intake has opened."""
    if opening.type != MatterRegistered.TYPE:
        return None
    recorded = decode(opening.type, opening.body)
    opened = recorded.pub
    if opened.confidential or opened.kind is None:
        return None
    return Entry(
        opening.stream, subject, opened.host or "", opened.grid or "", opened.kind, opened.code,
        as_microseconds(recorded.recorded_at),
    )  # fmt: skip


def offered(
    engine: Engine, case: str, viewer: Actor, *, earlier: bool = False, taken: Taken | None = None
) -> Offer:
    """Open matters that are likely about the same as this one, the likeliest first, of those whose words the viewer
    may read: a score says something of them. `earlier`: only those registered before it. `taken`: what was just read of it.

    Raises NotFound for a case that the viewer may not see.
    """
    if viewer.body == RESIDENT:
        return Offer((), "not_for_residents")
    seen = look(engine, case, viewer, events=taken.events if taken else None)
    try:
        return _offered(engine, seen, viewer, earlier, taken.own if taken else None)
    except Unavailable:
        return Offer(None, "index_unavailable")


def offered_at_intake(
    engine: Engine, case: str, command: Command, actor: Actor, taken: Taken | None = None
) -> Offer | None:
    """What is offered with the answer of registering; None to residents, who learn nothing of other people's matters,
    of an accusation, and to who may not see what they handed in. Raises nothing."""
    if not isinstance(command, RegisterMatter) or command.accusation or actor.body == RESIDENT:
        return None
    try:
        return offered(engine, case, actor, earlier=True, taken=taken)  # sent again it gets the same answer
    except NotFound:
        return None
    except Exception as error:  # noqa: BLE001 - accepted is accepted, whatever goes wrong beside it (law 2)
        _log.warning("not_compared", case=case, error=type(error).__name__)
        return Offer(None, "index_unavailable")


def _offered(
    engine: Engine, seen: Seen, viewer: Actor, earlier: bool, own: tuple[Entry, Features] | None
) -> Offer:
    index = engine.likeness.index()
    own = own or index.of(seen.matter.id)
    if own is None:
        return Offer(None, "not_indexed")
    entry, features = own
    if not seen.sight.opens(entry.subject, "text"):
        return Offer((), "not_for_this_post")
    near, more = index.near(_block(engine, entry, earlier), entry.stream)
    found = zip((other for other, _ in near), compare(features, [said for _, said in near]), strict=True)
    likely = sorted((one for one in found if one[1].score >= THRESHOLD), key=_likeliest)
    return Offer(_visible(engine, entry, likely, viewer), None, len(near), more)


def _block(engine: Engine, entry: Entry, earlier: bool) -> Block:
    since = as_moment(entry.registered) - timedelta(weeks=engine.settings.duplicate_weeks)
    kinds = REQUESTS if entry.kind in REQUESTS else (entry.kind,)
    # A matter that nobody hosts yet may belong anywhere; one that has a host may have come in before without one.
    hosts = (entry.host, "") if entry.host else ()
    block = Block(hosts, entry.grid, kinds, as_microseconds(since))
    return block._replace(until=entry.registered) if earlier else block


def _likeliest(one: tuple[Entry, Likeness]) -> tuple[float, int]:
    return -one[1].score, -one[0].registered


def _visible(
    engine: Engine, own: Entry, likely: Sequence[tuple[Entry, Likeness]], viewer: Actor
) -> tuple[Likely, ...]:
    found: list[Likely] = []
    register = engine.handle.standing.caught_up().register if likely else None
    for entry, likeness in likely[:MOST_LOOKED_AT]:
        try:
            seen = look(engine, entry.stream, viewer, register)
        except NotFound:
            continue
        matter = seen.matter
        if matter.status in ENDED_MATTER or matter.shut(entry.subject) is not None:
            continue
        if seen.sight.opens(entry.subject, "text"):
            found.append(_told(own, entry, seen, likeness))
        if len(found) == MOST_OFFERED:
            break
    return tuple(found)


def _told(own: Entry, other: Entry, seen: Seen, likeness: Likeness) -> Likely:
    score, text, address = (round(100 * part) for part in likeness[:3])
    return Likely(
        other.stream, seen.matter.number, seen.matter.kind, seen.matter.code, other.host or None, other.grid or None,
        written(as_moment(other.registered)), seen.matter.status, score, text, address, _why(own, other, likeness),
    )  # fmt: skip


def _why(own: Entry, other: Entry, likeness: Likeness) -> tuple[str, ...]:
    """What they share, in codes; `other_address` where the addresses contradict each other."""
    said = {
        "text": likeness.text >= THRESHOLD, "address": likeness.address > 0, "other_address": likeness.apart,
        "grid": bool(own.grid) and own.grid == other.grid, "code": own.code is not None and own.code == other.code,
    }  # fmt: skip
    return tuple(name for name, so in said.items() if so)
