"""Follower, worker and receiver are killed while events go out: nothing is lost, nothing comes in the wrong order, and
what comes twice comes under the same id."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.deliveries.desk import deliveries
from adapters.deliveries.outbox import Outbox
from adapters.deliveries.own import Listener, heard
from adapters.deliveries.ports import event_id
from adapters.deliveries.subscriptions import Wanted
from adapters.demo.district import SUBDISTRICT
from domain.event import decode
from domain.matter import replay
from tests.faults.driver import the_plan
from tests.faults.role import Role
from tests.faults.world import World, world_in
from tests.servers import free_port

pytestmark = pytest.mark.faults

POST = (SUBDISTRICT, "officer")


class Subscribed:
    """A receiver in a process of its own, subscribed to all that concerns the sub-district."""

    def __init__(self, world: World, outbox: Outbox, receiver: Role, file: Path) -> None:
        self.world, self.outbox, self.receiver, self.file = world, outbox, receiver, file

    def taken(self) -> list[dict[str, Any]]:
        """What it took, in the order in which it came; a line that was cut by a kill is none."""
        if not self.file.exists():
            return []
        lines = self.file.read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines[:-1]]

    def quiet(self, seconds: float = 120) -> None:
        """Wait until everything was queued and sent."""
        deadline = time.monotonic() + seconds
        while self.outbox.stands()[0] != self.world.engine.store.head() or self.outbox.counts():
            assert time.monotonic() < deadline, (self.outbox.stands(), self.outbox.counts())
            time.sleep(0.1)

    def check(self) -> None:
        """Hold what it took against the record."""
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
        for case, wanted in self._wanted().items():
            if self._diverted(case):
                assert set(came.get(case, [])) <= set(wanted)
                continue
            assert came.get(case) == sorted(wanted)
            assert all(ids[event] == (case, version) for version, event in wanted.items())

    def _wanted(self) -> dict[str, dict[int, str]]:
        store, found = self.world.engine.store, dict[str, dict[int, str]]()
        listener = Listener("", SUBDISTRICT, None, ("all",))
        for one in heard(store, store.read(0, 10**6), (listener,)):
            found.setdefault(one.stored.stream, {})[one.stored.version] = event_id(one.stored.body)
        return found

    def _diverted(self, case: str) -> bool:
        state = replay(decode(one.type, one.body) for one in self.world.engine.store.load(case))
        return state is not None and state.confidential


@contextmanager
def subscribed(world: World) -> Iterator[Subscribed]:
    """A receiver at work."""
    port, file = free_port(), world.folder / "received.jsonl"
    with deliveries(world.engine) as desk:
        wanted = Wanted(the_plan().staff[POST], *POST, f"http://127.0.0.1:{port}/hook", ["all"])
        _, secret = desk.subscriptions.create(wanted, 0)
        command = ("tests.receiver", str(port), str(file), secret)
        receiver = Role("receiver", command, dict(os.environ), world.folder)
        world.roles["receiver"] = receiver
        receiver.start()
        yield Subscribed(world, desk.outbox, receiver, file)


@pytest.mark.timeout(300)
def test_follower_and_worker_die_at_failpoints_and_the_receiver_by_a_kill(tmp_path: Path) -> None:
    armed = {"follow": "outbox.before_commit:6", "worker": "deliver.after_sent:4"}
    with world_in(tmp_path, 4, "sqlite") as world, subscribed(world) as subscriber:
        world.begin(**armed)
        world.outlive(**armed)
        world.strike("receiver")
        time.sleep(2)
        world.restore("receiver")
        world.finish()
        subscriber.quiet()
        subscriber.check()

    assert sorted(strike.part for strike in world.strikes) == ["follow", "receiver", "worker"]
    taken = subscriber.taken()
    assert len({one["id"] for one in taken}) < len(taken), (
        "the worker died after it had sent, so that something came twice"
    )


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_two_hundred_lives_with_a_kill_of_something_every_few_seconds(tmp_path: Path, store: str) -> None:
    chance = random.Random(20261123)
    with world_in(tmp_path, 200, store) as world, subscribed(world) as subscriber:
        world.begin()
        for n in range(10):
            world.until(4 + 5 * n)
            if not world.roles["driver"].alive():
                break
            part = chance.choice(["follow", "worker", "receiver"])
            world.strike(part)
            time.sleep(chance.uniform(0.2, 2))
            world.restore(part)
        world.finish(400, rest=300)
        subscriber.quiet(300)
        subscriber.check()

    assert len(world.strikes) >= 3


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "armed",
    [
        {"follow": "outbox.before_commit:9", "worker": "deliver.after_sent:9"},
        {"follow": "outbox.after_commit:9", "worker": "deliver.before_settled:9"},
    ],
    ids=str,
)
@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_every_failpoint_of_deliveries_is_outlived(tmp_path: Path, store: str, armed: dict[str, str]) -> None:
    with world_in(tmp_path, 8, store) as world, subscribed(world) as subscriber:
        world.begin(**armed)
        world.outlive(**armed)
        world.finish()
        subscriber.quiet()
        subscriber.check()
