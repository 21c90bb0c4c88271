"""Fixtures of the acceptance tests: a district founded once, a copy of it for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.http_world import Api, api_over
from tests.acceptance.open311_world import Open311, map_text, released
from tests.acceptance.world import DISTRICT, Desk, found_in


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a founded district; never written to again."""
    folder = tmp_path_factory.mktemp("founded") / "data"
    found_in(folder)
    return folder


@pytest.fixture
def shell(founded: Path, tmp_path: Path) -> Desk:
    """The command line over a district of the test's own."""
    data = tmp_path / "data"
    shutil.copytree(founded, data)
    return Desk(data, DISTRICT)


@pytest.fixture(scope="module")
def api(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API over a district of the module's own: its tests share it, and register what they need."""
    data = tmp_path_factory.mktemp("api") / "data"
    shutil.copytree(founded, data)
    with api_over(data) as found:
        yield found


@pytest.fixture(scope="module")
def open311(api: Api) -> Open311:
    """Open311 over that API, with a small map released."""
    assert released(api.engine, map_text()).accepted
    return Open311(api)
