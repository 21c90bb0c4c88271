"""Every failpoint of the code, in every process that passes it, while lives run: each dies exactly there, and goes on.

One run arms driver, worker and follower each with one. On PostgreSQL a save is one call to the server, so that the
steps inside it are the server's; there test_kills kills the server.
"""

from itertools import zip_longest
from pathlib import Path

import pytest

from adapters.failpoint import FAILPOINTS
from tests.faults.world import World, world_in

pytestmark = [pytest.mark.faults, pytest.mark.long]

LIVES = 12
Armed = dict[str, str]

STORE = tuple(name for name in FAILPOINTS if name.startswith("store."))
KEYS = tuple(name for name in FAILPOINTS if name.startswith("keys."))
IN_ONE_CALL = frozenset(STORE) - {"store.before_transaction", "store.after_begin", "store.after_commit"}
KEYS_IN_ONE_CALL = frozenset({"keys.after_begin", "keys.after_insert"})

OF_THE_FOLLOWER = (
    "positions.after_save:9", "follower.after_take:20", "starter.after_told:7", "views.after_write:11",
    "keeper.after_duty:1", "starter.after_rebuild:1", "keys.after_destroy:1",
)  # fmt: skip
"""With the passage at which each strikes: some pass but once."""

ELSEWHERE = ("log.", "sealer.", "witness.", "imports.", "outbox.", "deliver.", "notice.")
"""Walked by test_sealer_kills, by the tests of the witnesses, of the imports, of the deliveries and of the notices."""

PASSAGE = {"driver": 70, "worker": 6}
KEYS_PASSAGE = {"keys.after_destroy": 1}


def runs(store: str) -> list[Armed]:
    """Which role dies where, run by run."""
    left_out = IN_ONE_CALL | KEYS_IN_ONE_CALL if store == "postgres" else frozenset()
    stored = [name for name in STORE if name not in left_out]
    keys = [name for name in KEYS if name not in left_out]
    driver = [f"{name}:{PASSAGE['driver']}" for name in stored]
    driver += [f"{name}:{KEYS_PASSAGE.get(name, 30)}" for name in keys]
    worker = [f"{name}:{PASSAGE['worker']}" for name in stored]
    made = zip_longest(driver, worker, OF_THE_FOLLOWER)
    return [
        {role: point for role, point in zip(("driver", "worker", "follow"), one, strict=True) if point}
        for one in made
    ]


def outlived(world: World, armed: Armed) -> None:
    """Every armed role dies where it should, is started again, and every life comes to its end."""
    world.begin(**armed)
    world.outlive(**armed)
    world.finish()
    world.check()
    assert sorted(strike.part for strike in world.strikes) == sorted(armed)


def named(armed: Armed) -> str:
    """What a run is called."""
    return "+".join(f"{role}@{point}" for role, point in armed.items())


@pytest.mark.parametrize("armed", runs("sqlite"), ids=named)
def test_lives_go_on_after_deaths_at_failpoints_on_sqlite(tmp_path: Path, armed: Armed) -> None:
    with world_in(tmp_path, LIVES, "sqlite") as world:
        outlived(world, armed)


@pytest.mark.parametrize("armed", runs("postgres"), ids=named)
def test_lives_go_on_after_deaths_at_failpoints_on_postgres(tmp_path: Path, armed: Armed) -> None:
    with world_in(tmp_path, LIVES, "postgres") as world:
        outlived(world, armed)


def test_every_failpoint_is_walked() -> None:
    walked = {point.partition(":")[0] for armed in runs("sqlite") for point in armed.values()}

    assert walked == {name for name in FAILPOINTS if not name.startswith(ELSEWHERE)}
