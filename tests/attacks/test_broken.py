"""What is broken rather than forged: lines, rows, a full disk. A named error, and never a second head."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from adapters.cli import exits
from adapters.log.sealer import TROUBLE
from domain.log.words import LOG
from domain.refusal import Refused
from tests.attacks.test_bundles import rezipped
from tests.attacks.world import ROOT, Board, Office
from tests.contract.board_world import WitnessProcess
from workflows.rooms import REGISTER

both = pytest.mark.parametrize("trail", ["sqlite", "postgres"], indirect=True)


# -- signatures -------------------------------------------------------------------------------------------------------


def test_one_boards_line_many_times_is_no_quorum(office: Office, board: Board, tmp_path: Path) -> None:
    audit, *others = (re.escape(one.vkey.name) for one in office.boards)

    def changed(members: dict[str, bytes]) -> None:
        note = members["log/checkpoint"].decode()
        for name in others:
            note = re.sub(f"— {name} .*\n", "", note)
        (line,) = re.findall(f"— {audit} .*\n", note)
        members["log/checkpoint"] = (note + line * 6).encode()

    bundle = rezipped(office.bundle(tmp_path / "1.zip"), tmp_path / "2.zip", changed)

    assert board.verify(bundle).faults == {"quorum_missing"}


def test_lines_of_keys_that_nobody_knows_change_nothing(office: Office, board: Board, tmp_path: Path) -> None:
    def changed(members: dict[str, bytes]) -> None:
        members["log/checkpoint"] += "— stranger.test/w AAAAAAAAAAAAAAAA\n".encode() * 3

    bundle = rezipped(office.bundle(tmp_path / "1.zip"), tmp_path / "2.zip", changed)

    assert board.verify(bundle).exit == 0


def test_a_bundle_judged_by_another_logs_policy_has_no_signature_at_all(
    office: Office, board: Board, rooms: list[Path], tmp_path: Path
) -> None:
    board.policy = board.policy.replace(str(office.log_key), (rooms[-1] / "log.pub").read_text().strip())

    report = board.verify(office.bundle(tmp_path / "1.zip"))

    assert "log_signature_missing" in report.faults
    assert not report.said["state_saved"]


# -- rows that no sealer may seal -------------------------------------------------------------------------------------


def refuses_to_seal(office: Office) -> Refused:
    """Nothing is sealed or signed, and the doctor is told."""
    with office.log() as log:
        before = log.state(), log.heads()
    with pytest.raises(Refused) as refused:
        office.seals()
    with office.log() as log:
        assert (log.state(), log.heads()) == before
        assert (log.meta(TROUBLE) or "").startswith(f"{refused.value.code}: ")
    return refused.value


@both
def test_an_event_too_long_for_an_entry_is_refused_by_name(office: Office) -> None:
    """65,535 bytes are the most that an entry bundle can hold (C2SP tlog-tiles)."""
    office.appends(
        office.cases()[-1], basis={"calendar": "x" * 70_000, "code": "", "register": 1, "rulebook": ""}
    )

    assert refuses_to_seal(office).code == "leaf_too_long"


@both
def test_a_row_that_is_no_event_is_refused_by_name(office: Office) -> None:
    office.appends(office.cases()[-1])
    newest = "SELECT max({position}) FROM {events}"
    ((position,),) = office.sql(newest)
    office.sql("UPDATE {events} SET state = ? WHERE {position} = ?", b"\x00\xff nothing", position)

    assert refuses_to_seal(office).code == "leaf_body"


@both
@pytest.mark.parametrize("where", ["log", "register", "case"])
def test_the_doctor_names_what_cannot_be_read_and_goes_on(office: Office, where: str) -> None:
    """One row that is no event, in the stream of the log, of the register or of a case."""
    stream = {"log": LOG, "register": REGISTER, "case": office.cases()[-1]}[where]
    office.registers()
    office.seals()
    office.sql("UPDATE {events} SET state = ? WHERE originator_id = ?", b"\0", stream)

    done = office.run("doctor", "--no-temporal", "--json")

    assert done.exit_code == exits.REFUSED, done.output
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert {"store", "keys", "log", "boards"} <= set(checks)
    assert checks["store"]["ok"]
    assert checks["keys"]["ok"]
    if where != "case":
        assert "cannot be read" in checks["boards"]["said"]
        assert office.run("log", "status").exit_code == 0
    assert office.check()["bad"]["code"] == "event_differs"


@both
def test_an_erasure_that_cannot_be_read_lets_nothing_open(office: Office) -> None:
    """It may be the one whose keys an old backup has just brought back."""
    office.appends(office.cases()[0], "data_erased.v1", pub={"nobody": "knows"})

    done = office.run("doctor")
    read = office.run("matter", "list")

    assert read.exit_code == exits.REFUSED
    assert "event_damaged" in read.output
    assert "HUIYIN_" not in read.output
    assert done.exit_code != 0


# -- a full disk ------------------------------------------------------------------------------------------------------

LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
from adapters.cli.main import main
sys.argv = ["huiyin", *sys.argv[2:]]
main()
"""


def on_a_full_disk(office: Office, most: int, *words: str) -> subprocess.CompletedProcess[str]:
    """One `huiyin` whose files may not grow beyond so many bytes."""
    environment = {
        **os.environ, "HUIYIN_DATA": str(office.data), "HUIYIN_LOG_KEYS": str(office.keys),
        "HUIYIN_LOG_ORIGIN": office.origin, "HUIYIN_STORE": office.store or "",
    }  # fmt: skip
    command = [sys.executable, "-c", LIMITED, str(most), *words]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("trail", ["postgres"], indirect=True)
@pytest.mark.parametrize("most", [0, 5_000, 40_000])
def test_a_bundle_for_which_there_is_no_room_leaves_nothing_behind(
    office: Office, tmp_path: Path, most: int
) -> None:
    """On PostgreSQL, whose own disk is another one."""
    folder = tmp_path / "stick"
    folder.mkdir()
    member = f"{office.district.staff['board', 'board_member']}/board/board_member"

    done = on_a_full_disk(office, most, "bundle", "-o", str(folder / "1.zip"), "--as", member)

    assert done.returncode == exits.UNAVAILABLE, done.stdout + done.stderr
    assert "1.zip cannot be written" in done.stderr
    assert list(folder.iterdir()) == []
    with zipfile.ZipFile(office.bundle(folder / "1.zip")) as archive:
        assert archive.testzip() is None


def test_a_witness_shows_the_head_it_has_cosigned_whatever_it_was_sent_since(office: Office) -> None:
    """Whatever was broken on the way changed nothing of what the boards remember."""
    one: WitnessProcess = office.boards[0]
    before = one.shown(office.origin).text
    for body in (b"", b"old 1", b"\0" * 1000, b"old 5\n\n" + "— x AAAA\n".encode() * 200):
        assert one.ask(body).status_code == 400

    assert one.shown(office.origin).text == before
