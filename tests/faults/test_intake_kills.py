"""API, worker, follower and receiver are killed while requests come in over HTTP: every one that was accepted stands once,
every event of it was delivered, and none in the wrong order."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.acting import Actor
from tests.acceptance.world import DISTRICT
from tests.faults.import_office import Office, holds, office_on
from tests.faults.intakes import ACCEPTS, MADE, Intakes
from tests.faults.subscriber import Subscriber, subscriber_of

pytestmark = pytest.mark.faults

LOST = "store.after_commit"
"""Where the API dies between keeping what was asked and saying so."""
PASSAGE = 3
"""Requests of several clients are kept in one commit; the four of an intake come one after the other."""
PARTS = ("worker", "api", "receiver", "follow")


@contextmanager
def beginning(store: str, folder: Path) -> Iterator[tuple[Office, Subscriber]]:
    """An office at work, and the host's system, which hears of everything."""
    host = Actor(person=DISTRICT.staff[ACCEPTS], body=ACCEPTS[0], post=ACCEPTS[1])
    with office_on(store, folder) as at, subscriber_of(at.engine, host, folder) as told:
        at.roles["receiver"] = told.receiver
        at.temporal.start()
        at.start("worker", "follow")
        yield at, told


def strikes(at: Office, part: str, down: float) -> None:
    """Kill a part, and bring it back a little later."""
    at.roles[part].kill()
    time.sleep(down)
    at.start(part)


def died_before_it_answered(at: Office) -> None:
    """The API has killed itself at its failpoint; it is brought back."""
    holds(lambda: not at.roles["api"].alive(), 60)
    at.roles["api"].died_at(LOST)
    at.start("api")


def stored_in(answer: httpx.Response) -> dict[str, Any]:
    """The answer as it is kept; which matters are likely about the same is looked up whenever somebody asks."""
    return {name: value for name, value in answer.json().items() if name != "likely_duplicates"}


def check(at: Office, said: Intakes, told: Subscriber) -> None:
    """Everything that was accepted stands once; the same key gets the same answer; it was told, in order."""
    told.check(told.quiet(300))
    assert len(said.answers) == 4 * said.many
    stored = [event for event in at.engine.store.read(0, 10**6) if event.type in MADE]
    found = Counter((event.stream, event.type) for event in stored)
    cases = {answer.json()["case"] for _, answer in said.answers.values()}
    assert len(cases) == said.many
    assert found == Counter({(case, type_): 1 for case in cases for type_ in MADE})
    before = at.engine.store.head()
    for (_, first), again in zip(said.answers.values(), said.again(), strict=True):
        assert (again.status_code, stored_in(again)) == (first.status_code, stored_in(first))
    assert not [event for event in at.engine.store.read(before, 10**6) if event.type in MADE]


@pytest.mark.parametrize("store", ["sqlite", pytest.param("postgres", marks=pytest.mark.long)])
def test_each_part_dies_once_while_sixteen_requests_come_in(store: str, tmp_path: Path) -> None:
    with beginning(store, tmp_path) as (at, told):
        at.start("api", failpoint=f"{LOST}:{PASSAGE}")
        said = Intakes(at, 16)
        with said.running():
            said.let(4)
            died_before_it_answered(at)
            for part in PARTS:
                said.let(3)
                said.under_way()
                strikes(at, part, 0.5)
        check(at, said, told)

    assert said.hung_up > 0
    assert said.replayed() > 0, "no answer was lost"


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_two_hundred_requests_with_a_kill_of_something_every_few_seconds(store: str, tmp_path: Path) -> None:
    chance = random.Random(20261123)
    parts = [*PARTS * 5]
    chance.shuffle(parts)
    with beginning(store, tmp_path) as (at, told):
        at.start("api", failpoint=f"{LOST}:{PASSAGE}")
        said = Intakes(at, 200)
        with said.running():
            said.let(10)
            died_before_it_answered(at)
            for part in parts:
                said.let(9)
                said.under_way()
                strikes(at, part, chance.uniform(0.0, 2.0))
                time.sleep(chance.uniform(0.0, 2.0))
        check(at, said, told)

    assert said.replayed() > 0, "no answer was lost"
    print(f"\n{store}: {said.hung_up} requests were not answered, {said.replayed()} answers were found again")
