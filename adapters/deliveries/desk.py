"""The open outbox: what roles, edges and the command line look into, without what sends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from adapters.deliveries.channels import Channels
from adapters.deliveries.outbox import Outbox
from adapters.deliveries.schema import open_deliveries
from adapters.engine import Engine


@dataclass(frozen=True, slots=True)
class Desk:
    """The open outbox with its subscriptions."""

    outbox: Outbox
    subscriptions: Channels


@contextmanager
def deliveries(engine: Engine) -> Iterator[Desk]:
    """The outbox that the settings name. Raises Unavailable."""
    tables = open_deliveries(engine.settings.deliveries_url)
    try:
        yield Desk(Outbox(tables), Channels(tables, engine.handle, engine.keys.pepper))
    finally:
        tables.close()
