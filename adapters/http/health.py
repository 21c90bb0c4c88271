"""Liveness and readiness: whether this process runs, and whether a request that it takes would be kept.

Ready is who can reach the record and its keys: matters are accepted while Temporal is away and while the followers are
behind (law 2), so these are told of and do not turn anybody away.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from adapters.doctor import listens, temporal_address
from adapters.engine import Engine
from adapters.http.documented import OPEN
from adapters.http.problems import RETRY_SECONDS
from adapters.log import open_log
from adapters.log.store import LogStore
from adapters.views.reader import Reader
from domain.refusal import Refused, Unavailable


class Part(BaseModel):
    """One part. `behind` counts events of the store, `seconds` the age of the oldest one not yet taken."""

    ok: bool
    said: str | None = None
    behind: int | None = None
    seconds: float | None = None


class Readiness(BaseModel):
    """Whether requests are taken, and what stands behind that."""

    ready: bool
    checks: dict[str, Part] = Field(
        examples=[{"store": {"ok": True}, "temporal": {"ok": False, "said": "…"}}]
    )


class Health:
    """Asks the parts, each time anew."""

    def __init__(self, engine: Engine, reader: Reader) -> None:
        self._engine, self._reader = engine, reader
        self._log: LogStore | None = None
        self._opening = Lock()

    def readiness(self) -> Readiness:
        """What the parts say now."""
        parts = {
            "store": _asked(self._store), "keys": _asked(self._keys), "views": _asked(self._views),
            "log": _asked(self._evidence), "temporal": _temporal(),
        }  # fmt: skip
        return Readiness(ready=parts["store"].ok and parts["keys"].ok, checks=parts)

    def close(self) -> None:
        """Let go of the log."""
        if self._log is not None:
            self._log.close()

    def _store(self) -> Part:
        self._engine.store.head()
        return Part(ok=True)

    def _keys(self) -> Part:
        self._engine.keys.pepper()
        return Part(ok=True)

    def _views(self) -> Part:
        return self._lag(dict(self._reader.consumers()).get("views", 0))

    def _evidence(self) -> Part:
        with self._opening:
            if self._log is None:
                self._log = open_log(self._engine.settings.log_url)
        return self._lag(self._log.state().position)

    def _lag(self, position: int) -> Part:
        """How far somebody who stands at a position is behind the record."""
        waiting = self._engine.store.read(position, 1)
        if not waiting:
            return Part(ok=True, behind=0, seconds=0.0)
        recorded = datetime.fromisoformat(json.loads(waiting[0].body)["recorded_at"])
        age = (self._engine.handle.clock() - recorded).total_seconds()
        return Part(
            ok=age < STALE_SECONDS, behind=self._engine.store.head() - position, seconds=round(age, 3)
        )


STALE_SECONDS = 5.0
"""Who is further behind is told of as not well."""


def _temporal() -> Part:
    if listens(temporal_address()):
        return Part(ok=True)
    return Part(
        ok=False, said="out of reach; matters are accepted all the same, their processes come back with it"
    )


def _asked(ask: Callable[[], Part]) -> Part:
    """What a part says. Never the error's own words: they name machines, and anybody may ask."""
    try:
        return ask()
    except (Unavailable, Refused):
        return Part(ok=False, said="out of reach")


def router(health: Health) -> APIRouter:
    """`/healthz` and `/readyz`, for whoever starts and restarts these processes."""
    made = APIRouter(tags=["health"])

    @made.get("/healthz", name="read_liveness", summary="Whether it runs 存活")
    async def read_liveness() -> dict[str, Any]:
        """This process answers; nothing else is asked."""
        return {"alive": True}

    @made.get(
        "/readyz",
        name="read_readiness",
        summary="Whether it takes requests 就绪",
        responses={503: _NOT_READY},
    )
    def read_readiness(response: Response) -> Readiness:
        """Store, keys, read models, evidence log and Temporal, as they are now."""
        found = health.readiness()
        if not found.ready:
            response.status_code = 503
            response.headers["Retry-After"] = str(RETRY_SECONDS)
        return found

    return made


_NOT_READY: dict[str, Any] = OPEN[503] | {
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Readiness"}}}
}
