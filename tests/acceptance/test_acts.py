"""The acts of the command line: a life from registration to close, and what is refused on the way."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_group

from adapters.acts import ACTS
from adapters.cli.acts import noun
from adapters.demo.district import CALL_OUT_POWER, ORGAN, SUBDISTRICT, WHISTLE_POWER
from domain.matter import COMMANDS
from domain.matter import commands as do
from domain.register import commands as reg
from domain.register.decide import RULES
from tests.acceptance.world import GROUND, Desk
from workflows.rooms import REGISTER

BY_THE_CLOCK_OR_THE_IMPORT = {do.TakeDueSteps, do.ResetClocks, do.BackfillMatter}
TEXT = ("--text", "楼道墙体开裂，雨天渗水")


def registered(shell: Desk, *more: str) -> str:
    """A resident's request by telephone, written down by the community; its number."""
    answer = shell.must(
        "matter", "register", "--source", "phone", "--kind", "hazard", "--code", "FW-01", "--demand", "help",
        "--host", "com-01", *TEXT, "--name", "居民甲", "--contact", "13800000000", *more,
        by=shell.who("com-01", "intake_officer"),
    )  # fmt: skip
    return str(answer["number"])


def triaged(shell: Desk, *more: str) -> str:
    """The same, accepted and graded."""
    number, intake = registered(shell, *more), shell.who("com-01", "intake_officer")
    shell.must("matter", "accept", number, by=intake)
    shell.must(
        "matter", "triage", number, "--scale", "hard", "--demand", "help", "--tier", "community", by=intake
    )
    return number


def blown(shell: Desk, number: str, *bodies: str) -> dict[str, str]:
    """A whistle drafted, authorised and blown; the legs by body."""
    officer, leader = shell.who(SUBDISTRICT, "officer"), shell.who(SUBDISTRICT, "leadership_member")
    to = [part for body in bodies for part in ("--to", body)]
    drafted = shell.must(
        "whistle", "draft", number, "--kind", "service", *to, "--reason", "街道无力单独处置", by=officer
    )
    shell.must("whistle", "authorise", number, by=leader, authority=WHISTLE_POWER)
    shell.must("whistle", "blow", number, by=officer, authority=WHISTLE_POWER)
    legs: dict[str, str] = drafted["legs"]
    return legs


def test_every_command_that_a_person_may_give_has_an_act() -> None:
    for_a_matter = set(COMMANDS) - BY_THE_CLOCK_OR_THE_IMPORT
    with_a_secret = {  # huiyin key, huiyin signin, huiyin subscription
        reg.IssueSystemKey, reg.EndSystemKey, reg.LinkSignin, reg.UnlinkSignin, reg.MakeSubscription,
        reg.ChangeSubscriptionSecret, reg.PauseSubscription, reg.ResumeSubscription, reg.EndSubscription,
    }  # fmt: skip
    for_the_register = set(RULES) - {reg.IssueFirstLink, reg.ClaimFirstLink} - with_a_secret
    assert {act.command for act in ACTS} == for_a_matter | for_the_register


def test_every_option_of_every_act_says_what_it_means() -> None:
    found = {
        f"{word} {name} --{option.name}"
        for word in {act.noun for act in ACTS if act.noun}
        for name, command in get_group(noun(word)).commands.items()
        for option in command.params
        if not getattr(option, "help", None) and option.name != "help"
    }
    assert found == set()


def test_no_two_acts_have_the_same_words() -> None:
    assert len({(act.noun, act.verb) for act in ACTS}) == len(ACTS)


@pytest.mark.parametrize("act", ACTS, ids=lambda act: f"{act.noun} {act.verb}")
def test_every_sealed_value_that_a_command_speaks_of_can_be_given(act: object) -> None:
    words = act.command.__doc__ or ""  # type: ignore[attr-defined]
    spoken = re.search(r"[Ss]ealed: ([^.)]*)", words)
    names = set(re.findall(r"[a-z_]+", re.sub(r"\(.*?\)", "", spoken[1]))) if spoken else set()
    known = {
        "text",
        "place",
        "name",
        "contact",
        "note",
        "plan",
        "reply",
        "evidence",
        "wording",
        "reason",
        "proof",
        "result",
    }
    assert names & known <= set(act.sealed)  # type: ignore[attr-defined]


def test_a_life_from_the_call_to_the_close(shell: Desk, tmp_path: Path) -> None:
    number = triaged(shell)
    legs = blown(shell, number, "dept-housing", "dept-water:assist")
    assert set(legs) == {"dept-housing", "dept-water"}
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"a photograph")
    for body in legs:
        duty, officer, leader = (shell.who(body, post) for post in ("duty_officer", "officer", "leader"))
        shell.must("leg", "acknowledge", number, by=duty)
        shell.must("leg", "contact", number, by=officer)
        shell.must(
            "leg",
            "check-in",
            number,
            "--place",
            "com-01",
            "--proof",
            "code",
            "--proof-value",
            "现场码",
            by=officer,
        )
        shell.must("leg", "note", number, "--note", "已排查", by=officer)
        shell.must("leg", "report", number, "--result", "已修复", "--evidence", str(photo), by=leader)
        shell.must(
            "leg", "accept", number, "--leg", body,
            by=shell.who(SUBDISTRICT, "leadership_member"), authority=WHISTLE_POWER,
        )  # fmt: skip
    officer = shell.who(SUBDISTRICT, "officer")
    shell.must(
        "matter",
        "submit",
        number,
        "--disposition",
        "solved",
        "--reply",
        "墙体已加固",
        "--evidence",
        str(photo),
        by=officer,
    )
    caller = shell.who(SUBDISTRICT, "callback_officer")
    shell.must(
        "matter", "callback", number, "--solved", "--satisfaction", "satisfied", "--wording", "好", by=caller
    )
    shell.must("matter", "close", number, by=shell.who(SUBDISTRICT, "supervisor"))
    with shell.engine() as engine:
        case = engine.handle.find("number", number)
        state = engine.handle.load(case or "")
        sealed = [one for one in engine.vault.open(case or "") if one.name == "evidence"]
    assert state is not None
    assert state.status == "closed"
    assert {one.value for one in sealed} == {hashlib.sha256(b"a photograph").hexdigest()}


def test_an_emergency_is_drafted_and_blown_by_the_duty_leader_at_once(shell: Desk) -> None:
    number = triaged(shell, "--emergency")
    leader = shell.who(SUBDISTRICT, "duty_leader")
    answer = shell.must(
        "whistle", "blow", number, "--to", "dept-housing:lead", "--to", "dept-fire", "--kind", "emergency",
        "--reason", "墙体将倒", by=leader, authority=WHISTLE_POWER,
    )  # fmt: skip
    assert "order_issued.v1" in answer["events"]


def test_a_whistle_that_needs_a_signature_is_drafted_and_the_missing_one_is_named(shell: Desk) -> None:
    number, officer = triaged(shell), shell.who(SUBDISTRICT, "officer")
    answer = shell.act(
        "whistle", "blow", number, "--to", "dept-housing", "--kind", "service", "--reason", "街道无力单独处置",
        by=officer, authority=WHISTLE_POWER,
    )  # fmt: skip
    assert (answer["exit"], answer["code"]) == (1, "not_authorised")
    assert "leadership_member" in answer["advice"]
    leader = shell.who(SUBDISTRICT, "leadership_member")
    shell.must("whistle", "authorise", number, "--order", answer["order"], by=leader, authority=WHISTLE_POWER)
    shell.must("whistle", "blow", number, "--order", answer["order"], by=officer, authority=WHISTLE_POWER)


def test_a_call_is_made_and_answered(shell: Desk) -> None:
    number, officer = triaged(shell), shell.who("com-01", "intake_officer")
    shell.must("call", "draft", number, "--to", SUBDISTRICT, "--reason", "社区无力处置", by=officer)
    shell.must("call", "authorise", number, by=shell.who("com-01", "community_secretary"))
    made = shell.must("call", "make", number, by=officer)
    assert "order_issued.v1" in made["events"]
    shell.must("leg", "acknowledge", number, by=shell.who(SUBDISTRICT, "duty_officer"))
    leader = shell.who(SUBDISTRICT, "leadership_member")
    answer = shell.must("call", "answer", number, "--how", "self_handling", by=leader)
    assert "call_answered.v1" in answer["events"]


def test_a_squad_is_called_out_by_its_power(shell: Desk) -> None:
    number, officer = triaged(shell, "--code", "CG-01"), shell.who(SUBDISTRICT, "officer")
    shell.must("call-out", "draft", number, "--to", ORGAN, "--reason", "占道经营", by=officer)
    leader = shell.who(SUBDISTRICT, "leadership_member")
    shell.must("call-out", "authorise", number, by=leader, authority=CALL_OUT_POWER)
    answer = shell.must("call-out", "issue", number, by=officer, authority=CALL_OUT_POWER)
    assert "order_issued.v1" in answer["events"]


def test_the_same_key_gives_the_first_answer_again(shell: Desk) -> None:
    intake, seen = shell.who("com-01", "intake_officer"), "2026-01-05T09:00:00+08:00"
    typed = (
        "matter", "register", "--source", "phone", "--host", "com-01", *TEXT, "--name", "居民甲",
        "--key", "order-1", "--seen-at", seen,
    )  # fmt: skip
    first = shell.must(*typed, by=intake)
    again = shell.must(*typed, by=intake)
    assert again["repeated"]
    assert (again["case"], again["number"], again["version"]) == (
        first["case"],
        first["number"],
        first["version"],
    )
    other = shell.act(*typed[:-4], "--key", "order-1", "--seen-at", seen, "--proactive", by=intake)
    assert (other["exit"], other["code"]) == (1, "key_reused")


def test_a_key_of_ones_own_needs_the_time_as_well(shell: Desk) -> None:
    result = shell.run(
        "matter", "register", "--source", "phone", "--host", "com-01", *TEXT, "--name", "甲", "--key", "k1",
        "--as", shell.who("com-01", "intake_officer"), "--authority", GROUND,
    )  # fmt: skip
    assert (result.exit_code, "--seen-at" in result.stderr) == (2, True)


def test_a_time_without_offset_is_not_understood(shell: Desk) -> None:
    result = shell.run("matter", "accept", "x", "--as", "a/b/c", "--occurred-at", "2026-11-23T09:00:00")
    assert (result.exit_code, "offset" in result.stderr) == (2, True)


def test_a_word_outside_the_closed_list_is_not_understood(shell: Desk) -> None:
    result = shell.run(
        "matter", "triage", "x", "--scale", "huge", "--demand", "help", "--tier", "t", "--as", "a/b/c"
    )
    assert (result.exit_code, "minor" in result.stderr) == (2, True)


def test_the_register_is_kept_entry_by_entry(shell: Desk) -> None:
    security = f"{shell.district.security}/system/security_admin"
    entered = shell.must("register", "enter-person", "--person", "S77", "--name", "钱管理", by=security)
    filled = shell.must(
        "register", "fill-post", "--person", "S77", "--body", "com-02", "--post", "officer", by=security
    )
    assert (entered["events"], filled["events"]) == (["person_entered.v1"], ["post_filled.v1"])
    with shell.engine() as engine:
        held = engine.handle.standing.caught_up().register.holders("com-02", "officer", engine.handle.clock())
    assert len(held) == 2
    again = shell.act(
        "register", "fill-post", "--person", "S77", "--body", "com-02", "--post", "officer", by=security
    )
    assert (again["exit"], again["code"]) == (1, "already_known")


def test_a_contact_is_changed_and_stands_in_no_file(shell: Desk) -> None:
    person, security = (
        shell.district.staff["com-01", "officer"],
        f"{shell.district.security}/system/security_admin",
    )
    changed = shell.must(
        "register",
        "change-contact",
        "--person",
        person,
        "--contact",
        "zq9d-contact@mail.example",
        by=security,
    )
    assert changed["events"] == ["contact_changed.v1"]
    with shell.engine() as engine:
        values = [one.value for one in engine.vault.open(REGISTER, subject=person) if one.name == "contact"]
    assert values == ["zq9d-contact@mail.example"]
    assert not any(b"zq9d-contact@" in file.read_bytes() for file in shell.data.rglob("*") if file.is_file())
    for by, code in (
        (shell.who("com-01", "officer"), "not_allowed"),
        (f"{person}/system/security_admin", "post_not_held"),
    ):
        answer = shell.act(
            "register", "change-contact", "--person", person, "--contact", "x@y.example", by=by
        )
        assert (answer["exit"], answer["code"]) == (1, code)
    silent = shell.act("register", "change-contact", "--person", person, by=security)
    assert (silent["exit"], silent["code"]) == (1, "contact_missing")


def test_a_ground_in_free_words_is_not_understood(shell: Desk) -> None:
    number, intake = registered(shell), shell.who("com-01", "intake_officer")
    answer = shell.act("matter", "accept", number, by=intake, authority="because I say so")
    assert (answer["exit"], answer["code"]) == (2, "malformed")


def test_an_unknown_number_ends_with_3(shell: Desk) -> None:
    answer = shell.act(
        "matter", "accept", "450305-20260101-AAAAAAA", by=shell.who("com-01", "intake_officer")
    )
    assert (answer["exit"], answer["code"]) == (3, "not_found")


def test_a_confidential_matter_looks_like_one_that_does_not_exist(shell: Desk) -> None:
    intake = shell.who("com-01", "intake_officer")
    accusation = ("--accusation", *TEXT, "--name", "居民乙", "--kind-value", "作风", "--place", "二楼")
    number = shell.must("matter", "register", "--source", "window", *accusation, by=intake)["number"]
    known = shell.act("whistle", "authorise", number, by=intake)
    unknown = shell.act("whistle", "authorise", "450305-20260101-AAAAAAA", by=intake)
    assert (known["exit"], known["code"], known["advice"]) == (3, unknown["code"], unknown["advice"])
    accepted = shell.act("matter", "accept", number, by=intake)
    assert (accepted["exit"], accepted["code"], accepted["advice"]) == (3, unknown["code"], unknown["advice"])


def test_a_refusal_ends_with_1_and_says_what_to_do(shell: Desk) -> None:
    number = registered(shell)
    result = shell.run(
        "matter", "close", number, "--as", shell.who(SUBDISTRICT, "supervisor"), "--authority", GROUND
    )
    assert (result.exit_code, "wrong_state" in result.stderr) == (1, True)


def test_a_store_that_cannot_be_reached_ends_with_4(shell: Desk) -> None:
    (shell.data / "cases.db").write_bytes(b"not a database" * 1000)
    answer = shell.act(
        "matter", "accept", "450305-20260101-AAAAAAA", by=shell.who("com-01", "intake_officer")
    )
    assert (answer["exit"], answer["code"]) == (4, "unavailable")


def test_an_outside_number_finds_its_matter_and_belongs_to_one_alone(shell: Desk) -> None:
    registered(shell, "--outside", "hotline_12345:GD2026-1")
    intake = shell.who("com-01", "intake_officer")
    shell.must("matter", "accept", "hotline_12345:GD2026-1", by=intake)
    again = shell.act(
        "matter", "register", "--source", "phone", "--host", "com-01", *TEXT, "--name", "乙",
        "--outside", "hotline_12345:GD2026-1", by=intake,
    )  # fmt: skip
    assert (again["exit"], again["code"]) == (1, "known_number")
    shell.must(
        "matter", "supplement", "hotline_12345:GD2026-1", "--what", "urging", "--source", "hotline_12345",
        "--outside", "hotline_12345:GD2026-1", "--text", "再次来电", by=intake,
    )  # fmt: skip


def test_a_sealed_text_may_come_from_a_file(shell: Desk, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("从文件来\n", encoding="utf-8")
    answer = shell.must(
        "matter", "register", "--source", "phone", "--host", "com-01", "--text", f"@{words}", "--name", "丙",
        by=shell.who("com-01", "intake_officer"),
    )  # fmt: skip
    with shell.engine() as engine:
        values = {one.name: one.value for one in engine.vault.open(answer["case"])}
    assert values["text"] == "从文件来"
    words.write_bytes(b"\xff\xfe\xfa")
    result = shell.run(
        "matter", "supplement", answer["number"], "--what", "supplement", "--source", "phone", "--text", f"@{words}",
        "--as", shell.who("com-01", "intake_officer"),
    )  # fmt: skip
    assert (result.exit_code, "UTF-8" in result.stderr) == (2, True)


def test_bytes_that_are_no_utf8_are_refused_cleanly(shell: Desk) -> None:
    for argument in (b"--text", b"--name", b"--outside"):
        typed = [
            b"matter",
            b"register",
            b"--source",
            b"phone",
            b"--host",
            b"com-01",
            b"--as",
            b"A1/com-01/intake_officer",
        ]
        ended = subprocess.run(
            [os.fsencode(sys.executable), b"-c", b"from adapters.cli.main import main; main()", *typed, argument, b"x:\xff\xfe"],
            env={**os.environ, "HUIYIN_DATA": str(shell.data), "PYTHONUTF8": "1"}, capture_output=True, check=False,
        )  # fmt: skip
        assert (ended.returncode, b"invalid_text" in ended.stderr, b"Traceback" in ended.stderr) == (
            2,
            True,
            False,
        )


def test_nothing_that_is_sealed_stands_in_the_events(shell: Desk) -> None:
    registered(shell, "--place", "桂花路八号")
    with shell.engine() as engine:
        stored = b"".join(row.body for row in engine.store.read(0, 10_000))
    assert b"matter_registered.v1" in stored
    assert not any(word.encode() in stored for word in ("楼道", "居民甲", "13800000000", "桂花路八号"))


def test_a_body_is_entered_under_its_parent(shell: Desk) -> None:
    names = ("--name-zh", "新社区", "--name-en", "New", "--district", "450305")
    by = f"{shell.district.system}/system/system_admin"

    shell.must(
        "register",
        "enter-body",
        "--body",
        "com-77",
        "--kind",
        "community",
        "--parent",
        "sd-01",
        *names,
        by=by,
    )

    with shell.engine() as engine:
        register = engine.handle.standing.caught_up().register
        assert register.within("com-77", "sd-01", engine.handle.clock())
