"""The process of one import 批量导入: its rows are worked off turn by turn until none is left (DESIGN.md §6).

How far it has come stands with the import, not here: it can be started anew at any moment, and then goes on from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

IMPORT_PROCESS = "import_process"
TAKE_TURN = "import_turn"
"""The names under which Temporal knows workflow and activity: constants, never Python paths."""

_PATIENCE = RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=30))
"""The record may be out of reach for hours; the rows are still worked off once it is back."""

_LONGEST = timedelta(minutes=10)
"""A turn takes seconds; the first one reads the whole table."""

_SILENT = timedelta(seconds=15)
"""A turn says that it lives with every few rows; one that has been killed is taken again after this."""


def import_process_id(import_id: str) -> str:
    """The id of an import's process: derived, so that there is one of each."""
    return f"import/{import_id}"


@dataclass(frozen=True)
class ImportTurn:
    """How far an import has come: `done` of `total` rows (0 until the table was read); `over`: nothing is left to do."""

    id: str
    done: int = 0
    total: int = 0
    over: bool = False


@workflow.defn(name=IMPORT_PROCESS)
class ImportProcess:
    """One import, from its first row to its last."""

    @workflow.run
    async def run(self, turn: ImportTurn) -> ImportTurn:
        """Take turns until it is over; other imports take theirs in between."""
        while not turn.over:
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(turn)
            turn = await workflow.execute_activity(
                TAKE_TURN, turn, result_type=ImportTurn, start_to_close_timeout=_LONGEST,
                heartbeat_timeout=_SILENT, retry_policy=_PATIENCE,
            )  # fmt: skip
            workflow.set_current_details(f"{turn.done} of {turn.total} rows 行")
        return turn
