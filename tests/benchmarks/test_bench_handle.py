"""Commands and full lives through `handle`, against plain inserts of the same rows by as many writers.

`make bench ARGS="-k handle"`. A life is 27 commands: register, accept, triage, a whistle to three departments (drafted,
authorised, issued), of each acknowledge, contact, check-in, a note, a report and its acceptance, then result, callback
and close. Every command is flushed before it is answered, as the raw inserts are.
"""

from pathlib import Path

import pytest

from adapters.demo.desk import one_life
from adapters.demo.district import District
from adapters.engine import Engine
from tests.benchmarks import raw
from tests.benchmarks.results import Figure, Results
from tests.benchmarks.world import (
    COMMANDS_OF_A_LIFE,
    SUMMONED,
    Measured,
    a_desk,
    by_processes,
    by_threads,
    lives_of_a_process,
    lives_of_a_thread,
    opened,
)
from tests.servers import PostgresServer, create_database
from workflows.handle import Handle

pytestmark = pytest.mark.benchmark

SECONDS = 5.0
RAW_SECONDS = 3.0
KEPT_LIVES = 4


@pytest.mark.parametrize(
    ("how", "writers"), [("threads", 1), ("threads", 4), ("threads", 16), ("processes", 4), ("processes", 16)]
)
@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_lives_through_handle(
    results: Results, flushing_postgres: PostgresServer, tmp_path: Path, store: str, how: str, writers: int
) -> None:
    name, sql = f"{store}, {writers} {how}", store == "postgres"
    ours_dsn = create_database(flushing_postgres.dsn, f"ours_{how}_{writers}") if sql else None
    raw_dsn = create_database(flushing_postgres.dsn, f"raw_{how}_{writers}") if sql else None
    with opened(tmp_path, ours_dsn) as (engine, district):
        limit = inserted(tmp_path / "raw.db", raw_dsn, kept_rows(engine, district), how, writers)
        if how == "threads":
            ours = by_threads(writers, lives_of_a_thread, (engine.handle, district, SECONDS), SECONDS)
        else:
            ours = by_processes(writers, lives_of_a_process, (tmp_path, ours_dsn, SECONDS), SECONDS)
    note(results, name, ours, limit)
    assert ours.count > COMMANDS_OF_A_LIFE


def inserted(path: Path, dsn: str | None, kept: list[raw.Rows], how: str, writers: int) -> Measured:
    """The rate of raw inserts into empty tables of our schema."""
    raw.make_tables(path, dsn)
    work, place = (raw.into_postgres, dsn) if dsn else (raw.into_sqlite, path)
    if how == "threads":
        return by_threads(writers, work, (place, kept, RAW_SECONDS), RAW_SECONDS)
    return by_processes(writers, work, (place, kept, RAW_SECONDS), RAW_SECONDS)


def kept_rows(engine: Engine, district: District) -> list[raw.Rows]:
    """The rows of a few lives, as handle writes them."""
    keeper = raw.Kept(engine.store)
    handle = Handle(keeper, engine.vault, engine.keys, engine.handle.clock, engine.handle.code)
    for _ in range(KEPT_LIVES):
        one_life(a_desk(handle, district), SUMMONED)
    return [raw.rows_of(batch) for batch in keeper.batches]


def note(results: Results, name: str, ours: Measured, limit: Measured) -> None:
    """Commands and, from the same run, lives."""
    times = f"p50 {ours.p50_ms:.1f} ms, p99 {ours.p99_ms:.0f}; raw {limit.p50_ms:.1f}, p99 {limit.p99_ms:.0f}"
    results.add(Figure("Commands through handle", name, ours.per_s, "commands/s", limit.per_s, note=times))
    lives = ours.per_s / COMMANDS_OF_A_LIFE
    results.add(Figure("Full lives through handle", name, lives, "lives/s", limit.per_s / COMMANDS_OF_A_LIFE))
