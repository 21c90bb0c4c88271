"""Matters followed from call to close by real processes: every due moment met, once."""

import asyncio

from adapters.demo.desk import one_life
from domain.acting import CLOCK_PERSON
from tests.process.world import THREE, World, at_work, until


def test_a_matter_with_three_departments_is_followed_to_its_end(world: World) -> None:
    async def story() -> None:
        await world.open()
        async with at_work(world):
            case = await world.act(one_life, world.desk, THREE)

            await world.completed(case)
            legs = [leg.id for leg in world.engine.handle.load(case).legs()]
            for leg in legs:
                await world.completed(case, leg)

        assert len(legs) == 3
        assert world.engine.handle.load(case).status == "closed"
        assert not [event for event in world.history(case) if event.person == CLOCK_PERSON]

    asyncio.run(story())


def test_a_department_that_never_comes_has_its_no_show_recorded_once(swift_world: World) -> None:
    world = swift_world

    async def story() -> None:
        await world.open()
        async with at_work(world):
            case = world.desk.registers(world.desk.resident())
            world.desk.accepted_and_triaged(case)
            legs = world.desk.whistles(case, THREE)
            absent = legs["dept-water"]
            for body in THREE[:2]:
                await world.act(world.desk.arrives, case, body, legs[body])
            duty = world.desk.district.actor("dept-water", "duty_officer")
            from domain.matter.order_commands import AcknowledgeLeg

            await world.act(world.desk.must, case, duty, AcknowledgeLeg(leg=absent))

            def no_shows() -> list[str]:
                return [e.pub.owner for e in world.stored(case, "due_missed.v1") if e.pub.stage == "check_in"]

            await until(no_shows)
            await until(lambda: world.stored(case, "supervised_by_clock.v1"))
            await asyncio.sleep(1)

        assert no_shows() == [absent]
        items = [e.pub.item for e in world.history(case) if hasattr(e.pub, "item")]
        assert len(items) == len(set(items))

    asyncio.run(story())


def test_steps_are_taken_within_two_seconds_of_their_moment(world: World) -> None:
    async def story() -> None:
        await world.open()
        async with at_work(world):
            case = world.desk.registers(world.desk.resident())

            await until(lambda: world.stored(case, "urged_by_clock.v1"))

        for event in world.stored(case, "due_missed.v1", "urged_by_clock.v1"):
            assert 0 <= (event.recorded_at - event.pub.due).total_seconds() < 2
        assert len(world.stored(case, "reminded.v1")) == 1
        assert len(world.stored(case, "due_missed.v1")) == 1

    asyncio.run(story())
