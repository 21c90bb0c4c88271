"""Everything is killed while lives run: nothing is lost, nothing stands twice, no due moment is missed (laws 1 to 3, 6)."""

import time
from pathlib import Path

import pytest

from tests.faults.world import world_in

pytestmark = pytest.mark.faults

SHORT = 6


def test_six_lives_survive_kills_of_every_part_on_sqlite(tmp_path: Path) -> None:
    with world_in(tmp_path, SHORT, "sqlite") as world:
        world.begin()
        world.until(5)
        world.strike("worker", "follow", "seal")
        world.until(8)
        world.restore("follow", "seal")
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

    assert [strike.part for strike in world.strikes] == ["worker", "follow", "seal", "temporal", "driver"]


def test_six_lives_survive_kills_of_servers_and_at_failpoints_on_postgres(tmp_path: Path) -> None:
    failpoints = {
        "worker": "store.after_commit:4", "follow": "starter.after_told:6", "driver": "keys.after_commit:25",
        "seal": "log.before_commit:20",
    }  # fmt: skip
    with world_in(tmp_path, SHORT, "postgres") as world:
        world.begin(**failpoints)
        world.outlive(**failpoints)
        world.strike("postgres")
        time.sleep(2)
        world.restore("postgres")
        time.sleep(2)
        world.strike("temporal", "worker", "follow", "seal", "driver", "postgres")
        time.sleep(2)
        world.restore("postgres", "temporal", "worker", "follow", "seal", "driver")
        world.finish()
        world.check()

    assert sorted(strike.part for strike in world.strikes[:4]) == ["driver", "follow", "seal", "worker"]
    assert [strike.part for strike in world.strikes[4:]] == [
        "postgres", "temporal", "worker", "follow", "seal", "driver", "postgres",
    ]  # fmt: skip
