"""A founded district whose outbox is filled and emptied beside a real Temporal, and systems that subscribe to it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any

from adapters.deliveries.desk import Desk, deliveries
from adapters.deliveries.outbox import Outbox
from adapters.deliveries.role import delivering, outbox_consumer
from adapters.deliveries.sending import Pace
from adapters.deliveries.subscriptions import Subscription, Wanted
from adapters.deliveries.waker import Waker
from adapters.demo.desk import one_life
from adapters.follower import Follower
from adapters.temporal.client import connect
from adapters.temporal.process_worker import working
from tests.acceptance.staffing import keeper
from tests.process.world import DISTRICT, World, until
from tests.receiver import Receiver

QUICK = Pace(first=0.1, longest=0.5, park_after=60, lease=14, slice=2)
"""The times of production, made short; the lease stays longer than a try may take."""
HOST = ("com-01", "intake_officer")
_GLANCE = timedelta(seconds=0.3)


def played(story: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A story as a test: it has an event loop of its own, and the fixtures that it names."""

    @wraps(story)
    def test(**given: Any) -> None:
        asyncio.run(story(**given))

    return test


@dataclass
class Deliveries:
    """The open outbox of a world."""

    world: World
    desk: Desk
    pace: Pace = QUICK

    @property
    def outbox(self) -> Outbox:
        return self.desk.outbox

    def subscribed(
        self,
        receiver: Receiver,
        by: tuple[str, str] = HOST,
        *,
        types: tuple[str, ...] = ("all",),
        ground: str | None = None,
    ) -> Subscription:
        """Somebody who holds that post subscribes from now on; the receiver knows the secret."""
        wanted = Wanted(DISTRICT.staff[by], *by, receiver.url, types, ground=ground)
        made, receiver.secret = self.desk.subscriptions.make(
            keeper(self.world.engine), wanted, self.world.engine.store.head()
        )
        return made

    @asynccontextmanager
    async def follower(self) -> AsyncIterator[Waker]:
        """The outbox is filled, and whoever has something due is woken."""
        world = self.world
        waker = Waker(world.client, self.outbox, "huiyin")
        consumer = outbox_consumer(world.engine, self.desk, waker.news)
        follower = Follower(world.engine.store, [consumer], world.positions)
        running = asyncio.create_task(follower.run())
        waking = asyncio.create_task(waker.run(world.positions, _GLANCE))
        try:
            yield waker
        finally:
            follower.stop()
            waking.cancel()
            await asyncio.gather(running, waking, return_exceptions=True)

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        """What is due is sent, the workflow in the strict sandbox."""
        world = self.world
        client = await connect(target_host=world.address, namespace=world.namespace, identity="test")
        async with (
            working(client, world.engine.handle, "huiyin"),
            delivering(world.engine, client, self.pace),
        ):
            yield

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Both."""
        async with self.worker(), self.follower():
            yield

    async def quiet(self, seconds: float = 100) -> None:
        """Wait until everything that happened was queued, and nothing waits any more."""
        await until(self._quiet, seconds)

    def _quiet(self) -> bool:
        return self.outbox.stands()[0] == self.world.engine.store.head() and not self.outbox.counts()

    def whole(self, case: str) -> list[int]:
        """The versions that the record holds of a case."""
        return [stored.version for stored in self.world.engine.store.load(case)]


@contextmanager
def delivering_in(world: World, pace: Pace = QUICK) -> Iterator[Deliveries]:
    """The outbox of a world."""
    with deliveries(world.engine) as desk:
        yield Deliveries(world, desk, pace)


def lives(world: World, count: int) -> list[str]:
    """So many matters from call to close."""
    return [one_life(world.desk, ("dept-housing", "dept-fire")) for _ in range(count)]
