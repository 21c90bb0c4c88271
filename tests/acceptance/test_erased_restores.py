"""No backup brings back what was erased, locked or handed over: restores of older keys, of an older record, and of both."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.engine import Engine, now, open_engine
from adapters.keeper import Keeper
from adapters.log import open_log
from adapters.log.keys import make_log_keys
from adapters.log.role import opening_of, sealer_of
from adapters.settings import Settings
from adapters.store.positions import StoredPositions
from domain.matter import commands as do
from domain.refusal import Refused
from tests.acceptance.archivist import Office, kept_for_ever, simple, told_in
from tests.contract.log_world import seal_all
from tests.servers import PostgresServer, create_database
from tests.story import DISTRICT


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with told_in(tmp_path / "data", None) as tale:
        yield Office(tale, None)


def engine_of(office: Office) -> Engine:
    return open_engine(
        Settings(data=office.tale.engine.settings.data, store=office.dsn, district=DISTRICT.code)
    )


def states(office: Office, case: str, holder: str = "ordinary") -> set[str]:
    engine = engine_of(office)
    found = {value.state for value in engine.vault.open(case, holder=holder)}
    engine.close()
    return found


def backed_up(office: Office, folder: Path) -> Path:
    assert office.run("backup", str(folder)).exit_code == 0
    return folder


def lose(office: Office, *names: str) -> None:
    """As if the disk were gone."""
    office.tale.engine.close()
    for name in names:
        for path in office.tale.engine.settings.data.glob(f"{name}*"):
            path.unlink()


def restored(office: Office, folder: Path, *more: str) -> dict[str, Any]:
    result = office.run("restore", str(folder), "--replace", *more, "--json")
    assert result.exit_code == 0, result.output
    body: dict[str, Any] = json.loads(result.stdout)
    return body


def sealed(office: Office) -> None:
    """Seal all that there is, as the role `seal` does."""
    settings = office.tale.engine.settings
    if not settings.log_keys_folder.exists():
        make_log_keys(settings.log_keys_folder, settings.origin)
    log = open_log(settings.log_url)
    try:
        sealer = sealer_of(settings, office.tale.engine.store, log, opening_of(settings, "test"), now)
        seal_all(office.tale.engine.store, sealer, itertools.repeat(4096))
    finally:
        log.close()


def keys_of_another_day(folder: Path, older: Path) -> tuple[str, str]:
    """An operator who has only an older copy of the keys left beside a newer record."""
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["files"]["keys.db"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return "--keys", str(older / "keys")


def test_an_older_copy_of_the_keys_does_not_bring_an_erased_case_back(office: Office, tmp_path: Path) -> None:
    case = simple(office)
    early = backed_up(office, tmp_path / "early")
    office.erase(case)
    late = backed_up(office, tmp_path / "late")
    lose(office, "cases.db", "keys.db")

    done = restored(office, late, *keys_of_another_day(late, early))

    assert (done["erased"], done["locked"]) == (1, 0)
    assert states(office, case) == {"erased"}


def test_nor_one_person_of_a_case(office: Office, tmp_path: Path) -> None:
    other = office.tale.desk.resident()
    case = simple(office, other)
    early = backed_up(office, tmp_path / "early")
    office.erase(case, "--subject", other.person)
    late = backed_up(office, tmp_path / "late")
    lose(office, "cases.db", "keys.db")

    restored(office, late, *keys_of_another_day(late, early))

    engine = engine_of(office)
    found = {(value.subject == other.person, value.state) for value in engine.vault.open(case)}
    engine.close()
    assert found == {(True, "erased"), (False, "open")}


def test_what_was_locked_comes_back_locked(office: Office, tmp_path: Path) -> None:
    case = kept_for_ever(office)
    early = backed_up(office, tmp_path / "early")
    office.erase(case)
    late = backed_up(office, tmp_path / "late")
    lose(office, "cases.db", "keys.db")

    done = restored(office, late, *keys_of_another_day(late, early))

    assert (done["erased"], done["locked"]) == (0, 1)
    assert states(office, case) == {"locked"}


def test_a_lock_that_was_lifted_does_not_come_back_with_an_older_copy_of_the_keys(
    office: Office, tmp_path: Path
) -> None:
    case = kept_for_ever(office)
    office.erase(case)
    early = backed_up(office, tmp_path / "early")
    office.must("unlock", case, "--ground", "request_withdrawn")
    late = backed_up(office, tmp_path / "late")
    lose(office, "cases.db", "keys.db")

    done = restored(office, late, *keys_of_another_day(late, early))

    assert (done["locked"], done["unlocked"]) == (1, 1)
    assert states(office, case) == {"open"}


def test_a_record_from_before_a_lock_was_lifted_stays_locked(office: Office, tmp_path: Path) -> None:
    """Though keys and log know better: what the record says is what everybody goes by."""
    case = kept_for_ever(office)
    office.erase(case)
    office.tale.clock.at = now()
    sealed(office)
    early = backed_up(office, tmp_path / "early")
    office.must("unlock", case, "--ground", "request_withdrawn")
    office.tale.clock.at = now()
    sealed(office)
    lose(office, "cases.db")

    restored(office, early)

    engine = engine_of(office)
    state = engine.handle.load(case)
    engine.close()
    assert state is not None
    assert (state.shut(""), states(office, case)) == ("locked", {"locked"})


def test_an_older_record_beside_the_keys_in_place_brings_nothing_back(office: Office, tmp_path: Path) -> None:
    case, other = simple(office), kept_for_ever(office)
    early = backed_up(office, tmp_path / "early")
    office.erase(case)
    office.erase(other)
    office.tale.engine.close()

    done = restored(office, early)

    engine = engine_of(office)
    assert engine.handle.history(case)[-1].type == "matter_closed.v1"  # the record does not know of it
    engine.close()
    assert done["erased"] == 0
    assert (states(office, case), states(office, other)) == ({"erased"}, {"locked"})


def test_a_log_that_is_ahead_of_record_and_keys_is_heard(office: Office, tmp_path: Path) -> None:
    case, other, third = simple(office), kept_for_ever(office), simple(office)
    sealed(office)
    early = backed_up(office, tmp_path / "early")
    office.erase(case)
    office.erase(other)
    office.tale.clock.at = now()
    sealed(office)
    lose(office, "cases.db", "keys.db")

    done = restored(office, early)

    assert (done["erased"], done["locked"]) == (1, 1)
    assert (states(office, case), states(office, other)) == ({"erased"}, {"locked"})
    assert states(office, third) == {"open"}


def test_a_record_from_before_an_erasure_is_blinded_as_the_keys_and_the_log_know_of_it(
    office: Office, tmp_path: Path
) -> None:
    case, other, stays = simple(office), simple(office), simple(office)
    sealed(office)
    early = backed_up(office, tmp_path / "early")
    office.erase(case)
    office.tale.clock.at = now()
    sealed(office)
    office.erase(other)  # too late for the log: the keys in place alone know
    office.tale.engine.close()

    restored(office, early)

    found = {one: told_of(office, one) for one in (case, other, stays)}
    assert (found[case], found[other]) == ({""}, {""})
    assert "" not in found[stays]


def told_of(office: Office, case: str) -> set[str]:
    """What the rows of a case's commands still hold of what was sent."""
    file = sqlite3.connect(office.tale.engine.settings.store_url)
    found = {row[0] for row in file.execute("SELECT digest FROM commands WHERE stream = ?", (case,))}
    file.close()
    return found


def test_a_case_that_was_diverted_after_the_backup_stays_with_discipline_inspection(
    office: Office, tmp_path: Path
) -> None:
    case = office.tale.scene.opened("FW-01", office.tale.desk.resident())
    sealed(office)
    early = backed_up(office, tmp_path / "early")
    intake = office.tale.scene.actor(office.tale.scene.community, "intake_officer")
    office.tale.desk.must(case, intake, do.DivertMatter(to="discipline"))
    sealed(office)
    lose(office, "cases.db", "keys.db")

    done = restored(office, early)

    assert done["diverted"] == 1
    assert (states(office, case), states(office, case, "discipline")) == ({"erased"}, {"open"})


def test_a_restore_that_is_done_twice_does_the_same(office: Office, tmp_path: Path) -> None:
    case = simple(office)
    office.erase(case)
    saved = backed_up(office, tmp_path / "saved")
    office.tale.engine.close()

    first, second = restored(office, saved), restored(office, saved)

    assert (first["erased"], second["erased"]) == (1, 1)
    assert states(office, case) == {"erased"}


def test_an_erased_person_is_not_collected_again_after_a_restore(office: Office, tmp_path: Path) -> None:
    other = office.tale.desk.resident()
    case = simple(office, other)
    early = backed_up(office, tmp_path / "early")
    office.erase(case, "--subject", other.person)
    office.tale.engine.close()
    restored(office, early)

    engine = engine_of(office)
    with pytest.raises(Refused) as refusal:
        engine.vault.seal(case, other.person, "contact", "13900000000")
    assert refusal.value.code == "erased"
    engine.close()


def test_an_older_key_file_put_back_by_hand_opens_nothing_erased(office: Office, tmp_path: Path) -> None:
    case, stays = simple(office), simple(office)
    early = backed_up(office, tmp_path / "early")
    office.erase(case)
    heard(office)
    lose(office, "keys.db")
    shutil.copyfile(early / "keys" / "keys.db", office.tale.engine.settings.data / "keys.db")

    assert states(office, case) == {"erased"}
    assert states(office, stays) == {"open"}


def heard(office: Office) -> None:
    """The keeper has heard everything, so that the keys in place know that they miss nothing."""
    engine = office.tale.engine
    positions = StoredPositions(engine.settings.views_url)
    keeper = Keeper(engine.store, engine.keys, positions)
    asyncio.run(keeper.take(engine.store.read(keeper.position(), 5000)))
    positions.close()
    assert engine.keys.kept_up_to(engine.store.epoch()) == engine.store.head()


# -- PostgreSQL's own programs ----------------------------------------------------------------------------------------


def program(server: PostgresServer, name: str, *arguments: str) -> None:
    done = subprocess.run(
        [str(server._bin / name), *arguments], env=dict(os.environ), capture_output=True, text=True, check=False,
        timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_keys_that_postgres_restored_from_an_older_dump_are_destroyed_again(tmp_path: Path) -> None:
    with PostgresServer() as server:
        dsn, dump = create_database(server.dsn, "huiyin_restore"), str(tmp_path / "keys.dump")
        with told_in(tmp_path / "data", dsn) as tale:
            office = Office(tale, dsn)
            erased, locked, stays = simple(office), kept_for_ever(office), simple(office)
            program(server, "pg_dump", "--format=custom", "--schema=keys", "--file", dump, dsn)
            office.erase(erased)
            office.erase(locked)
            tale.engine.close()
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute("DROP SCHEMA keys CASCADE")
            program(server, "pg_restore", "--dbname", dsn, dump)
            assert (states(office, erased), states(office, locked)) == ({"erased"}, {"locked"})

            result = office.run("restore", "--after-external", "--json")

            done = json.loads(result.stdout)
            assert (done["erased"], done["locked"]) == (1, 1)
            assert (states(office, erased), states(office, locked)) == ({"erased"}, {"locked"})
            assert states(office, stays) == {"open"}
