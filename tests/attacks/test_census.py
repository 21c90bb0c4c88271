"""A month that is over is bound by the number in the log (9, 18): whoever takes a whole matter out of record and log is found.

The office had a month, its census was taken and sealed; then the forger, who holds the databases and the office's key,
seals another history. The board has no state of its own here: nothing but the bundle tells.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.bundle.span import since_genesis
from adapters.bundle.writing import Source, counts, write_bundle
from adapters.settings import Settings
from domain.log.events import CensusTaken
from domain.log.words import LOG
from tests.attacks.forger import reseal
from tests.attacks.world import Board, Office, played
from tests.servers import create_database, drop_database
from workflows.ports import Stored

LAST_MONTH = timedelta(days=40)
"""So long ago the trail was lived: in a month that is over, and was over for a while."""
FAULTS = {"census_month_differs", "census_month_missing"}


@pytest.fixture(params=["sqlite", "postgres"])
def trail(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, str | None]]:
    """Two matters from call to close and one that was only registered, all of a month that is over."""
    data = tmp_path / "data"
    if request.param == "sqlite":
        played(Settings(data=data), LAST_MONTH, lives=2, promised=1)
        yield data, None
        return
    server, name = request.getfixturevalue("postgres_dsn"), f"huiyin_{uuid4().hex}"
    dsn = create_database(server, name)
    played(Settings(data=data, store=dsn), LAST_MONTH, lives=2, promised=1)
    yield data, dsn
    drop_database(server, name)


@pytest.fixture
def counted(unsealed: Office) -> Office:
    """The office with its log opened and its censuses taken; the request of today lets them be."""
    unsealed.adopts()
    unsealed.registers()
    unsealed.seals()
    unsealed.asks()
    return unsealed


def month_of(office: Office) -> str:
    """The month of the trail."""
    first: str = office.body_at(office.first_of(office.cases()[0]))["recorded_at"]
    return first[:7]


def censuses(office: Office) -> list[tuple[int, dict[str, object]]]:
    """The positions and fields of those that the record holds."""
    asked = "SELECT {position}, state FROM {events} WHERE topic = ? ORDER BY {position}"
    told = office.sql(asked, CensusTaken.TYPE)
    return [(position, json.loads(bytes(state))["pub"]) for position, state in told]


def shown(office: Office, to: Path, hidden: str = "") -> Path:
    """A bundle since genesis; one matter may be withheld, as it is from a board whose remit it is not of."""

    def reads(stream: str) -> bool:
        return stream != hidden

    with office.engine() as engine, office.log() as log:
        span, standing = since_genesis(log), engine.handle.standing.caught_up()
        told = counts(log, engine.store, span, reads)
        write_bundle(Source(log, engine.store, standing, reads, told), span, to)
    return to


def without(case: str) -> Callable[[list[Stored]], list[Stored]]:
    return lambda events: [one for one in events if one.stream != case]


def test_an_honest_office_has_a_census_of_each_month_and_every_board_reads_it(
    counted: Office, board: Board, tmp_path: Path
) -> None:
    report = board.verify(counted.bundle(tmp_path / "1.zip"))
    months = [pub["month"] for _, pub in censuses(counted)]

    assert months[0] == month_of(counted)
    assert report.codes & FAULTS == set()
    assert [one["en"][10:17] for one in report.of("census_taken")] == months


def test_a_whole_matter_deleted_from_record_and_log_is_missed_by_the_census(
    counted: Office, board: Board, tmp_path: Path
) -> None:
    """Row 9: no version is missing, no chain is broken, and the store's own counts say the same as the leaves."""
    victim = counted.cases()[0]
    counted.sql("DELETE FROM {events} WHERE originator_id = ?", victim)
    reseal(counted)

    report = board.verify(counted.bundle(tmp_path / "1.zip"), state=False)

    assert report.faults & {"version_gap", "chain_broken", "census_cases", "intake_counter"} == set()
    (found,) = report.of("census_month_differs")
    assert found["en"].startswith(f"The census of {month_of(counted)} says ")


def test_leaves_that_the_sealer_leaves_out_are_missed_by_the_census(
    counted: Office, board: Board, tmp_path: Path
) -> None:
    """Row 18: the record holds them, and was counted."""
    reseal(counted, without(counted.cases()[-2]))

    report = board.verify(counted.bundle(tmp_path / "1.zip"), state=False)

    assert "census_month_differs" in report.faults


def test_a_matter_put_in_later_for_a_month_that_is_over_is_one_too_many(
    counted: Office, board: Board, tmp_path: Path
) -> None:
    """Row 6: somebody would like to have registered it in time."""
    case = counted.cases()[0]
    position = counted.first_of(case)
    told = counted.body_at(position) | {"stream": str(uuid4()), "nonce": uuid4().hex}
    body = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    def slipped_in(events: list[Stored]) -> list[Stored]:
        """Behind the case's first event; positions have gaps, so that nobody sees one closed."""
        more = Stored(2 * position + 1, told["stream"], 1, told["type"], body)
        apart = [one._replace(position=2 * one.position) for one in events]
        return sorted([*apart, more], key=lambda one: one.position)

    reseal(counted, slipped_in)

    report = board.verify(shown(counted, tmp_path / "1.zip"), state=False)

    assert "census_month_differs" in report.faults


@pytest.mark.parametrize("field", ["events", "cases"])
def test_a_census_that_was_altered_does_not_fit_the_leaves(
    counted: Office, board: Board, tmp_path: Path, field: str
) -> None:
    """Row 4: in the record, and sealed anew."""
    position, pub = censuses(counted)[0]
    counted.rewrites(position, pub=pub | {field: int(str(pub[field])) + 1})
    reseal(counted)

    report = board.verify(counted.bundle(tmp_path / "1.zip"), state=False)

    assert len(report.of("census_month_differs")) == 1


def test_a_census_that_was_deleted_is_missed(counted: Office, board: Board, tmp_path: Path) -> None:
    """Row 9: with it goes the end of the log's own stream, so that not even a version is missing there."""
    first, _ = censuses(counted)[0]
    counted.sql("DELETE FROM {events} WHERE originator_id = ? AND {position} >= ?", LOG, first)
    later = counted.clock() + timedelta(hours=2)
    told = counted.body_at(counted.first_of(counted.registers()[0]))
    reseal(counted, lambda events: [*events, _of(events[-1], told, later)])

    report = board.verify(shown(counted, tmp_path / "1.zip"), state=False)

    assert "census_month_missing" in report.faults


def _of(last: Stored, told: dict[str, object], at: datetime) -> Stored:
    """An event of a time by which the census should have come, behind the last one."""
    stream, written = str(uuid4()), at.isoformat().replace("+00:00", "Z")
    body = told | {"stream": stream, "recorded_at": written, "occurred_at": written, "nonce": uuid4().hex}
    encoded = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return Stored(last.position + 1, stream, 1, str(told["type"]), encoded)


def test_leaves_withheld_excuse_no_more_than_themselves(
    counted: Office, board: Board, tmp_path: Path
) -> None:
    """Row 9: a board that may not read one matter misses another one all the same."""
    hidden, victim = counted.cases()[:2]
    honest = board.verify(shown(counted, tmp_path / "1.zip", hidden), state=False)
    counted.sql("DELETE FROM {events} WHERE originator_id = ?", victim)
    reseal(counted)

    report = board.verify(shown(counted, tmp_path / "2.zip", hidden), state=False)

    assert (honest.codes & FAULTS, honest.said["withheld"] > 1) == (set(), True)
    assert "census_month_differs" in report.faults
