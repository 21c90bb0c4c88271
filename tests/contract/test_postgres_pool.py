"""Connections to PostgreSQL that are kept for the next caller: as many as are needed, not as were ever needed."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from adapters.doctor import OF_AN_API, OF_THE_REST, examine
from adapters.engine import open_engine
from adapters.settings import Settings
from adapters.store.postgres_link import connect
from adapters.store.postgres_pool import Connections

KEPT = 0.2


@pytest.fixture
def pool(postgres_dsn: str, request: pytest.FixtureRequest) -> Iterator[Connections]:
    made = Connections(lambda: connect(postgres_dsn), 4, kept=request.param)
    yield made
    made.close()


def used_at_once(pool: Connections, times: int) -> list[psycopg.Connection[object]]:
    with ExitStack() as held:
        return [held.enter_context(pool.connection()) for _ in range(times)]


@pytest.mark.parametrize("pool", [3600.0], indirect=True)
def test_what_was_in_use_at_once_is_kept_for_the_next(pool: Connections) -> None:
    first = used_at_once(pool, 3)

    assert {*used_at_once(pool, 3)} == {*first}
    assert pool.idle == 3


@pytest.mark.parametrize("pool", [KEPT], indirect=True)
def test_what_nobody_needs_any_more_is_closed(pool: Connections) -> None:
    some = used_at_once(pool, 3)
    time.sleep(2 * KEPT)

    (still,) = used_at_once(pool, 1)

    assert pool.idle == 1
    assert [one.closed for one in some if one is not still] == [True, True]
    assert not still.closed


def test_a_server_that_refuses_is_told_of_after_one_try() -> None:
    tries: list[str] = []

    def refused() -> psycopg.Connection[object]:
        tries.append("one")
        raise psycopg.OperationalError("connection refused")

    with pytest.raises(psycopg.OperationalError, match="refused"), Connections(refused, 4).connection():
        pass

    assert tries == ["one"]


@pytest.mark.parametrize(("processes", "ok"), [(1, True), (64, False)])
def test_the_doctor_says_whether_the_server_gives_connections_enough(
    processes: int, ok: bool, new_pg_database: Callable[[], str], tmp_path: Path
) -> None:
    settings = Settings(data=tmp_path, store=new_pg_database(), api_processes=processes)
    engine = open_engine(settings)
    try:
        (found,) = [check for check in examine(engine) if check.name == "connections"]
    finally:
        engine.close()

    assert found.ok is ok
    assert found.facts["needed"] == OF_THE_REST + processes * OF_AN_API
