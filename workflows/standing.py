"""Standing views: the register, the rulebooks, the calendar and the log's policy, kept in memory and caught up
before each decision.

They are small, immutable per version, and shared; cases are never cached (DESIGN.md §5).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from types import MappingProxyType
from typing import Any

from domain.context import Law
from domain.event import decode
from domain.log.state import Cosigning
from domain.refusal import Refused
from domain.register import Register
from domain.rulebook import parse, releases
from workflows.ports import EventStore
from workflows.rooms import REGISTER, RELEASES, ROOMS, STREAMS

__all__ = ["REGISTER", "RELEASES", "Standing", "StandingViews"]


@dataclass(frozen=True, slots=True)
class Standing:
    """The register, the releases with the laws made of them, and who cosigns: as of a position all had reached.

    `versions` are those of their streams.
    """

    register: Register = field(default_factory=Register)
    releases: releases.Releases = field(default_factory=releases.Releases)
    cosigning: Cosigning = field(default_factory=Cosigning)
    laws: Mapping[str, Law] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(STREAMS, 0))

    @property
    def register_version(self) -> int:
        """Up to which version the register is told here."""
        return self.versions[REGISTER]

    def law_at(self, moment: datetime, name: str | None = None) -> Law:
        """The law in force at a moment, or the named one if it may be used then. Raises Refused."""
        release = self.releases.named(name) if name else self.releases.in_force(moment)
        if release is None:
            raise Refused(
                "no_rulebook_in_force", "Release a rulebook that is in force at that time, then try again."
            )
        if release.use == "cases" and release != self.releases.in_force(moment):
            raise Refused(
                "rulebook_not_in_force", f"{release.name} is not in force at that time; leave the name out."
            )
        if release.name not in self.laws:
            raise Refused(
                "rulebook_unknown", f"The text of {release.name} is missing from the store; restore it."
            )
        return self.laws[release.name]

    def calendar_version(self) -> str:
        """The notices that the calendar stands on, for the envelope's basis."""
        return "+".join(notice.id for notice in self.releases.notices) or "weekdays"


class StandingViews:
    """Catches the standing views up to the tail of their streams. Safe to share between threads."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._now = Standing()
        self._lock = threading.Lock()
        self._seen = threading.local()

    @contextmanager
    def one_look(self) -> Iterator[None]:
        """Within it this thread looks once: who calls, and the first decision on what they ask, are of one moment."""
        self._seen.standing, self._seen.keeps = None, True
        try:
            yield
        finally:
            self.look_again()

    def look_again(self) -> None:
        """From here on this thread looks whenever it asks."""
        self._seen.standing, self._seen.keeps = None, False

    def caught_up(self) -> Standing:
        """The views as of now: one short read when nothing has changed. Raises Unavailable."""
        if not getattr(self._seen, "keeps", False):
            return self._caught_up()
        if self._seen.standing is None:
            self._seen.standing = self._caught_up()
        return self._seen.standing  # type: ignore[no-any-return]

    def _caught_up(self) -> Standing:
        there = self._store.versions(STREAMS)
        if self._reaches(there):
            return self._now
        with self._lock:
            if not self._reaches(there):
                self._now = self._moved(self._now)
            return self._now

    def _reaches(self, versions: Sequence[int]) -> bool:
        held = self._now.versions
        return all(held[stream] >= version for stream, version in zip(STREAMS, versions, strict=True))

    def _moved(self, before: Standing) -> Standing:
        states: dict[str, Any] = {}
        versions: dict[str, int] = {}
        for room in ROOMS:
            known = before.versions[room.stream]
            news = [decode(row.type, row.body) for row in self._store.load(room.stream, known)]
            states[room.held] = reduce(room.evolve, news, getattr(before, room.held))
            versions[room.stream] = known + len(news)
        same = versions[RELEASES] == before.versions[RELEASES]
        laws = before.laws if same else self._laws(states["releases"], before)
        return Standing(**states, laws=laws, versions=MappingProxyType(versions))

    def _laws(self, known: releases.Releases, before: Standing) -> Mapping[str, Law]:
        laws: dict[str, Law] = {}
        for release in known.released:
            held = before.laws.get(release.name)
            text = None if held else self._store.text(release.digest)
            if held is None and text is None:
                continue  # a damaged store: whoever asks for this rulebook is told so, all others go on
            book = held.book if held else parse(text or "", released=True)
            laws[release.name] = Law(book, known.calendar(book))
        return MappingProxyType(laws)
