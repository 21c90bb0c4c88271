"""`huiyin matter show|list|find`, `huiyin work`, `huiyin clocks`: what people may see, and what reading leaves behind."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from adapters.cli.main import app
from adapters.demo import turns
from adapters.reading import open_case
from domain.acting import Actor
from domain.event import decode
from domain.matter import commands as do
from domain.refusal import NotFound, Refused
from tests.story import MORNING, Story, eventful, story
from workflows.records import reads_of
from workflows.submission import OutsideNumber, Sealing, Submission


@pytest.fixture
def tale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    monkeypatch.setenv("HUIYIN_DATA", str(tmp_path))
    with story(tmp_path) as told:
        yield told


def huiyin(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def told(*arguments: str) -> dict[str, Any]:
    result = huiyin(*arguments, "--json")
    assert result.exit_code == 0, result.output
    body: dict[str, Any] = json.loads(result.stdout)
    return body


def as_(actor: Actor) -> str:
    return f"{actor.person}/{actor.body}/{actor.post}" if actor.post else f"{actor.person}/{actor.body}"


def reads(tale: Story, case: str) -> list[Any]:
    return [decode(row.type, row.body) for row in tale.engine.store.load(reads_of(case))]


def test_a_matter_is_shown_by_its_number_with_public_fields(tale: Story) -> None:
    case = eventful(tale)
    state = tale.engine.handle.load(case)
    assert state is not None

    body = told("matter", "show", state.number.lower())

    assert (body["case"], body["number"], body["status"]) == (case, state.number, "已结案 closed")
    assert (body["sight"], body["sealed"]) == ("public", [])
    assert {leg["body"] for leg in body["legs"]} >= {"住建局 dept-housing", "派驻城管执法中队 organ-urban"}
    assert reads(tale, case) == []


def test_whoever_opens_sealed_values_is_on_record_with_the_purpose(tale: Story) -> None:
    case = eventful(tale)
    officer = tale.scene.actor("sd-01", "officer")

    body = told("matter", "show", case, "--as", as_(officer), "--open", "handling")

    assert "居民甲" in {value["value"] for value in body["sealed"]}
    (read,) = reads(tale, case)
    assert (read.person, read.capacity, read.post) == (officer.person, "sd-01", "officer")
    assert read.pub.purpose == "handling"
    assert {"name", "contact", "text"} <= set(read.pub.fields)


def test_a_requester_is_shown_their_own_and_the_answer(tale: Story) -> None:
    case = eventful(tale)
    state = tale.engine.handle.load(case)
    assert state is not None
    (resident,) = state.requesters

    body = told("matter", "show", case, "--as", f"{resident}/resident", "--open", "own")

    assert {value["name"] for value in body["sealed"]} == {"text", "name", "contact", "wording", "reply"}


@pytest.mark.parametrize("post", [("com-02", "officer"), ("dept-water", "officer"), ("discipline", "nobody")])
def test_who_has_no_need_to_know_sees_no_such_case(tale: Story, post: tuple[str, str]) -> None:
    case = eventful(tale)
    person = tale.desk.district.staff.get(post, tale.desk.id())

    result = huiyin("matter", "show", case, "--as", f"{person}/{post[0]}/{post[1]}")

    assert (result.exit_code, result.stderr) == (3, huiyin("matter", "show", tale.desk.id()).stderr)


def test_nothing_is_opened_for_somebody_who_does_not_say_who_they_are(tale: Story) -> None:
    case = eventful(tale)

    assert huiyin("matter", "show", case, "--open", "curiosity").exit_code == 2
    assert reads(tale, case) == []


def test_a_purpose_is_a_code_and_not_a_text(tale: Story) -> None:
    case = eventful(tale)

    with pytest.raises(Refused) as refused:
        open_case(tale.engine, case, tale.scene.actor("sd-01", "officer"), "为了 张三")

    assert refused.value.code == "malformed"
    assert reads(tale, case) == []


def test_who_may_not_see_the_case_leaves_no_record_of_a_read(tale: Story) -> None:
    case = eventful(tale)

    with pytest.raises(NotFound):
        open_case(tale.engine, case, tale.scene.actor("com-02", "officer"), "handling")

    assert reads(tale, case) == []


def test_discipline_inspection_opens_an_accusation(tale: Story) -> None:
    turns.accusation(tale.scene)
    case = tale.scene.cases[-1]

    shown = open_case(tale.engine, case, tale.scene.actor("discipline", "discipline_officer"), "inspection")

    assert {value.state for value in shown.values} == {"open"}
    assert "反映违纪线索" in {value.value for value in shown.values}


def test_matters_are_listed_by_state_and_lateness_without_accusations(tale: Story) -> None:
    late = eventful(tale)
    tale.clock.turn(10)
    turns.refused(tale.scene)
    fresh = tale.scene.cases[-1]
    turns.accusation(tale.scene)

    everything = [row["case_id"] for row in told("matter", "list")["matters"]]

    assert everything == [fresh, late]
    assert [row["case_id"] for row in told("matter", "list", "--status", "refused")["matters"]] == [fresh]
    assert [row["case_id"] for row in told("matter", "list", "--late")["matters"]] == [late]
    assert told("matter", "list", "--subdistrict", "sd-99")["matters"] == []


def test_a_viewers_list_holds_only_what_they_may_see(tale: Story) -> None:
    eventful(tale)

    stranger = tale.scene.actor("com-02", "officer")

    assert told("matter", "list", "--as", as_(stranger))["matters"] == []
    assert len(told("matter", "list", "--as", as_(tale.scene.actor("sd-01", "officer")))["matters"]) == 1


def test_a_matter_is_found_by_another_systems_number(tale: Story) -> None:
    case = eventful(tale)
    dispatcher = tale.scene.actor("hotline", "dispatcher")
    answer = tale.engine.handle(
        Submission(
            client="hotline", key="k1", case=case, actor=dispatcher, authority="law:hotline",
            command=do.AddSupplement(what="supplement", source="hotline_12345", outside_number=True),
            sealed=(Sealing("text", dispatcher.person, "来电补充"), Sealing("outside_number", dispatcher.person, "GD-77")),
            outside=(OutsideNumber("hotline_12345", "GD-77"),),
        )
    )  # fmt: skip
    assert answer.accepted, answer

    assert told("matter", "find", "--outside", "GD-77", "--source", "hotline_12345")["case"] == case
    assert huiyin("matter", "find", "--outside", "GD-78", "--source", "hotline_12345").exit_code == 3


def test_a_work_list_says_what_a_body_and_a_post_are_to_do(tale: Story) -> None:
    case = tale.scene.opened("FW-01", tale.desk.resident())
    tale.desk.whistles(case, ("dept-housing",))

    mine = told("work", "dept-housing")["work"]

    assert [item["act"] for item in mine] == ["acknowledge", "contact", "check_in"]
    assert all(item["case_id"] == case for item in mine)
    assert told("work", "dept-housing", "--post", "archivist")["work"] == []
    assert huiyin("work", "dept-nowhere").exit_code == 3


def test_a_persons_work_list_is_what_their_posts_may_do(tale: Story) -> None:
    case = tale.scene.opened("FW-01", tale.desk.resident())
    tale.desk.whistles(case, ("dept-housing",))
    officer = tale.scene.actor("dept-housing", "officer")

    mine = told("work", "--as", as_(officer))["work"]

    assert [item["act"] for item in mine] == ["acknowledge", "contact", "check_in"]
    assert told("work", "--as", as_(tale.scene.actor("archive", "archivist")))["work"] == []
    assert huiyin("work").exit_code == 2


def test_running_clocks_are_listed_the_soonest_first(tale: Story) -> None:
    case = tale.scene.opened("FW-01", tale.desk.resident())
    tale.desk.whistles(case, ("dept-housing",))

    running = told("clocks")["clocks"]

    assert [clock["due"] for clock in running] == sorted(clock["due"] for clock in running)
    assert {clock["stage"] for clock in running} == {"acknowledge", "contact", "check_in", "finish"}


def test_people_read_names_and_their_own_time(tale: Story) -> None:
    case = tale.scene.opened("FW-01", tale.desk.resident())
    tale.desk.whistles(case, ("dept-housing",))

    result = CliRunner(env={"COLUMNS": "250"}).invoke(app, ["work", "dept-housing"])

    assert "住建局" in result.stdout
    assert "签收 acknowledge" in result.stdout
    assert (
        f"{MORNING:%Y-%m-%d} 09:00" in result.stdout
    )  # Shanghai's nine o'clock is one in the morning in UTC
