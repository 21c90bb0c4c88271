"""Fixtures that every kind of test shares: real servers, fresh databases, the shared data."""

from adapters import exit_guard

exit_guard.install()  # before anything else: see adapters/exit_guard.py

import os
import signal
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser

from tests.browser import browser
from tests.servers import PostgresServer, TemporalServer, create_database, drop_database

FOR_TESTS = "HUIYIN_TEST_"
PG_DSN_SETTING = f"{FOR_TESTS}PG_DSN"
# No bound on the time of an example: on a busy machine it says nothing of what is tested. The build server tries the
# same examples each time, so that a change is judged by what it changed; at a desk the search goes on, with new ones.
settings.register_profile("desk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("build", settings.get_profile("desk"), derandomize=True)
settings.load_profile("build" if os.environ.get("CI") else "desk")
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

# The tests meet the servers that they start, never one that the caller's shell happens to name.
for _name in [
    n for n in os.environ if n.startswith(("TEMPORAL_", "HUIYIN_")) and not n.startswith(FOR_TESTS)
]:
    del os.environ[_name]


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    """End as on an interrupt, so that the fixtures still stop what they started."""
    raise KeyboardInterrupt("terminated")


def pytest_configure() -> None:
    signal.signal(signal.SIGTERM, _terminated)


@pytest.fixture(scope="session")
def postgres_dsn() -> Iterator[str]:
    """DSN (URL) of a server whose user may create databases: HUIYIN_TEST_PG_DSN, else one from the wheel."""
    given = os.environ.get(PG_DSN_SETTING)
    if given:
        yield given
        return
    with PostgresServer() as server:
        yield server.dsn


@pytest.fixture
def new_pg_database(postgres_dsn: str) -> Iterator[Callable[[], str]]:
    """A function that gives the DSN of a new, empty database each time; all are dropped after the test."""
    made: list[str] = []

    def create() -> str:
        name = f"huiyin_{uuid.uuid4().hex}"
        dsn = create_database(postgres_dsn, name)
        made.append(name)
        return dsn

    yield create
    for name in made:
        drop_database(postgres_dsn, name)


@pytest.fixture
def pg_database(new_pg_database: Callable[[], str]) -> str:
    """DSN of a new, empty database, dropped after the test."""
    return new_pg_database()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real browser; only for a module, since Playwright keeps the thread's event loop for itself."""
    with browser() as running:
        yield running


@pytest.fixture(scope="session")
def temporal_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporalServer]:
    """Temporal's dev server, in memory, shared by the session: connect to `.address`, never end it."""
    server = TemporalServer(tmp_path_factory.mktemp("temporal"))
    with server:
        yield server


@pytest.fixture
def temporal_namespace(temporal_server: TemporalServer) -> str:
    """The name of a namespace that no other test uses."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    temporal_server.create_namespace(name)
    return name


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; the test is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real data is not part of the repository: no ../shared/data beside this checkout")
    return SHARED_DATA
