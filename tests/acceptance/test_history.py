"""`huiyin history`: every event of a case, as of a moment, and the nine questions that an auditor asks of it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.cli.main import app
from domain.instant import written
from domain.matter import commands as do
from domain.matter.commands import DivertMatter
from tests.story import Story, eventful, story

HOUSING, SQUAD, SUBDISTRICT = "住建局 dept-housing", "派驻城管执法中队 organ-urban", "桂花街道 sd-01"


@pytest.fixture
def tale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    monkeypatch.setenv("HUIYIN_DATA", str(tmp_path))
    with story(tmp_path) as told:
        yield told


def history(case: str, *options: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["history", case, "--json", *options])
    assert result.exit_code == 0, result.output
    body: dict[str, Any] = json.loads(result.stdout)
    return body


def asked(case: str, number: int) -> tuple[list[dict[str, Any]], list[str]]:
    """The rows and the flags of one answer."""
    (answer,) = history(case, "--question", str(number))["answers"]
    assert answer["question"] == number
    return answer["rows"], answer["flags"]


def test_every_event_says_who_as_what_on_what_ground_by_which_rule(tale: Story) -> None:
    case = eventful(tale)

    body = history(case)

    issued = next(e for e in body["events"] if e["type"] == "order_issued.v1" and e["body"] == "sd-01")
    officer = tale.scene.actor("sd-01", "officer")
    assert issued["person"] == officer.person
    assert (issued["post"], issued["body_name"]) == ("officer", SUBDISTRICT)
    assert (issued["authority"], issued["rule"]) == ("power-whistle", "issue_order:whistle.service")
    assert issued["rulebook"] == "demo/2026.1"
    assert issued["occurred_at"] == issued["recorded_at"]
    assert [event["version"] for event in body["events"]] == list(range(1, len(body["events"]) + 1))


def test_a_person_reads_it_as_a_table_with_chinese_first(tale: Story) -> None:
    case = eventful(tale)

    result = CliRunner(env={"COLUMNS": "250"}).invoke(app, ["history", case, "--questions"])

    assert result.exit_code == 0
    for words in (
        "吹哨",
        "报到",
        "回访",
        "重办",
        "问题 question 1:",
        "问题 question 19:",
        "桂花街道",
        "power-whistle",
        "demo/2026.1",
    ):
        assert words in result.stdout


def test_no_sealed_value_is_printed(tale: Story) -> None:
    case = eventful(tale)

    result = CliRunner().invoke(app, ["history", case, "--json", "--questions"])

    assert "13800000000" not in result.stdout
    assert "居民甲" not in result.stdout


def test_refused_acts_are_part_of_the_history(tale: Story) -> None:
    case = eventful(tale)
    tale.desk.do(case, tale.scene.actor("sd-01", "officer"), do.CloseMatter())

    (refusal,) = history(case)["refusals"]

    assert refusal["pub"]["command_name"] == "close_matter"


# -- the auditor's questions (domain.md E) ----------------------------------------------------------------------------


def test_question_1_who_decided_on_what_authority_and_when(tale: Story) -> None:
    case = eventful(tale)

    rows, flags = asked(case, 1)

    signed = next(row for row in rows if row["rule"] == "authorise_order:whistle.service")
    assert signed["person"] == tale.scene.actor("sd-01", "leadership_member").person
    assert (signed["post"], signed["body"], signed["authority"]) == (
        "leadership_member",
        SUBDISTRICT,
        "power-whistle",
    )
    assert signed["authority_in_force"] is True
    assert signed["occurred_at"] == signed["recorded_at"]
    assert flags == []


def test_question_2_could_that_person_decide(tale: Story) -> None:
    case = eventful(tale)

    rows, flags = asked(case, 2)

    assert all(row["held_the_post"] for row in rows)
    officer = next(row for row in rows if row["person"] == tale.scene.actor("organ-urban", "officer").person)
    assert officer["parts"] == ["performed"]
    assert flags == []


def test_question_11_who_came_late_and_by_how_much(tale: Story) -> None:
    case = eventful(tale)

    last = history(case)["events"][-1]["recorded_at"]

    (answer,) = history(case, "--question", "11", "--at", last)["answers"]

    rows = answer["rows"]
    late = {row["stage"]: row["late_by_seconds"] for row in rows if row.get("late")}
    assert set(late) == {"报到 check_in", "首次联系 contact"}
    assert 5.0 <= late["报到 check_in"] < 5.1
    assert {"body": SQUAD, "missed_this_quarter": 2, "events": []} in rows
    assert all(row["events"] for row in rows if row.get("late"))


def test_question_12_who_blew_why_and_was_there_a_call(tale: Story) -> None:
    case = eventful(tale)

    ((row,), flags) = asked(case, 12)

    assert row["to"] == [SQUAD, HOUSING]
    assert row["authorised_by"][0].startswith(f"{SUBDISTRICT} 分管领导")
    assert row["issued_by"][0].startswith(f"{SUBDISTRICT} 经办人")
    assert row["call"][0].startswith("第1社区 com-01")
    assert row["tried_before"][0].startswith("尝试处置 attempt_recorded community")
    assert row["reason"] == "sealed"
    assert flags == []


def test_question_12_flags_a_whistle_without_call_or_attempt(tale: Story) -> None:
    case = tale.scene.opened("FW-01", tale.desk.resident())
    tale.desk.whistles(case, ("dept-housing",))

    _, flags = asked(case, 12)

    assert [flag.partition(":")[0] for flag in flags] == ["neither_call_nor_attempt"]


def test_question_13_who_released_and_was_it_finished(tale: Story) -> None:
    case = eventful(tale)

    rows, flags = asked(case, 13)

    squad = next(row for row in rows if row.get("body") == SQUAD)
    assert squad["released_by"][0].startswith(f"{SUBDISTRICT} 分管领导")
    assert squad["checked_in"] is True
    assert squad["reported"] == ["done, 1 proofs"]
    assert [row["solved"] for row in rows if "callback" in row] == [False, True]
    assert flags == []


def test_question_13_flags_the_same_problem_again(tale: Story) -> None:
    case = eventful(tale)
    tale.clock.turn(60)
    again = tale.desk.registers(tale.desk.resident(), "CG-02", tale.scene.community)

    _, flags = asked(case, 13)

    number = tale.engine.handle.load(again)
    assert number is not None
    assert flags == [f"same_again: {number.number}"]


def test_question_14_what_was_returned_who_ruled_who_carried_it(tale: Story) -> None:
    case = eventful(tale)

    ((row,), flags) = asked(case, 14)

    assert (row["body"], row["ground"], row["basis"]) == (HOUSING, "not_our_duty", "law:duty-list-2026")
    assert (row["granted"], row["ruling"]) == (True, "duty_elsewhere")
    assert row["ruled_by"].startswith("区派单中心 centre 派单员")
    assert (row["carried_meanwhile"], row["carried_then"]) == (HOUSING, [SQUAD])
    assert flags == []


def test_question_15_which_clocks_were_missed_and_was_the_extension_in_time(tale: Story) -> None:
    case = eventful(tale)

    rows, flags = asked(case, 15)

    missed = {row["stage"] for row in rows if row["what"].startswith("missed")}
    (extension,) = [row for row in rows if row["what"].startswith("extension")]
    assert missed == {"报到 check_in", "首次联系 contact"}
    assert (extension["granted"], extension["before_due"], extension["reason"]) == (
        True,
        True,
        "material_ordered",
    )
    assert extension["asked_at"] < extension["decided_at"] < extension["due"]
    assert [flag.partition(":")[0] for flag in flags] == ["deferral_on_due_day"]


def test_question_16_who_deferred_and_when_was_it_reviewed(tale: Story) -> None:
    case = eventful(tale)

    ((row,), flags) = asked(case, 16)

    assert row["approved_by"].startswith(f"{SUBDISTRICT} 书记")
    assert (row["ground"], row["still_open"], row["overdue"]) == ("needs_funds", False, False)
    assert (len(row["review_by"]), len(row["reviews"])) == (2, 1)
    assert flags == []


def test_question_19_did_it_come_back(tale: Story) -> None:
    case = eventful(tale)

    rows, flags = asked(case, 19)

    assert (rows[0]["what"], rows[0]["ground"], rows[0]["times"]) == ("重办 matter_reopened", "not_solved", 1)
    assert flags == ["reopened: 1 times before it was closed"]


def test_every_answer_names_the_events_that_prove_it(tale: Story) -> None:
    case = eventful(tale)
    positions = {event["position"] for event in history(case)["events"]}

    answers = history(case, "--questions")["answers"]

    assert len(answers) == 9
    assert all(set(row["events"]) <= positions for answer in answers for row in answer["rows"])


# -- as of a moment ---------------------------------------------------------------------------------------------------


def test_known_at_and_happened_by_differ_where_something_was_written_down_afterwards(tale: Story) -> None:
    case = tale.scene.opened("FW-01", tale.desk.resident())
    before = tale.clock.at + timedelta(seconds=1)
    tale.clock.turn(20)
    secretary = tale.scene.actor(tale.scene.community, "community_secretary")
    tale.desk.must(case, secretary, do.RecordAttempt(settled=False), occurred_at=before, text="协调未果")
    between = written(before + timedelta(seconds=1))

    known = [event["type"] for event in history(case, "--at", between)["events"]]
    happened = [event["type"] for event in history(case, "--happened", between)["events"]]

    assert "attempt_recorded.v1" not in known
    assert "attempt_recorded.v1" in happened


def test_lateness_is_judged_as_of_the_moment(tale: Story) -> None:
    case = eventful(tale)
    events = history(case)["events"]
    called = next(event for event in events if event["type"] == "leg_acknowledged.v1")

    (answer,) = history(case, "--question", "11", "--at", called["recorded_at"])["answers"]

    assert not any(row.get("late") for row in answer["rows"])


def test_nothing_was_known_before_it_was_registered(tale: Story) -> None:
    case = eventful(tale)

    result = CliRunner().invoke(app, ["history", case, "--at", "2020-01-01T00:00:00Z"])

    assert result.exit_code == 3


@pytest.mark.parametrize(
    "options", [("--question", "3"), ("--at", "yesterday"), ("--at", "2026-11-23T09:00:00")]
)
def test_what_is_no_question_and_no_time_is_a_usage_error(tale: Story, options: tuple[str, str]) -> None:
    case = eventful(tale)

    assert CliRunner().invoke(app, ["history", case, *options]).exit_code == 2


def test_a_diverted_case_looks_like_one_that_does_not_exist(tale: Story) -> None:
    case = tale.scene.opened("FW-01", tale.desk.resident())
    tale.desk.must(
        case, tale.scene.actor(tale.scene.community, "intake_officer"), DivertMatter(to="discipline")
    )

    hidden, absent = (CliRunner().invoke(app, ["history", one]) for one in (case, tale.desk.id()))

    assert (hidden.exit_code, hidden.stderr) == (3, absent.stderr)
