"""Likely duplicates: how many repeats are found, how many offers are right, and what they cost an intake.

`make bench ARGS="-k duplicates"`. Aim: at most 50 ms of an intake (p95) against 100,000 open matters that all came in
within the weeks that are compared, in 33 communities and 213 grids. Their index rows are written straight into the
index, with keys of their own; ten matters of each community are registered, so that ten are looked at, judged and
offered at each intake.
"""

import random
import statistics
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from adapters.demo.district import District, found, plan
from adapters.duplicates.comparing import THRESHOLD
from adapters.duplicates.features import features_of
from adapters.duplicates.index import Entry
from adapters.duplicates.offering import offered_at_intake, take_in
from adapters.engine import Engine, now, open_engine
from adapters.numbers import fresh_number
from adapters.rulebooks import template
from adapters.settings import Settings
from adapters.settled import settle
from adapters.store.moment import as_microseconds
from domain.acting import Actor
from domain.matter.commands import RegisterMatter
from tests.acceptance.world import GROUND
from tests.benchmarks.results import Figure, Results
from tests.measured_duplicates import at_thresholds, pairs
from tests.servers import PostgresServer, create_database
from workflows.submission import Sealing, Submission

pytestmark = pytest.mark.benchmark

GROUP = "Likely duplicates"
OPEN, INTAKES, REAL = 100_000, 300, 10
COMMUNITIES, GRIDS = 33, 213
MOST_MS = 50.0
STEPS = (0.1, 0.14, THRESHOLD, 0.22, 0.26, 0.3)

_NAMED = ("绣家园", "湖苑小区", "桂园小区", "江新城", "明花园", "华公寓")
_ESTATES = tuple(first + rest for first in "锦翠金梧望青滨文春和安福兴永泰" for rest in _NAMED)
_TROUBLES = (
    "电梯坏了两天没有人修，老人上下楼很不方便",
    "楼道的灯全部不亮，晚上回家看不清台阶",
    "楼下烧烤店油烟很大，半夜还在营业吵得睡不着",
    "地下车库积水严重，水泵坏了一直没人管",
    "物业无故停水，已经三天没有水用了",
    "门口的窨井盖不见了，行人很容易掉下去",
    "垃圾桶几天没有清运，夏天气味难闻蚊虫很多",
    "消防通道被私家车长期占用，出了事消防车进不来",
    "外墙瓷砖脱落，差点砸到过路的孩子",
    "麻将馆半夜吵闹，多次报警都没有解决",
    "工地夜间施工到凌晨，家里有考生没法休息",
    "宠物狗不拴绳，小孩被追着跑很危险",
)
_MORE = (
    "请尽快处理",
    "已经反映过多次",
    "希望有关部门重视",
    "打物业电话没人接",
    "居民意见很大",
    "盼回复",
    "请实地来看一看",
)


def complaint(chance: random.Random) -> str:
    """A made-up request."""
    place = f"{chance.choice(_ESTATES)}{chance.randint(1, 30)}栋{chance.randint(1, 4)}单元"
    more = "，".join(chance.sample(_MORE, 3))
    when = f"{chance.randint(1, 12)}月{chance.randint(1, 28)}日{chance.randint(1, 23)}点左右"
    return f"{place}{chance.choice(_TROUBLES)}，{more}，发生在{when}"


class Office(NamedTuple):
    """A district, and who takes requests in."""

    engine: Engine
    district: District
    actor: Actor

    def submission(self, host: str, grid: str, text: str) -> Submission:
        """A request handed in by the hotline."""
        requester, at = str(uuid.uuid4()), now()
        command = RegisterMatter(
            number=fresh_number(self.district.code, at.date()), source="hotline_12345", seen_at=at, kind="hazard",
            code="FW-01", demand="help", host=host, grid=grid, requesters=(requester,),
        )  # fmt: skip
        return Submission(
            client="bench", key=str(uuid.uuid4()), case=str(uuid.uuid4()), command=command, actor=self.actor,
            authority=GROUND, sealed=(Sealing("text", requester, text), Sealing("name", requester, "王某某")),
        )  # fmt: skip


@contextmanager
def office(folder: Path, dsn: str | None) -> Iterator[Office]:
    engine, district = open_engine(Settings(data=folder, store=dsn)), plan(1, COMMUNITIES, GRIDS)
    try:
        refused = found(district, engine.handle, now(), template("gulou"))
        assert not refused, refused[0]
        person = district.staff["hotline", "intake_officer"]
        yield Office(engine, district, Actor(person=person, body="hotline", post="intake_officer"))
    finally:
        engine.close()


def filled(at: Office, chance: random.Random) -> float:
    """Fill the index up to so many open matters; gives the seconds that it took."""
    begun, index, newest = time.perf_counter(), at.engine.likeness.index(), datetime.now(UTC)
    places = {grid: at.district.communities[n % COMMUNITIES] for n, grid in enumerate(at.district.grids)}
    for _ in range(OPEN // 2000):
        rows = []
        for _ in range(2000):
            grid, ago = (
                chance.choice(at.district.grids),
                timedelta(seconds=chance.randint(60, 7 * 7 * 86_400)),
            )
            registered = as_microseconds(newest - ago)
            entry = Entry(
                str(uuid.uuid4()), str(uuid.uuid4()), places[grid], grid, "hazard", "FW-01", registered
            )
            rows.append((entry, features_of(complaint(chance))))
        at.engine.keys.create([(entry.stream, entry.subject) for entry, _ in rows])
        assert index.put(rows) == len(rows)
    return time.perf_counter() - begun


@pytest.mark.timeout(600)
@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_an_intake_among_a_hundred_thousand_open_matters(
    store: str, tmp_path: Path, results: Results, flushing_postgres: PostgresServer
) -> None:
    chance = random.Random(7)
    dsn = create_database(flushing_postgres.dsn, "duplicates") if store == "postgres" else None
    with office(tmp_path / "data", dsn) as at:
        seconds = filled(at, chance)
        results.add(
            Figure(
                GROUP, f"{store}: filling the index", OPEN / seconds, "matters/s", note=f"{OPEN:,} matters"
            )
        )
        words = {host: complaint(chance) for host in at.district.communities}
        places = {at.district.communities[n % COMMUNITIES]: grid for n, grid in enumerate(at.district.grids)}
        for host in at.district.communities:
            for n in range(REAL):
                one_intake(at, host, places[host], f"{words[host]}{chance.choice(_MORE)}{n}")
        settle()  # as the role does
        registering, beside, spent, offers = [], [], [], []
        for n in range(INTAKES):
            host = at.district.communities[n % COMMUNITIES]
            handled, extra, own, count = one_intake(
                at, host, places[host], f"{words[host]}，{chance.choice(_MORE)}"
            )
            registering.append(handled)
            beside.append(extra)
            spent.append(own)
            offers.append(count)
        assert min(offers) == REAL
        ms = [one * 1000 for one in statistics.quantiles(beside, n=100)]
        alone = statistics.quantiles(registering, n=100)[94] * 1000
        note = f"p50 {ms[49]:.1f}, p99 {ms[98]:.1f}, most {max(beside) * 1000:.1f}; registering itself p95 {alone:.1f}"
        what = f"{store}: put in, compared and offered, p95"
        results.add(Figure(GROUP, what, ms[94], "ms", aim=MOST_MS, less=True, note=note))
        cpu = [one * 1000 for one in statistics.quantiles(spent, n=100)]
        what, note = (
            f"{store}: the same in processor time of its thread, p95",
            f"p50 {cpu[49]:.1f}, p99 {cpu[98]:.1f}",
        )
        results.add(Figure(GROUP, what, cpu[94], "ms", note=note))


def one_intake(at: Office, host: str, grid: str, text: str) -> tuple[float, float, float, int]:
    """Register; gives the seconds of it, those of what is done beside it, as much in processor time, and the offers."""
    submission = at.submission(host, grid, text)
    begun = time.perf_counter()
    answer = at.engine.handle(submission)
    assert answer.accepted, answer
    handled, idle = time.perf_counter(), time.thread_time()
    take_in(at.engine, submission, answer)
    offer = offered_at_intake(at.engine, submission.case, submission.command, submission.actor)
    ended, spent = time.perf_counter(), time.thread_time() - idle
    assert offer is not None
    assert offer.matters is not None, offer
    return handled - begun, ended - handled, spent, len(offer.matters)


def test_repeats_among_residents_messages(shared_data: Path, results: Results) -> None:
    for half in ("choosing", "measuring"):
        compared = pairs(shared_data, half)
        for one in at_thresholds(compared, STEPS):
            chosen = " (chosen)" if one.threshold == THRESHOLD else ""
            note = (
                f"recall {one.recall:.3f} of {sum(pair.same for pair in compared)} pairs; {one.offers} offers;"
                f" {one.repeats:.3f} of the messages that repeat an earlier one are offered it"
            )
            what = f"messages, {half} half, threshold {one.threshold:g}{chosen}: precision"
            results.add(Figure(GROUP, what, one.precision, "of the offers", note=note))
