"""Imports wired to an engine: for the API, for the worker, for the follower."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from adapters.engine import Engine
from adapters.imports.pace import Pace
from adapters.imports.store import Imports
from adapters.imports.turns import Turns
from adapters.store.positions import StoredPositions


@contextmanager
def imports_of(engine: Engine) -> Iterator[Imports]:
    """The imports beside an engine. Raises Unavailable."""
    imports = Imports(engine.settings.imports_url, engine.keys, engine.handle.clock)
    try:
        imports.tidy()
        yield imports
    finally:
        imports.close()


@contextmanager
def turns_of(engine: Engine) -> Iterator[Turns]:
    """What takes their turns. Raises Unavailable."""
    settings = engine.settings
    with imports_of(engine) as imports:
        positions = StoredPositions(settings.views_url)
        pace = Pace(settings.import_share, engine.store, settings.views_url)
        try:
            yield Turns(engine, imports, positions, pace)
        finally:
            pace.close()
            positions.close()
