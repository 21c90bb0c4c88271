"""Serving the API: uvicorn on a socket of ours, until told to stop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http.connection import Connection
from adapters.settings import API_PORT, Settings
from domain.refusal import Refused

STOP_SECONDS = 10
STOPPING = "huiyin.stopping"
"""Under which name a request finds the event that ends what would go on for ever."""


def listener(settings: Settings, *, shared: bool = False) -> socket.socket:
    """The socket that is listened on, `shared` with other processes of this kind. Raises Refused "port_taken", which
    names the setting."""
    port = API_PORT if settings.api_port is None else settings.api_port
    try:
        at = socket.create_server((settings.api_host, port), backlog=1024, reuse_port=shared)
    except OSError as error:
        raise Refused(
            "port_taken", f"Free port {port}, or name another one (HUIYIN_API_PORT): {error.strerror}."
        ) from None
    # Connections inherit it: else the second packet of an answer waits 40 ms for the first one's acknowledgement.
    at.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return at


async def serve(
    app: ASGIApp,
    at: socket.socket,
    stop: asyncio.Event,
    told: Callable[[str], None],
    proxies: str = "127.0.0.1,::1",
) -> None:
    """Answer until `stop`; requests under way are finished first. `told` hears the URL."""
    config = uvicorn.Config(
        _telling(app, stop), log_config=None, access_log=False, server_header=False, lifespan="off", ws="none", http=Connection,
        forwarded_allow_ips=proxies, timeout_graceful_shutdown=STOP_SECONDS,
    )  # fmt: skip
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[at]))
    host, port = at.getsockname()[:2]
    told(f"http://{f'[{host}]' if ':' in host else host}:{port}")
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await running


def _telling(app: ASGIApp, stop: asyncio.Event) -> ASGIApp:
    """Let every request know when this process is to stop."""

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        scope[STOPPING] = stop
        await app(scope, receive, send)

    return told


class _Server(uvicorn.Server):
    """Signals are the role's to hear, not the library's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield
