"""Fixtures of the process tests: a founded district, and a world beside the session's Temporal server."""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from adapters.rulebooks import template
from tests.process.world import World, copied, created, founded, swift, unhurried, world_in
from tests.servers import TemporalServer


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A district under the demonstration's rulebook; copy it, do not use it."""
    return founded(tmp_path_factory.mktemp("demo") / "data", template("demo"))


@pytest.fixture(scope="session")
def swift_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A district under a rulebook with shorter times; copy it, do not use it."""
    return founded(tmp_path_factory.mktemp("swift") / "data", swift())


@pytest.fixture(scope="session")
def unhurried_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A district under a rulebook with longer times; copy it, do not use it."""
    return founded(tmp_path_factory.mktemp("unhurried") / "data", unhurried())


@pytest.fixture
def temporal_namespace(temporal_server: TemporalServer) -> str:
    """The name of a namespace that no other test uses; made without a command line, which takes half a second."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    asyncio.run(created(temporal_server.address, name))
    return name


@pytest.fixture
def beside(
    tmp_path: Path, temporal_server: TemporalServer, temporal_namespace: str
) -> Iterator[Callable[[Path], World]]:
    """Opens a copy of a founded folder beside a namespace of its own."""
    with ExitStack() as opened:
        yield lambda folder: opened.enter_context(
            world_in(copied(folder, tmp_path / "data"), temporal_server.address, temporal_namespace)
        )


@pytest.fixture
def world(demo_folder: Path, beside: Callable[[Path], World]) -> World:
    """A store under the demonstration's rulebook, and a namespace of its own."""
    return beside(demo_folder)


@pytest.fixture
def swift_world(swift_folder: Path, beside: Callable[[Path], World]) -> World:
    """A store under the swift rulebook, and a namespace of its own."""
    return beside(swift_folder)


@pytest.fixture
def unhurried_world(unhurried_folder: Path, beside: Callable[[Path], World]) -> World:
    """A store under the unhurried rulebook, and a namespace of its own."""
    return beside(unhurried_folder)
