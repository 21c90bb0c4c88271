"""Reading a case: found by its number, shown as far as the viewer may see, and on record where sealed values are read."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from itertools import compress
from typing import Any, NamedTuple
from uuid import uuid4

from adapters import correlation
from adapters.engine import Engine
from domain.acting import Actor
from domain.codes import like_a_telephone
from domain.event import Basis, Event, Recorded, decode, encode
from domain.matter import Matter, replay
from domain.refusal import Conflict, NotFound, Refused, Unavailable
from domain.register import Register
from domain.visibility import DIVERTED, NOTHING, Sight, sees
from workflows.ports import (
    AlreadyAnswered,
    Answered,
    Append,
    Batch,
    ClockAhead,
    ClockBehind,
    Opened,
    SealedRow,
    Stored,
)
from workflows.records import SealedRead, reads_of
from workflows.submission import check_authority

_PURPOSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/#-]{0,79}")
_OPENING = ("matter_registered.v1", "matter_backfilled.v1")
MOST_TRIES = 20
_RECORDED = Recorded[Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """A case as a viewer may see it: the stored events and the state they make."""

    matter: Matter
    events: tuple[Stored, ...]
    sight: Sight

    @property
    def last(self) -> int | None:
        """The position up to which the viewer may see what surrounds the case; None: all of it."""
        if not self.sight.handed_over:
            return None
        return next(stored.position for stored in self.events if stored.type == DIVERTED)

    def history(self) -> list[Recorded[Any]]:
        """The events, decoded."""
        return [decode(stored.type, stored.body) for stored in self.events]


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A case with the sealed values that the viewer was shown."""

    seen: Seen
    values: tuple[Opened, ...]


def look(
    engine: Engine, case: str, viewer: Actor | None, register: Register | None = None,
    events: tuple[Stored, ...] | None = None,
) -> Seen:  # fmt: skip
    """The case, judged as it stands now, by the register as it stands now or as it was just read; so with its events.

    Raises NotFound where there is none, or none for this viewer; Unavailable.
    """
    if events is None:
        events = tuple(engine.store.load(case))
    there = bool(events) and events[0].type in _OPENING
    history = [
        decode(stored.type, stored.body)
        for stored in (events if there else engine.handle.stand_ins.rows(case))
    ]
    matter = replay(history)
    if register is None:
        register = engine.handle.standing.caught_up().register
    sight = NOTHING if matter is None else sees(matter, viewer, register, engine.handle.clock())
    if not there:
        raise NotFound
    if matter is None or sight.level == "nothing":
        engine.store.load(engine.handle.stand_ins.nobodys(case))  # what is not there takes two looks as well
        raise NotFound
    if not sight.handed_over:
        return Seen(matter, events, sight)
    shown = [*sight.shows(history)]
    part = replay(compress(history, shown))
    assert part is not None
    return Seen(part, tuple(compress(events, shown)), sight)


def open_case(engine: Engine, case: str, viewer: Actor, purpose: str) -> OpenCase:
    """The case with its sealed values, as far as the viewer may read them; that they did is recorded first (law 10).

    What was erased or locked is there as its name alone, whether or not its key has been seen to yet. `purpose` is a
    code such as `handling` or `audit:2026-7`. Raises NotFound, Refused (`locked` where all of it is), Unavailable.
    """
    if not _PURPOSE.fullmatch(purpose) or like_a_telephone(purpose):
        raise Refused(
            "malformed",
            "Name the purpose as a code of up to 80 letters, digits and ._:/#- signs, no seven digits in a row.",
        )
    seen = look(engine, case, viewer)
    shown = [row for row in engine.store.sealed(case) if seen.sight.opens(row.subject, row.name)]
    readable = tuple(sorted({row.name for row in shown if seen.matter.shut(row.subject) is None}))
    if not readable:
        return OpenCase(seen, _closed(seen.matter, shown))
    record_reading(engine, viewer, reads_of(case), SealedRead(case=case, fields=readable, purpose=purpose))
    holder = "discipline" if seen.matter.confidential else "ordinary"
    values = (
        one for one in engine.vault.open(case, holder=holder) if seen.sight.opens(one.subject, one.name)
    )
    return OpenCase(seen, tuple(_as_decided(seen.matter, one) for one in values))


def _closed(matter: Matter, shown: list[SealedRow]) -> tuple[Opened, ...]:
    """Values of which none may be read. Raises Refused where one is locked: it is there, and for nobody to see."""
    if any(matter.shut(row.subject) == "locked" for row in shown):
        raise Refused(
            "locked",
            "These data are locked until their term of keeping ends; ask for a disclosure to the board.",
        )
    return tuple(Opened(row.subject, row.name, None, row.digest, "erased", None) for row in shown)


def _as_decided(matter: Matter, value: Opened) -> Opened:
    """What was decided counts from the event on, not from when the key was seen to."""
    shut = matter.shut(value.subject)
    return value if shut is None else value._replace(value=None, state=shut, disclosure=None)


def record_reading(
    engine: Engine,
    viewer: Actor,
    stream: str,
    event: Event,
    authority: str | None = None,
    once: str | None = None,
) -> None:
    """Put on record who was shown what, before it is shown. As `record_beside`, by the rule of need to know."""
    beside = Beside(stream, event, "need_to_know", "reading", once)
    record_beside(engine, viewer, beside, authority)


class Beside(NamedTuple):
    """An event of a stream of its own, by a rule; `client` names who keeps account of it.

    Under the same key `once` it is recorded once, however often it is asked for.
    """

    stream: str
    event: Event
    rule: str
    client: str
    once: str | None = None


def record_beside(engine: Engine, actor: Actor, what: Beside, authority: str | None = None) -> None:
    """Put on record what happened beside a case, in a stream of its own: it changes the case in nothing.

    Raises Unavailable, and Refused for an authority that is no code.
    """
    check_authority(authority)
    for _ in range(MOST_TRIES):
        if what.once is not None and engine.store.answered(what.client, what.once) is not None:
            return
        now, key = engine.handle.clock(), what.once or str(uuid4())
        body = encode(_envelope(engine, actor, what, now, key, authority))
        (after,) = engine.store.versions((what.stream,))
        answered = Answered(what.client, key, "0" * 64, what.stream, "accepted", b"{}", now)
        try:
            engine.store.append(
                Batch((Append(what.stream, after, ((what.event.TYPE, body),)),), now, answered)
            )
        except (Conflict, AlreadyAnswered):
            continue  # somebody else was there at the same moment
        except (ClockBehind, ClockAhead):
            raise Unavailable(
                "This machine's clock is not the store's; set it right and try again."
            ) from None
        return
    raise Unavailable("The same is being read too often at this moment; try again shortly.")


def _envelope(
    engine: Engine, actor: Actor, what: Beside, now: datetime, key: str, authority: str | None
) -> Recorded[Any]:
    standing = engine.handle.standing.caught_up()
    basis = Basis(
        calendar=standing.calendar_version(),
        code=engine.handle.code,
        register=standing.register_version,
        rulebook="none",
    )
    return _RECORDED(
        authority=authority, basis=basis, capacity=actor.body, command=f"{what.client}:{key}",
        correlation=correlation.current() or key, nonce=secrets.token_hex(16), occurred_at=now, person=actor.person,
        post=actor.post, pub=what.event, recorded_at=now, rule=what.rule, stream=what.stream, type=what.event.TYPE,
    )  # fmt: skip
