"""A founded district with a follower and a worker beside a real Temporal server: what every process test stands on."""

import asyncio
import random
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from adapters.demo.desk import Desk
from adapters.demo.district import found, plan
from adapters.engine import Engine, now, open_engine
from adapters.follower import Follower
from adapters.rulebooks import template
from adapters.settings import Settings
from adapters.store.positions import StoredPositions
from adapters.temporal.client import connect
from adapters.temporal.open_cases import open_cases
from adapters.temporal.process_worker import working
from adapters.temporal.starter import ProcessStarter
from domain.event import Recorded
from workflows.messages import process_id

DISTRICT = plan(1)
THREE = ("dept-housing", "dept-fire", "dept-water")


_SHORTER = {
    'stage = "contact"\nof = "whistle"': {'"8s"': '"3s"', 'remind = "2s"': 'remind = "1s"'},
    'stage = "check_in"\nof = ["whistle.service", "whistle.enforcement"]': {
        'length = "12s"': 'length = "3s"', 'remind = "3s"': 'remind = "1s"',
        'after = "4s"': 'after = "1s"', 'after = "12s"': 'after = "1s"',
    },
}  # fmt: skip


def swift() -> str:
    """The demonstration's rulebook with the times of a whistle's contact and check-in made shorter still."""
    text = template("demo").replace('name = "demo/2026.1"', 'name = "swift/2026.1"')
    for clock, times in _SHORTER.items():
        head, mark, tail = text.partition(clock)
        assert mark, f"the demonstration has no clock {clock}"
        for long, short in times.items():
            tail = tail.replace(long, short, 1)
        text = head + mark + tail
    return text


def unhurried() -> str:
    """The demonstration's rulebook with a minute for each second: nothing falls due while a test runs."""
    text = template("demo").replace('name = "demo/2026.1"', 'name = "unhurried/2026.1"')
    return re.sub(r'"(\d+)s"', r'"\1min"', text)


def founded(folder: Path, rulebook: str) -> Path:
    """A data folder with the district entered and the rulebook released."""
    engine = open_engine(Settings(data=folder))
    try:
        refused = found(DISTRICT, engine.handle, now(), rulebook)
        assert refused == []
    finally:
        engine.close()
    return folder


@dataclass
class World:
    """One store with its parts. `client` is connected when it is first used."""

    folder: Path
    address: str
    namespace: str = "default"
    seed: int = 5
    engine: Engine = field(init=False)
    positions: StoredPositions = field(init=False)
    desk: Desk = field(init=False)
    client: Client = field(init=False)
    starter: ProcessStarter = field(init=False)

    async def open(self) -> None:
        self.client = await connect(
            lazy=True, target_host=self.address, namespace=self.namespace, identity="test"
        )
        engine = self.engine
        self.starter = ProcessStarter(
            self.client, engine.handle, self.positions, lambda: open_cases(engine.store), "huiyin"
        )

    def history(self, case: str) -> list[Recorded[Any]]:
        return self.engine.handle.history(case)

    def stored(self, case: str, *types: str) -> list[Recorded[Any]]:
        return [event for event in self.history(case) if event.type in types]

    async def act(self, what: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Do something at the desk, in a thread, as a process of its own would."""
        return await asyncio.to_thread(what, *args, **kwargs)

    async def status(self, case: str, owner: str = "") -> WorkflowExecutionStatus | None:
        """How the process stands; None where Temporal knows of none."""
        try:
            found = await self.client.get_workflow_handle(process_id(case, owner)).describe()
        except RPCError:
            return None
        return found.status

    async def completed(self, case: str, owner: str = "", seconds: float = 100) -> None:
        """Wait until the process has completed."""
        await until(lambda: self._is_completed(case, owner), seconds)

    async def running(self, case: str, owner: str = "", seconds: float = 100) -> None:
        """Wait until a process is running."""
        await until(lambda: self._is_running(case, owner), seconds)

    async def _is_completed(self, case: str, owner: str) -> bool:
        return await self.status(case, owner) is WorkflowExecutionStatus.COMPLETED

    async def _is_running(self, case: str, owner: str) -> bool:
        return await self.status(case, owner) is WorkflowExecutionStatus.RUNNING


@contextmanager
def world_in(
    folder: Path, address: str, namespace: str = "default", clock: Callable[..., Any] = now
) -> Iterator[World]:
    """Open the store of a founded folder beside a Temporal server."""
    world = World(folder, address, namespace)
    world.engine = open_engine(Settings(data=folder), clock)
    world.positions = StoredPositions(str(folder))
    world.desk = Desk(world.engine.handle, DISTRICT, random.Random(world.seed))
    try:
        yield world
    finally:
        world.positions.close()
        world.engine.close()


async def created(address: str, namespace: str) -> None:
    """Register a namespace and wait until the server knows it everywhere."""
    client = await connect(target_host=address, namespace=namespace)
    request = RegisterNamespaceRequest(
        namespace=namespace, workflow_execution_retention_period=Duration(seconds=86_400)
    )
    await client.workflow_service.register_namespace(request)

    async def usable() -> bool:
        try:
            await client.count_workflows()
        except RPCError:
            return False
        return True

    await until(usable)


async def until(holds: Callable[[], Any], seconds: float = 100) -> None:
    """Wait until something holds (a function, or one that gives an awaitable)."""
    deadline = time.monotonic() + seconds
    while True:
        held = holds()
        if asyncio.iscoroutine(held):
            held = await held
        if held:
            return
        if time.monotonic() > deadline:
            pytest.fail("it did not come to hold in time")
        await asyncio.sleep(0.05)


@asynccontextmanager
async def following(world: World) -> AsyncIterator[Follower]:
    """The follower at work, with the process starter as its one consumer."""
    follower = Follower(world.engine.store, [world.starter], world.positions)
    task = asyncio.create_task(follower.run())
    try:
        yield follower
    finally:
        follower.stop()
        await task


@asynccontextmanager
async def a_worker(world: World) -> AsyncIterator[None]:
    """A worker at work, in the strict sandbox."""
    client = await connect(target_host=world.address, namespace=world.namespace, identity="test")
    async with working(client, world.engine.handle, "huiyin"):
        yield


@asynccontextmanager
async def at_work(world: World) -> AsyncIterator[None]:
    """Follower and worker at work."""
    async with a_worker(world), following(world):
        yield


def copied(source: Path, target: Path) -> Path:
    """A founded folder of one's own."""
    shutil.copytree(source, target)
    return target
