"""Matters followed by real processes: to their end, to the no-show, in time, and once."""

import asyncio

from domain.acting import CLOCK_PERSON
from tests.process.stories import full_life, nobody_comes, refused_early, whistled
from tests.process.world import World, a_worker, at_work, following, until

STEPS = ("reminded.v1", "due_missed.v1", "urged_by_clock.v1", "supervised_by_clock.v1", "breach_escalated.v1")


def test_a_matter_in_which_everybody_is_in_time_is_followed_to_its_end(unhurried_world: World) -> None:
    world = unhurried_world

    async def story() -> None:
        await world.open()
        async with at_work(world):
            matter = await full_life(world)  # waits until the matter's process and its three have completed

        assert len(matter.legs) == 3
        assert world.engine.handle.load(matter.case).status == "closed"
        assert not [event for event in world.history(matter.case) if event.person == CLOCK_PERSON]

    asyncio.run(story())


def test_a_matter_refused_at_once_ends_its_process(world: World) -> None:
    async def story() -> None:
        await world.open()
        async with at_work(world):
            case = await refused_early(world)  # waits until the process has completed

        assert world.engine.handle.load(case).status == "refused"

    asyncio.run(story())


def test_a_department_that_never_comes_has_its_no_show_recorded_once(swift_world: World) -> None:
    world = swift_world

    async def story() -> None:
        await world.open()
        async with at_work(world):
            matter = await nobody_comes(world)

        missed = [e.pub for e in world.stored(matter.case, "due_missed.v1") if e.pub.stage == "check_in"]
        assert [(one.owner, one.body) for one in missed] == [(matter.legs["dept-fire"], "dept-fire")]
        items = [event.pub.item for event in world.stored(matter.case, *STEPS)]
        assert len(items) == len(set(items))

    asyncio.run(story())


def test_steps_are_taken_by_themselves_and_never_before_their_moment(world: World) -> None:
    async def story() -> None:
        await world.open()
        async with at_work(world):
            case = await world.act(world.desk.registers, world.desk.resident())
            await until(lambda: world.stored(case, "urged_by_clock.v1"))

        steps = world.stored(case, *STEPS[1:])
        assert [event.type for event in steps] == ["due_missed.v1", "urged_by_clock.v1"]
        assert all(event.recorded_at >= event.pub.due for event in steps)

    asyncio.run(story())


def test_a_worker_that_comes_back_late_takes_every_step_once(swift_world: World) -> None:
    world = swift_world

    def missed(case: str) -> list[tuple[str, str]]:
        return [(e.pub.owner, e.pub.stage) for e in world.stored(case, "due_missed.v1")]

    async def story() -> None:
        await world.open()
        async with following(world):
            async with a_worker(world):
                matter = await whistled(world)
            stages = ("acknowledge", "check_in", "contact")
            wanted = {(leg, stage) for leg in matter.legs.values() for stage in stages}
            left = world.history(matter.case)
            await asyncio.sleep(
                3.5
            )  # acknowledgement, first contact and check-in pass while nobody is at work
            assert world.history(matter.case) == left

            async with a_worker(world):
                await until(lambda: wanted <= set(missed(matter.case)))
                await asyncio.sleep(0.5)

        assert sorted(one for one in missed(matter.case) if one in wanted) == sorted(wanted)
        items = [event.pub.item for event in world.stored(matter.case, *STEPS)]
        assert len(items) == len(set(items))

    asyncio.run(story())
