"""Every code that a screen shows has a Chinese word."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from adapters import labels
from domain.event import Event
from domain.log import events as log_events
from domain.matter.evolve import FOLDS
from domain.matter.words import ORDER_KINDS, LegStatus, MatterStatus
from domain.register.words import POSTS
from domain.rulebook.words import Stage


@pytest.mark.parametrize("event", sorted(event.TYPE for event in FOLDS))
def test_every_event_of_a_matter_has_a_word(event: str) -> None:
    assert labels.label(labels.EVENTS, event) != event


@pytest.mark.parametrize(
    "event",
    [
        log_events.LogOpened, log_events.PolicyAdopted, log_events.WitnessSilent, log_events.WitnessReturned,
        log_events.LogKeyChanged, log_events.RulesPublished, log_events.CensusTaken, log_events.ClaimSetAside,
    ],
)  # fmt: skip
def test_every_event_of_the_log_has_a_word(event: type[Event]) -> None:
    assert labels.label(labels.EVENTS, event.TYPE) != event.TYPE


def test_every_post_state_stage_and_kind_of_order_has_a_word() -> None:
    wanted = {
        "posts": (set(POSTS), labels.POSTS),
        "states": ({*get_args(MatterStatus), *get_args(LegStatus)}, labels.STATUSES),
        "stages": (set(get_args(Stage)), labels.STAGES),
        "orders": (set(ORDER_KINDS) - {"whistle"}, labels.ORDERS),
    }

    missing = {name: codes - set(words) for name, (codes, words) in wanted.items()}

    assert missing == {name: set[str]() for name in wanted}


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert labels.label(labels.POSTS, "astronaut") == "astronaut"
    assert labels.label(labels.POSTS, None) == "-"


def said(file: Path) -> Iterator[str]:
    """The texts of a module but for its docstrings; an f-string is one text, what is filled in left out."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    inside: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            inside.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            parts = [part for part in node.values if isinstance(part, ast.Constant)]
            inside.update(parts)
            yield "".join(str(part.value) for part in parts)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in inside:
            yield node.value


ADAPTERS = Path(labels.__file__).parent
QUESTIONS = ADAPTERS / "history" / "questions.py"
"""The auditor's questions stand there in both languages, each a text of its own, side by side."""
SPOKEN = {*ADAPTERS.glob("cli/*.py"), *ADAPTERS.glob("history/*.py")} - {QUESTIONS}


@pytest.mark.parametrize("file", sorted(SPOKEN), ids=lambda file: file.name)
def test_nothing_is_said_in_chinese_alone(file: Path) -> None:
    alone = [
        text for text in said(file)
        if re.search("[一-龥]", text) and not re.search("[A-Za-z]", text)
    ]  # fmt: skip

    assert alone == []
