"""A board's witness over HTTP: C2SP tlog-witness, with the submission and the monitoring prefix under one URL.

POST /add-checkpoint                        a head and the proof that it continues the one before
GET  /<SHA-256 of the origin, hex>/checkpoint   the newest head that this witness has cosigned
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.witness.board import Board, Said

MOST_REQUEST = 262_144
"""Bytes of a request: 63 proof lines and sixteen signatures of the largest kind, and room to spare."""
KEEP_ALIVE_SECONDS = 75
MOST_AT_ONCE = 256


def application(board: Board) -> Starlette:
    """The witness of a board as an ASGI application."""

    async def add_checkpoint(request: Request) -> Response:
        try:
            body = await _body(request)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return _answer(Said(413, "Send a smaller request.\n"))
        return _answer(await run_in_threadpool(board.add_checkpoint, body))

    async def checkpoint(request: Request) -> Response:
        return _answer(board.checkpoint(request.path_params["origin"]))

    return Starlette(
        routes=[
            Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
            Route("/{origin}/checkpoint", checkpoint, methods=["GET"]),
        ]
    )


async def _body(request: Request) -> bytes | None:
    """The request's body, None where it is longer than any that makes sense."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_REQUEST:
            return None
    return bytes(body)


def _answer(said: Said) -> Response:
    # By the header itself: the library would add a character set, which the specification's type does not have.
    return Response(said.body, said.status, headers={"content-type": said.content_type})


def serve(board: Board, host: str, port: int, told: Callable[[str], None]) -> None:
    """Answer until SIGTERM or SIGINT; `told` hears the URL once it can be reached. Raises OSError for a taken port."""
    listener = socket.create_server((host, port), reuse_port=False)
    # Connections inherit it: else the second packet of an answer waits 40 ms for the first one's acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        shown = f"[{host}]" if ":" in host else host
        told(f"http://{shown}:{listener.getsockname()[1]}")
        config = uvicorn.Config(
            application(board), log_config=None, access_log=False, server_header=False, lifespan="off",
            timeout_keep_alive=KEEP_ALIVE_SECONDS, limit_concurrency=MOST_AT_ONCE,
        )  # fmt: skip
        server = uvicorn.Server(config)

        def stop(*_: object) -> None:
            server.should_exit = True

        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(
                each, stop
            )  # the library ends itself by the signal that it was sent, unless that is heard
        server.run(sockets=[listener])
    finally:
        listener.close()
