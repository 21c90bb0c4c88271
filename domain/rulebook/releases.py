"""Releases: which rulebook and which map are in force when, and which holiday notices have been entered (law 8).

A rulebook, a map and a notice enter by an event that holds their digest and the ground; the text is kept by its
digest in the store. A release is never edited; it is in force from its time until that of the next one. A
notice counts from the moment it is recorded, for due moments later than itself (law 7).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, StringConstraints

from domain.acting import Command, Decision, Keeping, check_keeper
from domain.calendar import Calendar, Notice, in_order
from domain.codes import Word
from domain.event import Event, Recorded
from domain.instant import Instant
from domain.refusal import Refused
from domain.rulebook import maps
from domain.rulebook.maps import MapReleased, ReleasedMap, ReleaseMap
from domain.rulebook.parse import parse
from domain.rulebook.rulebook import Rulebook
from domain.rulebook.texts import DIGEST, Name
from domain.rulebook.texts import digest_of as digest_of

Zone = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z_+/-]{0,59}[0-9]{0,2}$")]
"""An IANA name; the text itself is checked for a known one."""

Use = Literal["cases", "backfill"]
MOST_SOURCE = 1000


# -- events


class RulebookReleased(Event, name="rulebook_released.v1"):
    """A rulebook, by name and SHA-256 of its text, is in force from a moment on; for `backfill`: usable."""

    name: str
    digest: str
    zone: str
    use: str
    in_force_from: Instant


class RulebookWithdrawn(Event, name="rulebook_withdrawn.v1"):
    """A released rulebook was taken back before it came into force."""

    name: str
    reason: str


class NoticeEntered(Event, name="notice_entered.v1"):
    """A holiday notice with all that it says; `digest` is that of `domain.calendar.Notice`."""

    notice: str
    digest: str
    years: tuple[int, ...]
    dated: date | None
    off: tuple[date, ...]
    makeup: tuple[date, ...]
    source: str


# -- commands


class ReleaseRulebook(Command, name="release_rulebook"):
    """Release a text; `in_force_from` none means from the moment of recording. Made by `release_of`."""

    name: Name
    digest: str = Field(pattern=DIGEST)
    zone: Zone
    use: Use
    in_force_from: Instant | None = None


class WithdrawRulebook(Command, name="withdraw_rulebook"):
    """Take a release back that is not yet in force. `reason` is a code; its wording may come beside it, sealed."""

    name: Name
    reason: Word


class EnterNotice(Command, name="enter_notice"):
    """Enter a notice of the State Council, or one that changes it; `dated` decides which of two counts."""

    notice: Notice


def release_of(text: str, in_force_from: datetime | None = None) -> ReleaseRulebook:
    """The command that releases this text. Raises BadRulebook, or Refused for a rulebook made for tables only."""
    rulebook = parse(text)
    if rulebook.use == "tables":
        raise Refused(
            "rulebook_for_tables", "Release a rulebook for cases or backfill; this one only computes tables."
        )
    return ReleaseRulebook(
        name=rulebook.name,
        digest=digest_of(text),
        zone=rulebook.zone,
        use=rulebook.use,
        in_force_from=in_force_from,
    )


# -- state


class Release(NamedTuple):
    """A released rulebook: name, digest of its text, zone, use, and since when (UTC)."""

    name: str
    digest: str
    zone: str
    use: str
    in_force_from: datetime


class Entered(NamedTuple):
    """A notice and the moment it was recorded (UTC): it changes no due moment before that."""

    notice: Notice
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Releases:
    """All releases and notices up to an event; immutable. `withdrawn` names stay taken by their digest."""

    released: tuple[Release, ...] = ()
    withdrawn: tuple[Release, ...] = ()
    entered: tuple[Entered, ...] = ()
    maps: tuple[ReleasedMap, ...] = ()
    version: int = 0

    def in_force(self, moment: datetime) -> Release | None:
        """The rulebook for cases in force at a moment (aware), or None before the first."""
        live = [
            release for release in self.released if release.use == "cases" and release.in_force_from <= moment
        ]
        return max(live, key=lambda release: release.in_force_from, default=None)

    def map_at(self, moment: datetime) -> ReleasedMap | None:
        """The map in force at a moment (aware), or None before the first."""
        return maps.in_force(self.maps, moment)

    def named(self, name: str) -> Release | None:
        """The release of this name: a clock keeps the rulebook it started under."""
        return next((release for release in self.released if release.name == name), None)

    @property
    def notices(self) -> tuple[Notice, ...]:
        """The notices entered, in the order in which later ones override earlier."""
        return in_order(entered.notice for entered in self.entered)

    def calendar(self, rulebook: Rulebook) -> Calendar:
        """The calendar of a rulebook with the notices entered so far; make it once per version of this state."""
        return rulebook.calendar(self.notices)


def evolve(state: Releases, recorded: Recorded[Any]) -> Releases:
    """The releases after one more stored event; it accepts every event that was ever stored."""
    return replace(_folded(state, recorded.pub, recorded.recorded_at), version=state.version + 1)


def _folded(state: Releases, event: object, recorded_at: datetime) -> Releases:
    match event:
        case RulebookReleased():
            release = Release(event.name, event.digest, event.zone, event.use, event.in_force_from)
            return replace(state, released=(*state.released, release))
        case RulebookWithdrawn():
            gone = tuple(release for release in state.released if release.name == event.name)
            kept = tuple(release for release in state.released if release.name != event.name)
            return replace(state, released=kept, withdrawn=(*state.withdrawn, *gone))
        case NoticeEntered():
            return replace(state, entered=(*state.entered, Entered(_notice(event), recorded_at)))
        case MapReleased():
            return replace(state, maps=(*state.maps, maps.released(event)))
        case _:
            return state


def _notice(event: NoticeEntered) -> Notice:
    return Notice(
        id=event.notice,
        years=event.years,
        dated=event.dated,
        off=event.off,
        makeup=event.makeup,
        source=event.source,
    )


# -- decisions


def decide(state: Releases, command: Command, context: Keeping) -> Decision:
    """The events that the command makes. Raises Refused, with a code and what to do instead.

    Only a security administrator, who keeps the lists (B9.3), and only on a stated authority.
    """
    check_keeper(context)
    match command:
        case ReleaseRulebook():
            return Decision(
                rule="releases.release", events=_release(state, command, context.when.recorded_at)
            )
        case WithdrawRulebook():
            return Decision(
                rule="releases.withdraw", events=_withdraw(state, command, context.when.recorded_at)
            )
        case EnterNotice():
            return Decision(rule="releases.notice", events=_enter(state, command))
        case ReleaseMap():
            events = maps.release(state.maps, command, context.when.recorded_at)
            return Decision(rule="releases.map", events=events)
        case _:
            raise Refused("unknown_command", "Send one of the commands that the releases know.")


def _release(state: Releases, command: ReleaseRulebook, now: datetime) -> tuple[Event, ...]:
    start = command.in_force_from or now
    for known in (*state.released, *state.withdrawn):
        if known.name == command.name and known.digest != command.digest:
            raise Refused(
                "rulebook_edited",
                f"Give the text a new version: {command.name} is released already.",
            )
    if state.named(command.name) is not None:
        raise Refused("rulebook_released", f"Nothing to do: {command.name} is released with this very text.")
    if start < now:
        raise Refused(
            "back_dated", "Let it come into force now or later: acts are judged by the rules of their day."
        )
    if command.use == "cases" and _taken(state.released, start):
        raise Refused(
            "in_force_taken", "Choose another moment: a rulebook comes into force at that one already."
        )
    event = RulebookReleased(
        name=command.name, digest=command.digest, zone=command.zone, use=command.use, in_force_from=start
    )
    return (event,)


def _taken(released: Sequence[Release], start: datetime) -> bool:
    return any(release.use == "cases" and release.in_force_from == start for release in released)


def _withdraw(state: Releases, command: WithdrawRulebook, now: datetime) -> tuple[Event, ...]:
    release = state.named(command.name)
    if release is None:
        raise Refused("rulebook_unknown", f"Name a released rulebook; {command.name} is none.")
    if release.in_force_from <= now:
        raise Refused("already_in_force", f"Release a successor instead: {command.name} is in force already.")
    return (RulebookWithdrawn(name=command.name, reason=command.reason),)


def _one_line(source: str) -> None:
    """Where a notice can be read is a public place: a title, a number, an address of the web."""
    if len(source) > MOST_SOURCE or "@" in source or not source.isprintable():
        raise Refused(
            "malformed", f"Say in one line of up to {MOST_SOURCE} characters where the notice can be read."
        )


def _enter(state: Releases, command: EnterNotice) -> tuple[Event, ...]:
    notice = command.notice
    _one_line(notice.source)
    known = next((entered.notice for entered in state.entered if entered.notice.id == notice.id), None)
    if known is not None and known.digest != notice.digest:
        raise Refused(
            "notice_edited", f"Enter the change as a notice of its own; {notice.id} stays as it was."
        )
    if known is not None:
        raise Refused("notice_entered", f"Nothing to do: {notice.id} is entered with this very content.")
    event = NoticeEntered(
        notice=notice.id,
        digest=notice.digest,
        years=notice.years,
        dated=notice.dated,
        off=notice.off,
        makeup=notice.makeup,
        source=notice.source,
    )
    return (event,)
