"""`GET /metrics` for a role: on a port of its own, on the loopback unless the operator names another address."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import TCPServer, ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import make_wsgi_app

from adapters.settings import Settings
from adapters.telemetry.metrics import REGISTRY
from domain.refusal import Refused


@contextmanager
def shown(settings: Settings) -> Iterator[int | None]:
    """Show the figures for as long as the context lasts, if a port is set; gives it. Raises Refused "port_taken"."""
    if settings.metrics_port is None:
        yield None
        return
    try:
        server = _Server((settings.metrics_host, settings.metrics_port), _Silent)
    except OSError as error:
        raise Refused(
            "port_taken",
            f"Free port {settings.metrics_port}, or name another one (HUIYIN_METRICS_PORT): {error.strerror}.",
        ) from None
    server.set_app(make_wsgi_app(REGISTRY))
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="metrics", daemon=True
    )
    thread.start()
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """The library's own would look the host's name up, and so ask a name server."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()


class _Silent(WSGIRequestHandler):
    timeout = 10

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Scrapes are no news."""
