"""The index of likenesses over both databases: what is found, in which order, and that it dies with its keys."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from adapters.duplicates.features import Features, features_of
from adapters.duplicates.index import Block, Entry, Index, open_index
from adapters.store.tables import open_tables
from adapters.vault import open_keys
from adapters.vault.keys import Keys
from adapters.vault.masters import create_masters
from domain.refusal import Conflict, Unavailable
from tests.acceptance.canary import fresh_mark, fresh_signs, search

HERE = Block(("com-01", ""), "grid-1", ("request", "hazard"), 100)


@pytest.fixture
def url(store_url: str) -> str:
    return store_url.replace("cases.db", "keys.db")


@pytest.fixture
def keys(url: str, tmp_path: Path) -> Iterator[Keys]:
    create_masters(tmp_path / "masters")
    made = open_keys(url, tmp_path / "masters")
    yield made
    made.close()


@pytest.fixture
def index(url: str, keys: Keys) -> Iterator[Index]:
    made = open_index(url, keys)
    yield made
    made.close()


def entry(keys: Keys, *, host: str = "com-01", grid: str = "", kind: str = "request", at: int = 200) -> Entry:
    made = Entry(str(uuid4()), str(uuid4()), host, grid, kind, None, at)
    keys.create([(made.stream, made.subject)])
    return made


def streams(index: Index, block: Block = HERE) -> list[str]:
    return [found.stream for found, _ in index.near(block, "")[0]]


def test_what_was_put_in_comes_back_as_it_was(keys: Keys, index: Index) -> None:
    one, features = entry(keys), features_of("锦绣家园三号楼电梯坏了", "锦绣路18号")

    assert index.put([(one, features)]) == 1
    assert index.of(one.stream) == (one, features)
    assert index.near(HERE, "") == ([(one, features)], False)
    assert index.held([one.stream, "other"]) == {one.stream}


def test_a_matter_is_put_in_once(keys: Keys, index: Index) -> None:
    one = entry(keys)

    assert [index.put([(one, Features("甲"))]), index.put([(one, Features("乙"))])] == [1, 0]
    assert index.of(one.stream) == (one, Features("甲"))


def test_a_block_holds_its_hosts_kinds_and_weeks_its_own_grid_first(keys: Keys, index: Index) -> None:
    wanted = [
        entry(keys, grid="grid-1", at=150), entry(keys, grid="grid-1", at=101), entry(keys, at=400),
        entry(keys, host="", kind="hazard", at=300), entry(keys, grid="grid-2", at=200),
    ]  # fmt: skip
    others = [entry(keys, host="com-02", at=250), entry(keys, kind="task"), entry(keys, at=99)]
    index.put([(one, Features("甲")) for one in [*others, *reversed(wanted)]])

    assert streams(index) == [one.stream for one in wanted]
    anywhere = [*wanted[:4], others[0], wanted[4]]
    assert streams(index, HERE._replace(hosts=())) == [one.stream for one in anywhere]
    assert wanted[0].stream not in [found.stream for found, _ in index.near(HERE, wanted[0].stream)[0]]


@pytest.mark.parametrize(
    "away",
    [Keys.destroy, Keys.lock, lambda keys, stream: keys.rewrap(stream, "discipline")],
    ids=["destroyed", "locked", "handed over"],
)
def test_a_row_opens_no_more_from_the_moment_its_key_is_gone(
    keys: Keys, index: Index, away: Callable[[Keys, str], object]
) -> None:
    one, other = entry(keys), entry(keys)
    index.put([(each, Features("甲")) for each in (one, other)])

    away(keys, one.stream)

    assert index.of(one.stream) is None
    assert streams(index) == [other.stream]


def test_nothing_is_put_in_for_whom_no_key_is_at_hand(keys: Keys, index: Index) -> None:
    gone, never = entry(keys), Entry(str(uuid4()), str(uuid4()), "com-01", "", "request", None, 200)
    keys.destroy(gone.stream)

    assert index.put([(gone, Features("甲")), (never, Features("乙"))]) == 0
    assert keys.key(never.stream, never.subject) is None


def test_a_row_moved_to_another_matter_opens_nothing(
    keys: Keys, index: Index, url: str, tmp_path: Path
) -> None:
    one, other = entry(keys), entry(keys)
    index.put([(one, Features("甲")), (other, Features("乙"))])

    with index._tables.transaction() as work:
        work.run(
            "UPDATE likeness SET features = (SELECT features FROM likeness WHERE stream = ?) WHERE stream = ?",
            other.stream, one.stream,
        )  # fmt: skip

    assert index.of(one.stream) is None
    assert index.of(other.stream) is not None


def test_what_is_dropped_is_gone(keys: Keys, index: Index) -> None:
    one = entry(keys)
    index.put([(one, Features("甲"))])

    index.drop([one.stream, "unknown"])

    assert index.held([one.stream]) == set()


def test_nothing_in_its_rows_can_be_read(
    keys: Keys, index: Index, url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    marks = (fresh_mark(), fresh_signs())
    index.put([(entry(keys), features_of(f"{marks[1]}小区3栋{marks[0]}", f"{marks[1]}路{marks[0]}号"))])
    dump = tmp_path / "dump"
    if url.startswith("postgresql"):
        with psycopg.connect(url) as connection:
            (rows,) = connection.execute("SELECT json_agg(l) FROM likeness.likeness AS l").fetchone() or ([],)
        dump.write_bytes(
            repr([{**row, "features": bytes.fromhex(row["features"][2:])} for row in rows]).encode()
        )
        files = [dump]
    else:
        files = list(tmp_path.glob("likeness.db*"))

    assert files
    assert search([*marks, marks[0][6:16], marks[1][:4], marks[1][4:8]], files) == set()


def test_it_says_how_far_it_has_come_in_this_life_of_the_store_and_is_empty_in_another(
    keys: Keys, index: Index
) -> None:
    one = entry(keys)
    index.put([(one, Features("甲"))])
    assert index.reached("first") == 0
    assert index.held([one.stream]) == {one.stream}
    index.move("first", 0, 7)
    assert index.reached("first") == 7
    with pytest.raises(Conflict):
        index.move("first", 0, 9)

    assert index.reached("second") == 0
    assert index.held([one.stream]) == set()


def test_more_than_can_be_compared_is_said(keys: Keys, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.duplicates.index.MOST_COMPARED", 3)
    rows = [entry(keys, grid=grid, at=at) for at, grid in enumerate(["grid-1", "grid-1", "", "", ""], 101)]
    index.put([(one, Features("甲")) for one in rows])

    found, more = index.near(HERE, "")

    assert more is True
    assert [one.stream for one, _ in found] == [rows[1].stream, rows[0].stream, rows[4].stream]


def test_out_of_reach_is_said(tmp_path: Path, keys: Keys) -> None:
    (tmp_path / "likeness.db").write_bytes(b"this is no database" * 500)

    with pytest.raises(Unavailable):
        open_index(str(tmp_path / "keys.db"), keys)


@pytest.mark.parametrize("flushed", [True, False])
def test_only_what_is_made_again_does_not_wait_for_the_disk(url: str, flushed: bool) -> None:
    postgres = url.startswith("postgresql")
    where = url if postgres else str(Path(url.removeprefix("sqlite:///")).with_name("probe.db"))
    with closing(open_tables(where, "probe", (), flushed=flushed)) as tables, tables.transaction() as work:
        ((said,),) = work.rows("SHOW synchronous_commit" if postgres else "PRAGMA synchronous")

    assert said == (("on" if flushed else "off") if postgres else (2 if flushed else 1))


def test_the_index_waits_for_no_disk(url: str, index: Index) -> None:
    postgres = url.startswith("postgresql")
    with index._tables.transaction() as work:
        ((said,),) = work.rows("SHOW synchronous_commit" if postgres else "PRAGMA synchronous")

    assert said == ("off" if postgres else 1)
