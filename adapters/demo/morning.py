"""A seeded morning in a sub-district: sixty matters of every kind, some departments late, one never coming.

The driver writes down every answer that it was given, in a file of its own, and holds it against the store at
the end: lost is what was answered and is not there, doubled what is there more often than it was answered.
"""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from adapters.demo import lives, turns
from adapters.demo.desk import Desk
from adapters.demo.district import District
from adapters.demo.scene import Life, Scene
from domain.event import decode
from workflows.handle import Handle
from workflows.ports import EventStore
from workflows.submission import Answer, Submission

MORNING: tuple[tuple[Life, int], ...] = (
    (lives.counter, 10), (lives.grid_finding, 6), (lives.whistle, 8), (lives.late_whistle, 5), (lives.never_came, 1),
    (lives.returned, 1), (lives.return_denied, 1), (lives.disputed, 1), (lives.extended, 1), (lives.project, 2),
    (lives.emergency, 2), (lives.call, 4), (lives.self_handled_call, 2), (lives.call_out, 2), (lives.dispatch, 3),
    (turns.refused, 1), (turns.withdrawn, 1), (turns.merged, 1), (turns.split, 1), (turns.deferred, 1),
    (turns.escalated, 1), (turns.reopened, 2), (turns.accusation, 1), (turns.nobody_reached, 1), (turns.urged, 1),
)  # fmt: skip
"""Which lives, and how many of each: 60 lives, with the merged and the split ones 62 matters."""

OPENS_WITHIN = 50.0
"""The seconds within which all lives begin; never_came begins first, since it lasts longest."""


class Witness:
    """`handle` with a witness: every answer is written to a file before it is given."""

    def __init__(self, handle: Handle, path: Path) -> None:
        self.handle, self.clock, self.load = handle, handle.clock, handle.load
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def __call__(self, submission: Submission) -> Answer:
        """Hand in, write down, answer."""
        answer = self.handle(submission)
        row = {
            "command": self.handle.command_id(submission), "case": submission.case, "outcome": answer.outcome,
            "events": len(answer.events), "code": answer.code,
        }  # fmt: skip
        with self._lock:
            self._file.write(json.dumps(row) + "\n")
            self._file.flush()
        return answer

    def close(self) -> None:
        """No more answers."""
        self._file.close()


@dataclass(frozen=True, slots=True)
class Played:
    """What became of the morning: the cases, and the lives that broke off, with why."""

    cases: tuple[str, ...]
    broken: tuple[str, ...]
    began: datetime
    ended: datetime


def play(
    district: District, witness: Witness, seed: int, told: Callable[[int, int], None], pace: float = 1.0
) -> Played:
    """Play the morning to its end; `told(done, all)` hears of each life that ends."""
    chance = random.Random(seed)
    wanted = [life for life, many in MORNING for _ in range(many)]
    chance.shuffle(wanted)
    wanted.sort(key=lambda life: life is not lives.never_came)
    scenes = [_scene(district, witness, chance, pace) for _ in wanted]
    starts = [0.0, *sorted(chance.uniform(0, OPENS_WITHIN) for _ in wanted[1:])]
    began = witness.clock()
    with ThreadPoolExecutor(max_workers=len(wanted), thread_name_prefix="life") as pool:
        running = [
            pool.submit(_lived, life, scene, start * pace)
            for life, scene, start in zip(wanted, scenes, starts, strict=True)
        ]
        broken = tuple(_waited(running, told))
    cases = tuple(case for scene in scenes for case in scene.cases)
    return Played(cases, broken, began, witness.clock())


def _scene(district: District, witness: Witness, chance: random.Random, pace: float) -> Scene:
    own = random.Random(chance.getrandbits(64))
    desk = Desk(witness, district, own, client="morning")
    return Scene(desk, chance.choice(district.communities), random.Random(chance.getrandbits(64)), pace)


def _lived(life: Life, scene: Scene, start: float) -> str | None:
    threading.Event().wait(start)
    try:
        life(scene)
    except RuntimeError as refusal:  # an act of the story was refused: the story is wrong, and says so
        return f"{life.__name__}: {refusal}"
    return None


def _waited(running: list[Future[str | None]], told: Callable[[int, int], None]) -> Iterator[str]:
    for n, life in enumerate(running, 1):
        broke = life.result()
        told(n, len(running))
        if broke is not None:
            yield broke


@dataclass(frozen=True, slots=True)
class Held:
    """The answers held against the store."""

    answers: int
    lost: int
    doubled: int


def held_against(store: EventStore, path: Path) -> Held:
    """Every accepted answer's events stand in the store exactly once; nothing stands there that was not answered."""
    answered: Counter[str] = Counter()
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        if row["outcome"] == "accepted":
            answered[row["command"]] = row["events"]
    stored: Counter[str] = Counter()
    position = 0
    while batch := store.read(position, 1000):
        position = batch[-1].position
        for event in batch:
            command = decode(event.type, event.body).command
            if command.startswith("morning:") and event.type != "command_refused.v1":
                stored[command] += 1
    lost = sum((answered - stored).values())
    doubled = sum((stored - answered).values())
    return Held(len(rows), lost, doubled)
