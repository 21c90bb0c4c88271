"""A turn of an import: the next rows are worked off, and what became of each is kept with how far it has come.

Every row is an act with a key of its own that derives from the import and the row: cut off anywhere, a turn is taken
again, and what was done is found done. One turn is taken at a time, whatever the number of imports and workers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import structlog
from temporalio import activity

from adapters.engine import Engine
from adapters.failpoint import failpoint
from adapters.imports.mapping import Mapping
from adapters.imports.pace import Pace
from adapters.imports.registering import Registering
from adapters.imports.rows import Rows
from adapters.imports.run import Importing, RowOutcome, brought, marked
from adapters.imports.spool import SLICE
from adapters.imports.store import ENDED, Import, Imports
from adapters.imports.table import Row, Table, reading
from adapters.store.positions import StoredPositions
from domain.refusal import Conflict, NotFound, Refused, Unavailable
from workflows.import_process import TAKE_TURN, ImportTurn

TURN_SECONDS = 3.0
BATCH = {"backfill": 20, "register": 1}
"""Rows between two rests: what a live matter may have to wait for. History comes in many rows to a transaction; a row that
opens a live matter is one of its own, with a process behind it, and many without a rest are felt."""
MOST_ROWS = 200_000
LEAD = "imports-turn"
LOOK_SECONDS = 0.2

_LATER = frozenset({"clock_behind", "clock_ahead", "no_rulebook_in_force"})
"""Refusals of every row that time mends."""

log = structlog.get_logger(__name__)


class Turns:
    """The activity, over one engine. It is synchronous: run it in a thread."""

    def __init__(self, engine: Engine, imports: Imports, positions: StoredPositions, pace: Pace) -> None:
        self._engine, self._imports, self._positions, self._pace = engine, imports, positions, pace

    @activity.defn(name=TAKE_TURN)
    def take_turn(self, turn: ImportTurn) -> ImportTurn:
        """Take one. Unavailable is tried again by Temporal."""
        return self.take(turn, activity.heartbeat, activity.is_worker_shutdown)

    def take(
        self,
        turn: ImportTurn,
        alive: Callable[[], None] = lambda: None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> ImportTurn:
        """Work rows off for some seconds. Raises Unavailable; `alive` is told now and then."""
        while not stopping():
            with self._positions.leader(LEAD) as mine:
                if mine:
                    return self._take(turn, alive, stopping)
            alive()
            time.sleep(LOOK_SECONDS)
        return turn

    def _take(self, turn: ImportTurn, alive: Callable[[], None], stopping: Callable[[], bool]) -> ImportTurn:
        one = self._imports.get(turn.id)
        if one is None or one.state in ENDED:
            return ImportTurn(turn.id, turn.done, turn.total, over=True)
        try:
            one = self._in_this_life(one)
            if one.state == "waiting":
                one = self._prepare(one, alive)
            self._work_off(one, alive, stopping)
        except (Conflict, NotFound):
            pass  # it was cancelled meanwhile, or somebody else works on it: look again
        except Refused as refused:
            if refused.code in _LATER:
                raise Unavailable(f"every row would be refused at this moment: {refused.code}") from None
            self._imports.end(one, "failed", refused.code, refused.advice)
        return self._seen(turn.id)

    def _seen(self, import_id: str) -> ImportTurn:
        one = self._imports.get(import_id)
        if one is None:
            return ImportTurn(import_id, over=True)
        return ImportTurn(one.id, one.done, one.total or 0, over=one.state in ENDED)

    def _in_this_life(self, one: Import) -> Import:
        epoch = self._engine.store.epoch()
        if one.epoch == epoch:
            return one
        self._imports.again(one.id, epoch)  # the store was restored: what it lost is brought in again
        return self._get(one)

    def _get(self, one: Import) -> Import:
        found = self._imports.get(one.id)
        if found is None:
            raise NotFound
        return found

    # -- reading the table ----------------------------------------------------------------------------------------

    def _prepare(self, one: Import, alive: Callable[[], None]) -> Import:
        """Read the table once, into slices that any turn can begin with."""
        mapping, spool = Mapping.model_validate_json(one.mapping), self._imports.spool
        with (
            spool.opened(one.upload, one.size) as file,
            reading(file, one.size, mapping.delimiter, mapping.encoding) as table,
        ):
            total = 0
            for n, rows in enumerate(_slices(one, self._rows(one, table.head), table)):
                spool.put_rows(one.upload, n, rows, self._imports.now())
                total += len(rows)
                alive()
                if total > MOST_ROWS:
                    raise Refused(
                        "bad_table", f"Split the table: an import takes at most {MOST_ROWS:,} rows."
                    )
            spool.put(one.upload, "head", 0, "\n".join(table.head).encode(), self._imports.now())
        failpoint("imports.after_reading")
        self._imports.prepared(one.id, total)
        return self._get(one)

    def _rows(self, one: Import, head: Sequence[str]) -> Rows:
        mapping = Mapping.model_validate_json(one.mapping)
        return Rows(mapping, head, self._engine.district(), self._engine.handle.clock())

    # -- working it off -------------------------------------------------------------------------------------------

    def _work_off(self, one: Import, alive: Callable[[], None], stopping: Callable[[], bool]) -> None:
        head = self._imports.spool.get(one.upload, "head", 0).decode().split("\n")
        work = worked_by(self._engine, one, self._rows(one, head))
        done, until = one.done, time.monotonic() + TURN_SECONDS
        at_once, live = BATCH[one.mode], one.mode == "register" and not one.trial
        rows: list[Row] = []
        held = -1
        while done < (one.total or 0):
            n, begins = divmod(done, SLICE)
            if n != held:
                rows, held = self._imports.spool.rows(one.upload, n), n
            batch = rows[begins : begins + at_once]
            begun = time.monotonic()
            outcomes = work(batch)
            failpoint("imports.after_batch")
            self._imports.save(one.id, done, done + len(batch), outcomes)
            failpoint("imports.after_save")
            done += len(batch)
            self._pace.rest(time.monotonic() - begun, alive, live=live)
            if stopping() or time.monotonic() > until:
                break
        if done >= (one.total or 0):
            self._imports.end(one, "done")


def worked_by(
    engine: Engine, one: Import, rows: Rows, *, trial: bool = False
) -> Callable[[Sequence[Row]], list[RowOutcome]]:
    """What works a batch of rows off; a `trial` keeps nothing. It raises Refused for what every row is refused for."""
    one = replace(one, trial=one.trial or trial)
    if one.mode == "register":
        registering = Registering(engine, one, rows)
        return lambda batch: [_unbroken(registering.registered, row) for row in batch]
    mapping = Mapping.model_validate_json(one.mapping)
    importing = Importing(
        engine.handle, one.actor, one.authority, one.rulebook or "", mapping.name, mapping.reference.source,
        one.id.replace("-", ""), one.trial,
    )  # fmt: skip
    return lambda batch: brought(importing, batch, rows)


def _unbroken(work: Callable[[Row], RowOutcome], row: Row) -> RowOutcome:
    try:
        return work(row)
    except (Refused, Unavailable, Conflict):
        raise
    except Exception as error:  # noqa: BLE001 - one row's fault, of any kind, must not hold up the others
        # By kind alone: the error's words might quote a cell (law 9).
        log.error("row_failed", row=row.number, error=type(error).__name__)
        return RowOutcome(row.number, row.line, "refused", "internal", "Tell the operator which row it is.")


def _slices(one: Import, rows: Rows, table: Table) -> Iterator[list[Row]]:
    """The table's rows; of a history each with the row before it that has the same id."""
    waiting = iter(marked(table, rows) if one.mode == "backfill" else table)
    while taken := [*islice(waiting, SLICE)]:
        yield taken
