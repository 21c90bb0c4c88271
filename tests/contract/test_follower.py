"""The follower: in order, once in effect, led by one, and stopped by nobody's fault."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from adapters.follower import BUSY_EVENTS, Consumer, Follower
from adapters.keeper import Keeper
from adapters.store.positions import StoredPositions
from adapters.store.sqlite import SqliteStore
from adapters.views import Views
from domain.matter.commands import DivertMatter
from domain.refusal import Unavailable
from tests.contract.store_world import new_id, one
from tests.story import eventful, story
from workflows.ports import EventStore, Positions, Stored


class Taker:
    """A consumer that remembers what it was handed; its first `failures` batches fail."""

    def __init__(self, name: str, positions: Positions, failures: int = 0) -> None:
        self.name, self.positions, self.failures = name, positions, failures
        self.taken: list[int] = []
        self.batches: list[int] = []

    def position(self) -> int:
        return self.positions.position(self.name)

    async def take(self, batch: Sequence[Stored]) -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("it went wrong")
        self.positions.save(self.name, self.position(), batch[-1].position)
        self.taken += [stored.position for stored in batch]
        self.batches.append(len(batch))


@pytest.fixture
def positions(store_url: str, tmp_path: Path) -> StoredPositions:
    return StoredPositions(store_url if store_url.startswith("postgres") else str(tmp_path / "views.db"))


RESTING = 3600.0


class Resting(Follower):
    """Its busy pause lasts until the test says so, and not so many seconds."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._rests, self._goes_on = asyncio.Event(), asyncio.Event()

    async def rests(self) -> None:
        await asyncio.wait_for(self._rests.wait(), 100)

    def goes_on(self) -> None:
        self._goes_on.set()

    async def _pause(self, seconds: float) -> None:
        if seconds == RESTING:
            self._rests.set()
            await self._goes_on.wait()
        else:
            await super()._pause(seconds)


async def until_at(taker: Consumer, position: int, seconds: float = 100) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if await asyncio.to_thread(taker.position) >= position:
                return
            await asyncio.sleep(0.02)


async def followed(store: EventStore, positions: Positions, *takers: Taker, fill: int = 3) -> Follower:
    follower = Follower(store, takers, positions, batch=2)
    running = asyncio.create_task(follower.run())
    for _ in range(fill):
        await asyncio.to_thread(store.append, one(new_id()))
    for taker in takers:
        await until_at(taker, store.head())
    follower.stop()
    await asyncio.wait_for(running, 100)
    return follower


def test_every_consumer_gets_every_event_in_order(store: SqliteStore, positions: StoredPositions) -> None:
    for _ in range(4):
        store.append(one(new_id()))
    first, second = Taker("first", positions), Taker("second", positions)

    asyncio.run(followed(store, positions, first, second))

    wanted = [stored.position for stored in store.read(0, 100)]
    assert (first.taken, second.taken) == (wanted, wanted)


def test_in_a_busy_time_what_comes_next_gathers_into_one_batch(
    store: SqliteStore, positions: StoredPositions
) -> None:
    for _ in range(BUSY_EVENTS):
        store.append(one(new_id()))
    taker = Taker("gathering", positions)

    async def more_while_it_waits() -> None:
        follower = Resting(store, [taker], positions, busy=RESTING)
        running = asyncio.create_task(follower.run())
        await follower.rests()
        for _ in range(3):
            await asyncio.to_thread(store.append, one(new_id()))
            await asyncio.sleep(0.1)
        follower.goes_on()
        await until_at(taker, store.head())
        follower.stop()
        await asyncio.wait_for(running, 100)

    asyncio.run(more_while_it_waits())

    assert taker.batches == [BUSY_EVENTS, 3]


def test_many_small_batches_make_a_busy_time_too(
    store: SqliteStore, positions: StoredPositions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.follower.PACE_SECONDS", 3600.0)
    taker = Taker("quick", positions)

    async def one_by_one_and_then_more() -> None:
        following = Resting(store, [taker], positions, gather=0.0, busy=RESTING, busy_from=3)
        running = asyncio.create_task(following.run())
        for _ in range(3):
            await asyncio.to_thread(store.append, one(new_id()))
            await until_at(taker, store.head())
        await following.rests()
        for _ in range(4):
            await asyncio.to_thread(store.append, one(new_id()))
        following.goes_on()
        await until_at(taker, store.head())
        following.stop()
        await asyncio.wait_for(running, 100)

    asyncio.run(one_by_one_and_then_more())

    assert taker.batches == [1, 1, 1, 4]


def test_a_consumer_that_fails_is_tried_again_and_holds_up_nobody(
    store: SqliteStore, positions: StoredPositions
) -> None:
    store.append(one(new_id()))
    failing, other = Taker("failing", positions, failures=2), Taker("other", positions)

    asyncio.run(followed(store, positions, failing, other))

    wanted = [stored.position for stored in store.read(0, 100)]
    assert (failing.taken, other.taken) == (wanted, wanted)


def test_a_failure_is_logged_without_its_words(
    store: SqliteStore, positions: StoredPositions, capsys: pytest.CaptureFixture[str]
) -> None:
    store.append(one(new_id()))

    asyncio.run(followed(store, positions, Taker("failing", positions, failures=1)))

    logged = capsys.readouterr()
    assert "RuntimeError" in logged.out + logged.err
    assert "it went wrong" not in logged.out + logged.err


def test_of_two_followers_one_leads_and_nothing_is_doubled(
    store: SqliteStore, positions: StoredPositions
) -> None:
    async def both() -> tuple[Taker, Taker]:
        one_taker, other_taker = Taker("same", positions), Taker("same", positions)
        followers = [Follower(store, [taker], positions, batch=2) for taker in (one_taker, other_taker)]
        running = [asyncio.create_task(follower.run()) for follower in followers]
        for _ in range(9):
            await asyncio.to_thread(store.append, one(new_id()))
        await until_at(one_taker, store.head())
        for follower in followers:
            follower.stop()
        await asyncio.gather(*running)
        return one_taker, other_taker

    takers = asyncio.run(both())

    assert sorted(len(taker.taken) for taker in takers) == [0, 9]


def test_who_stood_by_takes_over(store: SqliteStore, positions: StoredPositions) -> None:
    async def handed_over() -> Taker:
        first, second = Taker("same", positions), Taker("same", positions)
        leading, standing_by = Follower(store, [first], positions), Follower(store, [second], positions)
        leads = asyncio.create_task(leading.run())
        await asyncio.to_thread(store.append, one(new_id()))
        await until_at(first, store.head())
        stands_by = asyncio.create_task(standing_by.run())
        leading.stop()
        await leads
        await asyncio.to_thread(store.append, one(new_id()))
        await until_at(second, store.head())
        standing_by.stop()
        await stands_by
        return second

    assert asyncio.run(handed_over()).taken == [store.head()]


def test_a_follower_says_how_far_its_consumers_have_come(
    store: SqliteStore, positions: StoredPositions
) -> None:
    store.append(one(new_id()))

    follower = asyncio.run(followed(store, positions, Taker("first", positions)))

    assert follower.positions() == {"first": store.head()}


def test_the_store_is_not_asked_for_news_while_nobody_waits_for_any(
    store: SqliteStore, positions: StoredPositions
) -> None:
    class Asked:
        """The store, counting how often it is asked to wait for news."""

        times = 0

        def __getattr__(self, name: str) -> object:
            self.times += name == "wait"
            return getattr(store, name)

    for _ in range(BUSY_EVENTS):
        store.append(one(new_id()))
    asked, taker = Asked(), Taker("busy", positions)

    async def events_come_while_it_pauses() -> int:
        follower = Follower(asked, [taker], positions, busy=60)  # type: ignore[arg-type]  # it stands before the store
        running = asyncio.create_task(follower.run())
        await until_at(taker, store.head())
        before = asked.times
        for _ in range(5):
            await asyncio.to_thread(store.append, one(new_id()))
        looked = asked.times - before
        follower.stop()
        await asyncio.wait_for(running, 100)
        return looked

    assert asyncio.run(events_come_while_it_pauses()) == 0


def test_a_store_out_of_reach_is_waited_for(store: SqliteStore, positions: StoredPositions) -> None:
    class Failing:
        """The store, out of reach at the first look of each kind."""

        def __init__(self) -> None:
            self.failed: set[str] = set()

        def __getattr__(self, name: str) -> object:
            if name not in self.failed and name in ("read", "wait", "head"):
                self.failed.add(name)
                raise Unavailable("out of reach")
            return getattr(store, name)

    taker = Taker("first", positions)
    store.append(one(new_id()))

    async def through() -> None:
        follower = Follower(Failing(), [taker], positions)  # type: ignore[arg-type]
        running = asyncio.create_task(follower.run())
        await until_at(taker, store.head())
        follower.stop()
        await running

    asyncio.run(through())
    assert taker.taken == [store.head()]


def test_views_and_keeper_follow_side_by_side(tmp_path: Path) -> None:
    with story(tmp_path) as tale:
        case = eventful(tale)
        diverted = tale.scene.opened("FW-01", tale.desk.resident())
        officer = tale.scene.actor(tale.scene.community, "intake_officer")
        tale.desk.must(diverted, officer, DivertMatter(to="discipline"))
        tale.engine.keys.rewrap(
            diverted, "ordinary"
        )  # as if the process had been killed before the keys went over
        positions = StoredPositions(tale.engine.settings.views_url)
        views = Views(tale.engine.settings.views_url, tale.engine.store, positions)

        async def follow() -> None:
            follower = Follower(
                tale.engine.store, [views, Keeper(tale.engine.store, tale.engine.keys, positions)], positions
            )
            running = asyncio.create_task(follower.run())
            for consumer in (views, Keeper(tale.engine.store, tale.engine.keys, positions)):
                await until_at(consumer, tale.engine.store.head())
            follower.stop()
            await running

        asyncio.run(follow())

        opened = {value.state for value in tale.engine.vault.open(diverted)}
        assert views.reader.case(case) is not None
        assert views.reader.case(diverted) is None
        assert opened == {"erased"}
        views.close()
