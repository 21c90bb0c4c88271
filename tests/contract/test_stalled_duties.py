"""A process that stalls between an event and what it says of keys: the keys end as the record says, on both stores."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from adapters.engine import now
from adapters.keeper import Keeper
from adapters.replay import replay_missed
from adapters.store.positions import StoredPositions
from domain.acting import Actor, Command
from domain.matter import commands as do
from tests.acceptance.archivist import Office, kept_for_ever, simple, told_in
from tests.contract.processes import stalled_at
from workflows.key_duties import carry_out_stored
from workflows.ports import Stored

pytestmark = pytest.mark.faults

LOCK, LIFT = do.EraseData(ground="consent_withdrawn"), do.LiftLock(ground="locked_in_error")


@pytest.fixture
def office(store_url: str, tmp_path: Path) -> Iterator[Office]:
    dsn = store_url if store_url.startswith("postgres") else None
    with told_in(tmp_path / "data", dsn) as tale:
        yield Office(tale, dsn)


def stalled(office: Office, folder: Path, case: str, act: Command, *meanwhile: Command) -> None:
    """Another process puts the act on record and stalls; meanwhile these are done, and the keeper hears of all of it."""

    def done() -> None:
        office.tale.clock.at = now()
        acts(office, case, *meanwhile)
        kept(office)

    lift = ["--lift"] if isinstance(act, do.LiftLock) else []
    data, store = str(office.tale.engine.settings.data), [office.dsn] if office.dsn else []
    words = (*lift, data, case, "", *store)
    lines = stalled_at("store.after_commit", folder, done, "tests.contract.eraser", *words)
    assert lines == ["accepted None"]


def acts(office: Office, case: str, *several: Command) -> None:
    archivist = office.tale.scene.actor("archive", "archivist")
    for one in several:
        office.tale.desk.must(case, archivist, one)


def kept(office: Office) -> None:
    """The follower's keeper hears of everything that is stored, from the start."""
    engine = office.tale.engine
    positions = StoredPositions(engine.settings.views_url)
    keeper = Keeper(engine.store, engine.keys, positions)
    keeper.position()
    asyncio.run(keeper.take(engine.store.read(0, 5000)))
    positions.close()


def states(office: Office, case: str) -> set[str]:
    return {state for each in office.states(case).values() for state in each}


# -- a process that stalls --------------------------------------------------------------------------------------------


def test_a_lock_that_was_lifted_meanwhile_is_not_put_on(office: Office, tmp_path: Path) -> None:
    case = kept_for_ever(office)

    stalled(office, tmp_path, case, LOCK, LIFT)

    assert states(office, case) == {"open"}


def test_a_lock_that_was_put_on_anew_meanwhile_is_not_lifted(office: Office, tmp_path: Path) -> None:
    case = kept_for_ever(office)
    acts(office, case, LOCK)

    stalled(office, tmp_path, case, LIFT, LOCK)

    assert states(office, case) == {"locked"}


def test_a_requesters_own_lock_outlasts_the_late_lifting_of_the_whole_cases(
    office: Office, tmp_path: Path
) -> None:
    other = office.tale.desk.resident()
    case = kept_for_ever(office, other)
    acts(office, case, LOCK)

    stalled(office, tmp_path, case, LIFT, do.EraseData(about=other.person, ground="consent_withdrawn"))

    found = office.states(case)
    assert found.pop(other.person) == {"locked"}
    assert set().union(*found.values()) == {"open"}


def test_an_erasure_that_comes_late_finds_it_done_and_undoes_nothing(office: Office, tmp_path: Path) -> None:
    case = simple(office)

    stalled(office, tmp_path, case, do.EraseData(ground="consent_withdrawn"))

    assert (states(office, case), office.keys_left(case)) == ({"erased"}, 0)


# -- whoever does it late ---------------------------------------------------------------------------------------------


def of_keys(office: Office, case: str) -> Sequence[Stored]:
    """The events of the case that say something of keys, the oldest first."""
    return [one for one in office.tale.engine.store.load(case) if one.type.startswith("data_")]


@pytest.mark.parametrize(
    ("several", "left"),
    [
        ([LOCK, LIFT], "open"),
        ([LOCK, LIFT, LOCK], "locked"),
        ([LOCK, LIFT, LOCK, LIFT], "open"),
    ],
)
def test_in_whatever_order_duties_are_done_again_the_record_has_the_last_word(
    office: Office, several: list[Command], left: str
) -> None:
    case = kept_for_ever(office)
    acts(office, case, *several)
    engine, events = office.tale.engine, of_keys(office, case)

    for one in (*events, *reversed(events), events[0], *events):
        carry_out_stored(engine.keys, one, engine.store)
        assert states(office, case) == {left}


def test_a_program_that_opens_late_does_again_only_what_still_holds(office: Office) -> None:
    """It reads what the key store may have missed, and somebody else has gone on since."""
    case = kept_for_ever(office)
    acts(office, case, LOCK)
    engine = office.tale.engine
    (locking,) = of_keys(office, case)
    acts(office, case, LIFT)

    replay_missed(engine.store, engine.keys)
    carry_out_stored(engine.keys, locking, engine.store)

    assert states(office, case) == {"open"}


def test_what_was_destroyed_is_neither_locked_nor_opened_late(office: Office) -> None:
    other: Actor = office.tale.desk.resident()
    case = kept_for_ever(office, other)
    acts(office, case, LOCK, LIFT)
    engine = office.tale.engine
    engine.keys.destroy(case, other.person)

    for one in of_keys(office, case):
        carry_out_stored(engine.keys, one, engine.store)

    found = office.states(case)
    assert found.pop(other.person) == {"erased"}
    assert set().union(*found.values()) == {"open"}


def test_of_a_case_of_which_something_else_cannot_be_read_the_keys_are_kept_all_the_same(
    office: Office,
) -> None:
    case = kept_for_ever(office)
    acts(office, case, LOCK, LIFT)
    damaged(office, case)
    engine = office.tale.engine

    for one in of_keys(office, case):
        carry_out_stored(engine.keys, one, engine.store)

    assert states(office, case) == {"open"}


def damaged(office: Office, case: str) -> None:
    """The first event of the case, changed past the program."""
    if office.dsn is None:
        with closing(sqlite3.connect(office.tale.engine.settings.store_url, isolation_level=None)) as file:
            file.execute(
                "UPDATE stored_events SET state = ? WHERE originator_id = ? AND originator_version = 1",
                (b"{damaged", case),
            )
    else:
        with psycopg.connect(office.dsn) as server:
            server.execute(
                "UPDATE cases.stored_events SET state = %s WHERE originator_id = %s AND originator_version = 1",
                (b"{damaged", case),
            )
