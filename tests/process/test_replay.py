"""Histories of every kind, as workers of their day wrote them, replay with today's workflows (DESIGN.md §6)."""

import asyncio
import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from adapters.temporal.client import passing_runner, plugin
from tests.process.add_history import FOLDER

HISTORIES = sorted(FOLDER.glob("*.json"))
KINDS = {"life", "refused", "no-show", "ended-by-hand", "continued", "over", "delivered", "imported"}


def history_of(file: Path) -> WorkflowHistory:
    content = json.loads(file.read_text(encoding="utf-8"))
    started = content["events"][0]["workflowExecutionStartedEventAttributes"]
    return WorkflowHistory.from_json(started["workflowId"], content)


@pytest.mark.parametrize("file", HISTORIES, ids=lambda file: file.stem)
def test_a_kept_history_replays_in_the_strict_sandbox(file: Path) -> None:
    asyncio.run(Replayer(workflows=[], plugins=[plugin()]).replay_workflow(history_of(file)))


def test_the_kept_histories_replay_as_production_runs_them() -> None:
    async def replay() -> None:
        replayer = Replayer(workflows=[], plugins=[plugin(passing_runner())])
        for file in HISTORIES:
            await replayer.replay_workflow(history_of(file))

    asyncio.run(replay())


def test_every_kind_of_history_is_kept() -> None:
    assert {file.name.split(".")[0].split("-", 2)[2] for file in HISTORIES} == KINDS
