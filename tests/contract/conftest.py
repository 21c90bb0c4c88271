"""Fixtures of the port contracts: every test of a port runs over every adapter."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.store.postgres import PostgresStore
from adapters.store.sqlite import SqliteStore
from tests.contract.store_world import STORES, opened


@pytest.fixture(params=STORES)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new, empty store is to be."""
    if request.param == "sqlite":
        return str(tmp_path / "cases.db")
    dsn: str = request.getfixturevalue("pg_database")
    return dsn


@pytest.fixture
def open_again(store_url: str) -> Iterator[Callable[[], SqliteStore | PostgresStore]]:
    """A function that opens the store once more, as another process would."""
    stores: list[SqliteStore | PostgresStore] = []

    def again() -> SqliteStore | PostgresStore:
        stores.append(opened(store_url))
        return stores[-1]

    yield again
    for store in stores:
        store.close()


@pytest.fixture
def store(open_again: Callable[[], SqliteStore | PostgresStore]) -> SqliteStore | PostgresStore:
    """A new, empty store."""
    return open_again()
