"""Killed between the decision and the keys: the keeper finishes what the event says, on both stores, and once is enough."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.engine import now, open_engine
from adapters.keeper import Keeper
from adapters.reading import open_case
from adapters.settings import Settings
from adapters.store.positions import StoredPositions
from domain.matter import commands as do
from domain.refusal import Refused
from tests.acceptance.archivist import Office, simple, told_in
from tests.contract.processes import killed_at, start
from tests.story import DISTRICT

pytestmark = pytest.mark.faults


@pytest.fixture
def office(store_url: str, tmp_path: Path) -> Iterator[Office]:
    dsn = store_url if store_url.startswith("postgres") else None
    with told_in(tmp_path / "data", dsn) as tale:
        yield Office(tale, dsn)


def words(office: Office, case: str, person: str = "") -> tuple[str, ...]:
    data = str(office.tale.engine.settings.data)
    return (data, case, person, *([office.dsn] if office.dsn else []))


def kept(office: Office) -> None:
    """The follower's keeper hears of everything that is stored, from the start."""
    engine = office.tale.engine
    positions = StoredPositions(engine.settings.views_url)
    keeper = Keeper(engine.store, engine.keys, positions)
    keeper.position()
    asyncio.run(keeper.take(engine.store.read(0, 5000)))
    positions.close()


@pytest.mark.parametrize("who", ["the case", "one requester"])
def test_what_a_crash_left_open_is_not_read_and_the_keeper_destroys_it(
    office: Office, tmp_path: Path, who: str
) -> None:
    other = office.tale.desk.resident()
    case = simple(office, other)
    person = other.person if who == "one requester" else ""

    killed_at("store.after_commit", 1, tmp_path, "tests.contract.eraser", *words(office, case, person))

    engine = office.tale.engine
    assert engine.handle.history(case)[-1].type == "data_erased.v1"
    assert office.states(case)[other.person] == {"open"}  # the keys are there still
    officer, office.tale.clock.at = office.tale.scene.actor("sd-01", "officer"), now()
    seen = open_case(engine, case, officer, "handling").values
    assert {value.state for value in seen if value.subject == other.person} == {"erased"}

    kept(office)

    assert office.states(case)[other.person] == {"erased"}
    gone = {state for states in office.states(case).values() for state in states}
    assert gone == ({"erased"} if not person else {"erased", "open"})


def test_the_same_command_after_the_crash_has_its_answer_and_changes_nothing(
    office: Office, tmp_path: Path
) -> None:
    case = simple(office)
    killed_at("store.after_commit", 1, tmp_path, "tests.contract.eraser", *words(office, case))
    before = len(office.tale.engine.handle.history(case))

    again = start("tests.contract.eraser", *words(office, case))
    output, errors = again.communicate(timeout=100)

    assert (again.returncode, output.split()[0]) == (0, "accepted"), errors
    assert len(office.tale.engine.handle.history(case)) == before


def test_a_keeper_that_is_killed_in_between_begins_again(office: Office, tmp_path: Path) -> None:
    case = simple(office)
    killed_at("store.after_commit", 1, tmp_path, "tests.contract.eraser", *words(office, case))
    killed_at("keeper.after_duty", 1, tmp_path, "tests.contract.keeping", *words(office, case))

    kept(office)

    assert office.keys_left(case) == 0


def test_a_lock_that_a_crash_left_undone_is_put_on_by_the_keeper(office: Office) -> None:
    case, desk = simple(office), office.tale.desk
    archivist = office.tale.scene.actor("archive", "archivist")
    desk.must(case, archivist, do.EraseData(ground="consent_withdrawn"))
    table = office.tale.engine.keys._table
    table.exchange(
        case, lambda row: row._replace(holder=row.master)
    )  # as if it had been killed before the keys
    assert {state for states in office.states(case).values() for state in states} == {"open"}
    with pytest.raises(Refused, match="locked"):
        open_case(office.tale.engine, case, office.tale.scene.actor("sd-01", "officer"), "handling")

    kept(office)

    assert {state for states in office.states(case).values() for state in states} == {"locked"}


def test_a_lifting_that_a_crash_left_undone_is_carried_out_by_the_keeper(office: Office) -> None:
    case, desk = simple(office), office.tale.desk
    archivist = office.tale.scene.actor("archive", "archivist")
    desk.must(case, archivist, do.EraseData(ground="consent_withdrawn"))
    desk.must(case, archivist, do.LiftLock(ground="request_withdrawn"))
    office.tale.engine.keys.lock(case)  # as if it had been killed before the keys

    kept(office)
    kept(office)

    assert {state for states in office.states(case).values() for state in states} == {"open"}


def test_a_keeper_of_another_process_finds_the_same(office: Office) -> None:
    case = simple(office)
    office.erase(case)
    engine = open_engine(
        Settings(data=office.tale.engine.settings.data, store=office.dsn, district=DISTRICT.code)
    )

    states = {value.state for value in engine.vault.open(case)}
    engine.close()

    assert states == {"erased"}
