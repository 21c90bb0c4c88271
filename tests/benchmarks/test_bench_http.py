"""One life over HTTP: register, accept, dispatch, start, report, callback, close, search, on PostgreSQL.

`make bench ARGS="-k http"`. The tree of `huiyin up` runs with every role (`BENCH_API` processes of the API, 2; worker,
follower, sealer, Temporal's dev server), on a store that flushes; the clients are one process of plain sockets on the
same two cores. An answer counts when it says 200 or 201, and then it is durable. The burst is `BENCH_BURST` seconds long
(60), the full store has `BENCH_MATTERS` matters (1,000,000). It takes turns with an empty one that stands beside it, for
what a shared machine does in one minute it does not in the next.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from temporalio.client import Client

from adapters.access import Giver, SystemKeys, open_access
from adapters.demo.district import SUBDISTRICT, District
from adapters.engine import Engine, now
from adapters.log.keys import make_log_keys
from adapters.store.positions import StoredPositions
from adapters.up import ROLES, Tree, free_port, up
from adapters.views import Views
from domain.acting import Actor
from tests.acceptance.http_world import HOTLINE
from tests.benchmarks.bare import Cost, drive
from tests.benchmarks.http_lives import STEPS
from tests.benchmarks.results import Figure, Results
from tests.benchmarks.seeding import seed
from tests.benchmarks.test_bench_temporal import Used, bare_worker
from tests.benchmarks.world import opened
from tests.servers import PostgresServer, create_database

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]

SECONDS, WARMING = 20.0, 3.0
CLIENTS = (1, 16, 64)
RATES = [1, 15, 1, 25, 2, 35, 10, 0]
"""The burst, in lives a second; ten minutes of it, or one as a rule."""
BURST_SECONDS = float(os.environ.get("BENCH_BURST", "60"))
MATTERS = int(os.environ.get("BENCH_MATTERS", "1000000"))
PROCESSES = int(os.environ.get("BENCH_API", "2"))
BARE_WARMING, BARE_LIVES = 50, 400
RESTING_SECONDS, IDLE_MS = 5.0, 500.0
"""The roles are at rest when they take less than a tenth of a core for that long."""
READY_SECONDS, DRAIN_SECONDS, LOOK_SECONDS = 900.0, 600.0, 0.25
GROUP = "One life over HTTP (PostgreSQL)"


@dataclass
class World:
    """The running tree, and what the clients are told."""

    engine: Engine
    tree: Tree
    url: str
    headers: dict[str, dict[str, str]]
    order: dict[str, Any]
    folder: Path
    rates: dict[int, float] = field(default_factory=dict)


@contextmanager
def running(folder: Path, dsn: str, matters: int = 0) -> Iterator[World]:
    """Everything up over a founded district, with so many matters in it already."""
    with opened(folder, dsn) as (engine, district):
        if matters:
            _filled(engine, district, dsn, matters)
        make_log_keys(engine.settings.log_keys_folder, engine.settings.origin)
        headers, order = _callers(engine, district), _order(district)
        with pytest.MonkeyPatch.context() as patch:
            port = free_port()
            patch.setenv("HUIYIN_RATE", "100000")
            patch.setenv("HUIYIN_RATE_BURST", "100000")
            settings = engine.settings.model_copy(update={"api_processes": PROCESSES, "api_port": port})
            with up(settings, ROLES) as tree:
                url, begun = f"http://127.0.0.1:{port}", time.monotonic()
                _answers(url)
                print(f"\n  ready after {time.monotonic() - begun:.0f} s")
                yield World(engine, tree, url, headers, order, folder)


def _callers(engine: Engine, district: District) -> dict[str, dict[str, str]]:
    community = district.communities[0]
    posts = {
        "hotline": ("hotline", "intake_officer"), "dispatcher": ("centre", "dispatcher"),
        "intake": (community, "intake_officer"), "officer": (community, "officer"),
        "caller": (SUBDISTRICT, "callback_officer"), "supervisor": (SUBDISTRICT, "supervisor"),
    }  # fmt: skip
    access = open_access(engine.settings.access_url)
    by = Giver(Actor(person=district.security, body="system", post="security_admin"), "law:x")
    keys, found = SystemKeys(access, engine.handle), dict[str, dict[str, str]]()
    for name, (body, post) in posts.items():
        source = HOTLINE if body == "hotline" else None
        token = keys.create(by, district.staff[body, post], body, source).token
        found[name] = {"Authorization": f"Bearer {token}", "Huiyin-Acting-As": f"{body}/{post}"}
    access.close()
    return found


def _order(district: District) -> dict[str, Any]:
    return {
        "source": HOTLINE, "seen_at": now().isoformat(), "kind": "hazard", "code": "FW-01", "demand": "help",
        "host": district.communities[0], "sealed": {"text": "3栋电梯坏了两天，老人上下楼不便"},
        "requesters": [{"name": "王某某", "contact": "13800000000"}],
    }  # fmt: skip


def _answers(url: str) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/readyz").is_success:
                return
        time.sleep(0.2)
    raise AssertionError("the API did not come up")


class Lag(threading.Thread):
    """How long the slowest consumer of the read-models database is behind the store, looked at now and then."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(daemon=True)
        self.engine, self.positions = engine, StoredPositions(engine.settings.views_url)
        self.grown: list[tuple[float, int]] = []
        self.seen: list[float] = []
        self.stopped = threading.Event()

    def slowest(self) -> int:
        """The position of the consumer that is furthest behind."""
        return min(position for position in self.positions.beginning_with("").values())

    def run(self) -> None:
        """Look until stopped."""
        while not self.stopped.wait(LOOK_SECONDS):
            head, at, done = self.engine.store.head(), time.monotonic(), self.slowest()
            self.grown.append((at, head))
            late = [then for then, position in self.grown if position > done]
            self.seen.append(at - late[0] if late else 0.0)

    def drained(self) -> float:
        """Wait until every consumer has come to the head; returns the seconds that took."""
        begun = time.monotonic()
        while self.slowest() < self.engine.store.head():
            assert time.monotonic() < begun + DRAIN_SECONDS, "the consumers do not catch up"
            time.sleep(LOOK_SECONDS)
        self.stopped.set()
        self.join()
        self.positions.close()
        return time.monotonic() - begun


@dataclass(frozen=True)
class Played:
    """What some clients did."""

    seconds: float
    lives: list[float]
    taken: dict[str, list[float]]
    wrong: dict[str, int]
    lag: list[float]
    drain: float
    spent: dict[str, float]

    @property
    def per_s(self) -> float:
        """Whole lives a second."""
        return len(self.lives) / self.seconds

    @property
    def asked(self) -> list[float]:
        """What every request took, in milliseconds, in order."""
        return sorted(each for taken in self.taken.values() for each in taken)

    def and_then(self, more: Played) -> Played:
        """Both as one."""
        mine, other = len(self.lives), len(more.lives)
        return Played(
            self.seconds + more.seconds,
            self.lives + more.lives,
            {step: self.taken[step] + more.taken[step] for step in STEPS},
            {what: self.wrong.get(what, 0) + more.wrong.get(what, 0) for what in self.wrong | more.wrong},
            self.lag + more.lag,
            max(self.drain, more.drain),
            {name: (mine * spent + other * more.spent[name]) / (mine + other) for name, spent in self.spent.items()},
        )  # fmt: skip

    def said(self) -> str:
        """The figures beside the rate."""
        cuts = statistics.quantiles(self.asked, n=100)
        times = f"a request p50 {cuts[49]:.0f}, p95 {cuts[94]:.0f}, p99 {cuts[98]:.0f} ms"
        slow = max(STEPS, key=lambda step: statistics.median(self.taken[step] or [0]))
        parts = ", ".join(f"{name} {spent:.1f}" for name, spent in self.spent.items())
        return (
            f"{times}; slowest {slow}; wrong {self.wrong or 0}; lag at most {max(self.lag, default=0):.1f} s, drained in"
            f" {self.drain:.1f} s; ms of processor a life: {parts}"
        )


def play(world: World, **plan: Any) -> Played:
    """Let clients play, and wait until the consumers have caught up."""
    path = world.folder / "plan.json"
    path.write_text(json.dumps({"url": world.url, "headers": world.headers, "order": world.order, **plan}))
    lag, used = Lag(world.engine), Used(world.tree)
    lag.start()
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.http_lives", str(path)], capture_output=True, check=True
    )
    said = json.loads(done.stdout)
    spent = used.each(max(1, len(said["lives"])))
    spent.pop("desk")
    return Played(
        said["seconds"], said["lives"], said["taken"], said["wrong"], lag.seen, lag.drained(), spent
    )


def test_one_life_over_http_on_an_empty_store(
    results: Results, flushing_postgres: PostgresServer, tmp_path: Path
) -> None:
    with running(tmp_path, create_database(flushing_postgres.dsn, "http_empty")) as world:
        _warmed(world)
        for clients in CLIENTS:
            played = play(world, clients=clients, seconds=SECONDS)
            _note(results, played, f"empty store, {clients} clients", aim=100.0 if clients > 1 else None)
            if clients > 1:
                _note_beside_bare(results, played, _bare_lives(world), clients)
        _note_burst(results, play(world, clients=64, rates=RATES, seconds=BURST_SECONDS), "empty store")


def test_one_life_over_http_with_a_million_matters(
    results: Results, flushing_postgres: PostgresServer, tmp_path: Path
) -> None:
    dsn, held = flushing_postgres.dsn, f"{MATTERS:,} matters"
    with (
        running(tmp_path / "full", create_database(dsn, "http_full"), MATTERS) as full,
        running(tmp_path / "empty", create_database(dsn, "http_beside")) as empty,
    ):
        _settled(full)
        for world in (full, empty):
            _warmed(world)
        for clients in CLIENTS:
            first, one, other, last = (
                play(world, clients=clients, seconds=SECONDS / 2) for world in (empty, full, full, empty)
            )
            limit = first.and_then(last).per_s
            _note(results, one.and_then(other), f"{held}, {clients} clients", aim=0.9, limit=limit)
        _note_burst(results, play(full, clients=64, rates=RATES, seconds=BURST_SECONDS), held)


def _settled(world: World) -> None:
    """Wait until the roles have been through a record that was poured in: sealed it, counted its months."""
    begun, spent = time.monotonic(), float("inf")
    while spent > IDLE_MS:
        assert time.monotonic() < begun + READY_SECONDS, "the roles do not come to rest"
        used = Used(world.tree)
        time.sleep(RESTING_SECONDS)
        spent = sum(used.each(1).values())
    print(f"  the roles at rest after {time.monotonic() - begun:.0f} s")


def _warmed(world: World) -> None:
    play(world, clients=4, seconds=WARMING)


def _note(
    results: Results, played: Played, what: str, aim: float | None = None, limit: float | None = None
) -> None:
    results.add(Figure(GROUP, what, played.per_s, "lives/s", limit, aim=aim, note=played.said()))
    assert not played.wrong


def _note_beside_bare(results: Results, played: Played, limit: float, clients: int) -> None:
    name = f"empty store, {clients} clients, beside workflows that do nothing, on the same server alone"
    late = max(played.lag, default=0.0)
    results.add(
        Figure(GROUP, name, played.per_s, "lives/s", limit, aim=0.7, note=f"lag at most {late:.1f} s")
    )


def _bare_lives(world: World) -> float:
    """So many workflows a second the tree's Temporal carries with nothing else to do: one for a life, signalled as often as
    a process would be that heard of every act after the first by itself."""

    async def driven() -> float:
        client = await Client.connect(world.tree.address)
        for lives in (BARE_WARMING, BARE_LIVES):
            like = Cost(workflows=lives, tasks=0, signals=lives * (len(STEPS) - 2), activities=0, events=0)
            seconds, runs = await drive(client, like)
        return len(runs) / seconds

    with bare_worker(world.tree.address, world.folder):
        return asyncio.run(driven())


def _note_burst(results: Results, played: Played, what: str) -> None:
    p95 = statistics.quantiles(played.asked, n=100)[94]
    name = f"{what}, burst {'-'.join(map(str, RATES))} lives/s in {BURST_SECONDS:.0f} s: p95 of a request"
    results.add(Figure(GROUP, name, p95, "ms", aim=1000, less=True, note=played.said()))
    assert not played.wrong


def _filled(engine: Engine, district: District, dsn: str, matters: int) -> None:
    """Matters copied in, the read models built, every consumer told that it has them."""
    seconds = seed(engine, district, dsn, matters)
    print(f"\n  {matters:,} matters copied in {seconds:.0f} s")
    begun, positions = time.monotonic(), StoredPositions(engine.settings.views_url)
    views = Views(engine.settings.views_url, engine.store)
    try:
        views.catch_up()
    finally:
        views.close()
        positions.close()
    print(f"  read models built in {time.monotonic() - begun:.0f} s")
    with psycopg.connect(
        dsn, autocommit=True
    ) as connection:  # what a store that has grown has long been through
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    engine.keys.keep_up_to(engine.store.epoch(), engine.store.head())
