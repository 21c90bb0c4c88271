"""Receipts at the counter: promised with the answer, proven once the boards have cosigned, and nobody else's business."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.cli.main import app
from domain.log.proof import parse_proof
from tests.acceptance.canary import files_in, fresh_mark, fresh_signs, search
from tests.acceptance.evidence import adopt, cosigned, keys, seal
from tests.acceptance.test_acts import registered
from tests.acceptance.world import GROUND, Desk

NOBODYS = "000000-20261123-0000000"
SEEN = "2026-11-22T09:00:00+08:00"


def register(shell: Desk, *more: str) -> list[str]:
    """A request by telephone, as typed at the window."""
    return [
        "matter", "register", "--source", "phone", "--kind", "hazard", "--code", "FW-01", "--demand", "help",
        "--host", "com-01", "--text", "楼道墙体开裂", "--name", "居民甲", "--contact", "13800000000", *more,
        "--as", shell.who("com-01", "intake_officer"), "--authority", GROUND,
    ]  # fmt: skip


def proven(shell: Desk, folder: Path, number: str, *boards: int) -> Path:
    """The receipt of a matter, sealed and cosigned by these boards."""
    seal(shell)
    cosigned(shell, folder, *boards)
    file = folder / "receipt.tlog-proof"
    done = shell.run("receipt", "proof", number, "-o", str(file))
    assert done.exit_code == 0, done.output
    return file


# -- the promise ------------------------------------------------------------------------------------------------------


def test_the_answer_to_a_registration_carries_the_promise_and_it_can_be_made_again(shell: Desk) -> None:
    answer = json.loads(shell.run(*register(shell), "--json").stdout)

    again = shell.run("receipt", "show", answer["number"])

    assert answer["receipt"].startswith("huiyin-receipt/v1\n")
    assert answer["number"] in answer["receipt"]
    assert again.stdout == answer["receipt"]


def test_it_is_printed_as_it_is_or_saved_where_that_is_asked_for(shell: Desk, tmp_path: Path) -> None:
    printed = shell.run(*register(shell)).stdout
    saved = shell.run(*register(shell, "--receipt", str(tmp_path / "promise"))).stdout
    note = (tmp_path / "promise").read_text("utf-8")

    assert "\nhuiyin-receipt/v1\n" in printed
    assert printed.endswith("\n")
    assert "huiyin-receipt/v1" not in saved
    assert str(tmp_path / "promise") in saved
    assert note.startswith("huiyin-receipt/v1\n")


def test_the_same_act_again_is_promised_in_the_same_bytes(shell: Desk) -> None:
    typed = [*register(shell), "--key", "k1", "--seen-at", SEEN, "--json"]
    once, again = (json.loads(shell.run(*typed).stdout) for _ in range(2))

    assert again["repeated"]
    assert again["receipt"] == once["receipt"]


def test_the_promise_is_the_same_before_and_after_the_log_has_sealed_it(shell: Desk, tmp_path: Path) -> None:
    number = registered(shell)
    before = shell.run("receipt", "show", number).stdout
    adopt(shell, tmp_path, 0, 1, 2, least=2)
    seal(shell)

    assert shell.run("receipt", "show", number).stdout == before


def test_after_a_policy_with_another_delay_new_promises_keep_to_it_and_old_ones_stay(
    shell: Desk, tmp_path: Path
) -> None:
    old = registered(shell)
    before = shell.run("receipt", "show", old).stdout
    file = adopt(shell, tmp_path, 0, least=1)
    who = f"{shell.district.security}/system/security_admin"
    changed = shell.run(
        "log", "policy", "adopt", str(file), "--delay-hours", "6", "--as", who, "--authority", GROUND
    )
    new = registered(shell)

    assert changed.exit_code == 0, changed.output
    assert shell.run("receipt", "show", old).stdout == before
    assert before.split("\n")[5] == "24"
    assert shell.run("receipt", "show", new).stdout.split("\n")[5] == "6"


def test_a_request_is_accepted_also_where_no_receipt_can_be_signed(shell: Desk, tmp_path: Path) -> None:
    for key in (shell.data / "log-keys").iterdir():
        key.rename(tmp_path / key.name)
    (shell.data / "log-keys").chmod(0o700)
    environment = {"HUIYIN_DATA": str(shell.data), "HUIYIN_LOG_KEYS": str(tmp_path / "nothing")}

    done = CliRunner().invoke(app, [*register(shell), "--json"], env=environment)
    answer = json.loads(done.stdout)

    assert (done.exit_code, answer["outcome"]) == (0, "accepted")
    assert answer["receipt_failed"].startswith("signing_key_missing")
    assert "receipt" not in answer


def test_no_other_act_is_given_a_receipt(shell: Desk) -> None:
    number = registered(shell)

    answer = shell.must("matter", "accept", number, by=shell.who("com-01", "intake_officer"))

    assert "receipt" not in answer


# -- the proof --------------------------------------------------------------------------------------------------------


def test_before_the_boards_have_cosigned_there_is_no_proof_yet(shell: Desk, tmp_path: Path) -> None:
    number = registered(shell)
    adopt(shell, tmp_path, 0, 1, 2, least=2)

    unsealed = shell.run("receipt", "proof", number)
    seal(shell)
    uncosigned = shell.run("receipt", "proof", number)
    cosigned(shell, tmp_path, 0)
    too_few = shell.run("receipt", "proof", number)
    cosigned(shell, tmp_path, 1)
    enough = shell.run("receipt", "proof", number)

    assert [one.exit_code for one in (unsealed, uncosigned, too_few, enough)] == [1, 1, 1, 0]
    assert unsealed.stderr.startswith("not_yet_cosigned")
    assert parse_proof(enough.stdout).checkpoint.size > 0


def test_a_receipt_is_verified_without_a_server_and_without_our_data(shell: Desk, tmp_path: Path) -> None:
    number = registered(shell)
    policy = adopt(shell, tmp_path, 0, 1, 2, least=2)
    file = proven(shell, tmp_path, number, 0, 1)
    elsewhere = tmp_path / "elsewhere"

    done = CliRunner().invoke(
        app,
        ["receipt", "verify", str(file), "--policy", str(policy), "--receipt-key", keys(shell)[1], "--json"],
        env={"HUIYIN_DATA": str(elsewhere)},
    )
    body = json.loads(done.stdout)

    assert (done.exit_code, body["outcome"]) == (0, "proven"), done.output
    assert body["promise"]["number"] == number
    assert list(body["included"]["boards"]) == ["b0", "b1"]
    assert body["included"]["boards_needed"] == 2
    assert not elsewhere.exists()


def test_it_says_in_both_languages_what_was_proven_and_what_never_is(shell: Desk, tmp_path: Path) -> None:
    number = registered(shell)
    policy = adopt(shell, tmp_path, 0, least=1)
    file = proven(shell, tmp_path, number, 0)

    said = shell.run(
        "receipt", "verify", str(file), "--policy", str(policy), "--receipt-key", keys(shell)[1]
    ).stdout

    assert "收录属实" in said
    assert "The cosignatures hold" in said
    assert "不证明其内容属实" in said


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("index ", "index 1"), "proof_invalid"),
        (("extra aHVp", "extra aHVq"), "leaf_missing"),
        (None, "policy_missing"),
    ],
)
def test_what_does_not_hold_ends_with_its_name(
    shell: Desk, tmp_path: Path, change: tuple[str, str] | None, code: str
) -> None:
    number = registered(shell)
    policy = adopt(shell, tmp_path, 0, least=1)
    file = proven(shell, tmp_path, number, 0)
    trust = [] if change is None else ["--policy", str(policy)]
    if change is not None:
        file.write_text(file.read_text("utf-8").replace(*change), encoding="utf-8")

    done = shell.run("receipt", "verify", str(file), *trust, "--receipt-key", keys(shell)[1], "--json")

    assert (done.exit_code, json.loads(done.stdout)["code"]) == (1, code)


def test_a_matters_later_event_is_proven_with_its_leaf(shell: Desk, tmp_path: Path) -> None:
    number, by = registered(shell), shell.who("com-01", "intake_officer")
    shell.must("matter", "accept", number, by=by)
    policy = adopt(shell, tmp_path, 0, least=1)
    proven(shell, tmp_path, number, 0)
    file, leaf = tmp_path / "second.tlog-proof", tmp_path / "second.leaf"

    made = shell.run("log", "proof", number, "--version", "2", "-o", str(file), "--leaf", str(leaf))
    done = shell.run("receipt", "verify", str(file), "--leaf", str(leaf), "--policy", str(policy))
    leaf.write_bytes(leaf.read_bytes().replace(b"accepted", b"rejected"))
    tampered = shell.run("receipt", "verify", str(file), "--leaf", str(leaf), "--policy", str(policy))

    assert (made.exit_code, done.exit_code, tampered.exit_code) == (0, 0, 1), made.output
    assert tampered.stderr.startswith("proof_invalid")


def test_an_event_that_does_not_exist_has_no_proof(shell: Desk, tmp_path: Path) -> None:
    number = registered(shell)

    assert shell.run("log", "proof", number, "--version", "99").exit_code == 3
    assert shell.run("receipt", "proof", NOBODYS).exit_code == 3


def test_an_event_that_was_changed_after_it_was_sealed_gets_no_proof_but_a_word_to_the_boards(
    shell: Desk, tmp_path: Path
) -> None:
    import sqlite3

    number = registered(shell)
    adopt(shell, tmp_path, 0, least=1)
    proven(shell, tmp_path, number, 0)
    database = sqlite3.connect(shell.data / "cases.db")
    with database:
        names = [
            name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        ]
        for name in names:
            database.execute(f"DROP TRIGGER {name}")
        table = next(
            name
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if "state" in {column[1] for column in database.execute(f"PRAGMA table_info({name})")}
        )
        changed = database.execute(
            f"UPDATE {table} SET state = CAST(REPLACE(CAST(state AS TEXT), '\"FW-01\"', '\"FW-02\"') AS BLOB)"
            f" WHERE CAST(state AS TEXT) LIKE '%{number}%'"
        ).rowcount
    database.close()

    done = shell.run("receipt", "proof", number)

    assert changed
    assert done.exit_code == 1
    assert done.stderr.startswith("leaf_differs")


# -- whose business it is ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [("receipt", "show"), ("receipt", "proof"), ("log", "proof", "--version", "1")]
)
def test_an_accusations_receipt_is_its_requesters_and_the_inspectors_alone(
    shell: Desk, tmp_path: Path, words: tuple[str, ...]
) -> None:
    adopt(shell, tmp_path, 0, least=1)
    accused = json.loads(
        shell.run(
            "matter", "register", "--source", "resident_app", "--accusation", "--text", "收受钱款", "--name", "居民甲",
            "--contact", "13800000000", "--as", "resident", "--json",
        ).stdout
    )  # fmt: skip
    assert accused["outcome"] == "accepted", accused
    seal(shell)
    cosigned(shell, tmp_path, 0)
    number = accused["number"]
    ordinary = [
        ("--as", shell.who(body, post))
        for body, post in (("com-01", "intake_officer"), ("board", "board_member"))
    ]

    for viewer in ((), *ordinary):
        hidden, nobodys = (shell.run(*words, which, *viewer) for which in (number, NOBODYS))
        assert (hidden.exit_code, hidden.output) == (3, nobodys.output)
    for viewer in (f"{accused['requester']}/resident", shell.who("discipline", "discipline_officer")):
        shown = shell.run(*words, number, "--as", viewer)
        assert shown.exit_code == 0, shown.output
    assert number in accused["receipt"]


def test_the_window_hands_over_an_accusers_receipt_once_and_cannot_make_it_again(shell: Desk) -> None:
    window = shell.who("com-01", "intake_officer")

    answer = shell.must(
        "matter",
        "register",
        "--source",
        "window",
        "--accusation",
        "--text",
        "收受钱款",
        "--name",
        "居民甲",
        by=window,
    )
    again = shell.run("receipt", "show", answer["number"], "--as", window)
    requester = shell.run("receipt", "show", answer["number"], "--as", f"{answer['requester']}/resident")

    assert again.exit_code == 3
    assert requester.stdout == answer["receipt"]


def test_no_receipt_export_or_picture_shows_what_was_said_or_who_or_where(
    shell: Desk, tmp_path: Path
) -> None:
    mark, signs = fresh_mark(), fresh_signs()
    said = [
        part
        for name in ("text", "name", "contact", "place")
        for part in (f"--{name}", f"{name} {mark} {signs}")
    ]
    out = tmp_path / "out"
    out.mkdir()
    answer = json.loads(
        shell.run(
            "matter", "register", "--source", "phone", "--kind", "hazard", "--code", "FW-01", "--demand", "help",
            "--host", "com-01", *said, "--outside", f"hotline_12345:{mark}", "--receipt", str(out / "promise"),
            "--as", shell.who("com-01", "intake_officer"), "--authority", GROUND, "--json",
        ).stdout
    )  # fmt: skip
    number = answer["number"]
    adopt(shell, tmp_path, 0, least=1)
    proven(shell, out, number, 0)
    for name in ("receipt.png", "receipt.svg"):
        assert (
            shell.run("receipt", "proof", number, "-o", str(out / "again"), "--qr", str(out / name)).exit_code
            == 0
        )
    assert (
        shell.run("log", "proof", number, "--version", "1", "-o", str(out / "event.tlog-proof")).exit_code
        == 0
    )
    assert shell.run("log", "export", str(out / "public")).exit_code == 0
    state = json.loads(shell.run("matter", "show", number, "--json").stdout)

    telling = [
        mark,
        signs,
        answer["requester"],
        answer["case"],
        state["host"].split()[-1],
        "hazard",
        "FW-01",
        "com-01",
    ]
    assert {path.name for path in files_in(out)} >= {
        "promise",
        "receipt.png",
        "checkpoint",
        "event.tlog-proof",
    }
    assert search([mark, signs, answer["requester"], answer["case"]], files_in(out)) == set()
    for file in files_in(out):
        content = file.read_bytes()
        assert not [word for word in telling if word.encode() in content], file.name
    assert search([number], files_in(out)) != set()
