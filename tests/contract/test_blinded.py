"""What a command's row knows of what was sent goes with the data that are erased, on both stores (law 9)."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import sleep

import psycopg
import pytest

from adapters.backup import forget_positions
from adapters.blinder import Blinder
from adapters.demo.turns import accusation
from adapters.engine import now
from adapters.numbers import fresh_number
from adapters.store import open_store
from adapters.store.positions import StoredPositions
from adapters.store.postgres import PostgresStore
from adapters.store.sqlite import SqliteStore
from domain.acting import Actor
from domain.matter import commands as do
from domain.refusal import Conflict
from tests.acceptance.archivist import Office, simple, told_in
from tests.contract.store_world import answered, events, new_id, one
from workflows.ports import BLINDED, Answered, Append, Batch
from workflows.submission import OutsideNumber, Sealing, Submission, digest_of

Store = SqliteStore | PostgresStore


def asked(store: Store, row: Answered) -> str:
    found = store.answered(row.client, row.key)
    assert found is not None
    return found.digest


def written(store: Store, stream: str) -> Answered:
    """A command of this case, as stored."""
    row = replace(answered(), stream=stream)
    store.append(Batch((), now(), row))
    return row


# -- the store


def test_an_erasing_batch_blinds_the_commands_of_its_cases_and_not_its_own(store: Store) -> None:
    case, other = new_id(), new_id()
    first, second, elsewhere, own = (
        written(store, case),
        written(store, case),
        written(store, other),
        answered(),
    )

    store.append(Batch((Append(case, 0, events()),), now(), replace(own, stream=case), blinded=(case,)))

    assert [asked(store, row) for row in (first, second)] == [BLINDED, BLINDED]
    assert [asked(store, row) for row in (elsewhere, own)] == ["0" * 64, "0" * 64]


def test_a_batch_that_is_refused_blinds_nothing(store: Store) -> None:
    case = new_id()
    store.append(one(case))
    row = written(store, case)

    with pytest.raises(Conflict):
        store.append(Batch((Append(case, 0, events()),), now(), answered(), blinded=(case,)))

    assert asked(store, row) == "0" * 64


def test_of_many_batches_in_one_call_each_blinds_its_own_cases(store: Store) -> None:
    case, other, third = new_id(), new_id(), new_id()
    rows = [written(store, stream) for stream in (case, other, third)]

    store.append_all(
        [Batch((Append(each, 0, events()),), now(), answered(), blinded=(each,)) for each in (case, other)]
    )

    assert [asked(store, row) for row in rows] == [BLINDED, BLINDED, "0" * 64]


def test_blinding_again_finds_nothing_more(store: Store) -> None:
    case = new_id()
    row = written(store, case)

    assert (store.blind([case, new_id()]), store.blind([case]), store.blind([])) == (1, 0, 0)
    assert asked(store, row) == BLINDED


def test_only_what_was_recorded_before_the_moment_is_blinded_where_one_is_given(store: Store) -> None:
    case, moment = new_id(), now()
    rows = [
        replace(answered(), stream=case, recorded_at=moment + past * timedelta.resolution)
        for past in (-1, 0, 1)
    ]
    for row in rows:
        store.append(Batch((), moment, row))

    assert store.blind([case], moment) == 1
    assert [asked(store, row) for row in rows] == [BLINDED, "0" * 64, "0" * 64]


# -- a store of an older release


def of_an_older_release(url: str) -> None:
    """As the release before left it: without the index, and under its version."""
    if url.startswith("postgresql"):
        with psycopg.connect(url) as server:
            server.execute("DROP INDEX cases.commands_of_stream")
            server.execute("UPDATE cases.meta SET value = '2' WHERE name = 'version'")
        return
    file = sqlite3.connect(url)
    file.execute("DROP INDEX commands_of_stream")
    file.execute("PRAGMA user_version = 1")
    file.close()


def built(dsn: str) -> list[bool]:
    """Whether the index is there, and good for reading."""
    with psycopg.connect(dsn) as server:
        statement = (
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('cases.commands_of_stream')"
        )
        return [row[0] for row in server.execute(statement)]


def test_a_store_from_before_is_taken_up_as_it_is(store_url: str, store: Store) -> None:
    row = written(store, new_id())
    store.close()
    of_an_older_release(store_url)

    again = open_store(store_url)

    assert again.answered(row.client, row.key) is not None
    assert again.blind([row.stream]) == 1
    again.close()
    assert not store_url.startswith("postgresql") or built(store_url) == [True]


def test_an_index_whose_building_was_broken_off_is_built_again(pg_database: str) -> None:
    PostgresStore(pg_database).close()
    of_an_older_release(pg_database)
    broken_off(pg_database)
    assert built(pg_database) == [False]

    PostgresStore(pg_database).close()

    assert built(pg_database) == [True]


def broken_off(dsn: str) -> None:
    """A building that waits for a writer is told to end: it leaves an index that nobody may read."""
    build = "CREATE INDEX CONCURRENTLY commands_of_stream ON cases.commands (stream)"
    with psycopg.connect(dsn) as writer, psycopg.connect(dsn, autocommit=True) as builder:
        writer.execute("LOCK TABLE cases.commands IN ROW EXCLUSIVE MODE")
        builder.execute("SET lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            builder.execute(build)


def test_appends_go_on_while_the_index_is_built(pg_database: str) -> None:
    """It waits for a transaction that began before, and nobody waits for it in turn but those who upgrade as well."""
    writing = PostgresStore(pg_database)
    of_an_older_release(pg_database)
    with ThreadPoolExecutor(3) as threads, psycopg.connect(pg_database) as earlier:
        earlier.execute("LOCK TABLE cases.commands IN ROW EXCLUSIVE MODE")
        opening = [threads.submit(PostgresStore, pg_database) for _ in range(3)]
        until_waiting(pg_database)

        case = new_id()
        writing.append(one(case))
        assert [stored.stream for stored in writing.load(case)] == [case]
        assert not any(each.done() for each in opening)

        earlier.commit()
        for each in opening:
            each.result(timeout=100).close()
    writing.close()
    assert built(pg_database) == [True]


def until_waiting(dsn: str) -> None:
    """Until the building waits for those who write."""
    waits = "SELECT FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONC%' AND wait_event_type = 'Lock'"
    with psycopg.connect(dsn, autocommit=True) as server:
        for _ in range(5000):
            if server.execute(waits).rowcount:
                return
            sleep(0.02)
    raise AssertionError("the building has not begun")


# -- handle


@pytest.fixture
def office(store_url: str, tmp_path: Path) -> Iterator[Office]:
    dsn = store_url if store_url.startswith("postgres") else None
    with told_in(tmp_path / "data", dsn) as tale:
        yield Office(tale, dsn)


def said(case: str, who: Actor, words: str, key: str) -> Submission:
    return Submission(
        client="window", key=key, case=case, command=do.AddSupplement(what="supplement", source="phone"),
        actor=who, sealed=(Sealing("text", who.person, words),),
    )  # fmt: skip


def past_it(office: Office, statement: str, *values: str) -> list[tuple[str, ...]]:
    """What a statement on the commands gives, past the program."""
    if office.dsn is None:
        with closing(sqlite3.connect(office.tale.engine.settings.store_url, isolation_level=None)) as file:
            return file.execute(statement.format("commands", *["?"] * len(values)), values).fetchall()
    with psycopg.connect(office.dsn) as server:
        return server.execute(
            statement.format("cases.commands", *["%s"] * len(values)).encode(), values
        ).fetchall()


def digests(office: Office, case: str) -> set[str]:
    """Of every command of the case, read past the program."""
    return {row[0] for row in past_it(office, "SELECT digest FROM {} WHERE stream = {}", case)}


def test_after_an_erasure_nobody_with_the_pepper_can_test_a_guess(office: Office) -> None:
    case = simple(office)
    handle, asker = office.tale.engine.handle, Actor(person=office.requesters(case)[0], body="resident")
    sent = said(case, asker, "三号楼", "k1")
    assert handle(sent).accepted
    guess = digest_of(sent, office.tale.engine.keys.pepper())
    assert guess in digests(office, case)

    office.erase(case, "--key", "erasing")

    left = digests(office, case)
    assert guess not in left
    assert len(left - {BLINDED}) == 1  # the erasure's own, which says nothing of anybody


def test_what_an_older_release_erased_is_blinded_by_the_follower(office: Office) -> None:
    case = simple(office)
    handle, asker = office.tale.engine.handle, Actor(person=office.requesters(case)[0], body="resident")
    assert handle(said(case, asker, "三号楼", "k1")).accepted
    before = past_it(office, "SELECT key, digest FROM {} WHERE stream = {}", case)
    office.erase(case, "--key", "erasing")
    for key, digest in before:  # as a release left them that knew nothing of this
        past_it(office, "UPDATE {} SET digest = {} WHERE key = {} RETURNING key", digest, key)
    own = digests(office, case) - {digest for _, digest in before}
    assert BLINDED not in digests(office, case)

    followed(office)
    followed(office)

    assert digests(office, case) == {BLINDED} | own
    assert len(own) == 1  # its repeat finds its answer


def test_the_follower_leaves_what_was_sent_after_an_erasure(office: Office) -> None:
    other = office.tale.desk.resident()
    case = simple(office, other)
    handle = office.tale.engine.handle
    asker = Actor(person=next(one for one in office.requesters(case) if one != other.person), body="resident")
    office.erase(case, "--subject", other.person)
    office.tale.clock.at = now()
    sent = said(case, asker, "三号楼", "k1")
    first = handle(sent)
    assert first.accepted

    followed(office)

    assert handle(sent) == first


def followed(office: Office) -> None:
    """The role `follow` hears of everything from the start, once more."""
    engine = office.tale.engine
    forget_positions(engine.settings.views_url)
    positions = StoredPositions(engine.settings.views_url)
    blinder = Blinder(engine.store, positions)
    assert blinder.position() == 0
    asyncio.run(blinder.take(engine.store.read(0, 5000)))
    assert blinder.position() == engine.store.head()
    positions.close()


@pytest.mark.parametrize("words", ["三号楼", "四号楼"])
def test_the_same_key_is_then_refused_the_same_way_whatever_comes_along(office: Office, words: str) -> None:
    case = simple(office)
    handle, asker = office.tale.engine.handle, Actor(person=office.requesters(case)[0], body="resident")
    assert handle(said(case, asker, "三号楼", "k1")).accepted
    office.erase(case)
    head = office.tale.engine.store.head()

    answers = [handle(said(case, asker, words, "k1")) for _ in range(2)]

    assert [(one.outcome, one.code, one.repeated) for one in answers] == [("refused", "erased", True)] * 2
    assert office.tale.engine.store.head() == head


def test_what_comes_about_somebody_erased_leaves_no_digest_either(office: Office) -> None:
    other = office.tale.desk.resident()
    case = simple(office, other)
    office.erase(case, "--subject", other.person)
    office.tale.clock.at = now()
    sent = said(case, other, "又来电", "late")

    answer = office.tale.engine.handle(sent)

    assert (answer.outcome, answer.code) == ("refused", "erased")
    found = office.tale.engine.store.answered("window", "late")
    assert found is not None
    assert found.digest == BLINDED
    assert office.tale.engine.handle(sent).code == "erased"


# -- what was refused


def refused_registration(office: Office, words: str, key: str, host: str = "nobody-1") -> Submission:
    """A registration whose case never comes to be: its host is no body of the register."""
    asker = Actor(person="5e2c1a77-3c0f-4a51-9c63-2f1d5c1f8a01", body="resident")
    return Submission(
        client="window", key=key, case="5e2c1a77-3c0f-4a51-9c63-2f1d5c1f8a02", actor=asker,
        command=do.RegisterMatter(
            number=fresh_number("450305", office.tale.clock.at.date()), source="resident_app",
            seen_at=office.tale.clock.at, host=host, requesters=(asker.person,),
        ),
        sealed=(Sealing("text", asker.person, words),), outside=(OutsideNumber("hotline_12345", f"GL-{words}"),),
    )  # fmt: skip


def test_of_the_words_of_a_refused_registration_no_digest_is_left_to_test_a_guess_by(office: Office) -> None:
    sent = refused_registration(office, "三号楼", "k1")
    other = replace(refused_registration(office, "四号楼", "k2"), command=sent.command)

    answers = [office.tale.engine.handle(one) for one in (sent, other)]

    assert {one.outcome for one in answers} == {"refused"}
    (left,) = digests(office, sent.case)  # one and the same, whatever was said
    assert digest_of(sent, office.tale.engine.keys.pepper()) != left != BLINDED
    assert office.tale.engine.store.sealed(sent.case) == []


def test_a_refused_command_sent_again_has_its_first_answer_whatever_words_come_along(office: Office) -> None:
    sent, handle = refused_registration(office, "三号楼", "k1"), office.tale.engine.handle
    first, head = handle(sent), office.tale.engine.store.head()

    for again in (sent, replace(sent, sealed=(replace(sent.sealed[0], value="四号楼"),))):
        assert (handle(again), handle(again).repeated) == (first, True)

    assert office.tale.engine.store.head() == head


@pytest.mark.parametrize("changed", ["body", "subject", "authority"])
def test_another_command_under_the_key_of_a_refused_one_is_told_so(office: Office, changed: str) -> None:
    sent, handle = refused_registration(office, "三号楼", "k1"), office.tale.engine.handle
    handle(sent)
    others = {
        "body": replace(sent, command=sent.command.model_copy(update={"host": "nobody-2"})),
        "subject": replace(sent, sealed=(replace(sent.sealed[0], subject=new_id()),)),
        "authority": replace(sent, authority="law:another"),
    }

    assert handle(others[changed]).code == "key_reused"


def test_the_digest_of_a_refused_command_is_never_that_of_an_accepted_one_with_words(office: Office) -> None:
    case = simple(office)
    handle, asker = office.tale.engine.handle, Actor(person=office.requesters(case)[0], body="resident")
    sent = said(case, asker, "三号楼", "k1")
    assert handle(sent).accepted

    assert digest_of(sent, None) not in digests(office, case)
    assert handle(replace(sent, sealed=(replace(sent.sealed[0], value="四号楼"),))).code == "key_reused"


def test_a_row_of_an_older_release_is_still_known_again(office: Office) -> None:
    """It held the words as well."""
    sent, handle = refused_registration(office, "三号楼", "k1"), office.tale.engine.handle
    first = handle(sent)
    held = digest_of(sent, office.tale.engine.keys.pepper())
    past_it(office, "UPDATE {} SET digest = {} WHERE key = {} RETURNING key", held, sent.key)

    assert handle(sent) == first
    assert handle(replace(sent, sealed=(replace(sent.sealed[0], value="四号楼"),))).code == "key_reused"


def test_other_words_to_a_hidden_case_and_to_none_are_refused_alike(office: Office) -> None:
    """Law 10: nobody learns by the key whether a case is there."""
    tale = office.tale
    accusation(tale.scene)
    hidden = tale.scene.cases[-1]
    stranger = tale.scene.actor("com-02", "officer")

    told = [
        [tale.engine.handle(said(case, stranger, words, f"{case}")) for words in ("一", "一", "二")]
        for case in (hidden, new_id())
    ]

    seen = [[(one.outcome, one.code, one.advice, one.repeated) for one in answers] for answers in told]
    assert seen[0] == seen[1]


def test_commands_of_other_cases_are_answered_as_before(office: Office) -> None:
    case, stays = simple(office), simple(office)
    handle, asker = office.tale.engine.handle, Actor(person=office.requesters(stays)[0], body="resident")
    sent = said(stays, asker, "三号楼", "k1")
    first = handle(sent)
    office.erase(case)
    office.tale.clock.at = now()

    again = handle(sent)

    assert (again, again.repeated) == (first, True)
    assert handle(said(stays, asker, "四号楼", "k1")).code == "key_reused"
