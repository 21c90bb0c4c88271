"""Bodies: no longer than the route takes, and no slower than a bad line is."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.edge.turned_away import turned_away
from adapters.http.limits import most_bytes, too_large
from domain.refusal import Refused

PATIENCE_SECONDS = 10.0
SLOWEST = 8_192
"""Bytes a second that a body must bring, after the first ten seconds."""


class Bodies:
    """Counts a body's bytes as the application reads them."""

    def __init__(self, app: ASGIApp, patience: float = PATIENCE_SECONDS) -> None:
        self._app, self._patience = app, patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        one = _Body(scope, receive, send, self._patience)
        await self._app(scope, one.receive, one.send)


class _Body:
    """One request's body. Once it is refused the refusal is the answer, whatever the application made of it."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, patience: float) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._most, self._patience = most_bytes(scope["path"]), patience
        self._began: float | None = None
        self._read, self._whole = 0, False
        self._refused: Refused | None = None
        self._answered = self._instead = False

    async def receive(self) -> Message:
        """The next part. Raises Refused."""
        if self._whole:
            return await self._receive()
        now = asyncio.get_running_loop().time()
        self._began = now if self._began is None else self._began
        try:
            async with asyncio.timeout_at(self._began + self._patience + self._read / SLOWEST):
                message = await self._receive()
        except TimeoutError:
            raise self._refusing(Refused("body_too_slow", "Send the body faster.")) from None
        self._read += len(message.get("body", b""))
        self._whole = message["type"] != "http.request" or not message.get("more_body", False)
        if self._read > self._most:
            raise self._refusing(too_large(self._most))
        return message

    def _refusing(self, refused: Refused) -> Refused:
        self._refused = refused
        return refused

    async def send(self, message: Message) -> None:
        """The answer; the refusal's own, where the body was refused before it began."""
        if self._refused is not None and not self._answered and not self._instead:
            self._instead = True
            response = turned_away(self._refused.code, self._refused.advice)
            await response(self._scope, self._receive, self._send)
        if not self._instead:
            self._answered = True
            await self._send(message)
