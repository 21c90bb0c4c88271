"""Files on their way in: of keeping one and letting go of it one has its way, for good."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from adapters.arriving import Arriving, still_arriving
from adapters.holding import holding
from adapters.pieces import PIECE, TABLES, Incoming, Pieces
from adapters.store.tables import Tables, open_tables
from domain.refusal import Unavailable


class Keys:
    """Who drops the key of an upload, and cannot the first time."""

    def __init__(self) -> None:
        self.tries = 0

    def drop(self, upload: str) -> None:
        self.tries += 1
        if self.tries == 1:
            raise Unavailable(f"the keys of {upload} are out of reach")


@pytest.fixture(params=("sqlite", "postgres"))
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    url: str = (
        request.getfixturevalue("pg_database") if request.param == "postgres" else str(tmp_path / "in.db")
    )
    return url


@pytest.fixture
def tables(where: str) -> Iterator[Tables]:
    with closing(open_tables(where, "arriving", TABLES)) as opened:
        yield opened


def test_what_was_let_go_of_by_half_is_never_kept_and_goes_later(where: str, tables: Tables) -> None:
    keys = Keys()
    arriving = Arriving(tables, holding(where, "arriving"), keys.drop)
    arriving.begin("one", 0)
    arriving.settle("one")  # its key cannot be dropped

    with pytest.raises(Unavailable), tables.transaction() as work:
        arriving.keep(work, "one")
    arriving.close()
    after = Arriving(tables, holding(where, "arriving"), keys.drop)
    after.tidy()
    after.close()

    assert tables.rows("SELECT * FROM pieces") == []
    assert keys.tries == 2


def coming(tables: Tables) -> Incoming:
    """The file "one", on its way in."""
    return Incoming(Pieces(tables), bytes(32), "one", 10 * PIECE, 0)


def test_a_piece_that_comes_after_its_upload_was_let_go_of_is_refused_and_leaves_nothing(
    where: str, tables: Tables
) -> None:
    """Another process took this one for gone."""
    arriving, file = Arriving(tables, holding(where, "arriving")), coming(tables)
    arriving.begin("one", 0)
    file.write(bytes(PIECE))
    arriving.settle("one")

    with pytest.raises(Unavailable):
        file.write(bytes(PIECE))
    with pytest.raises(Unavailable):
        file.end()

    arriving.close()
    assert tables.rows("SELECT * FROM pieces") == []


def test_whoever_lets_go_of_an_upload_waits_for_the_piece_that_is_being_kept(
    where: str, tables: Tables
) -> None:
    arriving = Arriving(tables, holding(where, "arriving"))
    arriving.begin("one", 0)

    with ThreadPoolExecutor(1) as thread:
        with tables.transaction() as work:
            still_arriving(work, "one")
            work.run("INSERT INTO pieces VALUES ('one', 'file', 0, 0, ?)", b"a piece")
            letting_go = thread.submit(arriving.settle, "one")
            time.sleep(0.2)
            assert not letting_go.done()
        letting_go.result(20)

    arriving.close()
    assert tables.rows("SELECT * FROM pieces") == []


def test_what_is_kept_is_let_go_of_by_nobody(where: str, tables: Tables) -> None:
    keys = Keys()
    arriving = Arriving(tables, holding(where, "arriving"), keys.drop)
    arriving.begin("one", 0)
    with tables.transaction() as work:
        arriving.keep(work, "one")

    arriving.settle("one")
    arriving.close()

    assert keys.tries == 0
