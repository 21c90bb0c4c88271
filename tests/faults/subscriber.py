"""A district system that is subscribed, in a process of its own that a test kills, and what it must have been told."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adapters.deliveries.desk import deliveries
from adapters.deliveries.outbox import Outbox
from adapters.deliveries.own import Listener, heard
from adapters.deliveries.ports import event_id
from adapters.deliveries.subscriptions import Wanted
from adapters.engine import Engine
from domain.acting import Actor
from domain.event import decode
from domain.matter import replay
from tests.acceptance.staffing import keeper
from tests.faults.role import Role
from tests.servers import free_port

Versions = dict[str, dict[int, str]]
"""By case, by version: how the event is called outside."""


class Subscriber:
    """It writes down what it takes before it answers. `body` is the one whose matters it hears of."""

    def __init__(self, engine: Engine, outbox: Outbox, body: str, receiver: Role, file: Path) -> None:
        self.engine, self.outbox, self.body = engine, outbox, body
        self.receiver, self.file = receiver, file

    def taken(self) -> list[dict[str, Any]]:
        """What it took, in the order in which it came; a line that was cut by a kill is none."""
        if not self.file.exists():
            return []
        lines = self.file.read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines[:-1]]

    def quiet(self, seconds: float = 400) -> int:
        """Wait until everything was queued and sent; the position up to which that holds."""
        deadline = time.monotonic() + seconds
        while True:
            head = self.engine.store.head()
            if self.outbox.stands()[0] >= head and not self.outbox.counts():
                return head
            assert time.monotonic() < deadline, (head, self.outbox.stands(), self.outbox.counts())
            time.sleep(0.1)

    def check(self, upto: int) -> None:
        """Hold what it took against the record up to that position: everything came, each case's in order."""
        first: dict[str, dict[str, Any]] = {}
        for one in self.taken():
            first.setdefault(one["id"], one)
        came: dict[str, list[int]] = {}
        for one in first.values():
            came.setdefault(one["case"], []).append(one["version"])

        assert all(versions == sorted(versions) for versions in came.values()), (
            "something came in the wrong order"
        )
        ids = {event: (one["case"], one["version"]) for event, one in first.items()}
        for case, wanted in self._wanted(upto).items():
            told = [version for version in came.get(case, []) if version <= max(wanted)]
            if self._diverted(case):
                assert set(told) <= set(wanted)
                continue
            assert told == sorted(wanted)
            assert all(ids[event] == (case, version) for version, event in wanted.items())

    def _wanted(self, upto: int) -> Versions:
        store, found = self.engine.store, Versions()
        batch = [stored for stored in store.read(0, 10**6) if stored.position <= upto]
        for one in heard(store, batch, (Listener("", self.body, None, ("all",)),)):
            found.setdefault(one.stored.stream, {})[one.stored.version] = event_id(one.stored.body)
        return found

    def _diverted(self, case: str) -> bool:
        state = replay(decode(one.type, one.body) for one in self.engine.store.load(case))
        return state is not None and state.confidential


@contextmanager
def subscriber_of(engine: Engine, holder: Actor, folder: Path) -> Iterator[Subscriber]:
    """A receiver at work, subscribed to everything from now on by whoever holds that post; end its role yourself."""
    assert holder.post is not None
    port, file = free_port(), folder / "received.jsonl"
    with deliveries(engine) as desk:
        wanted = Wanted(holder.person, holder.body, holder.post, f"http://127.0.0.1:{port}/hook", ["all"])
        _, secret = desk.subscriptions.make(keeper(engine), wanted, engine.store.head())
        command = ("tests.receiver", str(port), str(file), secret)
        receiver = Role("receiver", command, dict(os.environ), folder)
        receiver.start()
        yield Subscriber(engine, desk.outbox, holder.body, receiver, file)
