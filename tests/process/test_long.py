"""Long matters continue as new: the record holds all there is to carry over."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import WorkflowExecutionStatus

from tests.process.stories import ShortHistories, nobody_comes
from tests.process.world import World, at_work, copied, until, world_in
from workflows.messages import process_id


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

            async def continued(owner: str) -> int:
                found = world.client.list_workflows(f"WorkflowId = '{process_id(matter.case, owner)}'")
                return sum([one.status is WorkflowExecutionStatus.CONTINUED_AS_NEW async for one in found])

            stayed = matter.legs["dept-fire"]
            for _ in range(4):
                await world.starter.rebuild()  # every poke makes the histories longer
                await asyncio.sleep(0.1)
            for owner in ("", stayed):
                await until(lambda one=owner: continued(one))  # type: ignore[misc]
            for owner in ("", *matter.legs.values()):
                await world.running(matter.case, owner)
            items = [e.pub.item for e in world.history(matter.case) if hasattr(e.pub, "item")]
            assert len(items) == len(set(items))
            missed = [
                e.pub.owner for e in world.stored(matter.case, "due_missed.v1") if e.pub.stage == "check_in"
            ]
            assert missed == [stayed]

    asyncio.run(story())
