"""One connection: HTTP/1.1 as uvicorn speaks it (h11), with bounds that it leaves open.

Uvicorn waits for a request's head for ever, and says what is no HTTP, and that there are too many connections, as
plain text. Here a head has ten seconds, and both are problems like all others.
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from adapters.http.edge.turned_away import turned_away

HEAD_SECONDS = 10.0
MOST_CONNECTIONS = 4_096
"""Of one process; each costs a file descriptor and little else."""
LONGEST_HEAD = 32_768


class Connection(H11Protocol):
    """A client's connection."""

    head_seconds = HEAD_SECONDS
    most = MOST_CONNECTIONS
    _head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there; one too many is told so and let go of."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self._end("too_busy", "Too many connections are open; try again shortly.")
            return
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Bytes; the time of a head runs from its first byte, or from the connection's beginning."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._head_is_there()
        elif self._head is None and not self.transport.is_closing():
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._head_is_there()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP, or its head is too long."""
        del msg
        self._end("no_http", f"Send HTTP/1.1, with a head of at most {LONGEST_HEAD:,} bytes.")

    def _await_head(self) -> None:
        self._head = self.loop.call_later(self.head_seconds, self._too_slow)

    def _head_is_there(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _too_slow(self) -> None:
        self._head = None
        if not self.transport.is_closing() and self.conn.our_state is h11.IDLE:
            self._end("body_too_slow", "Send the request faster.")

    def _end(self, code: str, detail: str) -> None:
        """Answer by a problem and close."""
        response = turned_away(code, detail)
        headers: list[tuple[bytes, bytes]] = [*response.raw_headers, (b"connection", b"close")]
        for event in (
            h11.Response(status_code=response.status_code, headers=headers), h11.Data(data=bytes(response.body)),
            h11.EndOfMessage(),
        ):  # fmt: skip
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
