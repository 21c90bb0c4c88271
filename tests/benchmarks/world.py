"""A district on either store, and hands that act in it as fast as they can, as threads or as processes."""

import multiprocessing
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from adapters.demo.desk import Desk, one_life
from adapters.demo.district import DEPARTMENTS, District, found, plan
from adapters.engine import Engine, now, open_engine
from adapters.rulebooks import template
from adapters.settings import Settings
from workflows.handle import Handle
from workflows.submission import Answer, Submission

SUMMONED = DEPARTMENTS[:3]
COMMANDS_OF_A_LIFE = 27
"""Register, accept, triage, a whistle to three departments (3), six acts of each, result, callback, close."""

READY_SECONDS = 120.0


class Measured(NamedTuple):
    """What some writers did together: so many in so many seconds; what each took, in milliseconds."""

    count: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def per_s(self) -> float:
        """How many per second, of all writers."""
        return self.count / self.seconds


class Over(Exception):
    """The time for measuring is over; the life that was being played ends here."""


@contextmanager
def opened(folder: Path, dsn: str | None = None, rulebook: str = "demo") -> Iterator[tuple[Engine, District]]:
    """An engine over a new SQLite file in `folder` or the database at `dsn`, with its district founded."""
    engine, district = open_engine(Settings(data=folder, store=dsn)), plan(1)
    try:
        refused = found(district, engine.handle, now(), template(rulebook))
        assert not refused, refused[0]
        yield engine, district
    finally:
        engine.close()


def a_desk(handle: Handle, district: District) -> Desk:
    """A desk whose ids no other one draws."""
    return Desk(handle, district, random.SystemRandom())


@dataclass
class Timed:
    """Stands before a handle and notes how long each command takes; after `stop` it raises Over."""

    handle: Handle
    stop: float
    taken: list[float]

    @property
    def clock(self) -> Callable[[], Any]:
        """As a desk asks for it."""
        return self.handle.clock

    @property
    def load(self) -> Callable[[str], Any]:
        """As a desk asks for it."""
        return self.handle.load

    def __call__(self, submission: Submission) -> Answer:
        """Hand it on."""
        begun = time.perf_counter()
        if begun >= self.stop:
            raise Over
        answer = self.handle(submission)
        self.taken.append(time.perf_counter() - begun)
        return answer


def play(handle: Handle, district: District, seconds: float) -> list[float]:
    """Play one life after the other for so many seconds; gives what each command took, in seconds."""
    taken: list[float] = []
    desk = Desk(Timed(handle, time.perf_counter() + seconds, taken), district, random.SystemRandom())
    try:
        while True:
            one_life(desk, SUMMONED)
    except Over:
        return taken


def by_threads(
    writers: int, work: Callable[..., list[float]], arguments: Sequence[Any], seconds: float
) -> Measured:
    """So many threads of this process, each at `work(barrier, number, *arguments)`, begun together."""
    barrier = threading.Barrier(writers)
    with ThreadPoolExecutor(writers) as threads:
        begun = [threads.submit(work, barrier, number, *arguments) for number in range(writers)]
        return measured([one.result() for one in begun], seconds)


def by_processes(
    writers: int, work: Callable[..., list[float]], arguments: Sequence[Any], seconds: float
) -> Measured:
    """So many processes of one thread, each at `work(barrier, number, *arguments)`, begun together."""
    context = multiprocessing.get_context("spawn")
    barrier, queue = context.Barrier(writers), context.SimpleQueue()
    processes = [
        context.Process(target=_into, args=(queue, work, (barrier, number, *arguments)))
        for number in range(writers)
    ]
    for process in processes:
        process.start()
    results = [queue.get() for _ in processes]
    for process in processes:
        process.join()
    return measured(results, seconds)


def _into(queue: Any, work: Callable[..., list[float]], arguments: tuple[Any, ...]) -> None:
    queue.put(work(*arguments))


def lives_of_a_thread(
    barrier: Any, _: int, handle: Handle, district: District, seconds: float
) -> list[float]:
    """What one thread of `by_threads` does."""
    barrier.wait(READY_SECONDS)
    return play(handle, district, seconds)


def lives_of_a_process(barrier: Any, _: int, folder: Path, dsn: str | None, seconds: float) -> list[float]:
    """What one process of `by_processes` does with a world that stands already."""
    engine = open_engine(Settings(data=folder, store=dsn))
    engine.handle.standing.caught_up()
    barrier.wait(READY_SECONDS)
    taken = play(engine.handle, plan(1), seconds)
    engine.close()
    return taken


def measured(results: Sequence[list[float]], seconds: float) -> Measured:
    """All that was taken, in one figure."""
    taken = [one for result in results for one in result]
    assert len(taken) > 1, "nothing was done in the time given"
    quantiles = statistics.quantiles(taken, n=100)
    return Measured(len(taken), seconds, quantiles[49] * 1000, quantiles[98] * 1000)
