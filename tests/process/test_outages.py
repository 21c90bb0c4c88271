"""Temporal goes away, is wiped, or loses a process: nothing is lost, everything comes back from the record."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.temporal.client import connect, namespace_id
from adapters.temporal.reconciler import reconcile
from domain.refusal import Unavailable
from tests.process.stories import followed_to_the_end, told_over, whistled, worked_off
from tests.process.world import THREE, World, a_worker, at_work, copied, created, following, until, world_in
from tests.servers import TemporalServer
from workflows.messages import process_id


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[TemporalServer]:
    """A Temporal server of one's own, on a file, not started; it is stopped at the end."""
    (tmp_path / "temporal").mkdir()
    server = TemporalServer(tmp_path / "temporal", database=tmp_path / "temporal" / "temporal.db")
    yield server
    server.stop()


@pytest.fixture
def own_world(demo_folder: Path, tmp_path: Path, own_server: TemporalServer) -> Iterator[World]:
    """A store beside the server of one's own."""
    with world_in(copied(demo_folder, tmp_path / "data"), own_server.address) as made:
        yield made


def test_what_is_accepted_while_temporal_is_down_is_followed_when_it_is_back(
    own_world: World, own_server: TemporalServer
) -> None:
    world = own_world

    async def story() -> None:
        await world.open()
        async with following(world):
            case = await world.act(world.desk.registers, world.desk.resident())
            await world.act(world.desk.accepted_and_triaged, case)
            legs = await world.act(world.desk.whistles, case, THREE)
            assert world.engine.handle.load(case).status == "in_handling"

            await asyncio.to_thread(own_server.start)
            async with a_worker(world):
                for owner in ("", *legs.values()):
                    await world.running(case, owner)

    asyncio.run(story())


def test_a_temporal_server_killed_in_the_middle_goes_on_where_it_stood(
    own_world: World, own_server: TemporalServer
) -> None:
    world = own_world

    async def story() -> None:
        await world.open()
        await asyncio.to_thread(own_server.start)
        async with at_work(world):
            matter = await whistled(world)
            await asyncio.sleep(1)  # a task cut off in its middle is given out again after ten seconds
            await asyncio.to_thread(own_server.kill)
            await worked_off(world, matter)
            await asyncio.to_thread(own_server.start)

            await followed_to_the_end(world, matter)

    asyncio.run(story())


def test_a_wiped_temporal_has_every_open_process_brought_up_again_by_itself(
    own_world: World, own_server: TemporalServer
) -> None:
    world = own_world

    async def story() -> None:
        await world.open()
        await asyncio.to_thread(own_server.start)
        async with at_work(world):
            matters = [await whistled(world) for _ in range(2)]
            before = await namespace_id(world.client)
            await asyncio.to_thread(own_server.kill)
            for file in own_server.folder.glob("temporal.db*"):
                file.unlink()
            await asyncio.to_thread(own_server.start)
            assert await namespace_id(world.client) != before

            rounds = asyncio.create_task(
                reconcile(world.starter, world.positions, glance=timedelta(seconds=0.2))
            )
            for matter in matters:
                for owner in ("", *matter.legs.values()):
                    await world.running(matter.case, owner)
            rounds.cancel()
            fresh = await world.act(world.desk.registers, world.desk.resident())
            await world.running(fresh)

    asyncio.run(story())


def test_another_namespace_has_every_open_process_brought_up_in_it(world: World) -> None:
    async def story() -> None:
        await world.open()
        async with at_work(world):
            matter = await whistled(world)
        world.namespace = f"{world.namespace}-b"
        await created(world.address, world.namespace)

        await world.open()
        async with at_work(world):
            await world.act(world.desk.registers, world.desk.resident())
            for owner in ("", *matter.legs.values()):
                await world.running(matter.case, owner)

    asyncio.run(story())


def test_a_process_ended_by_hand_comes_back(world: World) -> None:
    async def story() -> None:
        await world.open()
        async with at_work(world):
            matter = await whistled(world)
            rounds = asyncio.create_task(
                reconcile(world.starter, world.positions, every=timedelta(seconds=0.5))
            )
            handle = world.client.get_workflow_handle(process_id(matter.case))
            await handle.terminate("by hand")

            await world.running(matter.case)
            rounds.cancel()
            await worked_off(world, matter)
            await followed_to_the_end(world, matter)

    asyncio.run(story())


def test_a_summons_ended_by_hand_comes_back_at_once(world: World) -> None:
    async def story() -> None:
        await world.open()
        async with at_work(world):
            matter = await whistled(world)
            leg = matter.legs["dept-fire"]
            handle = world.client.get_workflow_handle(process_id(matter.case, leg))
            await handle.terminate("by hand")

            await world.running(matter.case, leg)

    asyncio.run(story())


def test_a_summons_lost_while_its_matter_was_lost_too_comes_back(world: World) -> None:
    async def story() -> None:
        await world.open()
        async with at_work(world):
            matter = await whistled(world)
            leg = matter.legs["dept-fire"]
            for owner in ("", leg):
                await world.client.get_workflow_handle(process_id(matter.case, owner)).terminate("by hand")

            assert await world.starter.rebuild() == 1
            await world.running(matter.case)
            await world.running(matter.case, leg)

    asyncio.run(story())


def test_a_store_in_another_life_makes_its_processes_look_again(world: World) -> None:
    async def story() -> None:
        await world.open()
        async with at_work(world):
            matter = await whistled(world)
            epoch = world.engine.store.renew_epoch()
            await world.act(world.desk.registers, world.desk.resident())

            async def looked() -> bool:
                history = await world.client.get_workflow_handle(process_id(matter.case)).fetch_history()
                results = [e.activity_task_completed_event_attributes.result for e in history.events]
                return any(epoch in str(result) for result in results)

            await until(looked)

    asyncio.run(story())


def test_nothing_is_started_for_a_matter_that_has_ended(world: World) -> None:
    async def story() -> None:
        await world.open()
        async with at_work(world):
            matter = await whistled(world)
            await worked_off(world, matter)
            await followed_to_the_end(world, matter)

            assert await world.starter.rebuild() == 0
            assert await world.starter.bring_up(matter.case) is False
            counted = await world.client.count_workflows(f"WorkflowId = '{process_id(matter.case)}'")
            assert counted.count == 1

    asyncio.run(story())


def test_a_client_of_a_temporal_that_is_down_says_so(own_server: TemporalServer) -> None:
    async def story() -> None:
        with pytest.raises(Unavailable):
            await connect(target_host=own_server.address)
        lazy = await connect(lazy=True, target_host=own_server.address)
        with pytest.raises(Unavailable):
            await namespace_id(lazy)

    asyncio.run(story())


def test_a_summons_that_was_over_before_it_was_brought_up_is_not_brought_up(world: World) -> None:
    async def story() -> None:
        await world.open()
        async with following(world):
            case = await world.act(world.desk.registers, world.desk.resident())
            await world.act(world.desk.accepted_and_triaged, case)
            legs = await world.act(world.desk.whistles, case, THREE)
            await world.running(case)
            for step in (world.desk.arrives, world.desk.reports):
                await world.act(step, case, "dept-fire", legs["dept-fire"])
            await world.act(world.desk.releases, case, legs["dept-fire"])
            await until(lambda: world.starter.position() == world.engine.store.head())

            async with a_worker(world):
                for body in ("dept-housing", "dept-water"):
                    await world.running(case, legs[body])
            assert await world.status(case, legs["dept-fire"]) is None

    asyncio.run(story())


def test_a_summons_that_was_over_while_it_was_brought_up_learns_of_it(world: World) -> None:
    async def story() -> None:
        await world.open()
        async with at_work(world):
            matter = await whistled(world)
            leg = await told_over(world, matter)

            await world.completed(matter.case, leg)
            await world.running(matter.case)

    asyncio.run(story())
