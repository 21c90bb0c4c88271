"""Follower, worker and receiver are killed while events go out: nothing is lost, nothing comes in the wrong order, and
what comes twice comes under the same id."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.demo.district import SUBDISTRICT
from domain.acting import Actor
from tests.faults.driver import the_plan
from tests.faults.subscriber import Subscriber, subscriber_of
from tests.faults.world import World, world_in

pytestmark = pytest.mark.faults


@contextmanager
def subscribed(world: World) -> Iterator[Subscriber]:
    """A receiver at work, subscribed to all that concerns the sub-district."""
    officer = Actor(person=the_plan().staff[SUBDISTRICT, "officer"], body=SUBDISTRICT, post="officer")
    with subscriber_of(world.engine, officer, world.folder) as found:
        world.roles["receiver"] = found.receiver
        yield found


def test_follower_and_worker_die_at_failpoints_and_the_receiver_by_a_kill(tmp_path: Path) -> None:
    armed = {"follow": "outbox.before_commit:6", "worker": "deliver.after_sent:4"}
    with world_in(tmp_path, 4, "sqlite") as world, subscribed(world) as subscriber:
        world.begin(**armed)
        world.outlive(**armed)
        world.strike("receiver")
        time.sleep(2)
        world.restore("receiver")
        world.finish()
        subscriber.check(subscriber.quiet())

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
        subscriber.check(subscriber.quiet(300))

    assert len(world.strikes) >= 3


@pytest.mark.long
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
        subscriber.check(subscriber.quiet())
