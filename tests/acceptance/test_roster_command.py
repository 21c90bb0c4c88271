"""`huiyin roster import` over a true event store and vault."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import Result
from typer.testing import CliRunner

from adapters.cli.main import app
from adapters.engine import Engine, now, open_engine
from adapters.roster import desk, person_ids
from adapters.settings import Settings
from domain.acting import Actor
from domain.register import commands as c
from domain.register.first_link import digest_of
from tests.unit.register_world import OPERATOR, person
from workflows.records import refusals_of
from workflows.standing import REGISTER
from workflows.submission import Submission

if TYPE_CHECKING:
    from pathlib import Path

ADMINS = ["--system-admin", "S1", "--security-admin", person(1)]
BODIES = "[bodies]\nid,kind,name_zh,parent\ngl,区,鼓楼区,\nmch,街道,莫愁湖街道,gl\n"
POSTS = "[posts]\nperson,name,contact,body,post\nA1,王小明,13812345678,mch,值班领导\n"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an engine whose register has its first two administrators."""
    monkeypatch.setenv("HUIYIN_DATA", str(tmp_path / "data"))
    engine = open_engine(Settings())
    try:
        _administer(engine)
    finally:
        engine.close()
    return tmp_path / "data"


def _administer(engine: Engine) -> None:
    secret = "a secret that is long enough"
    claimant = Actor(person=person(1), body="system", post="security_admin")
    link = c.IssueFirstLink(digest=digest_of(secret), expires_at=now() + timedelta(hours=1))
    for key, command, actor in (("1", link, OPERATOR), ("2", c.ClaimFirstLink(secret=secret), claimant)):
        answer = engine.handle(Submission("test", key, REGISTER, command, actor))
        assert answer.accepted, answer
    identify = person_ids(engine.keys.pepper())
    at = desk(engine.handle, identify, system_admin="S1", security_admin=person(1), authority="mandate:test")
    entered = at.submit(c.EnterPerson(person=identify("S1")), {"name": (identify("S1"), "赵管理")})
    filled = at.submit(c.FillPost(person=identify("S1"), body="system", post="system_admin"), {})
    assert (entered.code, filled.code) == (None, None)


def run(tmp_path: Path, text: str, *options: str) -> Result:
    """The command over a roster of this text."""
    path = tmp_path / "roster.csv"
    path.write_text(text, encoding="utf-8")
    return CliRunner().invoke(app, ["roster", "import", str(path), *ADMINS, *options])


def test_a_roster_is_stored_and_a_second_run_adds_nothing(data: Path, tmp_path: Path) -> None:
    first = run(tmp_path, f"{BODIES}\n{POSTS}", "--json")
    assert json.loads(first.stdout)["accepted"] == 3, first.output
    assert first.exit_code == 0
    again = json.loads(run(tmp_path, f"{BODIES}\n{POSTS}", "--json").stdout)
    assert (again["accepted"], again["known"], again["refused"]) == (0, 3, 0)
    engine = open_engine(Settings())
    try:
        register = engine.handle.standing.caught_up().register
        assert engine.store.load(refusals_of(REGISTER)) == []
        assert register.holders("mch", "duty_leader", now()) == [person_ids(engine.keys.pepper())("A1")]
    finally:
        engine.close()


def test_no_name_contact_or_staff_reference_is_on_disk(data: Path, tmp_path: Path) -> None:
    run(tmp_path, f"{BODIES}\n{POSTS}")
    stored = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    assert b"duty_leader" in stored
    assert not any(text.encode() in stored for text in ("王小明", "13812345678", "赵管理", '"A1"'))


def test_refused_rows_are_told_and_the_command_ends_with_1(data: Path, tmp_path: Path) -> None:
    result = run(tmp_path, f"{BODIES}x,街道,无,nowhere\n")
    assert result.exit_code == 1
    assert "unknown_body" in result.stdout
    assert "2 accepted, 0 known, 1 refused" in result.stdout


def test_an_unknown_zone_or_a_broken_file_ends_with_2(data: Path, tmp_path: Path) -> None:
    zone = run(tmp_path, BODIES, "--zone", "Asia/Nowhere")
    assert (zone.exit_code, "Asia/Nowhere" in zone.stderr) == (2, True)
    broken = run(tmp_path, '[bodies]\nid\n"a"b\n')
    assert (broken.exit_code, "line 3" in broken.stderr) == (2, True)
