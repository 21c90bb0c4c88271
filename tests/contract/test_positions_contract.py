"""The port Positions over both databases: compare-and-set with the consumer's rows, one leader."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.store.positions import Connection, StoredPositions, position, save
from domain.refusal import Conflict, Unavailable
from tests.contract.processes import ROOT, killed_at

OpenPositions = Callable[[], StoredPositions]


@pytest.fixture
def positions_url(store_url: str) -> str:
    return store_url.replace("cases.db", "views.db")


@pytest.fixture
def positions_again(positions_url: str) -> Iterator[OpenPositions]:
    opened: list[StoredPositions] = []

    def again() -> StoredPositions:
        opened.append(StoredPositions(positions_url))
        return opened[-1]

    yield again
    for each in opened:
        each.close()


@pytest.fixture
def positions(positions_again: OpenPositions) -> StoredPositions:
    return positions_again()


def test_a_consumer_begins_at_zero(positions: StoredPositions) -> None:
    assert positions.position("views") == 0


def test_a_saved_position_is_seen_by_every_opener(
    positions: StoredPositions, positions_again: OpenPositions
) -> None:
    positions.save("views", 0, 500)
    positions.save("views", 500, 501)
    assert positions_again().position("views") == 501
    assert positions.position("sealer") == 0


@pytest.mark.parametrize("expected", [0, 99, 101])
def test_a_consumer_that_stands_elsewhere_is_not_moved(positions: StoredPositions, expected: int) -> None:
    positions.save("views", 0, 100)
    with pytest.raises(Conflict):
        positions.save("views", expected, 200)
    assert positions.position("views") == 100


def test_a_consumer_may_be_set_back_to_rebuild(positions: StoredPositions) -> None:
    positions.save("views", 0, 100)
    positions.save("views", 100, 0)
    assert positions.position("views") == 0


def rows(connection: Connection) -> list[object]:
    if isinstance(connection, sqlite3.Connection):
        return connection.execute("SELECT * FROM own_rows").fetchall()
    return list(connection.execute("SELECT * FROM own_rows").fetchall())


def insert_and_save(positions: StoredPositions, row: int, *, expected: int) -> None:
    with positions.transaction() as connection:
        connection.execute(f"INSERT INTO own_rows VALUES ({row})")
        save(connection, "views", expected, 20)


def test_rows_and_position_are_saved_together_or_not_at_all(positions: StoredPositions) -> None:
    with positions.transaction() as connection:
        connection.execute("CREATE TABLE own_rows (n INTEGER)")
        save(connection, "views", 0, 10)
    with pytest.raises(Conflict):
        insert_and_save(positions, 1, expected=0)
    with positions.transaction() as connection:
        assert rows(connection) == []
        assert position(connection, "views") == 10
    insert_and_save(positions, 2, expected=10)
    with positions.transaction() as connection:
        assert rows(connection) == [(2,)]


def test_a_consumer_has_one_leader_until_it_lets_go(
    positions: StoredPositions, positions_again: OpenPositions
) -> None:
    other = positions_again()
    with (
        positions.leader("views") as first,
        other.leader("views") as second,
        other.leader("sealer") as of_another,
    ):
        assert (first, second, of_another) == (True, False, True)
    with other.leader("views") as third:
        assert third


def test_the_lead_of_a_killed_leader_is_free(positions: StoredPositions, positions_url: str) -> None:
    script = (
        "import sys, time; from adapters.store.positions import StoredPositions;\n"
        "with StoredPositions(sys.argv[1]).leader('views') as leads: print(leads, flush=True); time.sleep(60)"
    )
    leader = subprocess.Popen(
        [sys.executable, "-c", script, positions_url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    assert leader.stdout is not None
    assert leader.stdout.readline() == "True\n"
    with positions.leader("views") as leads:
        assert not leads
    leader.kill()
    leader.communicate()
    until = time.monotonic() + 60  # PostgreSQL has to notice
    while time.monotonic() < until:
        with positions.leader("views") as leads:
            if leads:
                return
    pytest.fail("a dead leader still leads")


def test_a_consumers_name_is_no_path(positions: StoredPositions) -> None:
    with pytest.raises(ValueError, match="name"), positions.leader("../views"):
        pass


@pytest.mark.faults
def test_rows_are_not_there_when_their_writer_is_killed_after_it_saved_its_position(
    positions: StoredPositions, positions_url: str, tmp_path: Path
) -> None:
    positions.save("views", 0, 1)
    killed_at("positions.after_save", 1, tmp_path, "tests.contract.position_writer", positions_url)
    assert positions.position("views") == 1
    positions.save("views", 1, 2)


def test_views_that_cannot_be_reached_are_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        StoredPositions(str(tmp_path / "absent" / "views.db"))
    with pytest.raises(Unavailable):
        StoredPositions("postgresql://nobody@127.0.0.1:9/none")
