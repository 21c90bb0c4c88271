"""The sealer killed between any two of its statements, and its disk filled: the next start recovers, no size has two heads.

By default each failpoint once, on SQLite; with `make faults` several passages of each, on both stores.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from adapters.failpoint import FAILPOINTS
from adapters.log.reconcile import reconcile
from domain.log.notes import parse_note
from domain.log.tree import root
from domain.refusal import Refused, Unavailable
from tests.contract.log_world import LogWorld, expected, hashes_of, log_world
from tests.contract.processes import ROOT, killed_at
from tests.small_tree import subtree_of

pytestmark = [pytest.mark.faults]

BATCH = 100
EVENTS = 560
"""With the genesis more than two bundles, so that every batch of the middle ones completes none or one."""

ONCE = {"sealer.before_genesis": 1}
PASSAGES = {"log.after_bundles": (1, 2)}
ELSEWHERE = {"log.after_cosignatures"}
"""Passed by the role's cosigning loop, not by the sealer: tests/acceptance/test_cosigning.py kills it there."""

POINTS = [name for name in FAILPOINTS if name.startswith(("log.", "sealer.")) and name not in ELSEWHERE]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[LogWorld]:
    with log_world(str(tmp_path / "cases.db"), tmp_path) as made:
        fill(made)
        yield made


@pytest.fixture
def on_postgres(pg_database: str, tmp_path: Path) -> Iterator[LogWorld]:
    with log_world(pg_database, tmp_path) as made:
        fill(made)
        yield made


def fill(world: LogWorld) -> None:
    world.add(*(f"stream-{number % 37}" for number in range(EVENTS)))


def killed(world: LogWorld, point: str, passage: int, folder: Path) -> None:
    words = (world.store_url, str(world.keys), str(BATCH))
    killed_at(point, passage, folder, "tests.faults.sealing", *words)


def heads(world: LogWorld) -> dict[int, tuple[bytes, str]]:
    return {head.size: (head.root, parse_note(head.note).text) for head in world.log.heads()}


def recovered(world: LogWorld, before: dict[int, tuple[bytes, str]]) -> None:
    """Everything is sealed once and in order; every head signed before the death stands, and is provable."""
    world.sealed(BATCH)
    leaves = list(world.log.leaves(0, EVENTS + 1))
    after, subtree = heads(world), subtree_of(hashes_of(leaves))
    assert world.leaves() == expected(world.store)
    assert before.items() <= after.items()
    assert all(root(size, subtree) == signed for size, (signed, _) in after.items())
    assert max(after) == EVENTS + 1
    assert reconcile(world.store, world.log).bad is None


def died_and_recovered(world: LogWorld, point: str, passage: int, folder: Path) -> None:
    killed(world, point, passage, folder)
    recovered(world, heads(world))


@pytest.mark.parametrize("point", POINTS)
def test_a_sealer_killed_anywhere_is_recovered_by_the_next(
    world: LogWorld, point: str, tmp_path: Path
) -> None:
    died_and_recovered(world, point, ONCE.get(point, 2), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("passage", [1, 3, 5])
@pytest.mark.parametrize("point", [point for point in POINTS if point not in {*ONCE, *PASSAGES}])
def test_killed_at_any_batch_it_is_recovered(
    world: LogWorld, point: str, passage: int, tmp_path: Path
) -> None:
    died_and_recovered(world, point, passage, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(
    ("point", "passage"),
    [
        (point, passage)
        for point in POINTS
        for passage in PASSAGES.get(point, (1,) if point in ONCE else (1, 2, 4))
    ],
)
def test_killed_anywhere_on_postgres_it_is_recovered(
    on_postgres: LogWorld, point: str, passage: int, tmp_path: Path
) -> None:
    died_and_recovered(on_postgres, point, passage, tmp_path)


@pytest.mark.parametrize("point", [point for point in POINTS if point not in ONCE])
def test_a_copy_put_back_after_a_death_gets_no_second_head_for_a_size(
    world: LogWorld, point: str, tmp_path: Path
) -> None:
    world.sealed(BATCH)
    older = tmp_path / "older"
    older.mkdir()
    shutil.copytree(tmp_path, older, dirs_exist_ok=True, ignore=shutil.ignore_patterns("older", "log-keys"))
    world.add(*(f"stream-{number % 37}" for number in range(3 * BATCH)))
    killed(world, point, PASSAGES.get(point, (2,))[0], tmp_path)

    with log_world(str(older / "cases.db"), tmp_path) as copy:
        copy.add(*["another"] * 3 * BATCH)
        went_on = []
        for one in (copy, world):
            with suppress(Refused):
                one.sealed(BATCH)
                went_on.append(one)
        ours, theirs = heads(world), heads(copy)

    assert len(went_on) == 1, "either the copy before the mark moved, or the one that had moved it"
    assert all(ours[size] == theirs[size] for size in ours.keys() & theirs.keys())


def test_killed_again_and_again_it_still_comes_to_the_end(world: LogWorld, tmp_path: Path) -> None:
    points = ["sealer.before_genesis", *["log.before_commit", "log.after_commit", "sealer.after_sign"] * 2]
    for number, point in enumerate(points):
        before = heads(world)
        folder = tmp_path / str(number)
        folder.mkdir()
        killed(world, point, 1 if number < 3 else 2, folder)
        assert before.items() <= heads(world).items()

    recovered(world, heads(world))


def test_every_failpoint_of_the_log_is_walked() -> None:
    assert {*POINTS, *ELSEWHERE} == {name for name in FAILPOINTS if name.startswith(("log.", "sealer."))}


def limited(world: LogWorld, most: int) -> subprocess.CompletedProcess[str]:
    """A sealer whose files may not grow beyond so many bytes, as on a full disk."""
    command = f"""
import resource, signal, runpy, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))
sys.argv = ["sealing", {world.store_url!r}, {str(world.keys)!r}, "{BATCH}"]
runpy.run_module("tests.faults.sealing", run_name="__main__")
"""
    return subprocess.run(
        [sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("most", [60_000, 90_000, 130_000])
def test_a_full_disk_leaves_whole_batches_and_is_named(world: LogWorld, most: int) -> None:
    process = limited(world, most)

    assert process.returncode == 1
    assert "domain.refusal.Unavailable: the database is out of reach" in process.stderr
    assert world.log.state().size in {0, 1, *range(1, EVENTS, BATCH)}
    recovered(world, heads(world))


@pytest.mark.parametrize("table", ["tail", "bundles", "tiles", "streams", "heads"])
def test_a_full_disk_of_postgres_seals_and_signs_nothing_by_halves_and_goes_on_later(
    on_postgres: LogWorld, table: str
) -> None:
    world, signed = on_postgres, {1, 101, 201}
    sealer = world.sealer()
    after = sealer.position()
    for _ in range(2):
        batch = world.store.read(after, BATCH)
        sealer.seal(batch)
        after = batch[-1].position
    assert set(heads(world)) == signed
    fresh = world.store.read(after, BATCH)
    with psycopg.connect(world.store_url, autocommit=True) as operator:
        operator.execute(
            "CREATE FUNCTION log.full_disk() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END$$"
        )
        operator.execute(
            f"CREATE TRIGGER full_disk BEFORE INSERT ON log.{table} EXECUTE FUNCTION log.full_disk()".encode()
        )
        with pytest.raises(Unavailable, match="no space left"):
            sealer.seal(fresh)
        assert world.log.state().size == (301 if table == "heads" else 201)
        assert set(heads(world)) == signed
        operator.execute(f"DROP TRIGGER full_disk ON log.{table}".encode())

    recovered(world, heads(world))
