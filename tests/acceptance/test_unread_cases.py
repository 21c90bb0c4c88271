"""A case that cannot be read for the moment: what is to be told of it waits, and goes out, in order, once it can be read
again; nobody else waits for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.demo.district import SUBDISTRICT
from adapters.engine import Engine
from adapters.notices.routing import SUBSCRIPTION
from domain.acting import Actor
from domain.matter import commands as do
from domain.matter import order_commands as odo
from tests.acceptance.http_world import Api
from tests.acceptance.notice_world import Told, telling
from tests.acceptance.test_dispatch import Dispatching, listening
from tests.acceptance.test_dispatch import world as world
from tests.acceptance.world import GROUND
from workflows.submission import Submission

FIRST, SECOND = "one@mail.example", "two@mail.example"
LATER = 60
"""Seconds: longer than the pause after a few tries."""


@pytest.fixture(params=("sqlite", "postgres"))
def told(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Told]:
    dsn = request.getfixturevalue("pg_database") if request.param == "postgres" else None
    with telling(tmp_path, dsn) as made:
        yield made


@contextmanager
def unread(engine: Engine, *cases: str) -> Iterator[None]:
    """The second event of these cases is damaged on disk, as long as the context lasts."""
    file = engine.settings.data / "cases.db"
    where = "originator_id = ? AND originator_version = 2"
    with closing(sqlite3.connect(file)) as database:
        kept = {
            case: database.execute(f"SELECT state FROM stored_events WHERE {where}", [case]).fetchone()[0]
            for case in cases
        }
        with database:
            for case in cases:
                database.execute(f"UPDATE stored_events SET state = ? WHERE {where}", [b"{", case])
        try:
            yield
        finally:
            with database:
                for case, state in kept.items():
                    database.execute(f"UPDATE stored_events SET state = ? WHERE {where}", [state, case])


def subjects(told: Told, address: str) -> list[str]:
    """What the mails to one address are about, in the order in which they came."""
    return [mail["Subject"].split(" ")[0] for mail in told.box.to(address)]


def registered(told: Told, address: str) -> tuple[str, Actor]:
    """A matter of a requester who is told by mail. Its second event tells nobody anything."""
    case, (asker,) = told.register(address)
    told.tale.desk.must(case, asker, do.StateNoticeWish(requester=asker.person, wanted=True))
    return case, asker


def accepted(told: Told, case: str) -> None:
    told.tale.desk.must(case, told.tale.desk.district.actor("com-01", "intake_officer"), do.AcceptMatter())


def answered(told: Told, case: str) -> None:
    desk = told.tale.desk
    grade = do.TriageMatter(scale="minor", demand="help", tier="community")
    desk.must(case, desk.district.actor("com-01", "intake_officer"), grade)
    handler = desk.district.actor("com-01", "officer")
    desk.must(case, handler, do.StartHandling(how="self_handling"), note="已上门")
    desk.submits(case)


def test_notices_of_a_case_that_cannot_be_read_wait_and_go_out_in_order(told: Told) -> None:
    case, _ = registered(told, FIRST)
    other, _ = registered(told, SECOND)
    told.tell()
    for each in (case, other):
        accepted(told, each)
        answered(told, each)
    with unread(told.engine, case):
        told.tell()
        assert subjects(told, FIRST) == ["已登记"]
        assert subjects(told, SECOND) == ["已登记", "已受理", "已有答复"]
        assert told.waiting() == 2

    told.tale.clock.turn(LATER)
    told.deliver()

    assert subjects(told, FIRST) == ["已登记", "已受理", "已有答复"]
    assert [one.pub.moment for one in told.on_record(case)] == ["registered", "accepted", "answered"]
    assert told.waiting() == 0


def test_what_happens_after_it_can_be_read_goes_behind_what_waits(told: Told) -> None:
    case, _ = registered(told, FIRST)
    told.tell()
    accepted(told, case)
    with unread(told.engine, case):
        told.tell()
    answered(told, case)
    told.tell()  # at once: what waits is not due yet
    assert subjects(told, FIRST) == ["已登记"]

    told.tale.clock.turn(LATER)
    told.deliver()

    assert subjects(told, FIRST) == ["已登记", "已受理", "已有答复"]


def test_what_was_queued_before_goes_first(told: Told) -> None:
    case, _ = registered(told, FIRST)
    told.follow()
    accepted(told, case)
    with unread(told.engine, case):
        told.tell()
        assert subjects(told, FIRST) == []

    told.tale.clock.turn(LATER)
    told.deliver()

    assert subjects(told, FIRST) == ["已登记", "已受理"]


def test_an_officer_hears_of_other_matters_while_one_of_theirs_cannot_be_read(told: Told) -> None:
    case, _ = told.register(None)
    other, _ = told.register(None)
    officer = told.staff("dept-housing", "duty_officer", FIRST)
    legs = {}
    for each in (case, other):
        told.tale.desk.accepted_and_triaged(each)
        legs[each] = told.tale.desk.whistles(each, ("dept-housing",))["dept-housing"]
    told.follow()
    with unread(told.engine, case):
        told.deliver()

        (mail,) = told.box.to(FIRST)
        state = told.engine.handle.load(other)
        assert state is not None
        assert state.number in mail["Subject"]
        assert officer.person

    told.tale.clock.turn(LATER)
    told.deliver()
    assert len(told.box.to(FIRST)) == 2


def test_several_cases_that_cannot_be_read_are_not_taken_for_a_receiver_that_is_away(told: Told) -> None:
    cases = [registered(told, f"n{n}@mail.example")[0] for n in range(3)]
    told.follow()
    with unread(told.engine, *cases):
        told.deliver()
        assert told.subscriptions.get(SUBSCRIPTION).failures == 0
        told.register(SECOND)
        told.tell()
        assert subjects(told, SECOND) == ["已登记"]

    told.tale.clock.turn(LATER)
    told.deliver()
    assert told.waiting() == 0
    assert all(subjects(told, f"n{n}@mail.example") == ["已登记"] for n in range(3))


def test_whoever_is_to_be_told_nothing_is_told_nothing_afterwards(told: Told) -> None:
    case, asker = registered(told, FIRST)
    told.tell()
    told.tale.desk.must(case, asker, do.StateNoticeWish(requester=asker.person, wanted=False))
    accepted(told, case)
    with unread(told.engine, case):
        told.tell()
        assert told.waiting() == 1

    told.tale.clock.turn(LATER)
    told.deliver()

    assert (subjects(told, FIRST), told.waiting()) == (["已登记"], 0)


@pytest.mark.parametrize(
    ("file", "table", "column", "which"),
    [
        ("keys.db", "data_keys", "wrapped", ""),
        ("cases.db", "sealed_values", "ciphertext", " AND name = 'contact'"),
    ],
    ids=("by its key", "itself"),
)
def test_a_contact_that_cannot_be_opened_for_the_moment_is_waited_for(
    told: Told, file: str, table: str, column: str, which: str
) -> None:
    case, asker = registered(told, FIRST)
    told.follow()
    one = f"WHERE stream = ? AND subject = ?{which}"
    of = (case, asker.person)
    with closing(sqlite3.connect(told.engine.settings.data / file)) as database:
        (kept,) = database.execute(f"SELECT {column} FROM {table} {one}", of).fetchone()
        with database:
            database.execute(f"UPDATE {table} SET {column} = ? {one}", (bytes(len(kept)), *of))
        told.deliver()
        assert (subjects(told, FIRST), told.waiting()) == ([], 1)
        with database:
            database.execute(f"UPDATE {table} SET {column} = ? {one}", (kept, *of))

    told.tale.clock.turn(LATER)
    told.deliver()

    assert subjects(told, FIRST) == ["已登记"]


def test_a_summons_of_a_case_that_cannot_be_read_waits_and_goes_out_in_order(world: Dispatching) -> None:
    listening(world)
    listening(world, "dept-water")
    case, legs = world.whistled("dept-housing", "dept-fire")
    officer = world.tale.desk.district.actor(SUBDISTRICT, "officer")
    world.tale.desk.must(case, officer, odo.UrgeLeg(leg=legs["dept-housing"]))
    with unread(world.tale.engine, case):
        world.tell()
        assert world.told("dept-housing") == []
        other, _ = world.whistled("dept-housing")
        world.tell()
        assert {one["data"]["case"] for one in world.told("dept-housing")} == {other}

    world.tale.clock.turn(LATER)
    world.tell()

    late = [one for one in world.told("dept-housing") if one["data"]["case"] == case]
    assert [one["type"] for one in late] == ["order_issued.v1", "leg_urged.v1"]
    assert world.told("dept-water") == [], "it was asked whether anything of it concerned it, and nothing did"
    assert world.outbox.counts() == {}


def test_an_act_sent_again_gets_its_first_answer_though_its_case_cannot_be_read(api: Api) -> None:
    case = api.registered()["case"]
    accepting = Submission(
        client="test", key="again", case=case, command=do.AcceptMatter(),
        actor=api.district.actor("com-01", "intake_officer"), authority=GROUND,
    )  # fmt: skip
    first = api.engine.handle(accepting)

    with unread(api.engine, case):
        again = api.engine.handle(accepting)
        with pytest.raises(ValueError, match="JSON"):
            api.engine.handle(replace(accepting, key="another"))

    assert first.accepted
    assert again == replace(first, repeated=True)
