"""The long runs: forty lives of five departments each, and one part killed again and again while they run."""

from pathlib import Path

import pytest

from tests.faults import ledger
from tests.faults.world import World, world_in

pytestmark = [pytest.mark.faults, pytest.mark.long]

LIVES, FEW = 40, 12
KILLS = (5.0, 12.0, 19.0)
DOWN = 3.0
"""Seconds of the story at which the part is killed, and for how long it stays down."""

ON_SQLITE = ("worker", "follow", "driver", "temporal")
ON_POSTGRES = (*ON_SQLITE, "postgres")


def killed_again_and_again(world: World, part: str) -> None:
    """Kill the part three times, while lives run, and bring it back; the lives come to their end."""
    world.begin()
    for second in KILLS:
        world.until(second)
        world.strike(part)
        world.until(second + DOWN)
        world.restore(part)
    world.finish(200)
    read = world.check()
    assert [strike.part for strike in world.strikes] == [part] * len(KILLS)
    late = ledger.lags(read)
    print(
        f"\n{part}: {len(late)} moments missed, recorded after {late[len(late) // 2]:.2f} s (median), {late[-1]:.2f} s (most)"
    )


@pytest.mark.parametrize("part", ON_SQLITE)
def test_forty_lives_survive_the_repeated_death_of_a_part_on_sqlite(tmp_path: Path, part: str) -> None:
    with world_in(tmp_path, LIVES, "sqlite") as world:
        killed_again_and_again(world, part)


@pytest.mark.parametrize("part", ON_POSTGRES)
def test_forty_lives_survive_the_repeated_death_of_a_part_on_postgres(tmp_path: Path, part: str) -> None:
    with world_in(tmp_path, LIVES, "postgres") as world:
        killed_again_and_again(world, part)


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_every_process_comes_back_from_the_store_when_temporal_has_lost_everything(
    tmp_path: Path, store: str
) -> None:
    with world_in(tmp_path, LIVES, store) as world:
        world.begin()
        world.until(10)
        world.strike("wipe")
        world.until(12)
        world.restore("temporal")
        world.finish(200)
        read = world.check()

    assert [strike.part for strike in world.strikes] == ["wipe"]
    assert world.strikes[0].running > LIVES // 2
    print(f"\nwipe: {len(ledger.lags(read))} moments missed, most {ledger.lags(read)[-1]:.2f} s")


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_due_moments_fire_after_a_wipe_although_nothing_new_is_stored(tmp_path: Path, store: str) -> None:
    with world_in(tmp_path, FEW, store) as world:
        world.begin()
        world.until(8)
        world.strike("driver", "wipe")
        fired_before = len(ledger.lags(ledger.read(world.engine.store)))
        world.restore("temporal")
        world.until(40)
        fired_alone = len(ledger.lags(ledger.read(world.engine.store))) - fired_before
        world.restore("driver")
        world.finish(200)
        world.check()

    assert fired_alone > FEW, "the processes did not come back by themselves"
