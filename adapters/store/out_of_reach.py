"""Which database errors mean that the database is out of reach, and which are mistakes of ours.

Only the former become domain.refusal.Unavailable, which callers answer by trying again later. The latter (a value of
the wrong type, a broken constraint) are let through: they would fail for ever.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from eventsourcing import persistence
from eventsourcing.domain import EventSourcingError

from domain.refusal import Unavailable

_BY_KIND = (
    *(sqlite3.OperationalError, psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError),
    *(persistence.OperationalError, persistence.InterfaceError, persistence.InternalError),
    persistence.ConnectionPoolClosedError,
)
_EXACTLY = (
    sqlite3.DatabaseError,
    persistence.DatabaseError,
)  # a damaged file; their subclasses mean other things


def is_out_of_reach(error: BaseException) -> bool:
    """Whether trying again later may help."""
    return isinstance(error, _BY_KIND) or type(error) in _EXACTLY


@contextmanager
def reported() -> Iterator[None]:
    """A database that is out of reach as Unavailable; every other error as it is."""
    try:
        yield
    except (sqlite3.Error, psycopg.Error, EventSourcingError) as error:
        if not is_out_of_reach(error):
            raise
        raise Unavailable(f"the database is out of reach: {error}") from error
