"""Everything is killed while lives run: nothing is lost, nothing stands twice, no due moment is missed (laws 1 to 3, 6)."""

from pathlib import Path

import pytest

from tests.faults.world import world_in

pytestmark = pytest.mark.faults

SHORT = 6


@pytest.mark.timeout(180)
def test_six_lives_survive_kills_of_every_part_on_sqlite(tmp_path: Path) -> None:
    with world_in(tmp_path, SHORT, "sqlite") as world:
        world.begin()
        world.until(5)
        world.strike("worker", "follow")
        world.until(8)
        world.restore("follow")
        world.until(9)
        world.restore("worker")
        world.until(11)
        world.strike("temporal", "driver")
        world.until(13)
        world.restore("driver")
        world.until(15)
        world.restore("temporal")
        world.finish()
        world.check()

    assert [strike.part for strike in world.strikes] == ["worker", "follow", "temporal", "driver"]


@pytest.mark.timeout(180)
def test_six_lives_survive_kills_of_every_part_on_postgres(tmp_path: Path) -> None:
    with world_in(tmp_path, SHORT, "postgres") as world:
        world.begin()
        world.until(4)
        world.strike("postgres")
        world.until(6)
        world.restore("postgres")
        world.until(8)
        world.strike("worker", "temporal")
        world.until(10)
        world.restore("temporal", "worker")
        world.until(12)
        world.strike("follow", "driver", "postgres")
        world.until(14)
        world.restore("postgres", "follow", "driver")
        world.finish()
        world.check()

    parts = ["postgres", "worker", "temporal", "follow", "driver", "postgres"]
    assert [strike.part for strike in world.strikes] == parts
