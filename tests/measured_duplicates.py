"""Residents' messages about one matter, in two halves: one to choose the threshold by, one to measure it on.

The messages themselves name no groups; `duplicate_groups.txt` says by rows which belong together. Each half is handed in
in the order of its time; each message is compared with those of the half up to the weeks of the settings before it, as
if all of the city were one community without grids. So nothing but words decides, which is harder than in a district.
"""

import csv
import gzip
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from adapters.duplicates.comparing import compare
from adapters.duplicates.features import Features, features_of
from adapters.settings import Settings

GROUPS = Path(__file__).parent / "benchmarks" / "duplicate_groups.txt"
MESSAGES = Path("messages") / "messages_with_duplicates.csv.gz"
Half = Literal["choosing", "measuring"]


class Message(NamedTuple):
    """A message: its row, when it came, what is compared of it, and its group (None: it stands alone)."""

    row: int
    at: datetime
    features: Features
    group: int | None


class Pair(NamedTuple):
    """Two messages that were compared: the later one's row, how alike they are, and whether they are one matter."""

    later: int
    score: float
    same: bool


class Found(NamedTuple):
    """What a threshold does. Pairs: `precision`, `recall`. `repeats`: of the messages that repeat an earlier one that
    was compared, the part that is offered at least one right matter."""

    threshold: float
    precision: float
    recall: float
    repeats: float
    offers: int


def messages(data: Path, half: Half) -> list[Message]:
    """The messages of a half in order of time. A group belongs to one half with all its messages."""
    group_of, _ = labels()
    wanted = 0 if half == "choosing" else 1
    with gzip.open(data / MESSAGES, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = [
        Message(
            row,
            datetime(*map(int, re.findall(r"\d+", said["留言时间"])[:6])),  # type: ignore[arg-type]  # noqa: DTZ001
            features_of(f"{said['留言主题'].strip()}。{said['留言详情'].strip()}"),
            group_of.get(row),
        )
        for row, said in enumerate(rows)
        if group_of.get(row, row) % 2 == wanted
    ]
    return sorted(found, key=lambda one: (one.at, one.row))


def labels() -> tuple[dict[int, int], set[tuple[int, int]]]:
    """The group of each row that has one, and the pairs of rows that count neither way, the smaller row first."""
    group_of: dict[int, int] = {}
    doubtful: set[tuple[int, int]] = set()
    for number, line in enumerate(GROUPS.read_text(encoding="utf-8").splitlines()):
        sign, *rows = line.split()
        if sign == "=":
            group_of |= {int(row): number for row in rows}
        elif sign == "?":
            doubtful |= {(int(rows[0]), int(row)) for row in rows[1:]}
    return group_of, doubtful


def pairs(data: Path, half: Half) -> list[Pair]:
    """Every pair that an intake would have compared."""
    weeks, (_, doubtful) = timedelta(weeks=Settings().duplicate_weeks), labels()
    known, found = messages(data, half), list[Pair]()
    for place, new in enumerate(known):
        earlier = [one for one in known[:place] if new.at - one.at <= weeks]
        for one, likeness in zip(earlier, compare(new.features, [e.features for e in earlier]), strict=True):
            if (min(one.row, new.row), max(one.row, new.row)) not in doubtful:
                same = new.group is not None and new.group == one.group
                found.append(Pair(new.row, likeness.score, same))
    return found


def at_thresholds(compared: Sequence[Pair], thresholds: Sequence[float]) -> Iterator[Found]:
    """What each threshold does."""
    true = sum(pair.same for pair in compared)
    repeats = {pair.later for pair in compared if pair.same}
    for threshold in thresholds:
        offers = [pair for pair in compared if pair.score >= threshold]
        right = [pair.later for pair in offers if pair.same]
        precision = len(right) / len(offers) if offers else 1.0
        yield Found(threshold, precision, len(right) / true, len(set(right)) / len(repeats), len(offers))
