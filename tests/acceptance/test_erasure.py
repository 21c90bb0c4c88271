"""`huiyin disclose` and `huiyin erase`: over both stores, as an archivist types it, and what is left on the disks."""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.cli.nouns import asked
from adapters.demo import turns
from adapters.engine import now
from adapters.vault.keys import LOCKED
from domain.acting import Actor
from domain.event import decode
from domain.matter import commands as do
from domain.matter.words import ENDED_MATTER
from domain.refusal import Refused
from tests.acceptance.archivist import GROUND, Office, kept_for_ever, simple, told_in
from tests.acceptance.canary import files_in, fresh_mark, fresh_signs, search
from tests.servers import PostgresServer, create_database
from tests.story import eventful
from workflows.records import refusals_of

TERM = timedelta(seconds=10)
"""What the demonstration makes of the ten years of a file that was not archived yet."""


@pytest.fixture(params=["sqlite", "postgres"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    dsn = request.getfixturevalue("pg_database") if request.param == "postgres" else None
    with told_in(tmp_path / "data", dsn) as tale:
        yield Office(tale, dsn)


@pytest.fixture
def sqlite_office(tmp_path: Path) -> Iterator[Office]:
    with told_in(tmp_path / "data", None) as tale:
        yield Office(tale, None)


def rfc9901(disclosure: str) -> tuple[str, list[Any]]:
    """Digest and content of a disclosure, by the standard library alone."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(disclosure.encode("ascii")).digest()).rstrip(b"=")
    return digest.decode(), json.loads(base64.urlsafe_b64decode(disclosure + "=" * (-len(disclosure) % 4)))


# -- opening a case for a board ---------------------------------------------------------------------------------------


def test_a_board_is_handed_every_value_with_what_it_needs_to_check_it(office: Office, tmp_path: Path) -> None:
    case, file = simple(office), tmp_path / "sample.json"

    answer = office.disclose(case, file)

    handed = json.loads(file.read_text(encoding="utf-8"))
    opened = dict(map(rfc9901, handed["disclosures"]))
    assert [one["digest"] for one in handed["values"]] == list(opened)
    assert set(opened) == office.leaf_digests(case)
    assert {"居民甲", "13800000000"} <= {value for _, _, value in opened.values()}
    assert {one["stream"] for one in handed["values"]} == {case}
    assert (handed["to"], handed["ground"], handed["authority"], handed["closed"]) == (
        "board", "sample:2026-11", GROUND, [],
    )  # fmt: skip
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (answer["events"], answer["values"]) == (["case_disclosed.v1"], len(opened))


def test_that_it_was_opened_stands_in_the_case_with_the_digests_and_the_ground(
    office: Office, tmp_path: Path
) -> None:
    case = simple(office)

    office.disclose(case, tmp_path / "sample.json")

    last = office.tale.engine.handle.history(case)[-1]
    assert (last.type, last.authority, last.post) == ("case_disclosed.v1", GROUND, "archivist")
    assert (last.pub.to, set(last.pub.digests)) == ("board", office.leaf_digests(case))


def test_nothing_that_is_sealed_is_printed(office: Office, tmp_path: Path) -> None:
    case = simple(office)
    who = ("--as", office.who("archive", "archivist"), "--authority", GROUND)

    result = office.run(
        "disclose", case, "--to", "board", "--ground", "sample", "-o", str(tmp_path / "f"), *who
    )

    assert result.exit_code == 0, result.output
    assert not any(word in result.output for word in ("居民甲", "13800000000", "楼道"))


def test_the_same_command_again_makes_the_same_file(sqlite_office: Office, tmp_path: Path) -> None:
    case = simple(sqlite_office)
    sqlite_office.disclose(case, tmp_path / "a.json", "--key", "k1")

    again = sqlite_office.disclose(case, tmp_path / "b.json", "--key", "k1")

    assert again["repeated"]
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_no_file_is_written_over_and_then_nothing_is_recorded(sqlite_office: Office, tmp_path: Path) -> None:
    case, file = simple(sqlite_office), tmp_path / "there.json"
    file.write_text("of somebody's")
    who = ("--as", sqlite_office.who("archive", "archivist"), "--authority", GROUND)

    result = sqlite_office.run("disclose", case, "--to", "board", "--ground", "s", "-o", str(file), *who)

    assert (result.exit_code, file.read_text()) == (2, "of somebody's")
    assert sqlite_office.tale.engine.handle.history(case)[-1].type == "matter_closed.v1"


@pytest.mark.parametrize(("to", "code"), [("dept-fire", "wrong_body"), ("nowhere", "unknown_body")])
def test_who_is_no_board_is_handed_nothing(sqlite_office: Office, tmp_path: Path, to: str, code: str) -> None:
    case, file = simple(sqlite_office), tmp_path / "sample.json"

    answer = sqlite_office.act("disclose", case, "--to", to, "--ground", "s", "-o", str(file))

    assert (answer["code"], answer["exit"], file.exists()) == (code, 1, False)


def test_an_accusation_is_handed_to_discipline_inspection_by_its_own_officer(
    office: Office, tmp_path: Path
) -> None:
    turns.accusation(office.tale.scene)
    case, file = office.tale.scene.cases[-1], tmp_path / "sample.json"
    given = ("disclose", case, "--ground", "review", "-o", str(file))

    hidden = office.act(*given, "--to", "discipline")
    wrong = office.act(*given, "--to", "board", by=("discipline", "discipline_officer"))
    office.must(*given, "--to", "discipline", by=("discipline", "discipline_officer"))

    assert (hidden["code"], wrong["code"]) == ("not_found", "wrong_body")
    disclosures = json.loads(file.read_text(encoding="utf-8"))["disclosures"]
    assert "反映违纪线索" in {rfc9901(one)[1][2] for one in disclosures}


# -- erasing ----------------------------------------------------------------------------------------------------------


def test_a_whole_case_is_erased_and_everything_else_goes_on(office: Office) -> None:
    case = simple(office)
    digests = office.leaf_digests(case)

    answer = office.erase(case)

    assert answer["events"] == ["data_erased.v1"]
    (gone,) = [one for one in office.tale.engine.handle.history(case) if one.type == "data_erased.v1"]
    assert set(gone.pub.digests) == digests
    assert office.keys_left(case) == 0
    assert {state for states in office.states(case).values() for state in states} == {"erased"}
    shown = office.run("matter", "show", case, "--as", office.who("sd-01", "officer"), "--open", "handling")
    assert "已删除 erased" in shown.stdout
    history = office.run("history", case)
    assert (history.exit_code, "删除个人信息" in history.stdout) == (0, True)
    assert office.run("rebuild").exit_code == 0
    assert office.run("doctor", "--no-temporal").exit_code == 0
    assert case in office.run("matter", "list", "--json").stdout


def test_opening_what_was_erased_leaves_no_record_of_a_read(office: Office) -> None:
    case = simple(office)
    office.erase(case)
    head = office.tale.engine.store.head()

    office.run("matter", "show", case, "--as", office.who("sd-01", "officer"), "--open", "handling")

    assert office.tale.engine.store.head() == head


def test_one_requester_is_erased_without_the_others_and_is_never_collected_again(office: Office) -> None:
    other = office.tale.desk.resident()
    case = simple(office, other)
    first = office.requesters(case)[0]

    answer = office.erase(case, "--subject", other.person)

    assert answer["events"] == ["data_erased.v1"]
    states = office.states(case)
    assert (states[other.person], states[first]) == ({"erased"}, {"open"})
    said = do.AddSupplement(what="supplement", source="phone")
    office.tale.clock.at = now()
    refused = office.tale.desk.do(case, other, said, None, text="又来电")
    assert (refused.outcome, refused.code) == ("refused", "erased")
    assert office.tale.desk.do(case, Actor(person=first, body="resident"), said, None, text="谢谢").accepted


def test_who_is_erased_in_a_merged_matter_is_erased_in_its_master_too(office: Office) -> None:
    tale, desk = office.tale, office.tale.desk
    mine, theirs = desk.resident(), desk.resident()
    merged, master = tale.scene.opened("CG-02", mine), tale.scene.opened("CG-02", theirs)
    intake = tale.scene.actor(tale.scene.community, "intake_officer")
    desk.must(merged, intake, do.MergeMatter(master=master, reason="same_wall"))
    desk.must(
        master, tale.scene.actor("sd-01", "officer"), do.StartHandling(how="self_handling"), note="一并处理"
    )
    desk.submits(master)
    for one in (theirs, mine):
        desk.calls_back(master, one.person)
    desk.closes(master)

    answer = office.erase(merged, "--subject", mine.person)

    assert answer["events"] == ["data_erased.v1", "data_erased.v1"]
    assert (office.states(merged)[mine.person], office.states(master)[mine.person]) == (
        {"erased"},
        {"erased"},
    )
    assert office.states(master)[theirs.person] == {"open"}


def test_a_second_erasure_is_refused_and_the_same_command_gives_its_first_answer(office: Office) -> None:
    case = simple(office)
    first = office.erase(case, "--key", "once")

    again, same = office.erase(case), office.erase(case, "--key", "once")

    assert (again["code"], again["exit"]) == ("erased_already", 1)
    assert (same["repeated"], same["version"], same["events"]) == (True, first["version"], first["events"])


def test_while_the_term_runs_nobody_opens_it_but_the_board(office: Office, tmp_path: Path) -> None:
    case = kept_for_ever(office)

    answer = office.erase(case)

    assert answer["events"] == ["data_locked.v1"]
    assert {state for states in office.states(case).values() for state in states} == {"locked"}
    looked = office.run(
        "matter", "show", case, "--as", office.who("sd-01", "officer"), "--open", "handling", "--json"
    )
    assert (looked.exit_code, json.loads(looked.stdout)["code"]) == (1, "locked")
    assert office.keys_left(case) > 0
    assert (office.erase(case)["code"], office.run("history", case).exit_code) == ("locked_already", 0)
    office.disclose(case, tmp_path / "locked.json")
    assert json.loads((tmp_path / "locked.json").read_text(encoding="utf-8"))["disclosures"]


def test_when_the_term_ends_the_clock_erases_once(office: Office) -> None:
    case, desk = simple(office), office.tale.desk
    archivist = office.tale.scene.actor("archive", "archivist")
    answer = desk.must(case, archivist, do.EraseData(ground="consent_withdrawn"))
    assert (answer.events, office.keys_left(case) > 0) == (("data_locked.v1",), True)

    office.tale.clock.turn(TERM.total_seconds())
    office.tale.steps(case)
    office.tale.steps(case)

    ended = [one for one in office.tale.engine.handle.history(case) if one.type == "data_erased.v1"]
    assert [(one.person, one.pub.ground) for one in ended] == [("system:clock", "consent_withdrawn")]
    assert office.keys_left(case) == 0


def locks_seen(office: Office) -> dict[str, Any]:
    """What the doctor says of locks."""
    assert office.run("rebuild").exit_code == 0
    checks = json.loads(office.run("doctor", "--no-temporal", "--json").stdout)["checks"]
    found: dict[str, Any] = next(one for one in checks if one["name"] == "locks")
    return found


def locked_now(office: Office) -> str:
    """A case whose lock has just begun; its term is the demonstration's ten seconds."""
    case = simple(office)
    archivist = office.tale.scene.actor("archive", "archivist")
    office.tale.desk.must(case, archivist, do.EraseData(ground="consent_withdrawn"))
    return case


def test_the_doctor_says_what_is_locked_and_what_should_have_been_erased(office: Office) -> None:
    assert locks_seen(office)["said"] == "nothing is locked"
    case, without_end = locked_now(office), kept_for_ever(office)
    office.erase(without_end)

    seen = locks_seen(office)  # by the wall clock: the story is yesterday's

    assert (seen["locks"], seen["cases"], seen["with_end"]) == (2, 2, 1)
    assert [one["case"] for one in seen["next"]] == [case]
    assert (seen["ok"], seen["overdue"]) == (False, 1)
    office.tale.clock.at = now()
    office.tale.steps(case)
    after = locks_seen(office)
    assert (after["ok"], after["locks"], after["said"]) == (True, 1, "1 locks on 1 cases, none with an end")


def test_a_lock_is_lifted_and_the_very_values_open_again(office: Office) -> None:
    case = kept_for_ever(office)
    office.erase(case)
    assert {state for states in office.states(case).values() for state in states} == {"locked"}

    answer = office.act("unlock", case, "--ground", "request_withdrawn")

    assert answer["events"] == ["data_unlocked.v1"]
    assert {state for states in office.states(case).values() for state in states} == {"open"}
    shown = office.run("matter", "show", case, "--as", office.who("sd-01", "officer"), "--open", "handling")
    assert (shown.exit_code, "居民甲" in shown.stdout) == (0, True)
    assert "解除封存" in office.run("history", case).stdout
    assert office.act("unlock", case, "--ground", "request_withdrawn")["code"] == "not_locked"


def test_what_was_lifted_is_not_erased_when_the_term_would_have_ended(office: Office) -> None:
    case, archivist = locked_now(office), office.tale.scene.actor("archive", "archivist")
    office.tale.desk.must(case, archivist, do.LiftLock(ground="request_withdrawn"))

    office.tale.clock.turn(TERM.total_seconds() + 1)
    office.tale.steps(case)

    assert "data_erased.v1" not in {one.type for one in office.tale.engine.handle.history(case)}
    assert {state for states in office.states(case).values() for state in states} == {"open"}


@pytest.mark.parametrize("ground", ["tidiness", "purpose_achieved"])
def test_a_lock_is_lifted_on_no_other_ground(sqlite_office: Office, ground: str) -> None:
    case = kept_for_ever(sqlite_office)
    sqlite_office.erase(case)
    who = ("--as", sqlite_office.who("archive", "archivist"), "--authority", GROUND)

    assert sqlite_office.run("unlock", case, "--ground", ground, *who).exit_code == 2
    assert {state for states in sqlite_office.states(case).values() for state in states} == {"locked"}


def test_nothing_is_added_to_what_is_locked_and_the_others_are_still_read(office: Office) -> None:
    other = office.tale.desk.resident()
    case = kept_for_ever(office, other)
    first = office.requesters(case)[0]
    assert office.erase(case, "--subject", other.person)["events"] == ["data_locked.v1"]

    shown = office.run("matter", "show", case, "--as", f"{first}/resident", "--open", "own", "--json")

    assert {value["state"] for value in json.loads(shown.stdout)["sealed"]} == {"open"}
    assert (office.states(case)[other.person], office.states(case)[first]) == ({"locked"}, {"open"})
    refused = office.run(
        "matter", "show", case, "--as", f"{other.person}/resident", "--open", "own", "--json"
    )
    values = {value["subject"]: value["state"] for value in json.loads(refused.stdout)["sealed"]}
    assert values[other.person] == "locked"
    with pytest.raises(Refused) as refusal:
        office.tale.engine.vault.seal(case, other.person, "text", "又来电")
    assert refusal.value.code == "locked"


@pytest.mark.parametrize(
    ("by", "code"),
    [(("sd-01", "officer"), "not_your_post"), (("board", "board_member"), "not_your_body"),
     (("dept-fire", "officer"), "not_your_body")],
)  # fmt: skip
def test_nobody_else_erases_and_the_attempt_is_on_record(
    sqlite_office: Office, by: tuple[str, str], code: str
) -> None:
    case = simple(sqlite_office)

    answer = sqlite_office.act("erase", case, "--ground", "unlawful", by=by)

    assert (answer["code"], answer["exit"]) == (code, 1)
    store = sqlite_office.tale.engine.store
    (refusal,) = [decode(row.type, row.body) for row in store.load(refusals_of(case))]
    assert (refusal.pub.command_name, refusal.pub.code) == ("erase_data", code)
    assert {state for states in sqlite_office.states(case).values() for state in states} == {"open"}


def test_a_ground_that_the_law_does_not_know_is_not_understood(sqlite_office: Office) -> None:
    case = simple(sqlite_office)
    who = ("--as", sqlite_office.who("archive", "archivist"), "--authority", GROUND)

    assert sqlite_office.run("erase", case, "--ground", "tidiness", *who).exit_code == 2


def test_a_long_life_is_erased_like_a_short_one(sqlite_office: Office) -> None:
    case = eventful(sqlite_office.tale)
    state = sqlite_office.tale.engine.handle.load(case)
    assert state is not None
    assert state.status in ENDED_MATTER

    sqlite_office.erase(case)

    assert {s for states in sqlite_office.states(case).values() for s in states} == {"erased"}
    assert sqlite_office.run("history", case, "--question", "11").exit_code == 0


def test_every_option_says_what_it_means() -> None:
    assert [
        option.name
        for verb in ("disclose", "erase", "unlock")
        for option in asked(verb).params
        if not getattr(option, "help", None) and option.name != "help"
    ] == []


# -- what is left on the disks ----------------------------------------------------------------------------------------


def marked_case(office: Office, marks: tuple[str, str]) -> tuple[str, Actor]:
    """A closed case in which a requester's values hold the marks."""
    desk, resident = office.tale.desk, office.tale.desk.resident()
    case, at = desk.id(), office.tale.clock()
    said = "".join(marks)
    register = do.RegisterMatter(
        number=desk.number(at.date()), source="resident_app", seen_at=at, kind="request", code="CG-02", demand="help",
        host="com-01", requesters=(resident.person,),
    )  # fmt: skip
    desk.must(case, resident, register, None, text=f"漏水{said}", name=f"居民{said}", contact=f"138{said}")
    desk.accepted_and_triaged(case, "com-01")
    handler = office.tale.scene.actor("sd-01", "officer")
    desk.must(case, handler, do.StartHandling(how="self_handling"), note=said)
    desk.submits(case)
    desk.calls_back(case, resident.person)
    desk.closes(case)
    return case, resident


def test_neither_a_key_nor_a_value_is_left_in_any_sqlite_file(sqlite_office: Office) -> None:
    engine, marks = sqlite_office.tale.engine, (fresh_mark(), fresh_signs())
    case, resident = marked_case(sqlite_office, marks)
    wrapped = [row.wrapped for row in engine.keys._table.rows(case) if row.wrapped is not None]
    key = engine.keys.key(case, resident.person)
    assert key is not None
    before = b"".join(path.read_bytes() for path in files_in(engine.settings.data))
    assert all(one in before for one in wrapped)

    sqlite_office.erase(case)

    files = files_in(engine.settings.data)
    after = {path.name: path.read_bytes() for path in files}
    assert [name for name, content in after.items() if any(one in content for one in (*wrapped, key))] == []
    assert search(marks, files) == set()
    with sqlite3.connect(engine.settings.store_url) as file:
        rows = file.execute("SELECT * FROM commands WHERE stream = ?", (case,)).fetchall()
    file.close()
    assert rows
    assert not any(mark in str(row) for row in rows for mark in marks)


def test_neither_a_key_nor_a_value_is_left_for_anybody_in_postgres(tmp_path: Path) -> None:
    marks = (fresh_mark(), fresh_signs())
    with PostgresServer(durable=True) as server:
        dsn = create_database(server.dsn, "huiyin_erasure")
        with told_in(tmp_path / "data", dsn) as tale:
            office = Office(tale, dsn)
            case, resident = marked_case(office, marks)
            wrapped = [row.wrapped for row in tale.engine.keys._table.rows(case) if row.wrapped is not None]
            key = tale.engine.keys.key(case, resident.person)
            assert wrapped
            assert key is not None
            office.erase(case)
            with psycopg.connect(dsn) as connection:
                kept = connection.execute(
                    "SELECT subject, holder, wrapped FROM keys.data_keys WHERE stream = %s", (case,)
                ).fetchall()
        server.stop()
        files = files_in(server.folder / "data")
        hits = search(marks, [*files, server.log])
        keys_in = {path for path in files if key in path.read_bytes()}
        pages = [
            path for path in files if "base" in path.parts and any(w in path.read_bytes() for w in wrapped)
        ]
    assert {wrapping for _, _, wrapping in kept} == {None}
    assert not any(holder.endswith(LOCKED) for _, holder, _ in kept)
    assert (hits, keys_in) == (set(), set())
    assert pages == []
