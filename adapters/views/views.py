"""The read models as a consumer of the log: a batch and its position are one transaction; a rebuild is a swap."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import chain

from adapters.failpoint import failpoint
from adapters.store.positions import StoredPositions, position, save
from adapters.views.projector import Changes, Projector
from adapters.views.published import request_row, shown, step_rows
from adapters.views.reader import Reader
from adapters.views.rows import case_row, clock_rows, leg_rows, micro, work_rows
from adapters.views.schema import GENERATIONS, REWRITTEN, TABLES, VERSION
from adapters.views.sql import Sql
from domain.refusal import Conflict, Refused
from workflows.ports import EventStore, Stored

BATCH = 1000
BUILD_BATCH = 4000
_BUILD = "views-build"


class Views:
    """The consumer `views`: keeps every table of `schema`. One writer at a time; readers never wait for it."""

    name = "views"

    def __init__(self, url: str, store: EventStore, positions: StoredPositions | None = None) -> None:
        """Open, and make the tables where there are none. `url` as for StoredPositions. Raises Unavailable."""
        self.positions = positions or StoredPositions(url)
        self.reader = Reader(url)
        self._store = store
        self._projector = Projector(store)
        self._at = 0
        self._generation = 0
        with self.positions.transaction() as connection:
            sql = Sql(connection)
            sql.lock("write")
            sql.run(GENERATIONS)
            if _row(sql) is None:
                self._first(sql)

    def _first(self, sql: Sql) -> None:
        _create(sql, 1)
        _show(sql, None, 1)
        sql.run("INSERT INTO generations VALUES ('current', 1, ?, ?)", VERSION, self._store.epoch())
        save(sql.raw, self.name, position(sql.raw, self.name), 0)

    # -- the consumer -------------------------------------------------------------------------------------------------

    def position(self) -> int:
        """How far the tables have come. Builds them anew first where this release has other tables, or the store
        lives another life than the one they were made from. Raises Unavailable."""
        if not self._fitting():
            self.rebuild()
        with self.positions.transaction() as connection:
            row = _row(Sql(connection))
            self._generation = row[0] if row else 0
            self._at = position(connection, self.name)
        return self._at

    async def take(self, batch: Sequence[Stored]) -> None:
        """Apply a batch. Raises Conflict if somebody else has moved the position, Unavailable."""
        await asyncio.to_thread(self.take_now, batch)

    def take_now(self, batch: Sequence[Stored]) -> None:
        """The same, in this thread."""
        changes = self._projector.fold(batch)
        with self.positions.transaction() as connection:
            sql = Sql(connection)
            sql.lock("write")
            row = _row(sql)
            if row is None or row[0] != self._generation or position(connection, self.name) != self._at:
                raise Conflict("somebody else has moved the read models on")
            self._write(sql, self._generation, changes)
            failpoint("views.after_write")
            save(connection, self.name, self._at, batch[-1].position)
        self._at = batch[-1].position

    def catch_up(self) -> int:
        """Take everything up to the store's tail, here and now; returns the position. For the command line.

        Where a follower is at work as well, whichever is first does each batch. Raises Unavailable.
        """
        after = self.position()
        while batch := self._store.read(after, BATCH):
            try:
                self.take_now(batch)
                after = batch[-1].position
            except Conflict:
                after = self.position()
        return after

    # -- a rebuild ----------------------------------------------------------------------------------------------------

    def rebuild(self, progress: Callable[[int, int], None] = lambda done, total: None) -> int:
        """Build all tables anew beside the present ones, then swap; returns the number of events.

        `progress(done, total)` is told of positions. Raises Refused("rebuild_running"), Unavailable.
        """
        with self.positions.leader(_BUILD) as leads:
            if not leads:
                raise Refused("rebuild_running", "Wait: another process is rebuilding the read models.")
            return self._rebuild(progress)

    def _rebuild(self, progress: Callable[[int, int], None]) -> int:
        epoch, projector = self._store.epoch(), Projector(self._store)
        generation = self._begin()
        after, count = 0, 0
        while len(batch := self._store.read(after, BUILD_BATCH)) == BUILD_BATCH:
            changes = projector.fold(batch)
            with self.positions.transaction() as connection:
                self._write(Sql(connection), generation, changes)
            after, count = batch[-1].position, count + len(batch)
            progress(after, self._store.head())
        while True:
            batch = self._store.read(after, BUILD_BATCH)
            with self.positions.transaction() as connection:
                sql = Sql(connection)
                sql.lock("write")
                if batch:
                    self._write(sql, generation, projector.fold(batch))
                    after, count = batch[-1].position, count + len(batch)
                if len(batch) < BUILD_BATCH:
                    self._swap(sql, generation, epoch, after)
                    break
        progress(after, after)
        return count

    def _begin(self) -> int:
        """Make the tables of a new generation; those of a rebuild that was cut short go."""
        with self.positions.transaction() as connection:
            sql = Sql(connection)
            sql.lock("write")
            rows = dict(sql.rows("SELECT name, generation FROM generations"))
            if "building" in rows:
                _drop(sql, rows["building"])
                sql.run("DELETE FROM generations WHERE name = 'building'")
            generation: int = max(rows.values()) + 1
            _create(sql, generation)
            sql.run("INSERT INTO generations VALUES ('building', ?, ?, '')", generation, VERSION)
        return generation

    def _swap(self, sql: Sql, generation: int, epoch: str, at: int) -> None:
        row = _row(sql)
        before = row[0] if row else None
        _show(sql, before, generation)
        if before is not None:
            _drop(sql, before)
        sql.run("DELETE FROM generations")
        sql.run("INSERT INTO generations VALUES ('current', ?, ?, ?)", generation, VERSION, epoch)
        save(sql.raw, self.name, position(sql.raw, self.name), at)

    def _fitting(self) -> bool:
        with self.positions.transaction() as connection:
            row = _row(Sql(connection))
        return row is not None and row[1:] == (VERSION, self._store.epoch())

    # -- writing ------------------------------------------------------------------------------------------------------

    def _write(self, sql: Sql, generation: int, changes: Changes) -> None:
        touched = [*changes.cases, *changes.hidden]
        for table in REWRITTEN if touched else ():
            sql.remove(f"{table.name}_{generation}", "case_id", touched)
        for name in changes.added if changes.hidden else ():
            sql.remove(f"{name}_{generation}", "case_id", [*changes.hidden])
        law, cases = self._projector.law(), list(changes.cases.values())
        public = [one for one in cases if shown(one, law)]
        new = {
            **changes.added,
            "cases": [case_row(one) for one in cases],
            "clocks": chain.from_iterable(clock_rows(one.matter) for one in cases),
            "legs": chain.from_iterable(leg_rows(one) for one in cases),
            "work": chain.from_iterable(work_rows(one, law) for one in cases),
            "numbers": [(one.matter.number, one.matter.id) for one in cases],
            "requests": [request_row(one, micro) for one in public],
            "request_steps": chain.from_iterable(step_rows(one) for one in public),
        }
        for table in TABLES:
            sql.add(f"{table.name}_{generation}", table.names, new[table.name])

    def close(self) -> None:
        """Close the connections."""
        self.reader.close()
        self.positions.close()


def _row(sql: Sql) -> tuple[int, int, str] | None:
    rows = sql.rows("SELECT generation, version, epoch FROM generations WHERE name = 'current'")
    return rows[0] if rows else None


def _create(sql: Sql, generation: int) -> None:
    for table in TABLES:
        for statement in table.create(generation):
            sql.run(statement)


def _drop(sql: Sql, generation: int) -> None:
    for table in TABLES:
        sql.run(f"DROP TABLE IF EXISTS {table.name}_{generation}")


def _show(sql: Sql, before: int | None, generation: int) -> None:
    for table in TABLES:
        sql.run(f"DROP VIEW IF EXISTS {table.name}")
        sql.run(f"CREATE VIEW {table.name} AS SELECT * FROM {table.name}_{generation}")
