"""A term of keeping ends while nobody looks: the matter's process comes back for it, erases, and is over again."""

import asyncio
from typing import Any

from domain.acting import CLOCK_PERSON
from domain.matter import commands as do
from tests.process.world import DISTRICT, World, at_work, until

ARCHIVIST = DISTRICT.actor("archive", "archivist")


async def closed(world: World) -> str:
    """A matter from its call to its close."""
    desk, resident = world.desk, world.desk.resident()
    case: str = await world.act(desk.registers, resident)
    await world.act(desk.accepted_and_triaged, case)
    handler = DISTRICT.actor("sd-01", "officer")
    await world.act(desk.must, case, handler, do.StartHandling(how="self_handling"), note="自行处理")
    await world.act(desk.submits, case)
    await world.act(desk.calls_back, case, resident.person)
    await world.act(desk.closes, case)
    return case


def erased(world: World, case: str) -> list[Any]:
    return world.stored(case, "data_erased.v1")


def test_a_locked_case_is_erased_by_its_process_when_its_term_ends(world: World) -> None:
    async def story() -> str:
        await world.open()
        async with at_work(world):
            case = await closed(world)
            answer = await world.act(
                world.desk.must, case, ARCHIVIST, do.EraseData(ground="purpose_achieved")
            )
            assert answer.events == ("data_locked.v1",)
            await world.running(case)
            await until(lambda: erased(world, case))
            await world.completed(case)
        return case

    case = asyncio.run(story())

    (gone,) = erased(world, case)
    (lock,) = world.stored(case, "data_locked.v1")
    assert gone.person == CLOCK_PERSON
    assert gone.recorded_at >= lock.pub.until
    assert {value.state for value in world.engine.vault.open(case)} == {"erased"}


def test_a_lock_that_was_lifted_ends_in_no_erasure(world: World) -> None:
    async def story() -> str:
        await world.open()
        async with at_work(world):
            case = await closed(world)
            await world.act(world.desk.must, case, ARCHIVIST, do.EraseData(ground="purpose_achieved"))
            await world.running(case)
            await world.act(world.desk.must, case, ARCHIVIST, do.LiftLock(ground="request_withdrawn"))
            (lock,) = world.stored(case, "data_locked.v1")
            await until(lambda: world.engine.handle.clock() > lock.pub.until)
            await world.completed(case)
        return case

    case = asyncio.run(story())

    assert erased(world, case) == []
    assert {value.state for value in world.engine.vault.open(case)} == {"open"}


def test_a_term_that_ended_while_temporal_was_lost_is_caught_up_with(world: World) -> None:
    async def story() -> str:
        await world.open()
        async with at_work(world):
            case = await closed(world)
        await world.act(world.desk.must, case, ARCHIVIST, do.EraseData(ground="purpose_achieved"))
        (lock,) = world.stored(case, "data_locked.v1")
        await until(lambda: world.engine.handle.clock() > lock.pub.until)
        async with at_work(world):
            assert await world.starter.bring_up(case)
            await until(lambda: erased(world, case))
        return case

    case = asyncio.run(story())

    assert len(erased(world, case)) == 1
