"""Loading a case: its events read, decoded and folded, as `handle` does it before every decision.

`make bench ARGS="-k load"`. There are no snapshots and no caches.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.demo.desk import Desk
from adapters.demo.district import DEPARTMENTS
from domain.matter import order_commands as odo
from tests.benchmarks.results import Figure, Results
from tests.benchmarks.world import a_desk, opened
from tests.servers import PostgresServer, create_database

pytestmark = pytest.mark.benchmark

TIMES = 300
LENGTHS = (10, 50, 500)
MOST_MS = {("sqlite", 50): 0.6}


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_load_of_a_case(
    results: Results, flushing_postgres: PostgresServer, tmp_path: Path, store: str
) -> None:
    dsn = create_database(flushing_postgres.dsn, "bench_load") if store == "postgres" else None
    with opened(tmp_path, dsn) as (engine, district):
        for length in LENGTHS:
            case = case_of(a_desk(engine.handle, district), length)
            loaded = median_ms(lambda case=case: engine.handle.load(case))
            read = median_ms(lambda case=case: engine.store.load(case))
            said, most = f"of it {read:.2f} ms reading the rows", MOST_MS.get((store, length))
            name = f"{store}, {length} events"
            results.add(Figure("Load of a case", name, loaded, "ms", aim=most, less=True, note=said))


def case_of(desk: Desk, length: int) -> str:
    """A case under way of exactly so many events: summoned departments that arrive, then work notes."""
    resident = desk.resident()
    case = desk.registers(resident)
    desk.accepted_and_triaged(case)
    legs = desk.whistles(case, DEPARTMENTS)
    for body, leg in legs.items():
        if version(desk, case) + 3 <= length:
            desk.arrives(case, body, leg)
    body, leg = next(iter(legs.items()))
    officer = desk.district.actor(body, "officer")
    for _ in range(length - version(desk, case)):
        desk.must(case, officer, odo.NoteWork(leg=leg), note="已排查")
    assert version(desk, case) == length
    return case


def version(desk: Desk, case: str) -> int:
    """How many events the case has."""
    state = desk.handle.load(case)
    return 0 if state is None else state.version


def median_ms(act: Callable[[], object]) -> float:
    """The median of many runs, in milliseconds."""
    taken = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        act()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1000
