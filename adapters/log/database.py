"""What the log asks of a database: statements with `?` for a parameter, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Work(Protocol):
    """One write transaction."""

    def run(self, statement: str, *parameters: object) -> int:
        """Execute; returns how many rows were written."""
        ...

    def rows(self, statement: str, *parameters: object) -> list[Any]:
        """Read; the rows are tuples. `FOR UPDATE` may stand at the end: where one writes alone, it is left out."""
        ...

    def add(self, table: str, rows: Sequence[tuple[Any, ...]], on_conflict: str = "") -> int:
        """Add rows of a table in `schema.COLUMNS`; returns how many were written."""
        ...


class Database(Protocol):
    """A log's tables. Every method may raise domain.refusal.Unavailable."""

    def rows(self, statement: str, *parameters: object) -> list[Any]:
        """Read, by one statement; the rows are tuples."""
        ...

    def streams(self, streams: Iterable[str]) -> list[Any]:
        """The rows of table `streams` for these streams."""
        ...

    def transaction(self) -> AbstractContextManager[Work]:
        """One write transaction; an exception undoes all of it."""
        ...

    def leader(self, consumer: str) -> AbstractContextManager[bool]:
        """An exclusive lock by name that dies with its holder; yields at once whether it was free."""
        ...

    def close(self) -> None:
        """Let go of all connections."""
        ...
