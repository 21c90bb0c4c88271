"""The filler: sees to it that every open matter is in the index, and what ended, was handed over or erased is not.

A registration puts its matter in by itself. Where that failed, or the index was lost, the filler reads the matter's text
and place out of the vault; such a run over many leaves one record (law 10).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from adapters.duplicates.features import Features, features_of
from adapters.duplicates.index import Entry
from adapters.duplicates.offering import entry_of
from adapters.engine import Engine
from adapters.reading import record_reading
from domain.acting import CLOCK
from domain.event import decode
from domain.matter import events as ev
from domain.matter.words import ENDED_MATTER
from workflows.ports import Positions, Stored
from workflows.records import INDEXED, MattersIndexed

OPENS = frozenset(event.TYPE for event in (ev.MatterRegistered, ev.MatterReopened, ev.MergeReversed))
SHUTS = frozenset(
    event.TYPE
    for event in (
        ev.MatterRefused, ev.MatterDiverted, ev.MatterClosed, ev.MatterArchived, ev.MatterWithdrawn, ev.MatterMerged,
        ev.DataErased, ev.DataLocked,
    )
)  # fmt: skip


class Filler:
    """The consumer `duplicates`. Its position stands with its rows: an index that was lost is filled from the start."""

    name = "duplicates"

    def __init__(self, engine: Engine, positions: Positions) -> None:
        self._engine, self._positions = engine, positions
        self._at = self._shown = 0

    def position(self) -> int:
        """How far it has come. Raises Unavailable."""
        self._shown = self._positions.position(self.name)
        self._at = self._engine.likeness.index().reached(self._engine.store.epoch())
        return self._at

    async def take(self, batch: Sequence[Stored]) -> None:
        """Bring the index up to the batch. Raises Conflict, Unavailable."""
        await asyncio.to_thread(self.take_now, batch)

    def take_now(self, batch: Sequence[Stored]) -> None:
        """The same, in this thread."""
        index, reached = self._engine.likeness.index(), batch[-1].position
        last = {stored.stream: stored.type in OPENS for stored in batch if stored.type in OPENS | SHUTS}
        index.drop(stream for stream, opens in last.items() if not opens)
        opened = [stream for stream, opens in last.items() if opens]
        missing = list(self._missing(sorted(set(opened) - index.held(opened))))
        if missing:
            self._record(len(missing), reached)
            index.put([(entry, self._read(entry, digests)) for entry, digests in missing])
        index.move(self._engine.store.epoch(), self._at, reached)
        self._at = reached
        if reached > self._shown:  # for those who look how far every consumer is
            self._positions.save(self.name, self._shown, reached)
            self._shown = reached

    def _missing(self, streams: Sequence[str]) -> Iterator[tuple[Entry, frozenset[str]]]:
        """Those that may be compared as they stand now, with the digests of what their intake sealed."""
        for stream in streams:
            opening, matter = self._engine.store.load(stream)[0], self._engine.handle.load(stream)
            if matter is None or matter.confidential or matter.status in ENDED_MATTER:
                continue
            digests = frozenset(decode(opening.type, opening.body).sd)
            said = [
                row
                for row in self._engine.store.sealed(stream)
                if row.digest in digests and row.name == "text"
            ]
            entry = entry_of(opening, said[0].subject) if said else None
            if entry is not None and matter.shut(entry.subject) is None:
                yield entry, digests

    def _read(self, entry: Entry, digests: frozenset[str]) -> Features:
        values = {
            one.name: str(one.value)
            for one in self._engine.vault.open(entry.stream)
            if one.digest in digests and one.subject == entry.subject and one.value is not None
        }
        return features_of(values.get("text", ""), values.get("place"))

    def _record(self, cases: int, reached: int) -> None:
        """Said before anything is read, as of any reading."""
        event = MattersIndexed(cases=cases, start=self._at, end=reached)
        record_reading(self._engine, CLOCK, INDEXED, event)
