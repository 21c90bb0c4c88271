"""Turning away at the edge: the problem, and the count of it."""

from __future__ import annotations

from starlette.responses import Response

from adapters.http.problems import problem
from adapters.telemetry.metrics import TURNED_AWAY


def turned_away(code: str, detail: str) -> Response:
    """The problem of a request that was not let in."""
    TURNED_AWAY.labels(code).inc()
    return problem(code, detail)
