"""Standing views: the register, the rulebooks and the calendar, kept in memory and caught up before each decision.

They are small, immutable per version, and shared; cases are never cached (DESIGN.md §5).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from domain.context import Law
from domain.event import Recorded, decode
from domain.refusal import Refused
from domain.register import Register
from domain.register import evolve as register
from domain.rulebook import parse, releases
from workflows.ports import EventStore

REGISTER = "5e91a2d4-0f3c-4f5e-9b1a-6c1f3a7d2e01"
RELEASES = "5e91a2d4-0f3c-4f5e-9b1a-6c1f3a7d2e02"
"""The two streams that every store has; their ids say nothing about any case."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The register, the releases and the laws made of them, as of a position both streams had reached."""

    register: Register = field(default_factory=Register)
    releases: releases.Releases = field(default_factory=releases.Releases)
    laws: Mapping[str, Law] = field(default_factory=dict)
    register_version: int = 0
    releases_version: int = 0

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

    def caught_up(self) -> Standing:
        """The views as of now: one short read when nothing has changed. Raises Unavailable."""
        register_version, releases_version = self._store.versions((REGISTER, RELEASES))
        held = self._now
        if held.register_version >= register_version and held.releases_version >= releases_version:
            return held
        with self._lock:
            before = self._now
            people = [
                decode(row.type, row.body) for row in self._store.load(REGISTER, before.register_version)
            ]
            books = [
                decode(row.type, row.body) for row in self._store.load(RELEASES, before.releases_version)
            ]
            if people or books:
                self._now = self._moved(before, people, books)
            return self._now

    def _moved(self, before: Standing, people: list[Recorded[Any]], books: list[Recorded[Any]]) -> Standing:
        held = before.register
        for recorded in people:
            held = register.evolve(held, recorded)
        known = before.releases
        for recorded in books:
            known = releases.evolve(known, recorded)
        return Standing(
            register=held, releases=known, laws=self._laws(known, before) if books else before.laws,
            register_version=before.register_version + len(people),
            releases_version=before.releases_version + len(books),
        )  # fmt: skip

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
