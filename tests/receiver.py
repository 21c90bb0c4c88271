"""A district system that is called: a real HTTP server on the loopback that checks every webhook by the package.

`python -m tests.receiver PORT FILE SECRET` is one in a process of its own: it appends what it took to FILE, a line each.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

Answer = tuple[int, dict[str, str]]
TAKEN: Answer = (204, {})


@dataclass(frozen=True, slots=True)
class Arrival:
    """One call: its id, its headers, the bytes, and what was answered."""

    id: str
    headers: dict[str, str]
    body: bytes
    status: int
    at: float

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def place(self) -> tuple[str, int]:
        """Case and version."""
        return self.event["data"]["case"], self.event["data"]["version"]


@dataclass
class Receiver:
    """What came in. `answers` decides on an answer; a call that the package refuses is answered 400."""

    secret: str = ""
    answers: Callable[[Arrival], Answer] = lambda _: TAKEN
    arrivals: list[Arrival] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    turn: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""

    def take(self, headers: dict[str, str], body: bytes) -> Answer:
        if self.secret:
            try:
                Webhook(self.secret).verify(body, headers)
            except WebhookVerificationError as error:
                self.refused.append(str(error))
                return 400, {}
        called = Arrival(headers.get("webhook-id", ""), headers, body, 0, time.time())
        status, more = self.answers(called)
        with self.turn:
            self.arrivals.append(Arrival(called.id, headers, body, status, called.at))
        return status, more

    @property
    def taken(self) -> list[Arrival]:
        """What was answered with 2xx, in the order in which it came."""
        with self.turn:
            return [one for one in self.arrivals if 200 <= one.status < 300]

    def first_taken(self) -> list[Arrival]:
        """The same, each id once, as a receiver sees it that goes by the idempotency key."""
        found: dict[str, Arrival] = {}
        for one in self.taken:
            found.setdefault(one.id, one)
        return list(found.values())

    def in_order(self) -> dict[str, list[int]]:
        """The versions of each case, in the order in which they were first taken."""
        found: dict[str, list[int]] = {}
        for one in self.first_taken():
            case, version = one.place
            found.setdefault(case, []).append(version)
        return found


def _server(receiver: Receiver, port: int) -> ThreadingHTTPServer:
    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, more = receiver.take({k.lower(): v for k, v in self.headers.items()}, body)
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_: object) -> None:
            return  # whoever called was killed in the middle

    return Server(("127.0.0.1", port), Door)


@contextmanager
def receiving(receiver: Receiver | None = None, port: int = 0) -> Iterator[Receiver]:
    """A receiver at work in threads of this process."""
    found = receiver or Receiver()
    server = _server(found, port)
    found.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)


def main() -> None:
    """Receive until killed; every call is on disk before it is answered."""
    port, path, secret = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def kept(one: Arrival) -> Answer:
        case, version = one.place
        line = {"id": one.id, "case": case, "version": version, "type": one.event["type"], "at": one.at}
        os.write(file, json.dumps(line).encode() + b"\n")
        return TAKEN

    receiver = Receiver(secret, kept)
    _server(receiver, port).serve_forever()


if __name__ == "__main__":
    main()
