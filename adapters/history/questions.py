"""The auditor's questions that a case answers by itself (domain.md E: 1, 2, 11 to 16, 19).

Each answer is rows of plain values, what an auditor would look twice at (`flags`), and in every row the positions of
the events that prove it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from adapters.history import bodies, clocks, ends, who
from adapters.history.trail import Trail

Row = dict[str, Any]


class Figures(Protocol):
    """What other cases have to say; an answer that has none leaves that part out."""

    def late_of(self, body: str) -> int:
        """How many due moments the body missed in this quarter, in all cases."""
        ...

    def again(self, case: str) -> Sequence[Row]:
        """The cases that repeat this one, or are about the same in the same place within 30 days of its end."""
        ...


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to one question; `flags` name what an auditor would look twice at."""

    number: int
    question_zh: str
    question_en: str
    rows: list[Row]
    flags: list[str] = field(default_factory=list)


_QUESTIONS: dict[int, tuple[str, str, Callable[[Trail, Figures | None], tuple[list[Row], list[str]]]]] = {
    1: ("谁在何种身份、凭何依据、何时作出决定", "Who decided this, in what capacity, on what authority, and when?", who.decided),
    2: ("此人能否决定", "Could that person decide it?", who.entitled),
    11: ("哪个部门报到迟了、迟多久、本季度几次", "Which department came late, to which whistle, by how much?", bodies.late),
    12: ("谁吹哨、为何、社区是否先呼叫", "Who blew the whistle, why, and did the community call first?", bodies.blown),
    13: ("谁撤哨、事是否办完", "Who released the department, and was the thing finished?", bodies.released),
    14: ("哪些退单、理由、谁裁定、其间谁承办", "Which orders were returned, on what ground, who ruled?", bodies.returned),
    15: ("哪些时限超期、延期是否在到期前批准", "Which clocks were missed, and was any extension granted in time?", clocks.missed),
    16: ("挂账：谁批准、复核日期、是否仍挂账", "Every deferral: who approved, the review dates, still open?", clocks.deferred),
    19: ("结案后是否反复：重办、重复、再投诉", "Did it come back: reopened, repeated, 12345, petition?", ends.returned),
}  # fmt: skip

NUMBERS = tuple(_QUESTIONS)


def answer(trail: Trail, number: int, figures: Figures | None = None) -> Answered:
    """The answer to a question. Raises KeyError for a number that is not in NUMBERS."""
    zh, en, ask = _QUESTIONS[number]
    rows, flags = ask(trail, figures)
    return Answered(number, zh, en, rows, flags)
