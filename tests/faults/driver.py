"""The API-side process of the fault runs: it plays many lives at once and writes down every answer it is given.

`python -m tests.faults.driver FOLDER LIVES SEED BEGAN`: settings from the environment, BEGAN an instant in ISO 8601.
Each start writes a file `answers-….jsonl` of its own into FOLDER, every answer before the life goes on. Beside the
LIVES that end closed there is one that is diverted to discipline inspection. One life waits before its end for as long
as there is a file `hold` in FOLDER: however slow the machine is, what a test kills is killed in the middle. Exit code 0
when every life came to its end, 1 when an act of a story was refused; the reasons stand on standard error.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from adapters import exit_guard
from adapters.demo.desk import Desk
from adapters.demo.district import District, plan
from adapters.engine import Engine, open_engine
from adapters.settings import Settings
from domain.refusal import Unavailable
from tests.faults.story import MANNERS, Story, diverted, five_departments
from workflows.handle import Handle
from workflows.submission import Answer, Submission

CLIENT = "faults"
HOLD, HELD = "hold", 1
"""The file, and the number of the life that it holds."""
PLAN_SEED, COMMUNITIES = 11, 4
STAGGER, SLOWLY = 3.0, 0.2
"""Seconds within which the lives begin; and between two tries while the store is out of reach."""


class Patient:
    """`handle` for somebody who must get it done: repeats the same submission until it is answered."""

    def __init__(self, handle: Handle, path: Path, began: datetime) -> None:
        self.handle, self.load, self.clock = handle, handle.load, lambda: began
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL)

    def __call__(self, submission: Submission) -> Answer:
        """Hand in until there is an answer; write it down; give it."""
        while True:
            try:
                answer = self.handle(submission)
            except Unavailable:
                time.sleep(SLOWLY)
                continue
            row = {
                "command": self.handle.command_id(submission), "key": submission.key, "case": submission.case,
                "code": answer.code, "outcome": answer.outcome, "version": answer.version, "events": answer.events,
                "repeated": answer.repeated,
            }  # fmt: skip
            os.write(self._file, json.dumps(row).encode() + b"\n")  # one write: whole or not at all
            return answer


def the_plan() -> District:
    """The district that the fault runs happen in."""
    return plan(PLAN_SEED, COMMUNITIES)


def stories(
    district: District, hands: Patient, lives: int, seed: int, began: datetime, hold: Path
) -> list[Story]:
    """So many scenes, each with chances of its own; one of them is held by that file."""
    chance = random.Random(seed)
    made = []
    for number in range(lives):
        desk = Desk(hands, district, random.Random(chance.getrandbits(64)), CLIENT)
        own = random.Random(chance.getrandbits(64))
        made.append(
            Story(
                desk,
                chance.choice(district.communities),
                own,
                began=began,
                at=chance.uniform(0, STAGGER),
                hold=hold if number == HELD else None,
            )
        )
    return made


def lived(number: int, scene: Story) -> str | None:
    """Play one life, the first of them (number 0) to its diversion; the reason if it broke off."""
    try:
        scene.until(scene.at)
        if number:
            five_departments(scene, MANNERS[number % len(MANNERS)])
        else:
            diverted(scene)
    except RuntimeError as refusal:  # an act of the story was refused: the story or the engine is wrong
        return f"life {number}: {refusal}"
    return None


def main() -> int:
    """Play all lives."""
    folder, lives, seed, began = (
        Path(sys.argv[1]),
        int(sys.argv[2]),
        int(sys.argv[3]),
        datetime.fromisoformat(sys.argv[4]),
    )
    exit_guard.install()
    engine = opened()
    hands = Patient(engine.handle, folder / f"answers-{time.time_ns()}.jsonl", began)
    scenes = stories(the_plan(), hands, lives + 1, seed, began, folder / HOLD)
    with ThreadPoolExecutor(max_workers=len(scenes), thread_name_prefix="life") as pool:
        broken = [why for why in pool.map(lived, range(len(scenes)), scenes) if why is not None]
    engine.close()
    print("\n".join(broken), file=sys.stderr)
    return 1 if broken else 0


def opened() -> Engine:
    """The engine, as soon as its databases can be reached."""
    while True:
        try:
            return open_engine(Settings())
        except Unavailable:
            threading.Event().wait(SLOWLY)


if __name__ == "__main__":
    sys.exit(main())
