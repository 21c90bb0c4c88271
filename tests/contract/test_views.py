"""The read models over both databases: the same rows however they were made, and nothing of a hidden case."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.demo import lives, turns
from adapters.demo.scene import blown
from adapters.store.positions import StoredPositions
from adapters.views import Views
from adapters.views.schema import TABLES
from domain.matter.commands import AcceptMatter, DivertMatter
from domain.refusal import Conflict, Refused
from tests.story import LIVES, Story, eventful, story


@pytest.fixture(params=("sqlite", "postgres"))
def views_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "views.db")
    dsn: str = request.getfixturevalue("pg_database")
    return dsn


@pytest.fixture
def tale(tmp_path: Path) -> Iterator[Story]:
    with story(tmp_path / "data") as told:
        yield told


@pytest.fixture
def views(tale: Story, views_url: str) -> Iterator[Views]:
    opened = Views(views_url, tale.engine.store)
    yield opened
    opened.close()


def everything(views: Views) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, in the order of their keys."""
    return {t.name: views.reader.rows(f"SELECT * FROM {t.name} ORDER BY {t.key}") for t in TABLES}


def play(tale: Story) -> None:
    eventful(tale)
    for life in (*LIVES, lives.late_whistle, lives.disputed, lives.extended):
        life(tale.scene)
        tale.clock.turn(30)
        for case in tale.scene.cases[-2:]:
            tale.steps(case)


def test_rows_made_bit_by_bit_equal_rows_built_at_once(tale: Story, views: Views) -> None:
    play(tale)
    after = views.position()
    while batch := tale.engine.store.read(after, 7):
        views.take_now(batch)
        after = batch[-1].position
    bit_by_bit = everything(views)

    views.rebuild()

    assert everything(views) == bit_by_bit
    assert all(
        bit_by_bit[name] for name in ("facts", "cases", "clocks", "legs", "work", "numbers", "notices")
    )


def test_a_batch_that_comes_twice_is_refused_and_adds_nothing(tale: Story, views: Views) -> None:
    eventful(tale)
    after = views.position()
    batch = tale.engine.store.read(after, 5000)
    views.take_now(batch)
    before = everything(views)
    views._at = after  # as a process that has not learnt of its own success

    with pytest.raises(Conflict):
        views.take_now(batch)

    assert everything(views) == before


def test_a_kill_between_rows_and_position_leaves_no_double(
    tale: Story, views: Views, views_url: str, tmp_path: Path
) -> None:
    eventful(tale)
    killed = tmp_path / "killed"
    code = (
        "from pathlib import Path\nfrom adapters.store import open_store\nfrom adapters.views import Views\n"
        f"Views({views_url!r}, open_store({tale.engine.settings.store_url!r})).catch_up()"
    )
    environment = {
        "PATH": "/usr/bin:/bin",
        "HUIYIN_FAILPOINT": "positions.after_save",
        "HUIYIN_FAILPOINT_MARKER": str(killed),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=Path(__file__).parents[2], check=False
    )
    assert (done.returncode, killed.exists()) == (-9, True)
    assert (views.position(), views.reader.rows("SELECT * FROM facts")) == (0, [])

    views.catch_up()

    caught_up = everything(views)
    views.rebuild()
    assert everything(views) == caught_up
    assert views.position() == tale.engine.store.head()


def test_a_diverted_case_leaves_every_table(tale: Story, views: Views) -> None:
    case = tale.scene.opened("FW-01", tale.desk.resident())
    views.catch_up()
    assert views.reader.case(case) is not None
    officer = tale.scene.actor(tale.scene.community, "intake_officer")
    tale.desk.must(case, officer, DivertMatter(to="discipline"))
    assert not tale.desk.do(
        case, officer, DivertMatter(to="discipline")
    ).accepted  # a refusal names the case too

    views.catch_up()

    assert case not in str(everything(views))


def test_an_accusation_never_comes_into_a_table(tale: Story, views: Views) -> None:
    turns.accusation(tale.scene)

    views.catch_up()

    assert tale.scene.cases[-1] not in str(everything(views))


def test_a_refusal_is_found_by_its_case(tale: Story, views: Views) -> None:
    case = eventful(tale)
    officer = tale.scene.actor(tale.scene.community, "intake_officer")
    answer = tale.desk.do(case, officer, AcceptMatter())
    assert not answer.accepted

    views.catch_up()

    (row,) = views.reader.rows("SELECT * FROM refusals WHERE case_id = ?", case)
    assert (row["command"], row["code"], row["body"]) == (
        "accept_matter",
        "wrong_state",
        tale.scene.community,
    )


def test_no_sealed_text_comes_into_a_table(tale: Story, views: Views) -> None:
    play(tale)

    views.catch_up()

    sealed = ("居民甲", "13800000000", "楼道墙体开裂", "现场照片", "没有解决", "纳入明年计划")
    assert [text for text in sealed if text in str(everything(views))] == []


def test_another_life_of_the_store_has_the_tables_built_anew(tale: Story, views: Views) -> None:
    eventful(tale)
    views.catch_up()
    before = views.reader.rows("SELECT * FROM generations")
    epoch = tale.engine.store.renew_epoch()

    views.position()

    (after,) = views.reader.rows("SELECT * FROM generations")
    assert (after["epoch"], after["generation"]) == (epoch, before[0]["generation"] + 1)


def test_who_followed_before_a_rebuild_goes_on_after_it(tale: Story, views: Views, views_url: str) -> None:
    eventful(tale)
    views.catch_up()
    other = Views(views_url, tale.engine.store)
    other.rebuild()
    case = tale.scene.opened("FW-01", tale.desk.resident())

    with pytest.raises(Conflict):
        asyncio.run(views.take(tale.engine.store.read(views._at, 500)))
    views.catch_up()

    assert views.reader.case(case) is not None
    other.close()


def test_two_rebuilds_do_not_run_at_once(views: Views, views_url: str) -> None:
    positions = StoredPositions(views_url)
    with positions.leader("views-build") as leads:
        assert leads

        with pytest.raises(Refused) as refused:
            views.rebuild()

    positions.close()
    assert refused.value.code == "rebuild_running"


def test_progress_goes_up_to_the_last_event(tale: Story, views: Views) -> None:
    eventful(tale)
    told: list[tuple[int, int]] = []

    count = views.rebuild(lambda done, total: told.append((done, total)))

    assert told[-1] == (tale.engine.store.head(),) * 2
    assert count == len(views.reader.rows("SELECT position FROM facts"))


def test_work_lists_say_who_is_next_and_by_when(tale: Story, views: Views) -> None:
    case = tale.scene.opened("FW-01", tale.desk.resident())
    legs = blown(tale.scene, case, ("dept-housing",))

    views.catch_up()

    housing = views.reader.work("dept-housing", "department")
    state = tale.engine.handle.load(case)
    assert state is not None
    due = {item["act"]: item["due"] for item in housing}
    assert set(due) == {"acknowledge", "contact", "check_in"}
    acknowledge = state.clocks[f"{legs['dept-housing']}/acknowledge"]
    assert due["acknowledge"] == int(acknowledge.due.timestamp() * 1_000_000)
    assert views.reader.work("dept-housing", "department", "leader") == housing
    assert views.reader.work("dept-housing", "department", "archivist") == []


def test_lateness_stands_in_legs_and_clocks(tale: Story, views: Views) -> None:
    case = eventful(tale)

    views.catch_up()

    (leg,) = views.reader.rows("SELECT * FROM legs WHERE case_id = ? AND body = 'organ-urban'", case)
    (clock,) = views.reader.rows("SELECT * FROM clocks WHERE leg = ? AND stage = 'check_in'", leg["leg"])
    assert 5_000_000 <= clock["stopped"] - clock["due"] < 5_100_000
    assert leg["missed"] == 2  # first contact, and the check-in
    assert leg["checked_in_at"] > leg["check_in_due"]
