"""Sending: the outbox's sender for notices. A contact is opened here, right before it is used, and kept nowhere.

What is on record afterwards, in a stream beside the case: that the contact was read and what for (law 10), and that
the receiving side took the message over, or why it never will. Each is recorded once, however often it was tried.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import structlog

from adapters.deliveries.ports import Outcome, Queued, event_id
from adapters.deliveries.subscriptions import Subscription
from adapters.deliveries.webhook import TRY_SECONDS
from adapters.engine import Engine
from adapters.failpoint import failpoint
from adapters.notices.channel import Address, Away, Channel, Notice, NotTaken, address_of
from adapters.notices.composing import Scene, fields
from adapters.notices.routing import reached, said_by, shared_out
from adapters.notices.wording import Texts
from adapters.reading import Beside, record_beside, record_reading
from domain.acting import CLOCK
from domain.event import Event, Recorded, decode
from domain.matter import Matter, evolve, replay
from domain.matter.telling import TO_STAFF, Moment, Told, told
from domain.refusal import Unavailable
from workflows.ports import Stored
from workflows.records import NoticeDelivered, NoticeFailed, SealedRead, notices_of, reads_of
from workflows.rooms import REGISTER

CLIENT = "notices"
CONTACT = "contact"
WITHHELD = Outcome("withheld", "not_wanted")
_log = structlog.get_logger("notices")


class Case(NamedTuple):
    """A case as it stands, and as it stood just after the event that is told of."""

    now: Matter
    then: Matter
    recorded: Recorded[Any]


class Target(NamedTuple):
    """Who is told: by which of an event's audiences, in which stream their contact is sealed, and by which number they
    know the matter."""

    one: Told
    person: str
    stream: str
    number: str


class NoticeSender:
    """The sender of the channel `notice`. `channels` are tried in order: the first that carries an address sends it."""

    def __init__(self, engine: Engine, channels: Sequence[Channel], texts: Texts) -> None:
        self._engine, self._channels, self._texts = engine, tuple(channels), texts

    async def send(self, to: Subscription, queued: Queued) -> Outcome:
        """One try. Raises Unavailable."""
        try:
            prepared = await asyncio.to_thread(self._prepared, queued)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - what cannot be read or composed holds up its own lane, nobody else's
            _log.error("notice_not_composed", delivery=queued.id, error=type(error).__name__)
            return Outcome("unreadable", "not_composed")
        return prepared if isinstance(prepared, Outcome) else await self._hand_over(queued, *prepared)

    def _prepared(self, queued: Queued) -> Outcome | tuple[Channel, Notice]:
        """The message and the way it goes, or what became of it without one."""
        row = queued.row
        if not self._channels:
            return Outcome("down", "no_channel")
        if self._engine.store.answered(CLIENT, queued.id) is not None:
            return Outcome("sent", "sent_before")
        case = self._case(row.stream, row.version, row.event)
        if case is not None and not row.what:
            standing = self._engine.handle.standing.caught_up()
            told = shared_out(row, case.then, case.recorded, standing, self._texts)
            return Outcome("withheld", "shared_out", instead=tuple(told))
        target = None if case is None else self._target(case, *said_by(row.what))
        if case is None or target is None:
            return WITHHELD
        contact = self._contact(target, queued)
        if contact is None:
            return Outcome("withheld", "no_contact")
        address = address_of(contact)
        channel = next((one for one in self._channels if address and one.carries(address)), None)
        if address is None or channel is None:
            return self._failed(queued, "none", "no_way_there")
        return channel, self._notice(queued, case, target, address)

    async def _hand_over(self, queued: Queued, channel: Channel, notice: Notice) -> Outcome:
        failpoint("notice.before_sent")
        try:
            async with asyncio.timeout(TRY_SECONDS):
                await channel.send(notice)
        except NotTaken as never:
            return await asyncio.to_thread(self._failed, queued, channel.name, never.code)
        except (Away, TimeoutError) as error:
            away = error if isinstance(error, Away) else Away("no_answer")
            # With another channel at hand only this message waits for the one that is away.
            return Outcome("down" if len(self._channels) == 1 else "refused", away.code, away.wait)
        except Exception as error:  # noqa: BLE001 - a fault in one way out holds up its own lane, nobody else's
            _log.error(
                "notice_not_sent", delivery=queued.id, channel=channel.name, error=type(error).__name__
            )
            return Outcome("refused", "not_sent")
        failpoint("notice.after_sent")
        await asyncio.to_thread(self._record, queued, _delivered(queued, channel.name))
        return Outcome("sent", channel.name)

    # -- who ----------------------------------------------------------------------------------------------------------

    def _case(self, stream: str, version: int, event: str) -> Case | None:
        """None where the event is not there any more, or the case has become an accusation meanwhile (law 10)."""
        history = self._engine.store.load(stream)
        if len(history) < version or event_id(history[version - 1].body) != event:
            return None
        then, recorded = _upto(history[:version])
        now = replay(decode(row.type, row.body) for row in history)
        return None if now is None or now.confidential else Case(now, then, recorded)

    def _target(self, case: Case, moment: Moment, person: str) -> Target | None:
        """None where the person is no longer to be told: they want no messages, their data were erased."""
        standing = self._engine.handle.standing.caught_up()
        if (moment, person) not in list(reached(case.then, case.recorded, standing)):
            return None
        one = next(one for one in told(case.recorded.pub, case.then) if one.moment == moment)
        if moment in TO_STAFF:
            held = standing.register.posts_of(person, self._engine.handle.clock())
            gone = not held or person in case.now.recused
            return None if gone else Target(one, person, REGISTER, case.now.number)
        own = case.then.requesters[person].from_merged
        home = case.now if own is None else self._engine.handle.load(own)
        if home is None or not _wants(home, person) or not _wants(case.now, person):
            return None
        return Target(one, person, home.id, home.number)

    def _contact(self, target: Target, queued: Queued) -> object:
        """The newest contact of the person, None without one. That it was read is on record first."""
        newest = self._engine.handle.standing.caught_up().register.contacts.get(target.person, ())
        known = {
            row.digest for row in self._engine.store.sealed(target.stream)
            if row.subject == target.person and row.name == CONTACT and (not newest or row.digest in newest)
        }  # fmt: skip
        if not known:
            return None
        purpose = f"notice:{said_by(queued.row.what)[0]}"
        event = SealedRead(case=target.stream, fields=(CONTACT,), purpose=purpose)
        record_reading(self._engine, CLOCK, reads_of(target.stream), event, once=f"notice:{queued.id}")
        every = self._engine.vault.open(target.stream, subject=target.person)
        found = [one for one in every if one.digest in known and one.state in ("open", "damaged")]
        if found and found[-1].state == "damaged":
            raise ValueError(
                "the newest contact is damaged"
            )  # as little to be read as a damaged event: it waits
        return found[-1].value if found else None

    # -- what ---------------------------------------------------------------------------------------------------------

    def _notice(self, queued: Queued, case: Case, target: Target, address: Address) -> Notice:
        standing = self._engine.handle.standing.caught_up()
        zone = ZoneInfo(standing.laws[case.recorded.basis.rulebook].book.zone)
        scene = Scene(case.recorded, case.then, standing.register, zone)
        moment, _ = said_by(queued.row.what)
        said = fields(scene, target.one, target.number)
        words = self._texts.words(moment, said)
        return Notice(f"ntc_{queued.id}", address, moment, target.number, words, said)

    # -- on record ----------------------------------------------------------------------------------------------------

    def _failed(self, queued: Queued, channel: str, code: str) -> Outcome:
        moment, person = said_by(queued.row.what)
        event = NoticeFailed(
            case=queued.row.stream,
            about=queued.row.version,
            moment=moment,
            to=person,
            channel=channel,
            code=code,
        )
        self._record(queued, event)
        return Outcome("withheld", code)

    def _record(self, queued: Queued, event: Event) -> None:
        beside = Beside(notices_of(queued.row.stream), event, "telling", CLIENT, queued.id)
        record_beside(self._engine, CLOCK, beside)


def _delivered(queued: Queued, channel: str) -> NoticeDelivered:
    moment, person = said_by(queued.row.what)
    return NoticeDelivered(
        case=queued.row.stream, about=queued.row.version, moment=moment, to=person, channel=channel
    )


def _wants(matter: Matter, person: str) -> bool:
    """Whether a requester may still be told, as far as this case says; one who left it is its own case's affair."""
    one = matter.requesters.get(person)
    return one is not None and not (one.quiet or one.erased or matter.shut(person))


def _upto(history: Sequence[Stored]) -> tuple[Matter, Recorded[Any]]:
    """The state after these events, and the last of them."""
    state: Matter | None = None
    for row in history:
        recorded: Recorded[Any] = decode(row.type, row.body)
        state = evolve(state, recorded)
    assert state is not None
    return state, recorded
