"""What `handle` guards for all rooms: releases that would stop the store, clocks, administrators, diversion, keys."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from adapters.demo.desk import Desk
from adapters.demo.district import found, plan
from adapters.engine import Engine, now, open_engine
from adapters.numbers import fresh_number
from adapters.reading import open_case, record_reading
from adapters.rulebooks import template
from adapters.settings import Settings
from domain.acting import Actor
from domain.event import decode
from domain.matter import commands as do
from domain.refusal import Refused
from domain.rulebook.releases import ReleaseRulebook, WithdrawRulebook, digest_of, release_of
from workflows.records import BundleTaken, bundles_of
from workflows.standing import RELEASES
from workflows.submission import Answer, OutsideNumber, Sealing, Submission

DISTRICT = plan(21)
SECURITY = Actor(person=DISTRICT.security, body="system", post="security_admin")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_engine(Settings(data=tmp_path))
    assert found(DISTRICT, opened.handle, now(), template("demo")) == []
    yield opened
    opened.close()


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine.handle, DISTRICT, random.Random(5))


def release(engine: Engine, command: ReleaseRulebook, *texts: str, **more: object) -> Answer:
    given = {"key": command.name, "actor": SECURITY, **more}
    return engine.handle(
        Submission(
            client="test", case=RELEASES, command=command, authority="resolution:1", texts=texts, **given,  # type: ignore[arg-type]
        )
    )  # fmt: skip


def second_book() -> str:
    return template("demo").replace('name = "demo/2026.1"', 'name = "demo/2026.2"')


def test_a_rulebook_is_not_released_without_its_text(engine: Engine, desk: Desk) -> None:
    answer = release(engine, release_of(second_book()))

    assert answer.code == "rulebook_text"
    assert desk.registers(desk.resident())


def test_a_text_that_is_no_rulebook_is_not_released(engine: Engine, desk: Desk) -> None:
    wrong = "name = 1"
    command = ReleaseRulebook(name="wrong/1", digest=digest_of(wrong), zone="Asia/Shanghai", use="cases")

    answer = release(engine, command, wrong)

    assert not answer.accepted
    assert desk.registers(desk.resident())


def test_a_release_says_of_its_text_what_the_text_says(engine: Engine) -> None:
    command = release_of(second_book()).model_copy(update={"name": "other/1"})

    assert release(engine, command, second_book()).code == "rulebook_text"


def test_nobody_releases_a_rulebook_in_the_future(engine: Engine) -> None:
    later = now() + timedelta(days=3000)

    answer = release(engine, release_of(second_book()), second_book(), occurred_at=later)

    assert answer.code == "future"


def test_a_rulebook_for_backfill_starts_no_matter_without_clocks(engine: Engine, desk: Desk) -> None:
    book = template("backfill")
    assert release(engine, release_of(book), book).accepted
    resident = desk.resident()
    command = do.RegisterMatter(
        number=fresh_number("450305", date(2026, 11, 23)), source="resident_app", seen_at=now(), host=DISTRICT.communities[0],
        requesters=(resident.person,),
    )  # fmt: skip

    answer = engine.handle(
        Submission(
            client="test", key="k", case=desk.id(), command=command, actor=resident,
            rulebook=release_of(book).name,
        )
    )  # fmt: skip

    assert answer.code == "rulebook_for_backfill"


def test_another_command_under_a_used_key_is_refused_on_record(engine: Engine, desk: Desk) -> None:
    case = desk.registers(desk.resident())
    window = DISTRICT.actor(DISTRICT.communities[0], "intake_officer")
    desk.must(case, window, do.AcceptMatter(), key="once")
    head = engine.store.head()

    answer = desk.do(case, window, do.StartHandling(how="order"), key="once")

    (row,) = engine.store.read(head, 10)
    assert answer.code == "key_reused"
    assert decode(row.type, row.body).pub.model_dump()["code"] == "key_reused"


def test_a_key_that_is_a_telephone_number_stands_in_no_event(engine: Engine, desk: Desk) -> None:
    desk.registers(desk.resident(), key="13900001234")

    assert not any(b"13900001234" in row.body for row in engine.store.read(0, 10_000))


PRIVATE = ["resolution:13900001234", "id:512534199001011234", "张三要求", "on the word of Zhang San"]


@pytest.mark.parametrize("authority", PRIVATE)
def test_an_authority_that_names_or_finds_a_person_stands_in_no_event(
    engine: Engine, desk: Desk, authority: str
) -> None:
    case, head = desk.registers(desk.resident()), engine.store.head()
    window = DISTRICT.actor(DISTRICT.communities[0], "intake_officer")
    taken = BundleTaken(board="board", start=0, end=1, withheld=0, whole=True)

    with pytest.raises(Refused, match="malformed"):
        Submission("test", "a key", case, do.AcceptMatter(), window, authority=authority)
    with pytest.raises(Refused, match="malformed"):
        record_reading(engine, window, bundles_of("board"), taken, authority)
    assert engine.store.head() == head


def test_a_purpose_that_is_a_telephone_number_stands_in_no_event(engine: Engine, desk: Desk) -> None:
    case, head = desk.registers(desk.resident()), engine.store.head()

    with pytest.raises(Refused, match="malformed"):
        open_case(engine, case, DISTRICT.actor(DISTRICT.communities[0], "intake_officer"), "13900001234")
    assert engine.store.head() == head


def test_a_case_may_be_told_its_own_outside_number_again(engine: Engine, desk: Desk) -> None:
    resident, case = desk.resident(), desk.id()
    number = OutsideNumber("hotline_12345", "2026112300017")
    register = do.RegisterMatter(
        number=fresh_number("450305", date(2026, 11, 23)), source="resident_app", seen_at=now(), demand="help",
        host=DISTRICT.communities[0], requesters=(resident.person,),
    )  # fmt: skip
    words = (Sealing("text", resident.person, "路灯不亮"),)
    said = do.AddSupplement(what="urging", source="hotline_12345", outside_number=True)

    def send(key: str, command: object) -> Answer:
        return engine.handle(
            Submission(
                client="hotline", key=key, case=case, command=command, actor=resident, outside=(number,),  # type: ignore[arg-type]
                sealed=words,
            )
        )  # fmt: skip

    assert [send("m1", register).outcome, send("m2", said).outcome] == ["accepted", "accepted"]


def registration(desk: Desk, resident: Actor, case: str, key: str) -> Submission:
    command = do.RegisterMatter(
        number=desk.number(now().date()), source="resident_app", seen_at=now(), demand="help",
        host=DISTRICT.communities[0], requesters=(resident.person,),
    )  # fmt: skip
    words = (Sealing("text", resident.person, "路灯不亮"),)
    return Submission(client="test", key=key, case=case, command=command, actor=resident, sealed=words)


def test_a_registration_tells_what_it_has_stored(engine: Engine, desk: Desk) -> None:
    answer = engine.handle(registration(desk, desk.resident(), desk.id(), "k"), fresh=True)

    assert list(answer.written) == engine.store.load(answer.case) != []


def test_a_repetition_that_was_taken_for_new_gets_the_first_answer(engine: Engine, desk: Desk) -> None:
    sent = registration(desk, desk.resident(), desk.id(), "k")
    first = engine.handle(sent, fresh=True)
    head = engine.store.head()

    again = engine.handle(sent, fresh=True)

    assert (again, again.repeated, again.written) == (first, True, ())
    assert engine.store.head() == head


def test_a_case_that_was_taken_for_new_is_not_begun_again(engine: Engine, desk: Desk) -> None:
    resident, case = desk.resident(), desk.id()
    engine.handle(registration(desk, resident, case, "k1"), fresh=True)
    before = engine.store.load(case)

    answer = engine.handle(registration(desk, resident, case, "k2"), fresh=True)

    assert not answer.accepted
    assert engine.store.load(case) == before
    assert [one.value for one in engine.vault.open(case)] == ["路灯不亮"]


def test_whoever_was_erased_gets_no_key_by_a_case_that_was_taken_for_new(engine: Engine, desk: Desk) -> None:
    resident, case = desk.resident(), desk.id()
    engine.handle(registration(desk, resident, case, "k1"))
    engine.keys.destroy(case, resident.person)

    answer = engine.handle(registration(desk, resident, case, "k2"), fresh=True)

    assert answer.code == "erased"
    assert engine.keys.key(case, resident.person) is None


def test_a_version_is_told_only_to_whom_the_case_exists_for(engine: Engine, desk: Desk) -> None:
    case = desk.registers(desk.resident())
    window = DISTRICT.actor(DISTRICT.communities[0], "intake_officer")
    desk.must(case, window, do.DivertMatter(to="discipline"))

    hidden, absent = (
        engine.handle(
            Submission(
                client="test", key=desk.id(), case=one, command=do.AcceptMatter(), actor=window,
                authority="law:1", expected=77,
            )
        )
        for one in (case, desk.id())
    )  # fmt: skip

    assert (hidden.code, hidden.advice) == (absent.code, absent.advice) == ("not_found", absent.advice)


def test_nothing_is_diverted_where_the_key_of_discipline_inspection_is_missing(tmp_path: Path) -> None:
    first = open_engine(Settings(data=tmp_path))
    assert found(DISTRICT, first.handle, now(), template("demo")) == []
    case = Desk(first.handle, DISTRICT, random.Random(5)).registers(
        Actor(person=Desk(first.handle, DISTRICT, random.Random(6)).id(), body="resident")
    )
    first.close()
    (tmp_path / "masters" / "discipline.key").rename(tmp_path / "elsewhere")
    without = open_engine(Settings(data=tmp_path, masters=tmp_path / "masters"))
    window = DISTRICT.actor(DISTRICT.communities[0], "intake_officer")

    answer = Desk(without.handle, DISTRICT, random.Random(7)).do(
        case, window, do.DivertMatter(to="discipline")
    )

    state = without.handle.load(case)
    without.close()
    assert answer.code == "no_discipline_key"
    assert state is not None
    assert not state.confidential


def test_a_stream_of_refusals_is_no_case_id(desk: Desk) -> None:
    with pytest.raises(Refused):
        desk.do("5e91a2d4-0f3c-5f5e-9b1a-6c1f3a7d2e09", desk.resident(), do.AcceptMatter())


def test_the_wording_of_a_ground_is_sealed_beside_its_code(engine: Engine) -> None:
    book = second_book()
    assert release(engine, release_of(book, now() + timedelta(days=1)), book).accepted
    taken_back = WithdrawRulebook(name=release_of(book).name, reason="wrong_annex")
    words = "附件三写成了去年的"

    answer = engine.handle(
        Submission(
            client="test", key="back", case=RELEASES, command=taken_back, actor=SECURITY, authority="resolution:2",
            sealed=(Sealing("reason", "case", words),),
        )
    )  # fmt: skip

    assert answer.events == ("rulebook_withdrawn.v1",)
    row = engine.store.load(RELEASES)[-1]
    assert words.encode() not in row.body
    assert len(decode(row.type, row.body).sd) == 1
    assert [one.value for one in engine.vault.open(RELEASES) if one.name == "reason"] == [words]
