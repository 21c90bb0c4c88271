"""Long matters continue as new: the record holds all there is to carry over."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from temporalio.client import WorkflowExecutionStatus

from tests.process.stories import nobody_comes
from tests.process.world import World, at_work, copied, until, world_in
from tests.servers import TemporalServer
from workflows.messages import process_id


class ShortHistories(TemporalServer):
    """A server that suggests to continue as new after a handful of events."""

    def command(self) -> Sequence[str]:
        return [*super().command(), "--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=20"]


@pytest.fixture
def long_world(swift_folder: Path, tmp_path: Path) -> Iterator[World]:
    (tmp_path / "temporal").mkdir()
    server = ShortHistories(tmp_path / "temporal")
    with server, world_in(copied(swift_folder, tmp_path / "data"), server.address) as made:
        yield made


def test_a_long_matter_continues_as_new_and_loses_nothing(long_world: World) -> None:
    world = long_world

    async def story() -> None:
        await world.open()
        async with at_work(world):
            matter = await nobody_comes(world)
            await until(lambda: world.status(matter.case))

            async def continued(owner: str) -> int:
                found = world.client.list_workflows(f"WorkflowId = '{process_id(matter.case, owner)}'")
                return sum([one.status is WorkflowExecutionStatus.CONTINUED_AS_NEW async for one in found])

            stayed = matter.legs["dept-fire"]
            await until(lambda: continued(stayed))
            await world.running(matter.case, stayed)
            items = [e.pub.item for e in world.history(matter.case) if hasattr(e.pub, "item")]
            assert len(items) == len(set(items))
            missed = [
                e.pub.owner for e in world.stored(matter.case, "due_missed.v1") if e.pub.stage == "check_in"
            ]
            assert missed == [stayed]

    asyncio.run(story())
