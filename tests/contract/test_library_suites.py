"""The suites that the event-sourcing library ships for recorders, run over ours.

Its tracking and process suites do not apply: our consumers save positions with their own rows
(adapters/store/positions.py), so the recorders track nothing.
"""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from eventsourcing.persistence import ApplicationRecorder
from eventsourcing.tests import persistence as suites

from adapters.store.postgres_recorder import PostgresRecorder
from adapters.store.sqlite_recorder import SqliteRecorder


class OnSqlite:
    @pytest.fixture(autouse=True)
    def _recorder(self, tmp_path: Path) -> Iterator[None]:
        self.recorder = SqliteRecorder(tmp_path / "cases.db")
        yield
        self.recorder.close()

    def create_recorder(self) -> ApplicationRecorder:
        return self.recorder

    def new_originator_id(self) -> str:
        return str(uuid4())


class OnPostgres:
    @pytest.fixture(autouse=True)
    def _recorder(self, pg_database: str) -> Iterator[None]:
        self.recorder = PostgresRecorder(pg_database, "cases")
        yield
        self.recorder.close()

    def create_recorder(self) -> ApplicationRecorder:
        return self.recorder

    def new_originator_id(self) -> str:
        return str(uuid4())


class TestSqliteRecorder(OnSqlite, suites.ApplicationRecorderTestCase):
    pass


class TestSqliteOrder(OnSqlite, suites.NonInterleavingNotificationIDsBaseCase):
    pass


class TestPostgresRecorder(OnPostgres, suites.ApplicationRecorderTestCase):
    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestPostgresOrder(OnPostgres, suites.NonInterleavingNotificationIDsBaseCase):
    pass
