"""Six departments with systems of their own: summoned by webhook over Temporal, answering through the HTTP API."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.deliveries.desk import Desk, deliveries
from adapters.deliveries.role import delivering, outbox_consumer
from adapters.deliveries.sending import Pace
from adapters.deliveries.subscriptions import Wanted
from adapters.deliveries.waker import Waker
from adapters.demo.district import DEPARTMENTS, SUBDISTRICT, WHISTLE_POWER, found
from adapters.dispatch.routing import CHANNEL
from adapters.engine import Engine, now, open_engine
from adapters.follower import Follower
from adapters.rulebooks import template
from adapters.settings import Settings
from adapters.store.positions import StoredPositions
from adapters.temporal.client import connect
from adapters.temporal.process_worker import working
from domain.register.commands import EnterDuty
from tests.acceptance.http_world import Api, serving
from tests.acceptance.staffing import enter, keeper, newcomer
from tests.acceptance.world import DISTRICT
from tests.servers import TemporalServer, free_port

PACE = Pace(first=0.05, longest=0.4)
HABITS = ("plain", "plain", "plain", "plain", "drops_thirds", "answers_twice")
THERE = ("leg_acknowledged.v1", "leg_checked_in.v1", "leg_reported.v1")
"""What a department's life on a leg leaves, in this order."""


@dataclass
class District:
    """The API, the outbox, and the departments' systems by body: their persons, and where they note what they do."""

    api: Api
    desk: Desk
    persons: dict[str, str]
    diaries: dict[str, Path]
    secrets: dict[str, str]
    urls: dict[str, str]

    def diary(self, body: str) -> list[dict[str, Any]]:
        """What a department's system did, in order."""
        return [json.loads(line) for line in self.diaries[body].read_text().splitlines()]

    def whistles(self, *bodies: str) -> tuple[str, dict[str, str]]:
        """A matter in which the sub-district blows for these departments; the case and the legs."""
        made = self.api.graded()
        case, officer = made["case"], (SUBDISTRICT, "officer")
        draft = {
            "kind": "whistle", "whistle": "service", "sealed": {"reason": "街道无力单独处置"},
            "receivers": [{"body": body, "role": "assist" if n else "lead"} for n, body in enumerate(bodies)],
        }  # fmt: skip
        drafted = self.api.must(f"/matters/{case}/orders", draft, by=officer)
        order = f"/matters/{case}/orders/{drafted['order']}"
        self.api.must(f"{order}/authorise", by=(SUBDISTRICT, "leadership_member"), authority=WHISTLE_POWER)
        self.api.must(f"{order}/issue", by=officer, authority=WHISTLE_POWER)
        legs: dict[str, str] = drafted["legs"]
        return case, legs

    def reported(self, case: str) -> bool:
        """Whether every department has reported."""
        state = self.api.engine.handle.load(case)
        assert state is not None
        return all(leg.status == "reported" for leg in state.legs())

    def ends(self, case: str, legs: dict[str, str]) -> None:
        """The sub-district lets everybody go, answers, calls back and closes."""
        for leg in legs.values():
            path = f"/matters/{case}/legs/{leg}/accept"
            self.api.must(path, by=(SUBDISTRICT, "leadership_member"), authority=WHISTLE_POWER)
        result = {"disposition": "solved", "sealed": {"reply": "已修复", "evidence": ["1" * 64]}}
        self.api.must(f"/matters/{case}/submit", result, by=(SUBDISTRICT, "officer"))
        state = self.api.engine.handle.load(case)
        assert state is not None
        said = {
            "requester": next(iter(state.requesters)), "solved": True, "satisfaction": "satisfied",
            "sealed": {"wording": "好"},
        }  # fmt: skip
        self.api.must(f"/matters/{case}/callback", said, by=(SUBDISTRICT, "callback_officer"))
        self.api.must(f"/matters/{case}/close", by=(SUBDISTRICT, "supervisor"))


def until(holds: Any, seconds: float = 100) -> None:
    """Wait until something holds."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "it did not come to hold in time"
        time.sleep(0.05)


@contextmanager
def at_work(engine: Engine, address: str, namespace: str) -> Iterator[None]:
    """Follower, waker and workers beside a real Temporal server, in a thread of their own."""
    loop, up = asyncio.new_event_loop(), threading.Event()
    stop = asyncio.Event()

    async def run() -> None:
        client = await connect(target_host=address, namespace=namespace, identity="test")
        with closing(StoredPositions(engine.settings.views_url)) as positions, deliveries(engine) as desk:
            waker = Waker(client, desk.outbox, engine.settings.task_queue)
            follower = Follower(engine.store, [outbox_consumer(engine, desk, waker.news)], positions)
            async with (
                working(client, engine.handle, engine.settings.task_queue),
                delivering(engine, client, PACE),
            ):
                tasks = [
                    asyncio.create_task(follower.run()),
                    asyncio.create_task(waker.run(positions, timedelta(seconds=0.3))),
                ]
                up.set()
                await stop.wait()
                follower.stop()
                await tasks[0]
                tasks[1].cancel()
                await asyncio.gather(tasks[1], return_exceptions=True)

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), name="roles")
    thread.start()
    try:
        assert up.wait(100)
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(100)
        assert not thread.is_alive()
        loop.close()


@contextmanager
def department(config: dict[str, Any], folder: Path) -> Iterator[None]:
    """A department's system in a process of its own."""
    file = folder / f"{config['body']}.json"
    file.write_text(json.dumps(config))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.acceptance.department", str(file)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(Path(config["diary"]).exists)
        yield
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def district(tmp_path: Path) -> Iterator[District]:
    """A founded district with an API, an outbox, and a system of each department's own with a key."""
    settings = Settings(data=tmp_path / "data", api_port=free_port(), district=DISTRICT.code)
    engine = open_engine(settings)
    try:
        assert found(DISTRICT, engine.handle, now(), template("gulou")) == []
        with (
            serving(engine) as url,
            httpx.Client(base_url=url, timeout=100) as client,
            deliveries(engine) as desk,
        ):
            api = Api(url, engine, client)
            made = District(api, desk, {}, {}, {}, {})
            for body in DEPARTMENTS:
                made.persons[body] = newcomer(engine, DISTRICT, body, "duty_officer", "officer", "leader")
                duty = EnterDuty(item=f"lift-{body}", body=body, code="FW-01")
                enter(engine, DISTRICT, duty)
                made.diaries[body] = tmp_path / f"{body}.diary"
            yield made
    finally:
        engine.close()


def subscribed(district: District, body: str, url: str, ground: str | None = None) -> str:
    """The department's system subscribes; gives its secret."""
    wanted = Wanted(
        district.persons[body],
        body,
        "officer",
        url,
        ("orders", "legs", "clocks"),
        ground=ground,
        channel=CHANNEL,
    )
    since = district.api.engine.store.head()
    _, secret = district.desk.subscriptions.make(keeper(district.api.engine), wanted, since, id=f"of-{body}")
    district.secrets[body], district.urls[body] = secret, url
    return secret


@contextmanager
def departments(district: District, folder: Path) -> Iterator[None]:
    """All six at work, each with its habit."""
    with ExitStack() as stack:
        for body, habit in zip(DEPARTMENTS, HABITS, strict=True):
            port = free_port()
            config = {
                "port": port, "secret": subscribed(district, body, f"http://127.0.0.1:{port}/hook"), "body": body,
                "api": district.api.url, "token": district.api.token(body, district.persons[body]), "habit": habit,
                "diary": str(district.diaries[body]),
            }  # fmt: skip
            stack.enter_context(department(config, folder))
        yield


def test_six_departments_are_summoned_and_answer_and_nothing_is_lost_or_doubled(
    district: District, tmp_path: Path, temporal_server: TemporalServer, temporal_namespace: str
) -> None:
    engine = district.api.engine
    with departments(district, tmp_path), at_work(engine, temporal_server.address, temporal_namespace):
        cases = [district.whistles(*(DEPARTMENTS[(n + k) % 6] for k in range(3))) for n in range(6)]
        until(lambda: all(district.reported(case) for case, _ in cases))
        for case, legs in cases:
            district.ends(case, legs)
        until(lambda: not any(count.waiting for count in district.desk.outbox.counts().values()))

    for case, legs in cases:
        state = engine.handle.load(case)
        assert state is not None
        assert state.status == "closed"
        assert {leg.status for leg in state.legs()} == {"discharged"}
        for body, leg in legs.items():
            told = [one for one in engine.handle.history(case) if getattr(one.pub, "leg", None) == leg]
            acts = [one for one in told if one.type in THERE]
            assert tuple(one.type for one in acts) == THERE
            assert {one.person for one in acts} == {district.persons[body]}
            assert {one.capacity for one in acts} == {body}
    _habits_kept(district)


def _habits_kept(district: District) -> None:
    """What the departments did was what they were made for, and every summons came to its body once in effect."""
    for body, habit in zip(DEPARTMENTS, HABITS, strict=True):
        diary = district.diary(body)
        arrivals = Counter(line["call"] for line in diary if line.get("type") == "order_issued.v1")
        assert len(arrivals) == 3
        if habit == "drops_thirds":
            dropped = {line["call"] for line in diary if line.get("dropped")}
            assert dropped
            taken = {line["call"] for line in diary if line.get("dropped") is False}
            assert dropped <= taken
        if habit == "answers_twice":
            again = [line for line in diary if line.get("status", 0) >= 400]
            assert again
            assert {line["status"] for line in again} == {409}
