"""A founded district with its evidence log: sealed by hand, its clock in the test's hands, its boards real."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from adapters.engine import Engine, open_engine
from adapters.log import open_log
from adapters.log.keys import LOG_KEY, make_log_keys, public_key
from adapters.log.role import opening_of, sealer_of
from adapters.log.sealer import Ahead, nobody
from adapters.log.store import Head, LogStore
from adapters.settings import Settings
from adapters.witness.cosigner import Cosigner
from domain.acting import Actor
from domain.event import decode
from domain.log.commands import adoption_of
from domain.log.notes import VerifierKey
from domain.log.words import LOG
from tests.acceptance.world import DISTRICT
from tests.contract.board_world import FaultyBoard, WitnessProcess, policy_of
from workflows.submission import Submission

KEEPER = Actor(person=DISTRICT.security, body="system", post="security_admin")
Boards = WitnessProcess | FaultyBoard


class Clock:
    """A clock that can be put on."""

    def __init__(self) -> None:
        self.shift = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def later(self, by: timedelta) -> None:
        self.shift += by


@dataclass(frozen=True)
class Logged:
    """The engine and its log, both by one clock."""

    engine: Engine
    log: LogStore
    clock: Clock

    @property
    def key(self) -> VerifierKey:
        return public_key(self.engine.settings.log_keys_folder / LOG_KEY)

    def adopt(self, *boards: Boards, k: int | str = "all", delay_hours: int = 24) -> None:
        """Let these boards be the ones to cosign."""
        text = policy_of(self.key, *boards, k=k)
        answer = self.engine.handle(
            Submission(
                "test", uuid4().hex, LOG, adoption_of(text, delay_hours), KEEPER, authority="resolution:1",
                texts=(text,),
            )
        )  # fmt: skip
        assert answer.accepted, answer

    def seal(self, ahead: Ahead = nobody) -> Head:
        """Seal and sign whatever the store holds."""
        sealer = sealer_of(
            self.engine.settings, self.engine.store, self.log, opening_of(self.engine.settings, "test"), self.clock,
            ahead,
        )  # fmt: skip
        after = sealer.position()
        while batch := self.engine.store.read(after, 1000):
            sealer.seal(batch)
            after = batch[-1].position
        head = self.log.head()
        assert head is not None
        return head

    def grow(self) -> Head:
        """One event more, sealed: a policy question asked by somebody who may not."""
        text = policy_of(self.key, k="all").replace("group boards all \nquorum boards", "quorum none")
        nobody_special = Actor(person=str(uuid4()), body="resident")
        command = adoption_of(text, 24)
        self.engine.handle(Submission("test", uuid4().hex, LOG, command, nobody_special, texts=(text,)))
        return self.seal()

    def noted(self) -> list[Any]:
        """What the clock has put on record about boards, in order."""
        rows = self.engine.store.load(LOG)
        return [decode(row.type, row.body).pub for row in rows if row.type.startswith("witness_")]

    def cosigning(self, *conditions: Callable[[], bool], seconds: float = 100.0) -> None:
        """Run the loop until each condition has come to hold, one after the other."""

        async def story() -> None:
            stop = asyncio.Event()
            running = asyncio.create_task(Cosigner(self.log, self.engine.handle).run(stop))
            until = time.monotonic() + seconds
            try:
                for condition in conditions:
                    while not await asyncio.to_thread(condition):
                        assert time.monotonic() < until, "it did not come to hold"
                        await asyncio.sleep(0.05)
            finally:
                stop.set()
                await running

        asyncio.run(story())

    def cosigned(self, head: Head) -> Callable[[], bool]:
        """Whether a quorum has cosigned this head, or a newer one."""

        def condition() -> bool:
            newest = self.log.cosigned()
            return newest is not None and newest.size >= head.size

        return condition


@contextmanager
def logged_world(data: Path) -> Iterator[Logged]:
    """Over a folder with a founded district."""
    settings = Settings(data=data)
    make_log_keys(settings.log_keys_folder, settings.origin)
    clock = Clock()
    engine, log = open_engine(settings, clock), open_log(settings.log_url)
    try:
        yield Logged(engine, log, clock)
    finally:
        log.close()
        engine.close()
