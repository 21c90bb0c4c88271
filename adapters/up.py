"""`huiyin up`: Temporal's dev server and every role of our own as one process tree on the loopback.

For a pilot office and the demonstration; production names its PostgreSQL and its Temporal cluster by settings and
starts the roles apart. Children end with their parent: told to, when it stops; by the kernel, when it is killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from adapters.settings import Settings
from domain.refusal import Unavailable

HOST = "127.0.0.1"
READY_SECONDS, STOP_SECONDS, WATCH_SECONDS = 30.0, 15.0, 0.5
PREFERRED = (7233, 8233)
"""Temporal's own ports, taken when they are free."""

PROCESSES = ("worker", "follow", "seal")
"""The roles that carry matters on."""

ROLES = (*PROCESSES, "api")


@dataclass(slots=True)
class Child:
    """A child process with its output in a file."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; its death is noticed by `alive`."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                (sys.executable, "-m", "adapters.tied", *self.command),
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env=dict(self.environment), start_new_session=True,
            )  # fmt: skip

    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """End it in good order, or after a while in bad."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass(slots=True)
class Tree:
    """The running parts and where they are."""

    address: str
    ui: str
    api: str
    children: list[Child] = field(default_factory=list)

    def keep(self, stopped: threading.Event) -> None:
        """Until stopped, start again what has died. The children are tied to the thread that started them."""
        while not stopped.wait(WATCH_SECONDS):
            for child in self.children:
                if not child.alive():
                    child.start()


@contextmanager
def up(settings: Settings, roles: Sequence[str] = PROCESSES) -> Iterator[Tree]:
    """Start Temporal and these roles, give the addresses, and stop everything at the end. Raises Unavailable."""
    port, ui_port = (free_port(wanted) for wanted in PREFERRED)
    if settings.api_port == 0:  # any free one, but the same for all of the API's processes
        settings = settings.model_copy(update={"api_port": free_port()})
    tree = Tree(f"{HOST}:{port}", f"http://{HOST}:{ui_port}", settings.api_address)
    logs = settings.data / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    environment = _environment(settings, tree.address)
    roles = [*roles, *(["api"] * (settings.api_processes - 1) if "api" in roles else [])]
    temporal = Child("temporal", _temporal(settings, port, ui_port), environment, logs / "temporal.log")
    beside = [
        Child(name, (sys.executable, "-m", "worker", role), environment | figures, logs / f"{name}.log")
        for name, role, figures in zip(
            _names(roles), roles, _metrics_ports(settings, len(roles)), strict=True
        )
    ]
    stopped = threading.Event()
    keeper = threading.Thread(target=tree.keep, args=(stopped,), name="keeper", daemon=True)
    try:
        temporal.start()
        tree.children.append(temporal)
        wait_for(port, temporal)
        for child in beside:
            child.start()
            tree.children.append(child)
        keeper.start()
        yield tree
    finally:
        stopped.set()
        if keeper.is_alive():
            keeper.join()
        for child in reversed(tree.children):
            child.stop()


def _temporal(settings: Settings, port: int, ui_port: int) -> tuple[str, ...]:
    return (
        command_beside("temporal"), "server", "start-dev", "--ip", HOST, "--port", str(port), "--ui-port", str(ui_port),
        "--db-filename", str(settings.data / "temporal.db"), "--sqlite-pragma", "journal_mode=WAL",
        "--sqlite-pragma", "synchronous=NORMAL", "--ui-disable-news-fetch", "--log-level", "warn",
    )  # fmt: skip


def _environment(settings: Settings, address: str) -> dict[str, str]:
    """Ours, with the settings and Temporal's address; nothing of it reports to anybody."""
    given = {
        "HUIYIN_DATA": str(settings.data.resolve()), "HUIYIN_DISTRICT": settings.district,
        "HUIYIN_TASK_QUEUE": settings.task_queue, "TEMPORAL_ADDRESS": address,
        "HUIYIN_API_SHARES_PORT": str(settings.api_processes > 1),
        "TEMPORAL_VERSION_CHECK_DISABLED": "1", "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    named = {
        "HUIYIN_STORE": settings.store, "HUIYIN_KEYS": settings.keys, "HUIYIN_VIEWS": settings.views,
        "HUIYIN_LOG": settings.log, "HUIYIN_LOG_ORIGIN": settings.log_origin,
        "HUIYIN_LOG_DELAY_HOURS": str(settings.log_delay_hours), "HUIYIN_ACCESS": settings.access,
        "HUIYIN_API_PORT": None if settings.api_port is None else str(settings.api_port),
    }  # fmt: skip
    for name, folder in (("HUIYIN_MASTERS", settings.masters), ("HUIYIN_LOG_KEYS", settings.log_keys)):
        if folder is not None:
            named[name] = str(folder.resolve())
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TEMPORAL_", "HUIYIN_STORE"))}
    return {**kept, **given, **{k: v for k, v in named.items() if v is not None}}


def _names(roles: Sequence[str]) -> list[str]:
    """A name for each process: its role's, with a number from the second one of a role on."""
    counted = [roles[: n + 1].count(role) for n, role in enumerate(roles)]
    return [role if n == 1 else f"{role}-{n}" for role, n in zip(roles, counted, strict=True)]


def _metrics_ports(settings: Settings, roles: int) -> list[dict[str, str]]:
    """On one machine each role shows its figures on a port of its own: the one that is set, and those after it."""
    first = settings.metrics_port
    if not first:
        return [{} for _ in range(roles)]
    return [{"HUIYIN_METRICS_PORT": str(first + n)} for n in range(roles)]


def free_port(wanted: int = 0) -> int:
    """The wanted port, or any free one where that is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Unavailable("There is no free port on the loopback.")


def wait_for(port: int, child: Child) -> None:
    """Until the child listens on this port of the loopback. Raises Unavailable if it does not come up."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and child.alive():
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise Unavailable(f"{child.name} did not come up; see {child.log}.")


def command_beside(name: str) -> str:
    """A command of this environment, before one of the same name elsewhere. Raises Unavailable."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise Unavailable(f"The command {name} is missing; run the set-up again.")
    return found
