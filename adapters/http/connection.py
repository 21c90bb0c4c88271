"""One connection: HTTP/1.1 as uvicorn speaks it (httptools), with bounds that it leaves open.

Uvicorn waits for a request's head for ever, keeps as much of one as comes, takes trailers for headers, and says what is
no HTTP, and that there are too many connections, as plain text. Here a head has ten seconds and a length, a trailer
says nothing (RFC 9110, section 6.5.1), and all of them are problems like all others.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from adapters.http.edge.turned_away import turned_away

HEAD_SECONDS = 10.0
MOST_CONNECTIONS = 4_096
"""Of one process; each costs a file descriptor and little else."""
LONGEST_HEAD = 32_768
LINGER_SECONDS = 2.0
"""How long a client that was refused may go on sending unheard, so that no reset overtakes its answer."""


class Connection(HttpToolsProtocol):
    """A client's connection."""

    head_seconds = HEAD_SECONDS
    most = MOST_CONNECTIONS
    _awaiting: asyncio.TimerHandle | None = None
    _in_head = False
    _running: RequestResponseCycle | None = None
    """The request that is being answered, or was last; those behind it wait in `pipeline`, the newest first."""
    _unread = 0
    """Bytes since the last that were a whole head, a piece of a body or the end of a message."""
    _ended = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there; one too many is told so and let go of."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self._end("too_busy", "Too many connections are open; try again shortly.")
            transport.close()  # one more that lingers would be one more that is open
            return
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Bytes; a head, and what follows a body, may have so many of them, and as long as a head."""
        if self._over():
            return
        self._unset_keepalive_if_required()
        self._unread += len(data)
        self._feed(data)
        if self._over():
            return
        if self._unread > LONGEST_HEAD:
            self.send_400_response("")
        elif self._awaiting is None and (self._running is None or self._running.response_complete):
            self._await_head()  # empty lines, or the rest of a body that nobody reads any more

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone: whoever is still answering it hears so."""
        self._head_is_there()
        for cycle in (self._running, *(queued for queued, _ in self.pipeline)):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """The first byte of a head; its time runs from here, or from the connection's beginning."""
        self._in_head = True
        if self._awaiting is None:
            self._await_head()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A line of the head, or a trailer, which is left out."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """A whole head. Raises HttpParserError where it names no host, or two (RFC 9112, section 3.2)."""
        self._head_is_there()
        self._in_head, self._unread = False, 0
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            raise httptools.HttpParserError("one Host is needed")
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The end of a message."""
        self._unread = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP, or its head is too long."""
        del msg
        self._end(
            "no_http", f"Send HTTP/1.1, by one of its methods, with a head of at most {LONGEST_HEAD:,} bytes."
        )

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _feed(self, data: bytes) -> None:
        """Whoever offers another protocol beside this one is answered in this one (RFC 9110, section 7.8)."""
        while data:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as offered:
                data = data[offered.args[0] :]
            except httptools.HttpParserError:
                self.send_400_response("")
                return

    def _await_head(self) -> None:
        self._awaiting = self.loop.call_later(self.head_seconds, self._too_slow)

    def _head_is_there(self) -> None:
        if self._awaiting is not None:
            self._awaiting.cancel()
            self._awaiting = None

    def _too_slow(self) -> None:
        self._awaiting = None
        if not self._over():
            self._end("body_too_slow", "Send the request faster.")

    def _end(self, code: str, detail: str) -> None:
        """Answer by a problem and close. What came whole before it is answered first, and nothing after it."""
        if self.pipeline and self.pipeline[0][0].more_body:
            self.pipeline.popleft()  # this is the one that broke off, and nobody has begun to answer it
        newest = self.pipeline[0][0] if self.pipeline else self._running
        if newest is not None and not newest.response_complete:
            if newest.response_started or not newest.more_body:
                newest.keep_alive = False
                self.cycle = newest
                self.flow.pause_reading()
                return
            newest.disconnected = True
            newest.message_event.set()
        response = turned_away(code, detail)
        lines = [name + b": " + value + b"\r\n" for name, value in response.raw_headers]
        head = [STATUS_LINE[response.status_code], *lines, b"connection: close\r\n\r\n"]
        self.transport.write(b"".join([*head, bytes(response.body)]))
        self.transport.write_eof()
        self._ended = True
        self.flow.resume_reading()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _over(self) -> bool:
        return self._ended or self.transport.is_closing()
