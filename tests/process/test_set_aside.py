"""A case that cannot be read holds up no other: it is set aside, the doctor tells of it, and it comes back."""

import asyncio
import sqlite3
from datetime import timedelta

from adapters.doctor import examine
from adapters.temporal.reconciler import reconcile
from adapters.views import Views
from domain.event import Basis, Recorded, encode
from domain.matter.order_events import LegAcknowledged
from tests.process.world import World, a_worker, following, until
from workflows.ports import Append, Batch


def broken(world: World, case: str) -> None:
    """Write down an event of a leg that the case has not: no command makes it, and its fold raises."""
    state, now = world.engine.handle.load(case), world.engine.handle.clock()
    assert state is not None
    event = LegAcknowledged(order=world.desk.id(), leg=world.desk.id())
    recorded = Recorded(
        basis=Basis(calendar="-", code="-", register=0, rulebook="demo/2026.1"), capacity="dept-fire", command="c",
        correlation="c", nonce="0" * 32, occurred_at=now, person=world.desk.id(), pub=event, recorded_at=now, rule="r",
        stream=case, type=event.TYPE,
    )  # fmt: skip
    appended = Append(case, state.version, ((event.TYPE, encode(recorded)),))
    world.engine.store.append(Batch((appended,), now))


def mended(world: World, case: str) -> None:
    """What a release that can read the event does, done to the event instead."""
    with sqlite3.connect(world.folder / "cases.db") as database:
        database.execute(
            "DELETE FROM stored_events WHERE originator_id = ? AND topic = ?", (case, LegAcknowledged.TYPE)
        )
    database.close()


def told(world: World) -> list[object]:
    """What the doctor says of cases that were set aside; it looks beside the read models."""
    Views(world.engine.settings.views_url, world.engine.store, world.positions).reader.close()
    return [check.facts for check in examine(world.engine) if check.name == "cases"]


def test_a_case_that_cannot_be_read_holds_up_no_other_and_comes_back(world: World) -> None:
    async def story() -> None:
        await world.open()
        first = await world.act(world.desk.registers, world.desk.resident())
        await world.act(broken, world, first)
        second = await world.act(world.desk.registers, world.desk.resident())
        async with a_worker(world), following(world):
            await world.running(second)
            await until(lambda: world.starter.position() == world.engine.store.head())
            assert await world.status(first) is None
            assert told(world) == [{"set_aside": 1, "cases": [first]}]

            await world.act(mended, world, first)
            rounds = asyncio.create_task(
                reconcile(world.starter, world.positions, glance=timedelta(milliseconds=100))
            )
            await world.running(first)
            await until(lambda: told(world) == [])
            rounds.cancel()

    asyncio.run(story())


def test_a_round_over_all_open_cases_passes_one_that_cannot_be_read(world: World) -> None:
    async def story() -> None:
        await world.open()
        first = await world.act(world.desk.registers, world.desk.resident())
        second = await world.act(world.desk.registers, world.desk.resident())
        await world.act(broken, world, first)
        async with a_worker(world):
            await world.starter.settle()

            assert await world.starter.rebuild() == 1
            await world.running(second)
            assert world.positions.beginning_with("aside-") == {f"aside-{first}": world.engine.store.head()}

    asyncio.run(story())
