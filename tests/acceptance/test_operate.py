"""`huiyin doctor|rebuild|backup|restore`: what an operator sees, and what a restore must not bring back."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.engine import Engine, open_engine
from adapters.keeper import Keeper
from adapters.settings import Settings
from adapters.store.positions import StoredPositions
from adapters.views import Views
from domain.matter.commands import DivertMatter
from tests.acceptance.shell import huiyin, told
from tests.servers import TemporalServer, free_port
from tests.story import DISTRICT, Story, eventful, story


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HUIYIN_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{free_port()}")
    return tmp_path / "data"


@pytest.fixture
def tale(data: Path) -> Iterator[Story]:
    with story(data) as told:
        yield told


def engine_of(data: Path) -> Engine:
    return open_engine(Settings(data=data, district=DISTRICT.code))


def lose(data: Path, *names: str) -> None:
    """As if the disk were gone."""
    for name in names:
        for path in data.glob(f"{name}*"):
            path.unlink()


# -- doctor and rebuild -----------------------------------------------------------------------------------------------


def checked(code: int) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in told("doctor", code=code)["checks"]}


def test_the_doctor_says_what_is_reachable_and_how_far_each_consumer_is_behind(
    tale: Story, data: Path
) -> None:
    views = Views(str(data / "views.db"), tale.engine.store)
    views.catch_up()
    views.close()
    case = eventful(tale)

    found = checked(code=1)

    assert (found["store"]["ok"], found["keys"]["ok"], found["views"]["ok"]) == (True, True, True)
    assert found["store"]["head"] == tale.engine.store.head()
    state = tale.engine.handle.load(case)
    assert state is not None
    assert found["consumer views"]["behind"] == state.version
    assert (found["temporal"]["ok"], found["processes"]["ok"]) == (False, None)


def test_the_doctor_is_content_where_nothing_is_wrong(tale: Story, data: Path) -> None:
    views = Views(str(data / "views.db"), tale.engine.store)
    views.catch_up()
    views.close()

    assert told("doctor", "--no-temporal")["well"] is True


def test_a_rebuild_says_how_many_events_it_read(tale: Story) -> None:
    eventful(tale)

    assert told("rebuild")["count"] == len(tale.engine.store.read(0, 5000))


def test_an_open_case_without_a_process_is_named_and_brought_up(
    tale: Story, temporal_server: TemporalServer, temporal_namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_server.address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", temporal_namespace)
    case = tale.desk.registers(tale.desk.resident(), "FW-01", tale.scene.community)
    assert checked(code=1)["processes"]["cases"] == [case]

    assert told("rebuild", "--processes")["count"] == 1

    asyncio.run(_seen_running(case))


async def _seen_running(case: str) -> None:
    """Temporal's list of running processes lags a little."""
    async with asyncio.timeout(100):
        while True:
            result = await asyncio.to_thread(huiyin, "doctor", "--json")
            processes = [one for one in json.loads(result.stdout)["checks"] if one["name"] == "processes"]
            if processes[0]["ok"]:
                return
            await asyncio.sleep(0.2)


# -- backup and restore -----------------------------------------------------------------------------------------------


def test_a_restored_store_has_every_event_and_value_and_a_new_life(
    tale: Story, data: Path, tmp_path: Path
) -> None:
    case = eventful(tale)
    before = tale.engine.handle.history(case)
    epoch = tale.engine.store.epoch()
    assert huiyin("backup", str(tmp_path / "saved")).exit_code == 0
    tale.engine.close()
    lose(data, "cases.db", "keys.db")

    done = told("restore", str(tmp_path / "saved"))

    engine = engine_of(data)
    assert engine.handle.history(case) == before
    assert {value.state for value in engine.vault.open(case)} == {"open"}
    assert engine.store.epoch() == done["epoch"] != epoch
    engine.close()


def test_the_keys_lie_apart_from_the_record(tale: Story, tmp_path: Path) -> None:
    eventful(tale)

    huiyin("backup", str(tmp_path / "saved"), "--keys", str(tmp_path / "elsewhere"))

    assert sorted(path.name for path in (tmp_path / "saved").iterdir()) == ["cases.db", "manifest.json"]
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["keys.db"]
    assert not list(tmp_path.glob("saved/**/master*"))


def test_an_erased_person_stays_erased_after_a_restore_of_the_record(
    tale: Story, data: Path, tmp_path: Path
) -> None:
    case = eventful(tale)
    huiyin("backup", str(tmp_path / "saved"))
    state = tale.engine.handle.load(case)
    assert state is not None
    (resident,) = state.requesters
    assert tale.engine.keys.destroy(case, resident) == 1
    tale.engine.close()

    told("restore", str(tmp_path / "saved"), "--replace")

    engine = engine_of(data)
    states = {value.name: value.state for value in engine.vault.open(case) if value.subject == resident}
    assert set(states.values()) == {"erased"}
    engine.close()


def test_a_key_that_the_backup_knows_as_destroyed_is_destroyed_in_place(
    tale: Story, data: Path, tmp_path: Path
) -> None:
    case = eventful(tale)
    state = tale.engine.handle.load(case)
    assert state is not None
    (resident,) = state.requesters
    key = tale.engine.keys.key(case, resident)
    assert key is not None
    huiyin("backup", str(tmp_path / "early"))
    tale.engine.keys.destroy(case, resident)
    huiyin("backup", str(tmp_path / "late"))
    tale.engine.close()
    lose(data, "cases.db", "keys.db")
    told("restore", str(tmp_path / "early"))

    told("restore", str(tmp_path / "late"), "--replace")

    engine = engine_of(data)
    assert engine.keys.key(case, resident) is None
    engine.close()


def test_a_diverted_case_stays_with_discipline_inspection(tale: Story, data: Path, tmp_path: Path) -> None:
    case = tale.scene.opened("FW-01", tale.desk.resident())
    huiyin("backup", str(tmp_path / "early"))
    tale.desk.must(
        case, tale.scene.actor(tale.scene.community, "intake_officer"), DivertMatter(to="discipline")
    )
    huiyin("backup", str(tmp_path / "late"))
    tale.engine.close()
    lose(data, "cases.db", "keys.db")

    done = told("restore", str(tmp_path / "late"), "--keys", str(tmp_path / "early" / "keys"), code=1)
    assert done["code"] == "backup_damaged"  # keys of another moment than the manifest speaks of
    manifest = json.loads((tmp_path / "late" / "manifest.json").read_text())
    del manifest["files"]["keys.db"]
    (tmp_path / "late" / "manifest.json").write_text(json.dumps(manifest))
    done = told("restore", str(tmp_path / "late"), "--keys", str(tmp_path / "early" / "keys"))

    engine = engine_of(data)
    assert done["diverted"] == 1
    assert {value.state for value in engine.vault.open(case)} == {"erased"}
    assert {value.state for value in engine.vault.open(case, holder="discipline")} == {"open"}
    engine.close()


def test_every_consumer_begins_again_in_the_new_life(tale: Story, data: Path, tmp_path: Path) -> None:
    case = eventful(tale)
    huiyin("backup", str(tmp_path / "saved"))
    later = tale.scene.opened("FW-01", tale.desk.resident())
    views = Views(str(data / "views.db"), tale.engine.store)
    keeper = Keeper(tale.engine.store, tale.engine.keys, views.positions)
    keeper.position()
    asyncio.run(keeper.take(tale.engine.store.read(0, 5000)))
    views.catch_up()
    views.close()
    tale.engine.close()

    told("restore", str(tmp_path / "saved"), "--replace")

    engine, positions = engine_of(data), StoredPositions(str(data / "views.db"))
    assert positions.position("keeper") == 0
    views = Views(str(data / "views.db"), engine.store, positions)
    views.catch_up()
    assert views.reader.case(case) is not None
    assert views.reader.case(later) is None
    views.close()
    engine.close()


def test_a_backup_is_taken_while_others_write(tale: Story, tmp_path: Path) -> None:
    case = eventful(tale)
    with sqlite3.connect(f"file:{tale.engine.settings.store_url}?mode=ro", uri=True) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM stored_events").fetchone()

        manifest = told("backup", str(tmp_path / "saved"))

    reader.close()
    assert manifest["head"] == tale.engine.store.head()
    assert tale.scene.opened("FW-01", tale.desk.resident()) != case


@pytest.mark.parametrize("part", ["cases.db", "manifest.json"])
def test_a_damaged_backup_is_refused_and_nothing_is_touched(
    tale: Story, data: Path, tmp_path: Path, part: str
) -> None:
    case = eventful(tale)
    huiyin("backup", str(tmp_path / "saved"))
    with (tmp_path / "saved" / part).open("r+b") as file:
        file.write(b"\0damaged\0")
    tale.engine.close()

    assert told("restore", str(tmp_path / "saved"), "--replace", code=1)["code"] == "backup_damaged"

    engine = engine_of(data)
    assert engine.handle.load(case) is not None
    engine.close()


def test_a_record_in_place_is_set_aside_only_when_told_to(tale: Story, data: Path, tmp_path: Path) -> None:
    eventful(tale)
    huiyin("backup", str(tmp_path / "saved"))
    tale.engine.close()
    assert told("restore", str(tmp_path / "saved"), code=1)["code"] == "data_present"

    done = told("restore", str(tmp_path / "saved"), "--replace")

    assert (data / done["replaced"]).exists()


def test_nothing_is_restored_under_a_running_role(tale: Story, data: Path, tmp_path: Path) -> None:
    eventful(tale)
    huiyin("backup", str(tmp_path / "saved"))
    tale.engine.close()
    positions = StoredPositions(str(data / "views.db"))
    with positions.leader("views") as leads:
        assert leads

        assert told("restore", str(tmp_path / "saved"), "--replace", code=1)["code"] == "still_running"

    positions.close()


def test_nothing_is_restored_under_a_program_that_has_the_record_open(tale: Story, tmp_path: Path) -> None:
    eventful(tale)
    huiyin("backup", str(tmp_path / "saved"))

    assert told("restore", str(tmp_path / "saved"), "--replace", code=1)["code"] == "still_running"


def test_a_backup_goes_into_a_new_folder(tale: Story, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "something").write_text("of somebody's")

    assert told("backup", str(tmp_path / "full"), code=1)["code"] == "folder_not_empty"


def test_postgresql_is_backed_up_by_its_own_commands(
    pg_database: str, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUIYIN_STORE", pg_database)

    result = huiyin("backup", "saved")

    assert result.exit_code == 0
    assert 'pg_dump --format=custom --schema=cases --file saved/cases.dump "$HUIYIN_STORE"' in result.stdout
    assert pg_database not in result.stdout


def test_after_postgresql_restored_itself_the_store_begins_a_new_life(
    pg_database: str, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUIYIN_STORE", pg_database)
    engine = open_engine(Settings())
    epoch = engine.store.epoch()

    done = told("restore", "--after-external")

    assert engine.store.epoch() == done["epoch"] != epoch
    engine.close()
