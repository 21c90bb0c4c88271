"""An office whose roles are processes that a test kills and starts again, for imports: over either store."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from adapters.demo.district import found
from adapters.engine import Engine, now, open_engine
from adapters.log.keys import make_log_keys
from adapters.rulebooks import template
from adapters.settings import Settings
from domain.acting import Actor
from domain.rulebook.releases import release_of
from tests.acceptance.http_world import Api
from tests.acceptance.imports_world import read
from tests.acceptance.world import DISTRICT, GROUND
from tests.faults.role import Role
from tests.servers import PostgresServer, TemporalServer, create_database, free_port
from workflows.standing import RELEASES
from workflows.submission import Submission


@dataclass
class Office:
    """The roles as processes over one store; `api` speaks to the API's."""

    engine: Engine
    temporal: TemporalServer
    api: Api
    roles: dict[str, Role] = field(default_factory=dict)

    def start(self, *names: str, failpoint: str = "") -> None:
        for name in names:
            self.roles[name].start(failpoint)
        if "api" in names:
            holds(self._answers)

    def _answers(self) -> bool:
        try:
            return self.api.client.get("/api/v1/openapi.json").status_code == 200
        except httpx.TransportError:
            return False

    def kill(self, name: str) -> None:
        """Kill it and start it again; Temporal loses all that it knew."""
        if name == "temporal":
            self.temporal.kill()
            self.temporal.start()
            return
        self.roles[name].kill()
        self.start(name)

    def state(self, import_id: str) -> dict[str, Any]:
        try:
            return read(self.api, import_id)
        except httpx.TransportError:
            return {"state": "unknown", "done": 0}

    def done(self, import_id: str, rows: int) -> None:
        """Wait until so many rows are done, and not yet all of them."""
        holds(lambda: self.state(import_id)["done"] >= rows, 100)

    def ended(self, import_id: str) -> dict[str, Any]:
        holds(lambda: self.state(import_id)["state"] in ("done", "failed"), 150)
        return self.state(import_id)


def holds(said: Callable[[], bool], seconds: float = 100) -> None:
    until = time.monotonic() + seconds
    while not said():
        assert time.monotonic() < until, "it did not come to hold in time"
        time.sleep(0.05)


@contextmanager
def office(folder: Path, dsn: str | None, share: str) -> Iterator[Office]:
    settings = Settings(data=folder / "data", store=dsn, district=DISTRICT.code, api_port=free_port())
    engine = open_engine(settings)
    url = f"http://127.0.0.1:{settings.api_port}"
    try:
        make_log_keys(settings.log_keys_folder, settings.origin)
        assert found(DISTRICT, engine.handle, now(), template("demo")) == []
        text, security = (
            template("backfill"),
            Actor(person=DISTRICT.security, body="system", post="security_admin"),
        )
        release = Submission(
            "founding", "backfill", RELEASES, release_of(text), security, authority=GROUND, texts=(text,)
        )
        assert engine.handle(release).accepted
        temporal = TemporalServer(folder, port=free_port())
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("HUIYIN_", "TEMPORAL_"))} | {
            "HUIYIN_DATA": str(settings.data), "HUIYIN_API_PORT": str(settings.api_port), "PYTHONUNBUFFERED": "1",
            "HUIYIN_DISTRICT": DISTRICT.code, "HUIYIN_IMPORT_SHARE": share, "TEMPORAL_ADDRESS": temporal.address,
        } | ({"HUIYIN_STORE": dsn} if dsn else {})  # fmt: skip
        with httpx.Client(base_url=url, timeout=100) as client:
            made = Office(engine, temporal, Api(url, engine, client))
            made.roles = {
                name: Role(name, ("worker", name), environment, folder)
                for name in ("api", "worker", "follow", "seal")
            }
            try:
                yield made
            finally:
                for role in made.roles.values():
                    role.end()
                temporal.stop()
    finally:
        engine.close()


@contextmanager
def office_on(store: str, folder: Path, share: str = "0.5", *, durable: bool = False) -> Iterator[Office]:
    """On "sqlite", or on "postgres", a server of its own; `durable`: it flushes every commit, as in production."""
    if store == "sqlite":
        with office(folder, None, share) as made:
            yield made
        return
    with (
        PostgresServer(durable=durable) as server,
        office(folder, create_database(server.dsn, "office"), share) as made,
    ):
        yield made
