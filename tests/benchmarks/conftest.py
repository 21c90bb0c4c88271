"""One PostgreSQL that flushes, and one set of results, for all benchmarks of a run."""

from collections.abc import Iterator

import pytest

from tests.benchmarks.results import Results
from tests.servers import PostgresServer


@pytest.fixture(scope="session")
def flushing_postgres() -> Iterator[PostgresServer]:
    """A server that keeps what it has answered, as production does."""
    with PostgresServer(durable=True) as server:
        yield server


@pytest.fixture(scope="session")
def results() -> Iterator[Results]:
    """Where figures go; written to `.bench/` at the end of the run."""
    kept = Results()
    yield kept
    page = kept.write()
    print(f"\n{page.read_text()}\nwritten to {page} and {page.with_suffix('.json').name}")
