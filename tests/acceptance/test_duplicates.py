"""Likely duplicates: offered to who may read both, to nobody else, and never at the cost of an intake."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.duplicates.features import features_of
from adapters.duplicates.filling import Filler
from adapters.duplicates.offering import entry_of
from adapters.engine import Engine
from adapters.store.positions import StoredPositions
from domain.event import decode
from tests.acceptance.archivist import Office, simple, told_in
from tests.acceptance.bundle_world import audited, leaves_of
from tests.acceptance.canary import files_in, fresh_mark, fresh_signs, search
from tests.acceptance.http_world import Api
from tests.acceptance.world import Desk
from tests.story import eventful
from tests.unit.verify_world import run
from workflows.records import INDEXED

BY = ("hotline", "intake_officer")
STRANGER = ("dept-traffic", "officer")
FIRST = "锦绣家园三号楼二单元的电梯坏了两天，老人上下楼很不方便，请尽快维修"
AGAIN = "我是锦绣家园3栋居民，我们楼电梯坏了两天没人修，老人上下楼不方便"
ELSEWHERE = "锦绣家园七号楼二单元的电梯坏了两天，老人上下楼很不方便，请尽快维修"
OTHER = "文昌路夜市烧烤油烟很大，晚上十二点还在营业，附近居民没法休息"


def handed_in(api: Api, text: str, **more: Any) -> dict[str, Any]:
    return api.registered(sealed={"text": text} | more.pop("sealed", {}), **more)


def typed(
    shell: Desk, text: str, *more: str, by: str | None = None, source: str = "window"
) -> dict[str, Any]:
    """A matter that somebody at the window typed in, or `by`."""
    arguments = (
        "--source",
        source,
        "--kind",
        "hazard",
        "--host",
        "com-01",
        "--name",
        "王某某",
        "--text",
        text,
    )
    seen_at = ("--seen-at", "2026-11-20T09:30:00+08:00")
    return shell.must("matter", "register", *arguments, *seen_at, *more, by=by or window(shell))


def window(shell: Desk) -> str:
    return shell.who("com-01", "intake_officer")


def likely(made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["number"]: one for one in made["likely_duplicates"]}


@contextmanager
def filler(engine: Engine) -> Iterator[Filler]:
    with closing(StoredPositions(engine.settings.views_url)) as positions:
        yield Filler(engine, positions)


def fill(engine: Engine) -> None:
    """What the follower does, up to the newest event."""
    with filler(engine) as made:
        while batch := engine.store.read(made.position(), 500):
            made.take_now(batch)


def index_of(engine: Engine) -> Path:
    return Path(engine.settings.keys_url).with_name("likeness.db")


def rows(engine: Engine) -> set[str]:
    with closing(sqlite3.connect(index_of(engine))) as file:
        return {stream for (stream,) in file.execute("SELECT stream FROM likeness")}


def test_the_same_trouble_told_by_somebody_else_is_offered_with_what_they_share(api: Api) -> None:
    first = handed_in(api, FIRST, host="com-02", grid="grid-002")
    handed_in(api, OTHER, host="com-02")

    again = handed_in(api, AGAIN, host="com-02", grid="grid-002")

    (one,) = again["likely_duplicates"]
    assert (one["case"], one["number"], one["host"]) == (first["case"], first["number"], "com-02")
    assert {"text", "address", "grid", "code"} == set(one["why"])
    assert 20 <= one["score"] <= 100
    assert set(one) == {
        "case", "number", "kind", "code", "host", "grid", "registered_at", "status", "score", "text", "address", "why",
    }  # fmt: skip
    assert api.get(f"/matters/{first['case']}", by=BY).json()["master"] is None


def test_two_that_come_in_one_after_the_other_find_each_other(api: Api) -> None:
    first = handed_in(api, "翠湖苑小区地下车库积水严重，水泵坏了没人管", host="com-02")
    second = handed_in(api, "翠湖苑小区地下车库积水，水泵坏了一直没人管", host="com-02")

    asked = api.get(f"/matters/{first['case']}/duplicates", by=BY).json()

    assert first["number"] in likely(second)
    assert [one["number"] for one in asked["items"]] == [second["number"]]
    assert asked["compared"] >= 1
    assert asked["more"] is False


def test_the_same_words_about_another_building_are_not_offered_as_high(api: Api) -> None:
    first = handed_in(api, "金桂园小区5栋楼道灯全坏了，晚上漆黑一片", host="com-02")
    same = handed_in(api, "金桂园小区五号楼楼道灯全坏了，晚上漆黑一片", host="com-02")
    other = handed_in(api, "金桂园小区9栋楼道灯全坏了，晚上漆黑一片", host="com-02")

    assert likely(same)[first["number"]]["score"] > 90
    assert likely(other)[first["number"]]["score"] <= 50
    assert "other_address" in likely(other)[first["number"]]["why"]


def test_a_matter_of_another_community_or_of_another_time_is_not_compared(api: Api) -> None:
    words = "望江楼门口的窨井盖不见了，行人容易掉下去"
    handed_in(api, words, host="com-01")

    assert likely(handed_in(api, words, host="com-02")) == {}


def test_who_may_not_read_the_other_matter_is_not_told_of_it(api: Api) -> None:
    first = handed_in(api, "梧桐里南门的围墙倾斜，随时可能倒塌", host="com-02")
    handed_in(api, "梧桐里南门的围墙倾斜了，随时可能会倒塌", host="com-02")

    neighbour = api.get(f"/matters/{first['case']}/duplicates", by=STRANGER)
    board = api.get(f"/matters/{first['case']}/duplicates", by=("board", "board_member"))

    assert neighbour.status_code == 404
    assert board.json()["items"] == []
    assert board.json()["reason"] == "not_for_this_post"


def test_an_accusation_is_in_no_index_and_gets_no_offer(api: Api) -> None:
    words = "举报某单位工作人员收受礼金并违规发放补贴"
    body = api.order(sealed={"text": words}) | {"accusation": True}
    for name in ("kind", "code", "demand", "host"):
        del body[name]
    made = api.must("/matters", body, by=BY)

    after = handed_in(api, words, host="com-01")

    assert "likely_duplicates" not in made
    assert made["case"] not in rows(api.engine)
    assert made["number"] not in likely(after)


def test_an_index_that_cannot_be_opened_delays_no_intake_and_is_filled_afterwards(shell: Desk) -> None:
    with shell.engine() as engine:
        index_of(engine).write_bytes(b"this is no database" * 500)
    made = typed(shell, FIRST)

    assert made["outcome"] == "accepted"
    assert made["likely_duplicates_failed"] == "index_unavailable"
    with shell.engine() as engine:
        index_of(engine).unlink()
        fill(engine)
        assert made["case"] in rows(engine)
        (record,) = [decode(row.type, row.body) for row in engine.store.load(INDEXED)]
        assert record.pub.cases == 1
        assert record.person == "system:clock"
    again = typed(shell, AGAIN)
    assert [one["case"] for one in again["likely_duplicates"]] == [made["case"]]


def test_duplicates_are_listed_by_the_command_line_for_a_person(shell: Desk) -> None:
    first, second, by = typed(shell, FIRST), typed(shell, AGAIN), window(shell)

    said = shell.run("matter", "duplicates", first["number"], "--as", by)
    body = json.loads(shell.run("matter", "duplicates", first["number"], "--as", by, "--json").stdout)

    assert said.exit_code == 0
    assert second["number"] in said.stdout
    assert "地址" in said.stdout
    assert [one["number"] for one in body["items"]] == [second["number"]]
    assert shell.run("matter", "duplicates", first["number"]).exit_code == 2


def test_the_filler_reads_nothing_that_an_intake_has_put_in_itself(api: Api) -> None:
    handed_in(api, "体育馆西侧路面塌陷，车辆绕行", host="com-02")
    before = len(api.engine.store.load(INDEXED))

    fill(api.engine)

    assert len(api.engine.store.load(INDEXED)) == before


def test_a_matter_that_ended_is_offered_no_more(api: Api) -> None:
    words = "滨河步道栏杆断了一截，孩子容易掉进河里"
    first = handed_in(api, words, host="com-02")
    second = handed_in(api, words, host="com-02")
    merged = api.post(
        f"/matters/{second['case']}/merge",
        {"master": first["case"], "reason": "same"},
        by=("com-02", "community_secretary"),
    )
    assert merged.status_code == 200, merged.text

    asked = api.get(f"/matters/{first['case']}/duplicates", by=BY).json()

    assert asked["items"] == []
    fill(api.engine)
    assert second["case"] not in rows(api.engine)
    assert first["case"] in rows(api.engine)


@pytest.mark.parametrize("how", ["destroyed", "locked", "handed over"])
def test_what_was_erased_locked_or_handed_over_is_compared_with_no_more(api: Api, how: str) -> None:
    words = f"青年公寓楼顶信号塔噪声很大，{how}，夜里无法入睡"
    first = handed_in(api, words, host="com-02")
    keys = api.engine.keys
    does = {
        "destroyed": keys.destroy,
        "locked": keys.lock,
        "handed over": lambda case: keys.rewrap(case, "discipline"),
    }

    does[how](first["case"])

    assert first["number"] not in likely(handed_in(api, words, host="com-02"))


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_erasing_a_case_takes_it_out_of_the_index_for_good(
    store: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    dsn = request.getfixturevalue("pg_database") if store == "postgres" else None
    with told_in(tmp_path / "data", dsn) as tale:
        office, index = Office(tale, dsn), tale.engine.likeness.index()
        stays, gone = tale.scene.opened("CG-02", tale.desk.resident()), simple(office)
        fill(tale.engine)
        entry = entry_of(tale.engine.store.load(gone)[0], office.requesters(gone)[0])
        assert entry is not None
        index.put(
            [(entry, features_of("要被删除的内容"))]
        )  # as if it had been missed when the case was closed
        assert index.of(gone) is not None

        answer = office.erase(gone)

        assert answer["exit"] == 0, answer
        assert index.of(gone) is None
        fill(tale.engine)
        assert index.held([gone, stays]) == {stays}
        assert index.of(stays) is not None


def test_nothing_in_the_index_can_be_read(shell: Desk) -> None:
    mark, signs = fresh_mark(), fresh_signs()
    made = typed(shell, f"{mark}{signs}小区3栋", "--place", f"{signs}路{mark}号")

    with shell.engine() as engine:
        assert made["case"] in rows(engine)
        files = [file for file in files_in(engine.settings.data) if file.name.startswith("likeness")]
    pieces = (mark, signs, mark[6:20], signs[:5], signs[5:10])

    assert files
    assert search(pieces, files) == set()


def test_a_resident_is_offered_nothing(shell: Desk) -> None:
    typed(shell, FIRST)

    made = typed(shell, FIRST, by="resident", source="resident_app")

    assert "likely_duplicates" not in made
    assert "likely_duplicates_failed" not in made


def test_a_machine_s_run_stands_open_in_the_bundle_that_a_board_checks(tmp_path: Path) -> None:
    with audited(tmp_path) as world:
        eventful(world.tale)
        case = world.tale.scene.opened("FW-01", world.tale.desk.resident())
        fill(world.tale.engine)
        assert case in rows(world.tale.engine)
        world.seal()

        path, _ = world.take()

        runs = [leaf for leaf in leaves_of(path) if leaf is not None and leaf["type"] == "matters_indexed.v1"]
        assert [leaf["pub"]["cases"] > 0 for leaf in runs] == [True]
        report = run(path, "--policy", world.policy)
        assert report.faults == set(), report.findings
