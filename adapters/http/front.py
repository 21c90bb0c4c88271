"""The front: what answers before the application is there, and while it is not: the store may come up later than we."""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http.edge.watch import Watch
from adapters.http.problems import RETRY_SECONDS, problem


class Front:
    """Hands requests on to `app`; without one it says that it is starting, and nothing is taken in."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self._closed = Watch(_starting)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        await (self.app or self._closed)(scope, receive, send)


async def _starting(scope: Scope, receive: Receive, send: Send) -> None:
    response = problem("starting", "The record is not open yet; send it again in a few seconds.")
    if scope["path"] == "/healthz":
        response = JSONResponse({"alive": True})
    elif scope["path"] == "/readyz":
        store = {"ok": False, "said": "out of reach"}
        said = {"ready": False, "checks": {"store": store}}
        response = JSONResponse(said, 503, {"Retry-After": str(RETRY_SECONDS)})
    await response(scope, receive, send)
