"""A bundle taken of a real log: the verifier passes it, within the board's remit, and that it was taken is on record."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.bundle import verify as verifier
from adapters.bundle.span import month_bounds, zone_of
from adapters.cli.main import app
from adapters.deliveries.desk import deliveries
from adapters.deliveries.subscriptions import Wanted
from adapters.demo import turns
from domain.event import decode
from domain.matter import commands as do
from domain.refusal import Refused, Unavailable
from domain.register import commands as register
from tests.acceptance.bundle_world import Audited, audited, cosigned, files_of, leaves_of, lived, seat_board
from tests.acceptance.staffing import keeper
from tests.bundle_maker import zipped
from tests.story import DISTRICT, eventful
from tests.unit.verify_world import Report, run
from workflows.records import bundles_of, reads_of, refusals_of
from workflows.standing import REGISTER
from workflows.submission import Submission

DAY = 86_400


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    with lived(tmp_path_factory.mktemp("played")) as world:
        yield world


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Audited]:
    with cosigned(tmp_path) as world:
        yield world


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verifier runs years from now: the story's clock is turned ahead of ours."""
    monkeypatch.setattr(verifier.time, "time", lambda: datetime(2040, 1, 1, tzinfo=UTC).timestamp())


def checked(world: Audited, path: Path, *arguments: object) -> Report:
    return run(path, "--policy", world.policy, *arguments)


def accusation_of(world: Audited) -> str:
    return world.tale.scene.cases[-1]


# -- what is in it ----------------------------------------------------------------------------------------------------


def test_the_board_s_own_verifier_passes_it(played: Audited, tmp_path: Path) -> None:
    path, taken = played.take()

    report = checked(played, path, "--state", tmp_path / "board.json")

    assert (report.result, report.faults) == ("pass", set())
    assert report.said["leaves"] == taken.end == played.log.state().size
    assert set(report.said["new"]["cosigned_by"]) == {"B1", "B2", "B3"}


def test_it_is_laid_out_as_its_reader_expects(played: Audited) -> None:
    files = files_of(played.take()[0])

    assert {
        "README.txt",
        "policy",
        "log/checkpoint",
        "schema.json",
        "rules.json",
        "census.json",
        "verify.py",
        "verify.html",
    } <= set(files)
    assert "checkpoint.old" not in files
    for name in ("verify.py", "verify.html"):
        assert files[name] == Path(verifier.__file__).with_name(name).read_bytes()
    assert "核验" in files["README.txt"].decode()
    assert {name for name in files if name.startswith("texts/")}


def test_every_channel_out_of_the_house_is_read_from_it(fresh: Audited, tmp_path: Path) -> None:
    engine, holder = fresh.tale.engine, fresh.actor("com-01", "officer")
    for ground in (None, "agreement:2026-7"):
        wanted = Wanted(
            holder.person,
            "com-01",
            "officer",
            "https://gateway.example/h?key=never-said-outside",
            ["progress"],
            ground=ground,
        )
        with deliveries(engine) as desk:
            made, _ = desk.subscriptions.make(keeper(engine), wanted, engine.store.head())
            desk.subscriptions.change_secret(keeper(engine), made.id, timedelta(hours=1))
            desk.subscriptions.gone(made.id)
    fresh.seal()

    path, _ = fresh.take()
    report = checked(fresh, path)

    assert (report.result, report.faults) == ("pass", set())
    said = [one["en"] for one in report.findings if one["code"] == "subscription_made"]
    assert ["no personal data leave" in one for one in said] == [True, False]
    assert all("https://gateway.example" in one and "com-01" in one for one in said)
    assert "personal data leave on agreement:2026-7" in said[1]
    assert {"subscription_changed", "subscription_ended"} <= report.codes
    assert not any(b"never-said" in data for data in files_of(path).values())


def test_it_is_the_same_file_however_often_it_is_made(played: Audited) -> None:
    first, second = played.take("first.zip")[0], played.take("second.zip")[0]

    assert first.read_bytes() == second.read_bytes()


def test_a_changed_leaf_of_it_is_found(played: Audited, tmp_path: Path) -> None:
    path, _ = played.take()
    files = files_of(path)
    name = next(one for one in files if one.startswith("log/tile/entries/"))
    files[name] = (
        files[name]
        .replace(b'"capacity":"board"', b'"capacity":"bored"')
        .replace(b'"type":"leg_r', b'"type":"leg_R')
    )

    assert "root_mismatch" in checked(played, zipped(files, tmp_path / "forged.zip")).faults


def test_nothing_that_was_sealed_stands_in_it(played: Audited) -> None:
    whole = b"".join(files_of(played.take()[0]).values()).decode("utf-8", "replace")

    for words in ("楼道墙体开裂", "居民甲", "13800000000", "居民戊", "13500000000", "反映违纪线索"):
        assert words not in whole


def test_only_what_stands_under_a_signed_head_is_in_it(fresh: Audited) -> None:
    head = fresh.seal()
    eventful(fresh.tale)

    _, taken = fresh.take()

    assert taken.end == head.size


def test_a_head_that_no_quorum_has_cosigned_is_not_taken(fresh: Audited) -> None:
    head = fresh.seal()
    eventful(fresh.tale)
    fresh.seal(cosigned=False)

    assert fresh.take()[1].end == head.size


def test_before_the_first_head_there_is_nothing_to_take(tmp_path: Path) -> None:
    with audited(tmp_path) as world, pytest.raises(Refused, match="no_head"):
        world.take()


def test_a_log_that_no_board_cosigns_yet_can_be_taken_all_the_same(tmp_path: Path) -> None:
    with audited(tmp_path) as world:
        world.seal(cosigned=False)

        report = run(world.take()[0])

    assert report.result == "pass"
    assert {"policy_unpinned", "no_cosign_times"} <= report.codes


# -- months -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("later")
def test_month_follows_month_without_a_gap(fresh: Audited, tmp_path: Path) -> None:
    tale, state = fresh.tale, tmp_path / "board.json"
    zone = zone_of(tale.engine.handle.standing.caught_up(), tale.clock())
    months = []
    for _ in range(3):
        months.append(f"{tale.clock().astimezone(zone):%Y-%m}")
        tale.scene.opened("FW-01", tale.desk.resident())
        fresh.seal()
        _, ends = month_bounds(months[-1], zone)
        tale.clock.at = ends + timedelta(hours=9)
    reached = 0
    for month in months:
        path, taken = fresh.take(month=month)
        report = checked(fresh, path, "--state", state, "--accept")  # nobody took the steps that came due
        assert (report.said["state_saved"], report.faults & verifier.PROOF, taken.start) == (
            True,
            set(),
            reached,
        )
        reached = taken.end
    assert reached == fresh.log.state().size
    walked = json.loads(state.read_text())
    state.unlink()
    checked(fresh, fresh.take()[0], "--state", state, "--accept")
    assert json.loads(state.read_text()) | {"accepted": []} == walked | {"accepted": []}


@pytest.mark.usefixtures("later")
def test_enough_heads_come_along_to_show_that_none_was_late(fresh: Audited) -> None:
    tale = fresh.tale
    for _ in range(24):
        tale.scene.opened("FW-01", tale.desk.resident())
        fresh.seal()
        tale.clock.turn(DAY / 4)
    fresh.seal()

    path, _ = fresh.take()

    heads = [name for name in files_of(path) if name.startswith("heads/")]
    assert 5 <= len(heads) <= 12
    assert not {"cosigned_late", "backdated"} & checked(fresh, path).codes


@pytest.mark.usefixtures("later")
def test_boards_that_stayed_away_too_long_show_in_it(fresh: Audited) -> None:
    tale = fresh.tale
    fresh.seal()
    tale.scene.opened("FW-01", tale.desk.resident())
    tale.clock.turn(3 * DAY)
    fresh.seal()

    assert "cosigned_late" in checked(fresh, fresh.take()[0]).faults


@pytest.mark.parametrize("month", ["2026", "2026-13", "2026-1", "1999-01", "x", "9999-12"])
def test_a_month_that_is_none_is_refused(played: Audited, month: str) -> None:
    with pytest.raises(Refused, match="malformed"):
        played.take(month=month)


def test_a_month_before_the_log_is_refused(played: Audited) -> None:
    with pytest.raises(Refused, match="empty_month"):
        played.take(month="2020-01")


# -- who may take it, and what they may read --------------------------------------------------------------------------


def test_that_it_was_taken_is_on_record(fresh: Audited) -> None:
    fresh.seal()

    _, taken = fresh.take()

    (row,) = fresh.tale.engine.store.load(bundles_of("board"))
    recorded = decode(row.type, row.body)
    assert recorded.person == DISTRICT.staff["board", "board_member"]
    assert (recorded.pub.board, recorded.pub.start, recorded.pub.end) == ("board", 0, taken.end)


def test_an_audit_administrator_takes_it_on_the_board_s_resolution(fresh: Audited) -> None:
    handle, person = fresh.tale.engine.handle, DISTRICT.staff["archive", "archivist"]
    security = fresh.actor("archive", "archivist").model_copy(
        update={"person": DISTRICT.security, "body": "system", "post": "security_admin"}
    )
    vacate = register.VacatePost(person=person, body="archive", post="archivist")
    fill = register.FillPost(person=person, body="system", post="audit_admin")
    for command in (vacate, fill):
        assert handle(
            Submission("test", fresh.tale.desk.id(), REGISTER, command, security, authority="r:1")
        ).accepted
    actor = security.model_copy(update={"person": person, "post": "audit_admin"})
    fresh.seal()

    with pytest.raises(Refused, match="authority_needed"):
        fresh.take(actor=actor, board="board")
    with pytest.raises(Refused, match="not_a_board"):
        fresh.take(actor=actor, board="dept-fire", authority="resolution:9")
    _, taken = fresh.take(actor=actor, board="board", authority="resolution:9")

    (row,) = fresh.tale.engine.store.load(bundles_of("board"))
    assert (taken.board, decode(row.type, row.body).authority) == ("board", "resolution:9")


@pytest.mark.parametrize(
    ("body", "post", "code"),
    [
        ("com-01", "intake_officer", "not_entitled"), ("450305", "district_leader", "not_entitled"),
        ("archive", "archivist", "not_entitled"), ("board", "officer", "not_in_post"),
        ("com-02", "board_member", "not_in_post"),
    ],
)  # fmt: skip
def test_nobody_else_takes_it(played: Audited, body: str, post: str, code: str) -> None:
    holder = DISTRICT.staff.get((body, post), DISTRICT.staff["board", "board_member"])
    actor = played.actor("board", "board_member").model_copy(
        update={"person": holder, "body": body, "post": post}
    )
    before = played.tale.engine.store.head()

    with pytest.raises(Refused, match=code):
        played.take("never.zip", actor=actor, board="board")

    assert not (played.folder / "never.zip").exists()
    assert played.tale.engine.store.head() == before


def test_an_accusation_is_hashes_only_for_the_board_and_readable_for_discipline_inspection(
    played: Audited,
) -> None:
    case = accusation_of(played)

    path, taken = played.take()
    inspected, whole = played.take("inspected.zip", actor=played.actor("discipline", "discipline_officer"))

    assert (taken.withheld, whole.withheld) == (1, 0)
    assert [leaf for leaf in leaves_of(path) if leaf is not None and leaf["stream"] == case] == []
    assert [leaf for leaf in leaves_of(inspected) if leaf is not None and leaf["stream"] == case]
    assert case.encode() not in files_of(path)["census.json"]
    assert checked(played, path).codes >= {"withheld"}
    assert checked(played, inspected).result == "pass"


def test_what_was_refused_and_read_about_an_accusation_goes_with_it(fresh: Audited) -> None:
    tale = fresh.tale
    turns.accusation(tale.scene)
    case = accusation_of(fresh)
    stranger = fresh.actor("com-01", "intake_officer")
    tale.engine.handle(
        Submission("test", tale.desk.id(), case, do.AcceptMatter(), stranger, authority="law:1")
    )
    fresh.seal()

    streams = {leaf["stream"] for leaf in leaves_of(fresh.take()[0]) if leaf is not None}

    assert tale.engine.store.load(refusals_of(case))
    assert not {case, refusals_of(case), reads_of(case)} & streams


def test_a_case_diverted_later_is_withheld_in_a_bundle_of_before(fresh: Audited) -> None:
    tale = fresh.tale
    case = tale.scene.opened("FW-01", tale.desk.resident())
    fresh.seal()
    assert fresh.take()[1].withheld == 0
    tale.desk.must(
        case, fresh.actor(tale.scene.community, "intake_officer"), do.DivertMatter(to="discipline")
    )

    path, taken = fresh.take()

    assert taken.withheld == 3
    assert case.encode() not in b"".join(files_of(path).values())


def test_a_board_of_a_community_reads_that_community_s_cases_and_the_hashes_of_others(fresh: Audited) -> None:
    tale, (first, second) = fresh.tale, DISTRICT.communities[:2]
    tale.scene.community = first
    mine = tale.scene.opened("FW-01", tale.desk.resident())
    tale.scene.community = second
    other = tale.scene.opened("FW-01", tale.desk.resident())
    member = seat_board(fresh, "board-com", first)
    fresh.seal()

    path, taken = fresh.take(actor=member)
    streams = {leaf["stream"] for leaf in leaves_of(path) if leaf is not None}

    assert mine in streams
    assert other not in streams
    assert taken.withheld == 3
    report = checked(fresh, path)
    assert (report.result, report.of("withheld")["zh"]) == ("pass", "3 片叶子只见哈希,内容未核。")


def test_more_than_its_remit_takes_a_resolution(fresh: Audited) -> None:
    tale = fresh.tale
    tale.scene.community = DISTRICT.communities[1]
    tale.scene.opened("FW-01", tale.desk.resident())
    member = seat_board(fresh, "board-com", DISTRICT.communities[0])
    fresh.seal()

    with pytest.raises(Refused, match="authority_needed"):
        fresh.take(actor=member, whole=True)
    assert fresh.take(actor=member, whole=True, authority="resolution:5")[1].withheld == 0


# -- faults -----------------------------------------------------------------------------------------------------------


def test_a_bundle_that_cannot_be_written_leaves_nothing_behind(played: Audited, tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        played.take("no such folder/bundle.zip")
    (played.folder / "a folder").mkdir(exist_ok=True)
    with pytest.raises(Unavailable):
        played.take("a folder")

    assert [path.name for path in played.folder.iterdir() if path.name.startswith(".")] == []


def test_a_log_that_lacks_a_stored_event_does_not_bear_the_census_out(fresh: Audited) -> None:
    """The sealer is made to miss one event; everything after it is sealed and cosigned properly."""
    tale = fresh.tale
    case = tale.scene.opened("FW-01", tale.desk.resident())
    missing = tale.engine.store.load(case)[-1].position
    tale.scene.opened("FW-01", tale.desk.resident())
    fresh.seal(missing=missing)

    report = checked(fresh, fresh.take()[0])

    assert {"census_types", "census_cases"} <= report.faults


# -- the commands -----------------------------------------------------------------------------------------------------


def test_the_commands_take_and_check_it(
    played: Audited, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data, path = tmp_path / "data", tmp_path / "b.zip"
    shutil.copytree(played.folder / "data", data)
    member = f"{DISTRICT.staff['board', 'board_member']}/board/board_member"
    environment = {"HUIYIN_DATA": str(data), "HUIYIN_DISTRICT": DISTRICT.code}

    taken = CliRunner().invoke(app, ["bundle", "-o", str(path), "--as", member, "--json"], env=environment)
    refused = CliRunner().invoke(
        app, ["bundle", "-o", str(path), "--as", member, "--month", "2020-01", "--json"], env=environment
    )
    checked_ = CliRunner().invoke(
        app, ["verify", str(path), "--policy", str(played.policy), "--json"], env=environment
    )

    assert taken.exit_code == 0, taken.output
    assert json.loads(taken.stdout)["board"] == "board"
    assert (refused.exit_code, json.loads(refused.stdout)["code"]) == (1, "empty_month")
    assert checked_.exit_code == 0
    assert json.loads(capfd.readouterr().out)["result"] == "pass"
    assert CliRunner().invoke(app, ["verify", str(tmp_path / "none.zip")]).exit_code == 2
