"""Imports beside a world's Temporal: handed in without an API, worked off by a worker in the strict sandbox."""

import asyncio
import hashlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

from adapters.imports.asking import Asked, asked_for
from adapters.imports.role import imports_of, turns_of
from adapters.imports.store import Import, Imports
from adapters.temporal.client import connect
from adapters.temporal.import_worker import bring_up_imports, bringing_in
from tests.acceptance.imports_world import REGISTER, order, table
from tests.process.world import DISTRICT, World, until


@dataclass
class Office:
    """Who hands tables in."""

    world: World
    imports: Imports
    held: threading.Event = field(default_factory=threading.Event)
    """While this is set the worker stops short after a batch."""

    def handed_in(self, rows: int) -> str:
        """A table of live requests; the import's id."""
        incoming = self.imports.incoming(10_000_000)
        incoming.write(table([order(n) for n in range(rows)]))
        incoming.end()
        said = hashlib.sha256(incoming.digest.encode()).hexdigest()
        asked = Asked(str(uuid4()), said, DISTRICT.actor("hotline", "intake_officer"), None)
        fields = {"mapping": REGISTER, "mode": "register"}
        one = asked_for(self.world.engine, self.imports, asked, fields, incoming, lambda _: None)
        return self.imports.add(one).id

    def now(self, import_id: str) -> Import:
        """How it stands."""
        found = self.imports.get(import_id)
        assert found is not None
        return found

    async def ended(self, import_id: str, seconds: float = 100) -> Import:
        """Wait until it has ended."""
        await until(lambda: self.now(import_id).ended_at is not None, seconds)
        return self.now(import_id)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """The worker, and the round that brings processes up."""
        client = await connect(
            target_host=self.world.address, namespace=self.world.namespace, identity="test"
        )
        brisk = timedelta(seconds=0.2)
        with turns_of(self.world.engine) as turns:
            turns._pace.rest = self._resting(turns._pace.rest)  # type: ignore[method-assign]
            async with bringing_in(client, turns, "huiyin"):
                raised = asyncio.create_task(
                    bring_up_imports(
                        self.world.client, self.imports, self.world.positions, "huiyin", glance=brisk
                    )
                )
                try:
                    yield
                finally:
                    self.held.clear()
                    raised.cancel()
                    await asyncio.gather(raised, return_exceptions=True)

    def _resting(self, as_ever: Callable[..., None]) -> Callable[..., None]:
        def rest(worked: float, alive: Callable[[], None], *, live: bool = False) -> None:
            while self.held.is_set():
                alive()
                time.sleep(0.05)
            as_ever(worked, alive, live=live)

        return rest


@contextmanager
def importing_in(world: World) -> Iterator[Office]:
    """The imports beside a world's store."""
    with imports_of(world.engine) as imports:
        yield Office(world, imports)
