"""handle.backfill over both stores: many at once, with the guarantees of one by one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adapters.engine import Engine, open_engine
from adapters.numbers import fresh_number
from adapters.settings import Settings
from domain.matter.commands import AcceptMatter, BackfillMatter
from tests.acceptance.world import DISTRICT, found_in
from tests.servers import create_database, drop_database
from workflows.handle import Handle
from workflows.records import refusals_of
from workflows.submission import OutsideNumber, Sealing, Submission

OPENED = datetime(2019, 4, 24, 7, 40, tzinfo=UTC)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A founded district for all tests here: each uses outside numbers of its own."""
    folder = tmp_path_factory.mktemp("backfill")
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "postgres":
            dsn = create_database(request.getfixturevalue("postgres_dsn"), f"huiyin_{uuid.uuid4().hex}")
            patch.setenv("HUIYIN_STORE", dsn)
        found_in(folder)
        opened = open_engine(Settings(data=folder))
        yield opened
        opened.close()
        if request.param == "postgres":
            drop_database(request.getfixturevalue("postgres_dsn"), dsn.rpartition("/")[2].partition("?")[0])


def one(outside: str, **other: object) -> Submission:
    """A backfill under the outside number `outside`."""
    requester = str(uuid.uuid4())
    fields: dict[str, object] = {
        "number": fresh_number("450305", OPENED.date()), "source": "phone", "opened_at": OPENED, "status": "in_handling",
        "requesters": (requester,),
    }  # fmt: skip
    return Submission(
        client="import.test", key=f"k{outside}", case=str(uuid.uuid4()), command=BackfillMatter.model_validate(fields | other),
        actor=DISTRICT.actor("hotline", "intake_officer"), authority="mandate:import", rulebook="backfill/2026.1",
        sealed=(Sealing("text", requester, f"路灯 {outside}"), Sealing("name", requester, "甲")),
        outside=(OutsideNumber("board", outside),),
    )  # fmt: skip


def test_many_are_kept_each_with_its_row_its_number_and_its_sealed_values(engine: Engine) -> None:
    submissions = [one(f"a{n}") for n in range(20)]
    answers = engine.handle.backfill(submissions)
    assert all(answer.accepted and not answer.repeated for answer in answers)
    for submission in submissions:
        assert engine.handle.find("board", submission.outside[0].number) == submission.case
        assert engine.handle.find("number", submission.command.model_dump()["number"]) == submission.case
        assert [value.state for value in engine.vault.open(submission.case)] == ["open", "open"]
        stored = engine.store.answered(submission.client, submission.key)
        assert stored is not None
        assert stored.stream == submission.case


def test_the_same_again_gives_the_first_answers_and_adds_nothing(engine: Engine) -> None:
    submissions = [one(f"b{n}") for n in range(5)]
    first = engine.handle.backfill(submissions)
    head = engine.store.head()
    again = engine.handle.backfill(submissions)
    assert again == first
    assert all(answer.repeated for answer in again)
    assert engine.store.head() == head


def test_one_that_is_refused_stands_on_record_and_the_others_are_kept(engine: Engine) -> None:
    wrong = one("c2", closed_at=datetime(2019, 1, 1, tzinfo=UTC))
    answers = engine.handle.backfill([one("c1"), wrong, one("c3")])
    assert [answer.code for answer in answers] == [None, "closed_before_opened", None]
    assert len(engine.store.load(refusals_of(wrong.case))) == 1
    assert engine.handle.find("board", "c2") is None


def test_a_number_that_is_taken_is_refused_and_the_others_are_kept(engine: Engine) -> None:
    engine.handle.backfill([one("d1")])
    again = one("d1", number=fresh_number("450305", OPENED.date()))
    answers = engine.handle.backfill([one("d5"), replace(again, key="other"), one("d6")])
    assert [answer.code for answer in answers] == [None, "known_number", None]


def test_two_of_one_case_in_one_call_do_not_both_open_it(engine: Engine) -> None:
    first = one("e1")
    second = replace(one("e2"), case=first.case)
    answers = engine.handle.backfill([first, second])
    assert [answer.code for answer in answers] == [None, "exists_already"]
    assert len(engine.store.load(first.case)) == 1


def test_a_number_of_our_own_is_never_given_twice(engine: Engine) -> None:
    number = fresh_number("450305", OPENED.date())
    answers = engine.handle.backfill([one("f1", number=number), one("f2", number=number)])
    assert [answer.code for answer in answers] == [None, "number_taken"]


def test_a_text_that_is_no_unicode_is_refused_alone(engine: Engine) -> None:
    bad = one("g2")
    bad = replace(bad, sealed=(Sealing("text", bad.sealed[0].subject, "\udcff"),))
    answers = engine.handle.backfill([one("g1"), bad, one("g3")])
    assert [answer.code for answer in answers] == [None, "invalid_text", None]


def test_another_command_among_them_goes_the_common_way(engine: Engine) -> None:
    opening = one("h1")
    engine.handle.backfill([opening])
    other = replace(opening, key="other", command=AcceptMatter(), outside=(), sealed=(), rulebook=None)
    answers = engine.handle.backfill([one("h2"), other])
    assert [answer.accepted for answer in answers] == [True, False]


def test_nothing_at_all_is_nothing(engine: Engine) -> None:
    assert engine.handle.backfill([]) == []


# A SQLite file has the clock of its own machine alone.
@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_a_machine_whose_clock_is_far_ahead_is_told_so_and_writes_nothing(engine: Engine) -> None:
    ahead = Handle(
        engine.store, engine.vault, engine.keys, lambda: datetime.now(UTC) + timedelta(minutes=1), "test"
    )
    early, head = one("ahead-1"), engine.store.head()

    another = replace(one("ahead-2"), key=one("a1").key)  # a key that was used: that refusal too is not kept

    told = [ahead(early), *ahead.backfill([one("ahead-3")]), ahead(another)]

    assert [answer.code for answer in told] == ["clock_ahead"] * 3
    assert engine.store.head() == head
    assert engine.store.answered(early.client, early.key) is None
    assert engine.handle(early).accepted
