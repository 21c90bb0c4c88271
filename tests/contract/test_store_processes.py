"""The port EventStore, written by several processes at once and killed between every two steps."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.failpoint import FAILPOINTS
from adapters.store.postgres import PostgresStore
from adapters.store.sqlite import SqliteStore
from tests.contract.processes import killed_at, start
from tests.contract.store_world import opened
from tests.contract.writer import SHARED, command, traces, write
from workflows.ports import AlreadyAnswered, Stored

Store = SqliteStore | PostgresStore

STORE_FAILPOINTS = [name for name in FAILPOINTS if name.startswith("store.")]
BEFORE_AND_AFTER = ["store.before_transaction", "store.after_begin", "store.after_commit"]
"""On PostgreSQL what lies between is one call, inside the server."""


def read_all(store: Store) -> list[Stored]:
    return store.read(0, 1_000_000)


def test_a_reader_beside_four_writing_processes_misses_nothing(store: Store, store_url: str) -> None:
    writers = [start("tests.contract.writer", store_url, f"w{n}", "100", "2") for n in range(4)]
    seen: list[Stored] = []
    position = 0
    while any(writer.poll() is None for writer in writers) or store.head() > position:
        page = store.read(position, 50)
        seen += page
        position = page[-1].position if page else position
    for writer in writers:
        _, errors = writer.communicate()
        assert writer.returncode == 0, errors
    assert seen == read_all(store)
    assert len(seen) == 4 * 2 * 100 * 2


def test_several_processes_writing_one_stream_gap_and_double_nothing(store: Store, store_url: str) -> None:
    writers = [start("tests.contract.writer", store_url, f"w{n}", "40") for n in range(3)]
    keys = [key for writer in writers for key in writer.communicate(timeout=100)[0].splitlines()]
    assert len(keys) == 120
    shared = store.load(SHARED)
    assert [event.version for event in shared] == list(range(1, 121))
    assert all(all(traces(store, key)) for key in keys)


def assert_whole_or_nothing(store: Store, key: str, *, written: bool) -> None:
    assert traces(store, key) == [written] * 6
    if written:
        with pytest.raises(AlreadyAnswered):
            store.append(command(store, key))
    else:
        write(store, key)
        assert all(traces(store, key))


@pytest.mark.faults
@pytest.mark.parametrize("failpoint", STORE_FAILPOINTS)
def test_a_writer_killed_between_two_steps_on_sqlite_leaves_whole_commands(
    failpoint: str, tmp_path: Path
) -> None:
    url = str(tmp_path / "cases.db")
    passage = 3 if failpoint != "store.after_insert" else 3 * 2 + 2  # within the third command's three events
    accepted = killed_at(failpoint, passage, tmp_path, "tests.contract.writer", url, "w", "9")
    assert accepted == ["w-0", "w-1"]
    store = opened(url)
    assert all(all(traces(store, key)) for key in accepted)
    assert_whole_or_nothing(store, "w-2", written=failpoint == "store.after_commit")
    store.close()


@pytest.mark.faults
@pytest.mark.parametrize("failpoint", BEFORE_AND_AFTER)
def test_a_writer_killed_around_the_call_on_postgres_leaves_whole_commands(
    failpoint: str, pg_database: str, tmp_path: Path
) -> None:
    accepted = killed_at(failpoint, 3, tmp_path, "tests.contract.writer", pg_database, "w", "9")
    assert accepted == ["w-0", "w-1"]
    store = opened(pg_database)
    assert all(all(traces(store, key)) for key in accepted)
    assert_whole_or_nothing(store, "w-2", written=failpoint == "store.after_commit")
    store.close()


@pytest.mark.faults
def test_writers_killed_at_any_moment_lose_no_accepted_command_and_leave_none_half_done(
    store: Store, store_url: str, open_again: Callable[[], Store]
) -> None:
    chance, accepted = random.Random(23), []
    for life in range(4):
        writers = [start("tests.contract.writer", store_url, f"life{life}w{n}", "500") for n in range(2)]
        while store.wait(store.head(), timeout=60) and chance.random() < 0.97:
            continue
        for writer in writers:
            time.sleep(chance.random() / 50)
            writer.kill()
            accepted += [
                line for line in writer.communicate()[0].splitlines(keepends=True) if line.endswith("\n")
            ]
    assert accepted
    again = open_again()
    for key in accepted:
        assert all(traces(again, key.strip())), key
    attempted = {
        f"{key.strip().rsplit('-', 1)[0]}-{int(key.strip().rsplit('-', 1)[1]) + 1}" for key in accepted
    }
    for key in attempted:  # the command after an accepted one may have been cut down
        assert len(set(traces(again, key))) == 1, key
    assert [e.version for e in again.load(SHARED)] == list(range(1, len(again.load(SHARED)) + 1))


def test_every_failpoint_of_the_store_keys_and_positions_is_walked_by_a_test() -> None:
    walked = " ".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    elsewhere = [name for name in FAILPOINTS if name.startswith(("keys.", "positions."))]
    assert all(f'"{name}"' in walked for name in elsewhere)


def test_processes_that_start_at_once_on_an_empty_place_make_one_store(store_url: str) -> None:
    writers = [start("tests.contract.writer", store_url, f"w{n}", "3") for n in range(4)]
    keys = [key for writer in writers for key in writer.communicate(timeout=100)[0].splitlines()]
    assert [writer.returncode for writer in writers] == [0] * 4
    store = opened(store_url)
    assert len(store.load(SHARED)) == len(keys) == 12
    store.close()
