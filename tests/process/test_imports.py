"""The process of an import: brought up by the round, taking turns until nothing is left, coming back when it was lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio.client import WorkflowExecutionStatus, WorkflowHandle

from tests.process.import_world import Office, importing_in
from tests.process.world import World, until
from workflows.import_process import import_process_id


def process(office: Office, import_id: str) -> WorkflowHandle:
    return office.world.client.get_workflow_handle(import_process_id(import_id))


@asynccontextmanager
async def under_way(world: World) -> AsyncIterator[tuple[Office, str]]:
    """An import of 200 rows of which some are in; it goes on when it is told to."""
    await world.open()
    with importing_in(world) as office:
        made = await asyncio.to_thread(office.handed_in, 200)
        office.held.set()
        async with office.at_work():
            await until(lambda: office.now(made).done > 0)
            yield office, made


def test_an_import_is_worked_off_turn_by_turn_and_its_process_ends(world: World) -> None:
    async def story() -> None:
        await world.open()
        with importing_in(world) as office:
            made = await asyncio.to_thread(office.handed_in, 45)
            async with office.at_work():
                ended = await office.ended(made)
                last = await process(office, made).result()

            assert (ended.state, ended.done, office.imports.counts(made)) == ("done", 45, {"added": 45})
            assert (last["done"], last["total"], last["over"]) == (45, 45, True)

    asyncio.run(story())


def test_a_process_that_somebody_ended_comes_back_and_doubles_nothing(world: World) -> None:
    async def story() -> None:
        async with under_way(world) as (office, made):
            await process(office, made).terminate("by hand")
            office.held.clear()
            ended = await office.ended(made)

            assert (ended.state, office.imports.counts(made)) == ("done", {"added": 200})

    asyncio.run(story())


def test_the_process_of_a_cancelled_import_ends(world: World) -> None:
    async def story() -> None:
        async with under_way(world) as (office, made):
            office.imports.end(office.now(made), "cancelled")
            office.held.clear()
            await process(office, made).result()
            described = await process(office, made).describe()

            counts = office.imports.counts(made)
            assert described.status is WorkflowExecutionStatus.COMPLETED
            assert counts["added"] == office.now(made).done < 200

    asyncio.run(story())
