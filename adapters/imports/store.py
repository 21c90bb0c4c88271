"""The imports themselves: who asked for what, how far each has come, and what became of every row.

`imports.db`, or a schema `imports` of the event store's database. No cell of a row stands here, only its number, its
outcome and the number of its matter; the rows lie in the spool until the import has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

from adapters import pieces
from adapters.arriving import Arriving
from adapters.holding import holding
from adapters.imports.mapping import Mode
from adapters.imports.run import RowOutcome
from adapters.imports.spool import Spool
from adapters.pieces import Incoming
from adapters.store.moment import as_microseconds, as_moment
from adapters.store.tables import Tables, open_tables
from domain.acting import Actor
from domain.refusal import Conflict, Unavailable
from workflows.ports import KeyStore

State = Literal["waiting", "running", "done", "cancelled", "failed"]
ENDED = frozenset({"done", "cancelled", "failed"})

KEPT = timedelta(days=90)
"""How long the report of an import that has ended is kept."""
ABANDONED = timedelta(hours=24)
"""An upload that has become no import by then never will."""

TABLES = (
    *pieces.TABLES,
    "CREATE TABLE IF NOT EXISTS imports (id TEXT PRIMARY KEY, upload TEXT NOT NULL, said TEXT NOT NULL, person TEXT NOT NULL,"
    " body TEXT NOT NULL, post TEXT NOT NULL, key_source TEXT, mode TEXT NOT NULL, mapping TEXT NOT NULL,"
    " authority TEXT NOT NULL, rulebook TEXT, trial BIGINT NOT NULL, size BIGINT NOT NULL, epoch TEXT NOT NULL,"
    " state TEXT NOT NULL, made_at BIGINT NOT NULL, started_at BIGINT, ended_at BIGINT, total BIGINT, done BIGINT NOT NULL,"
    " code TEXT, advice TEXT)",
    "CREATE TABLE IF NOT EXISTS outcomes (import_id TEXT NOT NULL, number BIGINT NOT NULL, line BIGINT NOT NULL,"
    " verdict TEXT NOT NULL, code TEXT, advice TEXT, matter TEXT, PRIMARY KEY (import_id, number))",
)


@dataclass(frozen=True, slots=True)
class Import:
    """One import as it stands.

    `said` is the SHA-256 (hex) of all that was asked; `key_source` the source of the system key that asked, "" for a
    key without one, None for a person. `total` and `done` count rows; `total` is None until the table has been read.
    `code` and `advice` say why one has failed.
    """

    id: str
    upload: str
    said: str
    person: str
    body: str
    post: str
    key_source: str | None
    mode: Mode
    mapping: str
    authority: str
    rulebook: str | None
    trial: bool
    size: int
    epoch: str
    state: State
    made_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    total: int | None = None
    done: int = 0
    code: str | None = None
    advice: str | None = None

    @property
    def actor(self) -> Actor:
        """Who acts."""
        return Actor(person=self.person, body=self.body, post=self.post)


_NAMES = tuple(each.name for each in fields(Import))
_MOMENTS = frozenset({"made_at", "started_at", "ended_at"})
_COLUMNS = ", ".join(_NAMES)


class Imports:
    """The imports. Every method may raise domain.refusal.Unavailable."""

    def __init__(self, url: str, keys: KeyStore, clock: Callable[[], datetime]) -> None:
        """`url` as for open_store."""
        self._tables: Tables = open_tables(url, "imports", TABLES)
        self.spool, self._clock = Spool(self._tables, keys), clock
        self.arriving = Arriving(self._tables, holding(url, "imports"), self.spool.forget)

    def close(self) -> None:
        """Let go of the connections."""
        self.arriving.close()
        self._tables.close()

    def tidy(self) -> None:
        """Let go of what broken-off uploads of processes that are gone have left, as far as that can be done now."""
        self.arriving.tidy()

    def incoming(self, most: int) -> Incoming:
        """A table of at most so many bytes on its way in; `settle` it in the end, whatever became of it."""
        upload, at = str(uuid4()), self.now()
        self.arriving.begin(upload, at)
        try:
            return self.spool.incoming(upload, most, at)
        except Unavailable:
            self.arriving.settle(upload)
            raise

    def settle(self, coming: Incoming) -> None:
        """Let go of what came, unless it was kept: now, or before the next table comes in where the disk is full."""
        self.arriving.settle(coming.upload)

    def now(self) -> int:
        """The present moment, as it is kept."""
        return as_microseconds(self._clock())

    def add(self, one: Import) -> Import:
        """Keep a new import; the one that is there under this id already, if there is."""
        marks = ", ".join("?" * len(_NAMES))
        statement = f"INSERT INTO imports ({_COLUMNS}) VALUES ({marks}) ON CONFLICT (id) DO NOTHING"
        with self._tables.transaction() as work:
            if work.run(statement, *_row(one)):
                self.arriving.keep(work, one.upload)
        found = self.get(one.id)
        assert found is not None
        return found

    def get(self, import_id: str) -> Import | None:
        """An import, None for none."""
        found = self._tables.rows(f"SELECT {_COLUMNS} FROM imports WHERE id = ?", import_id)
        return _import(found[0]) if found else None

    def unfinished(self) -> list[str]:
        """The ids of the imports that have not ended, the oldest first."""
        return [
            row[0]
            for row in self._tables.rows(
                "SELECT id FROM imports WHERE state IN ('waiting', 'running') ORDER BY made_at, id"
            )
        ]

    def counts(self, import_id: str) -> dict[str, int]:
        """How many rows had each outcome."""
        found = self._tables.rows(
            "SELECT verdict, count(*) FROM outcomes WHERE import_id = ? GROUP BY verdict", import_id
        )
        return {str(verdict): int(count) for verdict, count in found}

    def outcomes(
        self, import_id: str, after: int, limit: int, verdict: str | None = None
    ) -> list[RowOutcome]:
        """The outcomes of the rows behind a row, in order; of one kind alone where that is named."""
        only, more = ("", ()) if verdict is None else (" AND verdict = ?", (verdict,))
        found = self._tables.rows(
            "SELECT number, line, verdict, code, advice, matter FROM outcomes WHERE import_id = ? AND number > ?"
            f"{only} ORDER BY number LIMIT ?",
            import_id, after, *more, limit,
        )  # fmt: skip
        return [RowOutcome(*row) for row in found]

    def prepared(self, import_id: str, total: int) -> None:
        """The table has been read: so many rows are to be worked off."""
        self._tables.run(
            "UPDATE imports SET state = 'running', total = ?, started_at = ? WHERE id = ? AND state = 'waiting'",
            total, self.now(), import_id,
        )  # fmt: skip

    def save(self, import_id: str, before: int, done: int, outcomes: Sequence[RowOutcome]) -> None:
        """What became of the next rows, and that they are done, together. Raises Conflict where it is not so any more."""
        with self._tables.transaction() as work:
            moved = work.run(
                "UPDATE imports SET done = ? WHERE id = ? AND done = ? AND state = 'running'",
                done, import_id, before,
            )  # fmt: skip
            if moved != 1:
                raise Conflict("this import was cancelled, or somebody else has done these rows")
            work.run_all(
                "INSERT INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (import_id, number) DO NOTHING",
                [(import_id, *outcome) for outcome in outcomes],
            )

    def again(self, import_id: str, epoch: str) -> None:
        """Begin again in another life of the store: what it has kept is found known."""
        with self._tables.transaction() as work:
            work.run("DELETE FROM outcomes WHERE import_id = ?", import_id)
            work.run("UPDATE imports SET done = 0, epoch = ? WHERE id = ?", epoch, import_id)

    def end(self, one: Import, state: State, code: str | None = None, advice: str | None = None) -> bool:
        """It is over; False where it was before. Its rows are nowhere any more."""
        ended = self._tables.run(
            "UPDATE imports SET state = ?, ended_at = ?, code = ?, advice = ? WHERE id = ?"
            " AND state IN ('waiting', 'running')",
            state, self.now(), code, advice, one.id,
        )  # fmt: skip
        self.spool.clear(one.upload)
        return ended == 1

    def sweep(self) -> None:
        """Clear what a broken-off upload, or an end that was cut short, has left; forget old reports."""
        self.tidy()
        held = {row[0] for row in self._tables.rows(
            "SELECT upload FROM imports WHERE state IN ('waiting', 'running')"
        )}  # fmt: skip
        ended = {row[0] for row in self._tables.rows("SELECT upload FROM imports WHERE ended_at IS NOT NULL")}
        old = self.now() - as_span(ABANDONED)
        for upload in self.spool.uploads(self.now()):
            if upload in ended or (upload not in held and upload in self.spool.uploads(old)):
                self.spool.clear(upload)
        forgotten = self._tables.rows("SELECT id FROM imports WHERE ended_at < ?", self.now() - as_span(KEPT))
        for (each,) in forgotten:
            with self._tables.transaction() as work:
                work.run("DELETE FROM outcomes WHERE import_id = ?", each)
                work.run("DELETE FROM imports WHERE id = ?", each)


def as_span(length: timedelta) -> int:
    """A length in microseconds."""
    return length // timedelta(microseconds=1)


def _row(one: Import) -> list[Any]:
    values = [getattr(one, name) for name in _NAMES]
    return [
        as_microseconds(v) if isinstance(v, datetime) else int(v) if isinstance(v, bool) else v
        for v in values
    ]


def _import(row: Sequence[Any]) -> Import:
    said = dict(zip(_NAMES, row, strict=True))
    moments = {name: None if said[name] is None else as_moment(said[name]) for name in _MOMENTS}
    return Import(**{**said, **moments, "trial": bool(said["trial"])})
