"""The port EventStore when the disk is full, the server restarts or an answer is lost."""

import resource
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError

from adapters.store import open_store
from adapters.store.positions import StoredPositions
from adapters.store.postgres import PostgresStore
from adapters.store.sqlite import SqliteStore
from domain.refusal import Unavailable
from tests.contract.cutting_proxy import CuttingProxy
from tests.contract.processes import start
from tests.contract.store_world import new_id, one
from tests.contract.writer import SHARED, command, traces, write
from tests.servers import PostgresServer, create_database
from workflows.ports import AlreadyAnswered

pytestmark = pytest.mark.faults


def test_a_full_sqlite_file_is_unavailable_with_nothing_half_done_and_serves_again(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "cases.db")
    write(store, "before")
    writer = store.recorder._file._opened()
    writer.execute("PRAGMA max_page_count = 1")  # to what is used now
    accepted = fill(store)
    assert traces(store, f"w-{accepted}") == [False] * 6
    assert all(all(traces(store, f"w-{number}")) for number in range(accepted))
    writer.execute("PRAGMA max_page_count = 1000000")
    write(store, f"w-{accepted}")
    assert all(traces(store, f"w-{accepted}"))
    store.close()


def fill(store: SqliteStore) -> int:
    """Write until there is no room; returns how many commands were accepted."""
    for accepted in range(1000):
        try:
            write(store, f"w-{accepted}")
        except Unavailable:
            return accepted
    pytest.fail("the store took more than it had room for")


def test_a_disk_that_takes_no_more_bytes_is_unavailable_with_nothing_half_done(tmp_path: Path) -> None:
    url = str(tmp_path / "cases.db")
    first = SqliteStore(Path(url))
    write(first, "before")
    first.close()
    writer = start("tests.contract.writer", url, "w", "5000")
    assert writer.stdout is not None
    assert writer.stdout.readline() == "w-0\n"
    limit = Path(url).stat().st_size + 300_000
    resource.prlimit(writer.pid, resource.RLIMIT_FSIZE, (limit, limit))
    output, errors = writer.communicate(timeout=100)
    assert writer.returncode == 1
    assert "Unavailable" in errors
    keys = ["w-0", *output.split()]
    store = SqliteStore(Path(url))
    assert len(keys) > 5
    assert all(all(traces(store, key)) for key in keys)
    cut_down = f"w-{len(keys)}"
    # SQLite may have written the commit record and failed at the padding behind it: then the command stands after
    # the restart, whole, and its key finds the answer. What must never be is a part of it.
    assert len(set(traces(store, cut_down))) == 1
    with suppress(AlreadyAnswered):
        write(store, cut_down)
    assert traces(store, cut_down) == [True] * 6
    store.close()


def test_a_full_postgres_is_unavailable_with_nothing_half_done_and_serves_again(pg_database: str) -> None:
    store = PostgresStore(pg_database)
    with psycopg.connect(pg_database, autocommit=True) as operator:
        operator.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END$$"
        )
        operator.execute(
            "CREATE TRIGGER full_disk BEFORE INSERT ON cases.stored_events EXECUTE FUNCTION full_disk()"
        )
        with pytest.raises(Unavailable, match="no space left"):
            write(store, "w-0")
        assert traces(store, "w-0") == [False] * 6
        operator.execute("DROP TRIGGER full_disk ON cases.stored_events")
    write(store, "w-0")
    assert all(traces(store, "w-0"))
    store.close()


def test_a_sqlite_folder_that_does_not_exist_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        open_store(str(tmp_path / "absent" / "cases.db"))


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "cases.db").write_bytes(b"this is a text, not a database" * 100)
    with pytest.raises(Unavailable):
        open_store(str(tmp_path / "cases.db"))


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        open_store("postgresql://nobody@127.0.0.1:9/none")


def test_a_lost_answer_of_a_commit_is_looked_up_and_given(pg_database: str) -> None:
    server = urlsplit(pg_database)
    assert server.hostname is not None
    assert server.port is not None
    with CuttingProxy(server.hostname, server.port) as proxy:
        dsn = server._replace(netloc=f"{server.username}@127.0.0.1:{proxy.port}").geturl()
        store = PostgresStore(dsn)
        write(store, "before")
        proxy.lose_answer(b"the-lost-one")
        positions = store.append(command(store, "the-lost-one"))
        assert proxy.cut.is_set()
        assert positions[:2] == tuple(event.position for event in store.load("stream-of-the-lost-one"))
        assert all(traces(store, "the-lost-one"))
        with pytest.raises(AlreadyAnswered):
            store.append(command(store, "the-lost-one"))
        store.close()


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


def test_a_postgres_that_was_restarted_while_nobody_asked_is_used_again_at_once(
    own_server: PostgresServer,
) -> None:
    store = PostgresStore(create_database(own_server.dsn, "huiyin_restart"))
    write(store, "before")
    store.wait(store.head(), timeout=0)
    own_server.stop()
    own_server.start()
    time.sleep(1.1)
    write(store, "after")
    assert all(traces(store, "before") + traces(store, "after"))
    store.close()


def test_a_postgres_killed_under_eight_writers_loses_and_halves_nothing(own_server: PostgresServer) -> None:
    store = PostgresStore(create_database(own_server.dsn, "huiyin_kill"))
    accepted: list[str] = []
    unavailable: list[str] = []
    stop = threading.Event()

    def work(name: int) -> None:
        number = 0
        while not stop.is_set():
            key = f"w{name}-{number}"
            try:
                store.append(one(f"stream-of-{key}", key=key, count=2))
            except Unavailable:
                unavailable.append(key)
            else:
                accepted.append(key)
            number += 1

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    own_server.kill()
    time.sleep(0.3)
    own_server.start()
    before = len(accepted)
    deadline = time.monotonic() + 100
    while len(accepted) < before + 100 and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    assert len(accepted) >= before + 100, "the store did not come back"
    assert unavailable
    stored = {key: len(store.load(f"stream-of-{key}")) for key in accepted + unavailable}
    assert all(stored[key] == 2 and store.answered("window", key) for key in accepted)
    # Where the server died before it could be asked, the command may stand: then whole, and with its answer.
    for key in unavailable:
        assert stored[key] == (2 if store.answered("window", key) else 0)
    store.close()


def test_readers_find_their_way_back_after_an_outage(own_server: PostgresServer) -> None:
    store = PostgresStore(create_database(own_server.dsn, "huiyin_outage"))
    write(store, "before")
    own_server.kill()
    with pytest.raises(Unavailable):
        store.load(SHARED)
    with pytest.raises(Unavailable):
        store.append(one(new_id()))
    own_server.start()
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline:
        try:
            assert len(store.load(SHARED)) == 1
        except Unavailable:
            continue
        break
    else:
        pytest.fail("the store did not come back within ten seconds")
    store.append(one(new_id()))
    store.close()


def test_a_mistake_of_ours_is_not_called_an_outage(tmp_path: Path, pg_database: str) -> None:
    for url in (str(tmp_path / "views.db"), pg_database):
        positions = StoredPositions(url)
        with (
            pytest.raises((sqlite3.IntegrityError, IntegrityError)),
            positions.transaction() as views,
        ):
            views.execute("INSERT INTO positions VALUES ('c', NULL)".replace("positions", table(url)))
        with pytest.raises(OSError, match="elsewhere"), positions.transaction():
            raise OSError("elsewhere")
        positions.close()


def table(url: str) -> str:
    return "views.positions" if url.startswith("postgresql") else "positions"


def test_a_file_of_a_newer_release_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "cases.db"
    SqliteStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ValueError, match="newer release"):
        SqliteStore(path)
