"""What stands in Temporal: words for an operator, and nothing about anybody."""

import asyncio
import json
from pathlib import Path
from typing import Any

from temporalio.api.sdk.v1 import WorkflowMetadata

from adapters.demo.desk import Desk
from adapters.numbers import fresh_number
from domain.acting import CLOCK_PERSON, Actor, Command
from domain.matter.commands import RegisterMatter
from tests.process.stories import followed_to_the_end, whistled, worked_off
from tests.process.world import DISTRICT, World, at_work, copied, until, world_in
from tests.servers import TemporalServer
from workflows.handle import Answer
from workflows.messages import process_id

MARK = "标记-7f3a91-mark"


class MarkingDesk(Desk):
    """Puts a mark into every sealed value, whatever its name."""

    def do(self, case: str, actor: Actor, command: Command, *args: Any, **kwargs: Any) -> Answer:
        named = ("about", "key", "occurred_at")
        marked = {k: v if k in named else f"{v}{MARK}" for k, v in kwargs.items()}
        return super().do(case, actor, command, *args, **marked)


def test_an_operator_finds_a_matter_by_number_place_and_state(unhurried_world: World) -> None:
    world = unhurried_world

    async def story() -> None:
        await world.open()
        async with at_work(world):
            matter = await whistled(world)
            number = world.engine.handle.load(matter.case).number

            async def found(query: str) -> set[str]:
                return {one.id async for one in world.client.list_workflows(query)}

            ids = {process_id(matter.case), *(process_id(matter.case, leg) for leg in matter.legs.values())}

            async def finds(query: str, wanted: set[str]) -> None:
                async def found_all() -> bool:
                    return await found(query) == wanted

                await until(found_all)  # the list lags a little

            await finds(f"HuiyinNumber = '{number}'", ids)
            query = "HuiyinSubdistrict = 'sd-01' AND HuiyinState = 'in_handling' AND WorkflowType = 'matter_process'"
            await finds(query, {process_id(matter.case)})
            await finds("HuiyinDue > '2000-01-01T00:00:00Z'", ids)
            assert await found("HuiyinDue < '2000-01-01T00:00:00Z'") == set()

    asyncio.run(story())


def test_a_summons_says_in_words_where_it_stands(unhurried_world: World) -> None:
    world = unhurried_world

    async def story() -> None:
        await world.open()
        async with at_work(world):
            matter = await whistled(world)
            handle = world.client.get_workflow_handle(process_id(matter.case, matter.legs["dept-fire"]))

            async def details() -> str:
                told = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
                return str(told.current_details)

            async def delivered() -> bool:
                return "已送达 delivered" in await details()

            await until(delivered)
            described = await handle.describe()

            assert await described.static_summary() == "应哨 summons dept-fire"
            assert "签收 acknowledgement" in await details()

    asyncio.run(story())


def test_nothing_personal_enters_temporal(demo_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "temporal").mkdir()
    database = tmp_path / "temporal" / "temporal.db"
    server = TemporalServer(tmp_path / "temporal", database=database)
    with server, world_in(copied(demo_folder, tmp_path / "data"), server.address) as world:
        world.desk = MarkingDesk(world.engine.handle, DISTRICT, world.desk.chance)

        async def story() -> tuple[str, list[str]]:
            await world.open()
            async with at_work(world):
                matter = await whistled(world)
                await worked_off(world, matter)
                await followed_to_the_end(world, matter)
                histories = [
                    (
                        await world.client.get_workflow_handle(process_id(matter.case, owner)).fetch_history()
                    ).to_json()
                    for owner in ("", *matter.legs.values())
                ]
            assert any(MARK in str(one.value) for one in world.engine.vault.open(matter.case))
            persons = {event.person for event in world.history(matter.case)} - {CLOCK_PERSON} | {
                matter.resident.person
            }
            return matter.case, [*histories, *persons]

        case, found = asyncio.run(story())
    histories, persons = found[:4], found[4:]
    stored = b"".join(file.read_bytes() for file in database.parent.glob("temporal.db*"))
    assert case.encode() in stored  # the search below would find what stands there
    for secret in (MARK, json.dumps(MARK).strip('"'), "13800000000", *persons):
        assert secret.encode() not in stored
        assert not [history for history in histories if secret in history]


def test_a_confidential_case_has_a_process_that_says_nothing(world: World) -> None:
    async def story() -> None:
        await world.open()
        async with at_work(world):
            desk, case, resident = world.desk, world.desk.id(), world.desk.resident()
            now = world.engine.handle.clock()
            number = fresh_number(DISTRICT.code, now.date())
            command = RegisterMatter(
                number=number, source="petition", seen_at=now, accusation=True, requesters=(resident.person,)
            )
            await world.act(desk.must, case, resident, command, None, text="检举", name="甲", contact="1")

            await world.running(case)
            history = await world.client.get_workflow_handle(process_id(case)).fetch_history()
            assert number not in history.to_json()

    asyncio.run(story())
