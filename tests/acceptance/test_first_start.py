"""The first start: no default password, a secret that works once, rules that enter by an event."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest

from tests.acceptance.world import DISTRICT, Desk

GROUND = ("--authority", "resolution:1")
SECURITY = ("--as", "S1/system/security_admin", *GROUND)


@pytest.fixture
def empty(tmp_path: Path) -> Desk:
    """The command line over a folder that does not exist yet."""
    return Desk(tmp_path / "new" / "data", DISTRICT)


def secret_of(empty: Desk) -> str:
    return str(json.loads(empty.run("init", "--json").stdout)["secret"])


def test_a_secret_is_never_taken_for_an_option(empty: Desk) -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", secret_of(empty))


def test_the_first_start_makes_keys_of_their_owner_alone_and_prints_a_secret(empty: Desk) -> None:
    result = empty.run("init")
    assert result.exit_code == 0, result.output
    assert "huiyin admin claim " in result.stdout
    masters = sorted((empty.data / "masters").iterdir())
    assert [one.name for one in masters] == ["discipline.key", "master.key"]
    assert all(stat.S_IMODE(one.stat().st_mode) == 0o600 for one in masters)


def test_the_secret_works_once_and_stands_nowhere_in_the_folder(empty: Desk) -> None:
    secret = secret_of(empty)
    claimed = empty.run("admin", "claim", secret, "--person", "S1")
    assert claimed.exit_code == 0
    assert "/system/security_admin" in claimed.stdout
    assert empty.run("admin", "claim", secret, "--person", "S2").exit_code == 1
    assert empty.run("init").exit_code == 1
    stored = b"".join(one.read_bytes() for one in empty.data.rglob("*") if one.is_file())
    assert secret.encode() not in stored


def test_a_later_secret_voids_the_one_before(empty: Desk) -> None:
    first, second = secret_of(empty), secret_of(empty)
    assert empty.run("admin", "claim", first).exit_code == 1
    assert empty.run("admin", "claim", second).exit_code == 0


def test_a_wrong_secret_makes_nobody_administrator(empty: Desk) -> None:
    secret_of(empty)
    assert empty.run("admin", "claim", "x" * 32).exit_code == 1
    assert empty.run("admin", "claim", "short").exit_code == 2


def test_a_rulebook_and_a_notice_are_entered_by_the_security_administrator_alone(empty: Desk) -> None:
    empty.run("admin", "claim", secret_of(empty), "--person", "S1")
    assert (
        empty.run("rulebook", "release", "gulou", "--as", "S2/system/security_admin", *GROUND).exit_code == 1
    )
    assert empty.run("rulebook", "release", "gulou", *SECURITY).exit_code == 0
    assert empty.run("notice", "enter", "cn-2026", *SECURITY).exit_code == 0
    with empty.engine() as engine:
        releases = engine.handle.standing.caught_up().releases
    assert [one.name for one in releases.released] == ["gulou/2026.1"]
    assert [one.id for one in releases.notices] == ["cn-2026"]


def test_entering_the_same_again_changes_nothing_and_is_no_failure(empty: Desk) -> None:
    empty.run("admin", "claim", secret_of(empty), "--person", "S1")
    for _ in range(2):
        assert empty.run("rulebook", "release", "gulou", *SECURITY).exit_code == 0
        assert empty.run("notice", "enter", "cn-2026", *SECURITY).exit_code == 0
    with empty.engine() as engine:
        assert engine.handle.standing.caught_up().releases.version == 2


def test_a_wrong_rulebook_is_said_line_by_line_and_ends_with_2(empty: Desk, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('name = "wrong/1"\nuse = "cases"\nzone = "Nowhere"\n', encoding="utf-8")
    result = empty.run("rulebook", "release", str(wrong), *SECURITY)
    assert (result.exit_code, "zone" in result.stderr) == (2, True)


def test_a_release_from_a_time_without_offset_is_not_understood(empty: Desk) -> None:
    result = empty.run("rulebook", "release", "gulou", "--from", "2027-01-01", *SECURITY)
    assert (result.exit_code, "offset" in result.stderr) == (2, True)


def test_the_whole_way_from_an_empty_folder_to_a_first_matter(empty: Desk, tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text(
        "[bodies]\nid,kind,name_zh,parent\ngl,区,鼓楼区,\nmch,街道,莫愁湖街道,gl\nwf,社区,文凤社区,mch\n\n"
        "[posts]\nperson,name,contact,body,post\nS2,赵管理,,system,system_admin\nA1,王小明,,wf,intake_officer\n",
        encoding="utf-8",
    )
    empty.run("admin", "claim", secret_of(empty), "--person", "S1")
    brought = empty.run(
        "roster", "import", str(roster), "--system-admin", "S2", "--security-admin", "S1", "--json"
    )
    assert json.loads(brought.stdout)["refused"] == 0, brought.output
    assert empty.run("rulebook", "release", "gulou", *SECURITY).exit_code == 0
    answer = empty.must(
        "matter", "register", "--source", "window", "--host", "wf", "--text", "路灯不亮", "--name", "居民甲",
        by="A1/wf/intake_officer",
    )  # fmt: skip
    assert answer["number"]
