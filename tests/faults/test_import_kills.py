"""An import among kills: API, worker, follower and Temporal die by SIGKILL while it runs, and every row stands once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from adapters.imports.role import imports_of
from tests.acceptance.imports_world import HISTORY, REGISTER, ask, order, report, table
from tests.faults.import_office import Office, holds, office_on

pytestmark = [pytest.mark.faults]

ROWS = 400
OPENED = {"register": "matter_registered.v1", "backfill": "matter_backfilled.v1"}


def asked(at: Office, mode: str) -> str:
    mapping = REGISTER if mode == "register" else HISTORY
    answer = ask(at.api, table([order(n) for n in range(ROWS)]), mapping=mapping, mode=mode)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def stands_once(at: Office, import_id: str, mode: str) -> None:
    """Every row is one matter, the report says so, and nothing of the table is left."""
    rows = report(at.api, import_id)
    assert [row["row"] for row in rows] == list(range(2, ROWS + 2))
    assert Counter(row["outcome"] for row in rows) == {"added": ROWS}
    stored = [event for event in at.engine.store.read(0, 100_000) if event.type == OPENED[mode]]
    assert len(stored) == ROWS
    numbers = {at.engine.handle.load(event.stream).number for event in stored}  # type: ignore[union-attr]
    assert {row["matter"] for row in rows} == numbers
    assert len(numbers) == ROWS
    with imports_of(at.engine) as imports:
        assert imports.spool.uploads(imports.now()) == []


@pytest.mark.parametrize(
    ("store", "mode"),
    [
        pytest.param("sqlite", "register", marks=pytest.mark.long), ("postgres", "register"),
        pytest.param("sqlite", "backfill", marks=pytest.mark.long),
    ],
)  # fmt: skip
def test_every_part_is_killed_while_it_runs_and_every_row_stands_once(
    store: str, mode: str, tmp_path: Path
) -> None:
    with office_on(store, tmp_path, "0.05" if mode == "backfill" else "0.5") as at:
        at.start("api")
        import_id = asked(at, mode)  # Temporal is not there yet
        assert at.state(import_id)["state"] == "waiting"
        at.temporal.start()
        at.start("worker", "follow")
        for part, rows in (("worker", 20), ("follow", 60), ("api", 100), ("temporal", 140), ("worker", 200)):
            at.done(import_id, rows)
            assert at.state(import_id)["state"] == "running"
            at.kill(part)

        ended = at.ended(import_id)

        assert (ended["state"], ended["counts"]) == ("done", {"added": ROWS})
        stands_once(at, import_id, mode)


@pytest.mark.parametrize(
    ("failpoint", "mode"),
    [
        ("imports.after_batch:3", "register"), ("imports.after_batch:3", "backfill"),
        *(pytest.param(point, mode, marks=pytest.mark.long)
          for point in ("imports.after_reading", "imports.after_save:5") for mode in ("register", "backfill")),
    ],
)  # fmt: skip
def test_a_worker_that_dies_in_the_middle_of_a_turn_doubles_nothing(
    failpoint: str, mode: str, tmp_path: Path
) -> None:
    with office_on("sqlite", tmp_path, "1.0") as at:
        at.temporal.start()
        at.start("worker", failpoint=failpoint)
        at.start("api", "follow")
        import_id = asked(at, mode)
        worker = at.roles["worker"]
        holds(lambda: not worker.alive(), 60)
        worker.died_at(failpoint.partition(":")[0])
        at.start("worker")

        ended = at.ended(import_id)

        assert (ended["state"], ended["counts"]) == ("done", {"added": ROWS})
        stands_once(at, import_id, mode)


@pytest.mark.long
def test_two_imports_take_turns_and_a_restored_store_gets_back_what_it_lost(tmp_path: Path) -> None:
    with office_on("sqlite", tmp_path, "0.5") as at:
        at.temporal.start()
        at.start("api", "worker", "follow")
        first = asked(at, "register")
        second = ask(at.api, table([order(n) for n in range(1000, 1000 + ROWS)])).json()["id"]
        at.done(second, 20)
        assert at.state(first)["state"] == "running"

        at.engine.store.renew_epoch()  # as a restore does

        assert at.ended(first)["counts"] == {"added": ROWS}
        assert at.ended(second)["counts"] == {"added": ROWS}
