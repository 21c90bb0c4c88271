"""Boards for the tests: real witness processes of ours, and faulty ones on real sockets."""

import re
import signal
import socket
import subprocess
import sysconfig
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Self

import httpx

from adapters.log.keys import make_key, open_signer
from domain.log.cosignature import cosign
from domain.log.notes import ED25519_COSIGNATURE, VerifierKey
from domain.log.witness import AddCheckpoint, origin_hash, parse_request
from tests.servers import free_port

HUIYIN = str(Path(sysconfig.get_path("scripts")) / "huiyin")
LISTENING = re.compile(r"listening http://127\.0\.0\.1:(\d+)$", re.MULTILINE)
STATUS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    409: "Conflict",
    422: "Unprocessable",
    500: "Broken",
}


class WitnessProcess:
    """`huiyin witness serve` on a port of its own; the same one after each start."""

    def __init__(self, folder: Path, name: str, *logs: VerifierKey) -> None:
        self.name, self.folder, self._logs, self._port = name, folder, logs, free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self.key, self.state, self.log = folder / "board.key", folder / "state.json", folder / "witness.log"
        self.vkey = make_key(self.key, f"{name}.test/w", ED25519_COSIGNATURE)
        self.process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self, environment: Mapping[str, str] | None = None) -> Self:
        self.log.unlink(missing_ok=True)
        with self.log.open("w") as output:
            self.process = self.spawn(environment, output)
        deadline = time.monotonic() + 100
        while (found := LISTENING.search(self.log.read_text())) is None:
            running = self.process.poll() is None and time.monotonic() < deadline
            assert running, self.log.read_text()
            time.sleep(0.02)
        self._port = int(found[1])
        return self

    def spawn(
        self, environment: Mapping[str, str] | None = None, output: int | IO[str] = subprocess.PIPE
    ) -> subprocess.Popen[str]:
        command = [HUIYIN, "witness", "serve", "--key", str(self.key), "--state", str(self.state)]
        logs = [word for log in self._logs for word in ("--log", str(log))]
        return subprocess.Popen(
            [*command, *logs, "--port", str(self._port)],
            env={"PATH": "/usr/bin:/bin", **(environment or {})}, text=True, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def wait(self) -> int:
        assert self.process is not None
        return self.process.wait(timeout=100)

    def end(self, how: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        code = self.wait()
        self.process = None
        return code

    def ask(self, body: bytes) -> httpx.Response:
        return httpx.post(f"{self.url}/add-checkpoint", content=body, timeout=100, trust_env=False)

    def shown(self, origin: str) -> httpx.Response:
        return httpx.get(f"{self.url}/{origin_hash(origin)}/checkpoint", timeout=100, trust_env=False)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.end(signal.SIGKILL)


Answer = tuple[int, bytes]
Behaviour = Callable[["FaultyBoard", socket.socket, AddCheckpoint | None], Answer | None]


class FaultyBoard:
    """A witness on a real socket that answers as `behaviour` says: (status, body), or None to have said all itself."""

    def __init__(self, folder: Path, name: str, behaviour: Behaviour) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name, self.behaviour = name, behaviour
        self.vkey = make_key(folder / f"{name}.key", f"{name}.test/w", ED25519_COSIGNATURE)
        self.signer = open_signer(folder / f"{name}.key", ED25519_COSIGNATURE)
        self.asked: list[AddCheckpoint] = []
        self.closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]

    def line(self, request: AddCheckpoint, time: int = 1_795_000_000) -> bytes:
        """A good cosignature."""
        return str(cosign(request.note.text, self.vkey, time, self.signer.sign)).encode()

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            while (request := self._request(client)) is not None:
                client.settimeout(60)
                body = parse_request(request) if request else None
                if body is not None:
                    self.asked.append(body)
                answer = self.behaviour(self, client, body)
                if answer is None:
                    return
                status, said = answer
                head = f"HTTP/1.1 {status} {STATUS[status]}\r\nContent-Length: {len(said)}\r\n\r\n"
                try:
                    client.sendall(head.encode() + said)
                except OSError:  # whoever asked has heard enough
                    return

    def _request(self, client: socket.socket) -> bytes | None:
        """The body of the next request, empty for a GET, None at the end."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = self._more(client)
            if not more:
                return None
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        while len(body) < (int(length[1]) if length else 0):
            body += self._more(client)
        return body

    def _more(self, client: socket.socket) -> bytes:
        client.settimeout(0.2)
        while not self.closing.is_set():
            try:
                return client.recv(65_536)
            except TimeoutError:
                continue
            except OSError:
                return b""
        return b""


def policy_of(log: VerifierKey, *boards: WitnessProcess | FaultyBoard, k: int | str = "all") -> str:
    """A policy that asks for `k` of these boards."""
    names = [one.name for one in boards]
    lines = [f"log {log}", *(f"witness {one.name} {one.vkey} {one.url}" for one in boards)]
    return "\n".join([*lines, f"group boards {k} {' '.join(names)}", "quorum boards", ""])
