"""The suites that the event-sourcing library ships for recorders, run over ours.

Its tracking and process suites (`TrackingRecorderTestCase`, `ProcessRecorderTestCase`) are not among them, on purpose:

- What they check is another contract than ours. A tracking recorder keeps the ids of processed notifications of many
  upstream applications beside the recorder's own events, and answers `insert_tracking`, `max_tracking_id`,
  `has_tracking_id` and `wait`. We have one log and consumers whose rows live in another database than the log (read
  models, the evidence log, Temporal): a position is moved by compare-and-set from a stated one, in the transaction of
  the consumer's rows. `insert_tracking` has no expected position: of two followers that both take themselves for the
  leader both would succeed, in turn, where ours lets one save and the other learn of it (`Conflict`).
- The process suite inserts events and tracking in one transaction of one recorder. No consumer of ours writes events
  in that way: what a process does goes through `handle`, idempotent by its key (DESIGN.md sections 4 and 6).
- A subclass made only to pass them would be code that nothing but the test runs, and would show nothing of ours.

Our own contract, over both databases and several processes: test_positions_contract.py, test_follower.py.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from eventsourcing.persistence import ApplicationRecorder
from eventsourcing.tests import persistence as suites

from adapters.store.postgres_recorder import PostgresRecorder
from adapters.store.sqlite_recorder import SqliteRecorder


@pytest.fixture
def left_alone() -> Iterator[None]:
    """Wait for the readers that `test_concurrent_no_conflicts` starts and does not join: to close a SQLite connection
    under a statement of another thread ends the interpreter."""
    yield
    for thread in [one for one in threading.enumerate() if "read_continuously" in one.name]:
        thread.join(100)
        assert not thread.is_alive()


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


@pytest.mark.usefixtures("left_alone")
class TestSqliteRecorder(OnSqlite, suites.ApplicationRecorderTestCase):
    pass


class TestSqliteOrder(OnSqlite, suites.NonInterleavingNotificationIDsBaseCase):
    pass


@pytest.mark.usefixtures("left_alone")
class TestPostgresRecorder(OnPostgres, suites.ApplicationRecorderTestCase):
    """Without `optional_test_insert_subscribe`: nothing here uses the library's subscriptions (`wait` takes their place),
    and one that begins to listen just after an event was stored is never told of it, which on a busy machine hangs."""


class TestPostgresOrder(OnPostgres, suites.NonInterleavingNotificationIDsBaseCase):
    pass
