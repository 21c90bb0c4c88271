"""The edge's own refusals (too long, too many, no text) in the standard's form, for whoever asks below PREFIX."""

from __future__ import annotations

import json
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.problems import MEDIA_TYPE
from adapters.open311.formats import format_of, written

_KEPT = frozenset({403, 404, 429, 500, 503})
"""Statuses that a client acts on; GeoReport v2 answers all else by 400."""


class Spoken:
    """Hands every answer on; a problem document below `prefix` becomes an array of errors."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app, self._prefix = app, f"{prefix}/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or not scope["path"].startswith(self._prefix):
            await self._app(scope, receive, send)
            return
        begun: Message | None = None
        body = bytearray()

        async def answered(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start" and _is_problem(message):
                begun = message
            elif begun is None:
                await send(message)
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    await _said(begun, bytes(body), scope["path"], send)

        await self._app(scope, receive, answered)


def _is_problem(message: Message) -> bool:
    return (b"content-type", MEDIA_TYPE.encode()) in [
        (name.lower(), value) for name, value in message["headers"]
    ]


async def _said(begun: Message, body: bytes, path: str, send: Send) -> None:
    problem = json.loads(body)
    status = begun["status"] if begun["status"] in _KEPT else int(HTTPStatus.BAD_REQUEST)
    errors = [{"code": status, "description": f"{problem['code']}: {problem['detail']}"}]
    response = written(format_of(path), "errors", errors, status)
    own = {name for name, _ in response.raw_headers}
    kept = [(name, value) for name, value in begun["headers"] if name.lower() not in own]
    await send({**begun, "status": status, "headers": [*kept, *response.raw_headers]})
    await send({"type": "http.response.body", "body": response.body})
