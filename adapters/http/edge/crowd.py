"""The crowd: how many requests one process answers at a time. Who comes on top is told to come again, at once."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.edge.turned_away import turned_away

ALWAYS = frozenset({"/healthz"})
"""Asked by whoever restarts processes: a busy one is alive."""


class Crowd:
    """Counts who is in. A stream of events gives its place back once it has begun: it waits, it does not work."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app, self._most, self._inside = app, most, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["path"] in ALWAYS:
            await self._app(scope, receive, send)
            return
        if self._inside >= self._most:
            response = turned_away("too_busy", "Too many requests are being answered; send it again shortly.")
            await response(scope, receive, send)
            return
        self._inside += 1
        inside = True

        def leave() -> None:
            nonlocal inside
            if inside:
                self._inside, inside = self._inside - 1, False

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start" and _streams(message):
                leave()
            await send(message)

        try:
            await self._app(scope, receive, answered)
        finally:
            leave()


def _streams(message: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/event-stream")
        for name, value in message["headers"]
    )
