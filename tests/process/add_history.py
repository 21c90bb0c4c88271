"""`python -m tests.process.add_history STORY NAME`: play a story and ADD its histories to those that are replayed.

A kept history is what a worker of that day wrote; it is never written anew, least of all to make a replay pass. When
a workflow changes so that old histories would break, `workflow.patched` keeps them going, and a history of the new
way is added beside the old ones.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from adapters import exit_guard
from adapters.rulebooks import template
from tests.process.delivery_world import delivering_in, lives
from tests.process.import_world import importing_in
from tests.process.stories import (
    ShortHistories,
    full_life,
    nobody_comes,
    refused_early,
    told_over,
    whistled,
    worked_off,
)
from tests.process.world import World, at_work, founded, swift, world_in
from tests.receiver import TAKEN, receiving
from tests.servers import TemporalServer
from workflows.delivery_process import delivery_id
from workflows.import_process import import_process_id
from workflows.messages import process_id

FOLDER = Path(__file__).parent / "histories"

Kept = dict[str, tuple[str, str | None]]
"""What a story leaves: by the kind of process, its id and run (None: the newest)."""


async def life(world: World) -> Kept:
    """Call to close with three departments."""
    matter = await full_life(world)
    return {
        "matter": (process_id(matter.case), None),
        "summons": (process_id(matter.case, matter.legs["dept-fire"]), None),
    }


async def refused(world: World) -> Kept:
    """An early end."""
    return {"matter": (process_id(await refused_early(world)), None)}


async def no_show(world: World) -> Kept:
    """Late, and still running."""
    matter = await nobody_comes(world)
    return {
        "matter": (process_id(matter.case), None),
        "summons": (process_id(matter.case, matter.legs["dept-fire"]), None),
    }


async def ended_by_hand(world: World) -> Kept:
    """A summons and a matter that somebody terminated come back, and the story goes on."""
    matter = await whistled(world)
    for owner in (matter.legs["dept-fire"], ""):
        handle = world.client.get_workflow_handle(process_id(matter.case, owner))
        first = (await handle.describe()).run_id
        await handle.terminate("by hand")
        if owner:
            await world.running(matter.case, owner)
            matter_run = (await world.client.get_workflow_handle(process_id(matter.case)).describe()).run_id
    assert first
    await world.starter.rebuild()
    await world.running(matter.case)
    world.engine.store.renew_epoch()
    await world.act(world.desk.registers, world.desk.resident())
    await worked_off(world, matter)
    await world.completed(matter.case)
    return {
        "matter-terminated": (process_id(matter.case), matter_run),
        "matter": (process_id(matter.case), None),
    }


async def continued(world: World) -> Kept:
    """Long histories that continue as new."""
    matter = await nobody_comes(world)
    for _ in range(5):
        await world.starter.rebuild()
        await asyncio.sleep(0.1)
    stayed = process_id(matter.case, matter.legs["dept-fire"])
    first, again = [], []
    for name in (process_id(matter.case), stayed):
        runs = [one async for one in world.client.list_workflows(f"WorkflowId = '{name}'")]
        runs.sort(key=lambda one: one.start_time)
        first.append(runs[0].run_id)
        again.append(runs[1].run_id)
    return {
        "matter-first": (process_id(matter.case), first[0]), "matter-second": (process_id(matter.case), again[0]),
        "summons-first": (stayed, first[1]), "summons-second": (stayed, again[1]),
    }  # fmt: skip


async def over(world: World) -> Kept:
    """A summons that learns from its matter that it is over."""
    matter = await whistled(world)
    leg = await told_over(world, matter)
    await world.completed(matter.case, leg)
    return {"matter": (process_id(matter.case), None), "summons": (process_id(matter.case, leg), None)}


async def delivered(world: World) -> Kept:
    """A subscription whose receiver is away at first, is told everything, and then wants nothing more."""
    with receiving() as receiver, delivering_in(world) as office:
        receiver.answers = lambda _: (503, {}) if len(receiver.arrivals) < 2 else TAKEN
        sub = office.subscribed(receiver)
        async with office.at_work():
            await asyncio.to_thread(lives, world, 1)
            await office.quiet()
            receiver.answers = lambda _: (410, {})
            await asyncio.to_thread(lives, world, 1)
            process = world.client.get_workflow_handle(delivery_id(sub.id))
            await process.result()
    return {"delivery": (delivery_id(sub.id), None)}


async def imported(world: World) -> Kept:
    """A table that is worked off in several turns."""
    with importing_in(world) as office:
        made = await asyncio.to_thread(office.handed_in, 300)
        async with office.at_work():
            await office.ended(made)
            await world.client.get_workflow_handle(import_process_id(made)).result()
    return {"import": (import_process_id(made), None)}


STORIES: dict[str, tuple[Callable[[World], Awaitable[Kept]], type[TemporalServer], Callable[[], str]]] = {
    "life": (life, TemporalServer, lambda: template("demo")),
    "refused": (refused, TemporalServer, lambda: template("demo")),
    "no-show": (no_show, TemporalServer, swift),
    "ended-by-hand": (ended_by_hand, TemporalServer, lambda: template("demo")),
    "over": (over, TemporalServer, lambda: template("demo")),
    "delivered": (delivered, TemporalServer, lambda: template("demo")),
    "imported": (imported, TemporalServer, lambda: template("demo")),
    "continued": (continued, ShortHistories, swift),
}


async def _play(world: World, story: Callable[[World], Awaitable[Kept]]) -> dict[str, str]:
    await world.open()
    async with at_work(world):
        kept = await story(world)
        handles = {
            kind: world.client.get_workflow_handle(name, run_id=run) for kind, (name, run) in kept.items()
        }
        return {kind: (await handle.fetch_history()).to_json() for kind, handle in handles.items()}


def main() -> int:
    """Add the histories of one story under a new name."""
    exit_guard.install()
    parser = argparse.ArgumentParser(
        description="Play a story and add its histories; none is ever overwritten."
    )
    parser.add_argument("story", choices=sorted(STORIES))
    parser.add_argument("name", help="a new name, such as 2026-11-life")
    asked = parser.parse_args()
    if list(FOLDER.glob(f"{asked.name}.*.json")):
        print(f"{asked.name} is there already; kept histories are not written anew", file=sys.stderr)
        return 1
    story, server_type, rulebook = STORIES[asked.story]
    with tempfile.TemporaryDirectory() as folder:
        data = founded(Path(folder) / "data", rulebook())
        with server_type(Path(folder)) as server, world_in(data, server.address) as world:
            found = asyncio.run(_play(world, story))
    FOLDER.mkdir(exist_ok=True)
    for kind, history in found.items():
        (FOLDER / f"{asked.name}.{kind}.json").write_text(history + "\n", encoding="utf-8")
        print(f"added {asked.name}.{kind}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
