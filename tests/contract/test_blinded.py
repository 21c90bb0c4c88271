"""What a command's row knows of what was sent goes with the data that are erased, on both stores (law 9)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from adapters.engine import now
from adapters.store import open_store
from adapters.store.postgres import PostgresStore
from adapters.store.sqlite import SqliteStore
from domain.acting import Actor
from domain.matter import commands as do
from domain.refusal import Conflict
from tests.acceptance.archivist import Office, simple, told_in
from tests.contract.store_world import answered, events, new_id, one
from workflows.ports import BLINDED, Answered, Append, Batch
from workflows.submission import Sealing, Submission, digest_of

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


def test_a_store_from_before_is_blinded_when_it_is_opened(store_url: str, store: Store) -> None:
    erased, stays = new_id(), new_id()
    store.append(Batch((Append(erased, 0, (("data_erased.v1", b"{}"),)),), now(), answered()))
    rows = [written(store, stream) for stream in (erased, stays)]
    store.close()
    of_an_older_release(store_url)

    again = open_store(store_url)

    found = [again.answered(row.client, row.key) for row in rows]
    again.close()
    assert [row.digest for row in found if row is not None] == [BLINDED, "0" * 64]


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


def digests(office: Office, case: str) -> set[str]:
    """Of every command of the case, read past the program."""
    statement = "SELECT digest FROM {} WHERE stream = {}"
    if office.dsn is None:
        file = sqlite3.connect(office.tale.engine.settings.store_url)
        found = {row[0] for row in file.execute(statement.format("commands", "?"), (case,))}
        file.close()
        return found
    with psycopg.connect(office.dsn) as server:
        return {str(row[0]) for row in server.execute(statement.format("cases.commands", "%s"), (case,))}


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
