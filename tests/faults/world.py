"""A world to break: store, Temporal, worker, follower and driver as processes that a test kills and starts again.

A test kills by pid, and every kill is noted with the second it happened at and how many lives were running.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.demo.district import found
from adapters.engine import Engine, now, open_engine
from adapters.log import open_log
from adapters.log.keys import make_log_keys
from adapters.log.reconcile import reconcile
from adapters.log.store import LogStore
from adapters.rulebooks import template
from adapters.settings import Settings
from adapters.temporal.client import connect
from adapters.views import Views
from adapters.views.schema import TABLES
from domain.refusal import Unavailable
from tests.faults import ledger
from tests.faults.driver import HOLD, the_plan
from tests.faults.ledger import Ledger
from tests.faults.role import Role
from tests.servers import PostgresServer, Server, TemporalServer, create_database
from workflows.delivery_process import delivery_id

SEED = 7
KEPT = {"worker": "working", "follow": "following", "seal": "sealing"}
"""Roles that whoever supervises them starts again, and how each says that it is at work."""
REST_SECONDS, PATIENCE = 120.0, 0.1


@dataclass(frozen=True, slots=True)
class Strike:
    """A kill that happened: which part, in which second of the story, while how many lives were running."""

    part: str
    second: float
    running: int


@dataclass
class World:
    """The parts. `began` is the first second of the story, the same for every start of the driver."""

    folder: Path
    lives: int
    temporal: TemporalServer
    postgres: PostgresServer | None
    settings: Settings
    began: datetime = field(default_factory=now)
    roles: dict[str, Role] = field(default_factory=dict)
    strikes: list[Strike] = field(default_factory=list)
    _engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """The test's own look at the store."""
        if self._engine is None:
            self._engine = open_engine(self.settings)
        return self._engine

    def found(self) -> None:
        """Enter the district, release the demonstration's rulebook, and make the log's keys."""
        make_log_keys(self.settings.log_keys_folder, self.settings.origin)
        assert found(the_plan(), self.engine.handle, now(), template("demo")) == []

    def begin(self, **failpoints: str) -> None:
        """Start worker, follower and sealer and, once they are at work, the driver; the story begins.

        `failpoints` arms roles by name. One that dies of its own before the story begins stays so until lives run.
        """
        for name in KEPT:
            self._start(name, ("worker", name), failpoints)
        for name, word in KEPT.items():
            role = self.roles[name]
            self._soon(
                f"{name} did not come to work",
                lambda role=role, word=word: role.has_said(word) or not role.alive(),
            )
        (self.folder / HOLD).touch()
        self.began = now()
        driver = ("tests.faults.driver", str(self.folder), str(self.lives), str(SEED), self.began.isoformat())
        self._start("driver", driver, failpoints)

    def _start(self, name: str, command: tuple[str, ...], failpoints: dict[str, str]) -> None:
        self.roles[name] = Role(name, command, self._environment(), self.folder)
        self.roles[name].start(failpoints.get(name, ""))

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HUIYIN_", "TEMPORAL_"))}
        store = {"HUIYIN_STORE": self.settings.store} if self.settings.store else {}
        return {
            **kept, **store, "HUIYIN_DATA": str(self.settings.data), "TEMPORAL_ADDRESS": self.temporal.address,
            "PYTHONUNBUFFERED": "1",
        }  # fmt: skip

    # -- breaking ---------------------------------------------------------------------------------------------------

    def until(self, second: float) -> None:
        """Be at this second of the story."""
        while (left := self.began.timestamp() + second - time.time()) > 0:
            self._keep()
            time.sleep(min(left, PATIENCE))

    def _keep(self) -> None:
        for name in KEPT:
            self.roles[name].keep()

    def strike(self, *parts: str) -> None:
        """Kill these parts at once, while lives are running; Temporal's database goes with "wipe"."""
        self._soon("no life began", lambda: ledger.running(self.engine.store) > 0)
        running = ledger.running(self.engine.store)
        assert self.roles["driver"].alive(), f"the driver had ended: {self.roles['driver'].tail()}"
        for part in parts:
            if part in self.roles:
                self.roles[part].kill()
            else:
                _kill(self._server(part))
            if part == "wipe":
                self._wipe()
            self._note(part, running)

    def restore(self, *parts: str) -> None:
        """Start these parts again."""
        for part in parts:
            if part in self.roles:
                self.roles[part].start()
            else:
                self._server(part).start()

    def outlive(self, seconds: float = 120, **failpoints: str) -> None:
        """Every armed role kills itself at its failpoint while lives run, and is started again a second later."""
        waiting = dict(failpoints)
        deadline = time.monotonic() + seconds
        while waiting:
            assert time.monotonic() < deadline, f"never passed often enough: {waiting}"
            for name in [name for name in waiting if not self.roles[name].alive()]:
                self.roles[name].died_at(waiting.pop(name).partition(":")[0])
                self._soon("no life began", lambda: ledger.running(self.engine.store) > 0)
                self._note(
                    name, ledger.running(self.engine.store)
                )  # one is held, and has not ended meanwhile
                time.sleep(1)
                self.restore(name)
            time.sleep(PATIENCE)

    def _note(self, part: str, running: int) -> None:
        assert running > 0, "no life was running"
        self.strikes.append(Strike(part, time.time() - self.began.timestamp(), running))

    def _server(self, part: str) -> TemporalServer | PostgresServer:
        if part == "postgres":
            assert self.postgres is not None
            return self.postgres
        assert part in ("temporal", "wipe")
        return self.temporal

    def _wipe(self) -> None:
        assert self.temporal.database is not None
        for ending in ("", "-wal", "-shm"):
            Path(f"{self.temporal.database}{ending}").unlink(missing_ok=True)

    # -- the end ----------------------------------------------------------------------------------------------------

    def finish(self, seconds: float = 400, rest: float = REST_SECONDS) -> None:
        """Every life comes to its end, and everything comes to rest."""
        (self.folder / HOLD).unlink()
        driver = self.roles["driver"]
        self._soon("lives have not come to their end", lambda: not driver.alive(), seconds)
        assert driver.running().returncode == 0, driver.tail()
        self._soon(
            "steps of the clock are left", lambda: ledger.at_rest(self.engine.store, self.engine.handle), rest
        )
        self._soon("processes are left", lambda: asyncio.run(self._open_processes()) == [], rest)

    def _soon(self, complaint: str, holds: Callable[[], bool], seconds: float = REST_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._keep()
            try:
                if holds():
                    return
            except Unavailable:
                pass
            time.sleep(PATIENCE)
        pytest.fail("\n".join((complaint, *(role.tail() for role in self.roles.values()))))

    async def _open_processes(self) -> list[str]:
        client = await connect(target_host=self.temporal.address, identity="test")
        running = [one.id async for one in client.list_workflows("ExecutionStatus = 'Running'")]
        return [
            name for name in running if not name.startswith(delivery_id(""))
        ]  # these last as long as they are wanted

    def check(self) -> Ledger:
        """Hold the store against the driver's answers, the read models against a rebuild, and the log against the store."""
        read = ledger.check(self.engine.store, self.engine.handle, self.folder, self.lives)
        self._keys_are_with_discipline(read)
        self._views_equal_a_rebuild()
        self._everything_is_sealed()
        return read

    def _everything_is_sealed(self) -> None:
        log = open_log(self.settings.log_url)
        self._soon("the log is behind", lambda: _signed(log) == self.engine.store.head())
        assert reconcile(self.engine.store, log).bad is None
        log.close()

    def _keys_are_with_discipline(self, read: Ledger) -> None:
        for case, state in read.states.items():
            opened = {one.state for one in self.engine.vault.open(case)}
            held = {one.state for one in self.engine.vault.open(case, holder="discipline")}
            assert (opened, held) == (
                ({"erased"}, {"open"}) if state.confidential else ({"open"}, {"erased"})
            )

    def _views_equal_a_rebuild(self) -> None:
        store = self.engine.store
        live = Views(self.settings.views_url, store)
        self._soon("views are behind", lambda: live.position() == store.head())
        fresh = Views(str(self.folder / "fresh.db"), store)
        fresh.catch_up()
        assert _rows(live) == _rows(fresh)
        live.close()
        fresh.close()

    def close(self) -> None:
        """End everything."""
        for role in self.roles.values():
            role.end()
        if self._engine is not None:
            self._engine.close()


def _kill(server: Server) -> None:
    process = server.process
    assert process is not None, "the server was not running"
    assert process.poll() is None, "the server had ended by itself"
    server.kill()
    assert process.returncode == -signal.SIGKILL


def _signed(log: LogStore) -> int:
    """The position of the newest event under a signed head."""
    state, head = log.state(), log.head()
    return state.position if head is not None and head.size == state.size else -1


def _rows(views: Views) -> dict[str, list[dict[str, Any]]]:
    return {t.name: views.reader.rows(f"SELECT * FROM {t.name} ORDER BY {t.key}") for t in TABLES}


@contextmanager
def world_in(folder: Path, lives: int, store: str) -> Iterator[World]:
    """A founded world on "sqlite" or "postgres"; PostgreSQL is one of its own, with every commit on disk."""
    data = folder / "data"
    data.mkdir()
    temporal = TemporalServer(folder, database=data / "temporal.db")
    postgres = PostgresServer(durable=True) if store == "postgres" else None
    try:
        temporal.start()
        dsn = None
        if postgres is not None:
            postgres.start()
            dsn = create_database(postgres.dsn, "huiyin_faults")
        world = World(folder, lives, temporal, postgres, Settings(data=data, store=dsn))
        try:
            world.found()
            yield world
        finally:
            world.close()
    finally:
        temporal.stop()
        if postgres is not None:
            postgres.remove()


__all__ = ["Strike", "World", "world_in"]
