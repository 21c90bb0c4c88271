"""`huiyin log`, the doctor's word on it, and a log that comes back with its record: what an operator sees."""

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.engine import code_release, now, open_engine
from adapters.log import open_log
from adapters.log.keys import LOG_KEY, ed25519_verify, public_key
from adapters.log.role import opening_of, sealer_of
from adapters.log.sealer import BATCH, Ahead, Claim, nobody
from adapters.settings import Settings
from domain.log.notes import parse_note, verified
from domain.refusal import Refused
from tests.acceptance.shell import huiyin, told
from tests.contract.processes import ROOT
from tests.servers import free_port
from tests.story import DISTRICT, Story, eventful, story


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HUIYIN_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HUIYIN_DISTRICT", DISTRICT.code)
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{free_port()}")
    return tmp_path / "data"


@pytest.fixture
def tale(data: Path) -> Iterator[Story]:
    with story(data) as told:
        yield told


def seal(ahead: Ahead = nobody) -> None:
    """As the role does, until everything is sealed."""
    settings = Settings()
    engine, log = open_engine(settings), open_log(settings.log_url)
    try:
        sealer = sealer_of(settings, engine.store, log, opening_of(settings, code_release()), now, ahead)
        after = sealer.position()
        while batch := engine.store.read(after, BATCH):
            asyncio.run(sealer.take(batch))
            after = batch[-1].position
    finally:
        log.close()
        engine.close()


def doctor() -> dict[str, Any]:
    result = huiyin("doctor", "--no-temporal", "--json")
    found: dict[str, Any] = next(
        check for check in json.loads(result.stdout)["checks"] if check["name"] == "log"
    )
    return found


# -- the commands -----------------------------------------------------------------------------------------------------


def test_before_the_first_event_is_sealed_every_command_says_so(tale: Story) -> None:
    assert "not opened yet" in huiyin("log", "status").stdout
    assert huiyin("log", "head").exit_code == 3
    assert told("log", "check") == {"leaves": 0, "unsealed": True, "bad": None}
    assert doctor()["ok"] is None


def test_everything_that_happened_is_sealed_and_the_status_says_how_far(tale: Story) -> None:
    eventful(tale)
    seal()

    status = told("log", "status")

    stored = tale.engine.store.read(0, 100_000)
    assert (status["size"], status["behind"], status["trouble"]) == (len(stored) + 1, 0, None)
    assert status["signed"]["size"] == status["size"]
    assert "已全部封存 everything is sealed" in huiyin("log", "status").stdout
    assert (doctor()["ok"], doctor()["behind"]) == (True, 0)


def test_the_head_is_printed_as_the_note_that_it_is(tale: Story, data: Path) -> None:
    seal()

    printed = huiyin("log", "head").stdout

    assert verified(parse_note(printed), [public_key(data / "log-keys" / LOG_KEY)], ed25519_verify)
    assert huiyin("log", "head", "--size", "1").stdout.splitlines()[1] == "1"
    assert huiyin("log", "head", "--size", "999999").exit_code == 3
    assert huiyin("log", "head", "--cosigned").exit_code == 3
    assert huiyin("log", "head", "--cosigned", "--size", "1").exit_code == 2


def test_the_keys_to_hand_to_boards_are_the_same_before_and_after_the_opening(tale: Story) -> None:
    before = told("log", "key")
    seal()

    assert told("log", "key") == before
    assert huiyin("log", "key").stdout.splitlines() == list(before.values())
    assert "PRIVATE" not in huiyin("log", "key").stdout


def test_a_check_names_the_first_leaf_that_is_not_what_the_store_holds(tale: Story, data: Path) -> None:
    eventful(tale)
    seal()
    assert told("log", "check")["bad"] is None
    with sqlite3.connect(data / "cases.db") as connection:
        connection.execute("DELETE FROM stored_events WHERE rowid = 5")
    connection.close()

    found = told("log", "check", code=1)["bad"]

    assert (found["index"], found["code"], found["position"]) == (5, "event_missing", 5)
    assert "event_missing: leaf 5" in huiyin("log", "check").stderr


def test_what_stops_the_sealer_is_said_by_status_and_doctor(tale: Story, data: Path) -> None:
    seal()
    tale.engine.store.renew_epoch()
    with pytest.raises(Refused, match="store_epoch_differs"):
        seal()

    assert told("log", "status", code=1)["trouble"].startswith("store_epoch_differs: ")
    assert doctor()["said"].startswith("store_epoch_differs: ")


def test_the_doctor_sees_what_the_sealer_would_refuse_before_it_does(tale: Story, data: Path) -> None:
    seal()
    with sqlite3.connect(data / "cases.db") as connection:
        connection.execute(
            "UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), '\"backfill\":false', '\"backfill\":true')"
            " AS BLOB) WHERE rowid = (SELECT max(rowid) FROM stored_events)"
        )
    connection.close()

    assert doctor()["ok"] is False
    assert doctor()["said"].startswith("tail_differs: ")


def test_a_new_log_names_the_one_that_was_lost(
    tale: Story, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal()
    last = tmp_path / "last-head"
    last.write_text(huiyin("log", "head").stdout)
    assert told("log", "open", "--after", str(last), code=1)["code"] == "log_present"
    shutil.move(data / "log.db", tmp_path / "kept.db")
    assert told("log", "open", "--after", str(last), code=1)["code"] == "same_origin"
    monkeypatch.setenv("HUIYIN_LOG_ORIGIN", "huiyin.test/second")
    monkeypatch.setenv("HUIYIN_LOG_KEYS", str(tmp_path / "keys"))
    assert told("log", "open", "--after", str(last), code=1)["code"] == "signing_key_missing"
    told("init", code=1)  # an administrator is there already; the keys are made

    assert told("log", "open", "--after", str(last)) == {"origin": "huiyin.test/second", "size": 1}

    seal()
    log = open_log(str(data / "log.db"))
    assert b'"previous_origin":"huiyin.local/' in log.leaf(0)
    log.close()
    assert told("log", "check")["bad"] is None


# -- the role ---------------------------------------------------------------------------------------------------------


def test_the_role_seals_what_comes_and_ends_when_told_to(tale: Story, data: Path) -> None:
    role = subprocess.Popen(
        [sys.executable, "-m", "worker", "seal"], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    log = open_log(str(data / "log.db"))
    try:
        eventful(tale)
        deadline = time.monotonic() + 100
        while log.state().position != tale.engine.store.head():
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        role.send_signal(signal.SIGTERM)
        _, errors = role.communicate(timeout=100)
        log.close()
    assert role.returncode == 0
    assert "Traceback" not in errors


@pytest.mark.parametrize("mode", [0o644, None])
def test_the_role_does_not_start_with_a_key_that_others_read_or_that_is_gone(
    tale: Story, data: Path, mode: int | None
) -> None:
    key = data / "log-keys" / LOG_KEY
    key.unlink() if mode is None else key.chmod(mode)
    environment = {**os.environ, "HUIYIN_LOG_KEYS": str(data / "log-keys")}

    role = subprocess.run(
        [sys.executable, "-m", "worker", "seal"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip

    assert role.returncode == 1
    assert ("signing_key_missing" if mode is None else "signing_key_open") in role.stderr


# -- backup and restore -----------------------------------------------------------------------------------------------


def test_the_log_comes_back_with_its_record_and_goes_on(tale: Story, data: Path, tmp_path: Path) -> None:
    eventful(tale)
    seal()
    before = told("log", "status")
    assert huiyin("backup", str(tmp_path / "saved")).exit_code == 0
    tale.engine.close()
    for name in ("cases.db", "log.db"):
        (data / name).unlink()

    assert told("restore", str(tmp_path / "saved"))["log"] == f"{before['size']} leaves"

    seal()
    after = told("log", "status")
    assert (after["size"], after["signed"]["root"]) == (before["size"], before["signed"]["root"])
    assert told("log", "check")["bad"] is None


def test_keys_are_in_no_backup(tale: Story, tmp_path: Path) -> None:
    seal()
    huiyin("backup", str(tmp_path / "saved"))

    assert sorted(path.name for path in (tmp_path / "saved").rglob("*") if path.is_file()) == [
        "cases.db", "keys.db", "log.db", "manifest.json",
    ]  # fmt: skip


def test_what_was_stored_and_not_yet_sealed_at_the_backup_is_sealed_as_it_had_been(
    tale: Story, data: Path, tmp_path: Path
) -> None:
    seal()
    eventful(tale)
    assert huiyin("backup", str(tmp_path / "saved")).exit_code == 0
    seal()
    before = told("log", "status")
    tale.engine.close()

    told("restore", str(tmp_path / "saved"), "--replace")

    # The boards have cosigned what was sealed after the backup; the restored log has got there again by itself.
    seal(ahead=lambda state: ["board"] if state.size < before["size"] else [])
    assert told("log", "status")["signed"]["root"] == before["signed"]["root"]
    assert [path.name for path in data.glob("log.db.replaced-*")] != [], (
        "the log that stood there is evidence"
    )


def test_after_events_were_lost_a_witness_that_saw_them_stops_the_sealer(
    tale: Story, data: Path, tmp_path: Path
) -> None:
    seal()
    assert huiyin("backup", str(tmp_path / "saved")).exit_code == 0
    eventful(tale)
    seal()
    size = told("log", "status")["size"]
    tale.engine.close()
    told("restore", str(tmp_path / "saved"), "--replace")
    heads = told("log", "status")["signed"]

    with pytest.raises(Refused, match="witness_ahead"):
        seal(ahead=lambda state: [Claim("board", size, proved=True)] if state.size < size else [])

    assert told("log", "status", code=1)["signed"] == heads


def test_a_backup_without_a_log_leaves_the_log_in_place_and_says_what_is_wrong(
    tale: Story, data: Path, tmp_path: Path
) -> None:
    assert huiyin("backup", str(tmp_path / "saved")).exit_code == 0
    eventful(tale)
    seal()
    tale.engine.close()

    assert told("restore", str(tmp_path / "saved"), "--replace")["log"].startswith("log_ahead_of_store: ")

    assert doctor()["ok"] is False


def test_postgresql_backs_the_log_up_before_the_record(
    pg_database: str, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUIYIN_STORE", pg_database)

    lines = huiyin("backup", "saved").stdout.splitlines()

    schemas = [line.split("--schema=")[1].split()[0] for line in lines if "--schema=" in line]
    assert schemas == ["log", "cases", "attachments", "keys"]
