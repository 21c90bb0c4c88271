"""What both stores have in common: the port EventStore over a recorder and a handful of statements."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from eventsourcing.persistence import IntegrityError

from adapters.store.mapper import DeclaredNames, stored_events
from adapters.store.moment import as_moment, last_known
from adapters.store.save import Outcome, Save, check_texts
from adapters.telemetry.metrics import APPEND_SECONDS
from adapters.telemetry.traces import span
from domain.refusal import Conflict, Unavailable
from workflows.ports import Answered, Batch, SealedRow, Stored


class Statements(NamedTuple):
    """The reading statements, in a database's own SQL. An event's columns come in the order of `Stored`."""

    load: str
    versions: str
    read: str
    head: str
    peek: str
    same: str
    answered: str
    answers: str
    find: str
    sealed: str
    text: str
    meta: str


class Recorder(Protocol):
    """What a recorder of ours does beyond the library's."""

    def insert_all(self, saves: Sequence[Save]) -> list[Outcome]:
        """Write many saves in one transaction, each whole or not at all. Raises Unavailable."""
        ...

    def set_meta(self, name: str, value: str, *, replace: bool = False) -> None:
        """Write a row of `meta`; without `replace` only if there is none. Raises Unavailable."""
        ...

    def blind(self, streams: Sequence[str], before: datetime | None) -> int:
        """Blind the digests of these cases' commands, all or those recorded before; returns how many there were.

        Raises Unavailable.
        """
        ...

    def rows(self, statement: str, *parameters: object) -> list[Any]:
        """Read. Raises Unavailable."""
        ...

    def barrier(self) -> None:
        """Return when no write that began before is under way any more. Raises Unavailable."""
        ...


class RecordedStore:
    """The port EventStore; see workflows.ports for what each method promises."""

    def __init__(self, recorder: Recorder, statements: Statements) -> None:
        self._recorder = recorder
        self._statements = statements
        self._mapper = DeclaredNames()
        if not self._value(statements.meta, "epoch"):
            recorder.set_meta("epoch", secrets.token_hex(16))

    def load(self, stream: str, after: int = 0) -> list[Stored]:
        """The stream's events above a version, in order."""
        return [Stored._make(row) for row in self._recorder.rows(self._statements.load, stream, after)]

    def versions(self, streams: Sequence[str]) -> tuple[int, ...]:
        """The newest version of each stream."""
        rows = self._recorder.rows(self._statements.versions, json.dumps(streams))
        return tuple(version or 0 for (version,) in rows)

    def append(self, batch: Batch) -> tuple[int, ...]:
        """Write the batch; returns the positions of its events."""
        (outcome,) = self.append_all([batch])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def append_all(self, batches: Sequence[Batch]) -> list[tuple[int, ...] | Exception]:
        """Write many batches in one transaction, each whole or not at all."""
        for batch in batches:
            check_texts(batch)
        saves = [Save(stored_events(self._mapper, batch.appends), batch) for batch in batches]
        with span("store.append", events=sum(len(save.events) for save in saves)), APPEND_SECONDS.time():
            try:
                outcomes = self._recorder.insert_all(saves)
            except Unavailable as error:
                outcomes = [error] * len(saves)
        if any(isinstance(outcome, Unavailable) for outcome in outcomes):
            outcomes = self._looked_up(saves, outcomes)
        return [_as_port(outcome) for outcome in outcomes]

    def answered(self, client: str, key: str) -> Answered | None:
        """The row of a decided command."""
        rows = self._recorder.rows(self._statements.answered, client, key)
        if not rows:
            return None
        digest, stream, outcome, answer, recorded_at = rows[0]
        return Answered(client, key, digest, stream, outcome, answer, as_moment(recorded_at))

    def answers(self, client: str, keys: Sequence[str]) -> dict[str, Answered]:
        """The rows of decided commands, by their keys."""
        rows = self._recorder.rows(self._statements.answers, client, json.dumps(keys))
        return {
            key: Answered(client, key, digest, stream, outcome, answer, as_moment(recorded_at))
            for key, digest, stream, outcome, answer, recorded_at in rows
        }

    def blind(self, streams: Sequence[str], before: datetime | None = None) -> int:
        """Blind the digests of these cases' commands, all or those recorded before."""
        return self._recorder.blind(streams, before)

    def find(self, source: str, digest: str) -> str | None:
        """The stream of an outside number."""
        return self._value(self._statements.find, source, digest)

    def read(self, after: int, limit: int) -> list[Stored]:
        """Events of all streams above a position, in store order."""
        return [Stored._make(row) for row in self._recorder.rows(self._statements.read, after, limit)]

    def head(self) -> int:
        """The position of the newest event."""
        return self._value(self._statements.head) or 0

    def sealed(self, stream: str) -> list[SealedRow]:
        """The sealed values of a stream."""
        return [SealedRow._make(row) for row in self._recorder.rows(self._statements.sealed, stream)]

    def text(self, digest: str) -> str | None:
        """A published text."""
        return self._value(self._statements.text, digest)

    def known_at(self, moment: datetime) -> int:
        """The last position recorded by `moment`."""

        def peek(position: int) -> Sequence[int] | None:
            rows = self._recorder.rows(self._statements.peek, position)
            return rows[0] if rows else None

        return last_known(peek, self.head(), moment)

    def epoch(self) -> str:
        """The name of this life of the store."""
        return str(self._value(self._statements.meta, "epoch"))

    def renew_epoch(self) -> str:
        """Give the store a new epoch."""
        epoch = secrets.token_hex(16)
        self._recorder.set_meta("epoch", epoch, replace=True)
        return epoch

    def _looked_up(self, saves: Sequence[Save], outcomes: list[Outcome]) -> list[Outcome]:
        """After a commit that failed, or whose answer was lost: the positions of what was written all the same."""
        found = list(outcomes)
        try:
            self._recorder.barrier()
            for number, save in enumerate(saves):
                if isinstance(outcomes[number], Unavailable):
                    positions = self._landed(save)
                    found[number] = outcomes[number] if positions is None else positions
        except Unavailable:
            return outcomes
        return found

    def _landed(self, save: Save) -> list[int] | None:
        """The positions of a save that stands in the store, None for one that does not."""
        answered = save.batch.answered if save.batch else None
        if answered is None and not save.events:
            return None  # nothing to tell it by; to write it again does no harm
        if answered is not None and self.answered(answered.client, answered.key) != answered:
            return None
        # A body holds a nonce of 128 bits: where the bytes are the same, it is this very event.
        found = [
            self._value(self._statements.same, str(e.originator_id), e.originator_version, e.state)
            for e in save.events
        ]
        return None if None in found else found

    def _value(self, statement: str, *parameters: object) -> Any:
        rows = self._recorder.rows(statement, *parameters)
        return rows[0][0] if rows else None


def _as_port(outcome: Outcome) -> tuple[int, ...] | Exception:
    if isinstance(outcome, IntegrityError):
        return Conflict(str(outcome))
    return outcome if isinstance(outcome, Exception) else tuple(outcome)
