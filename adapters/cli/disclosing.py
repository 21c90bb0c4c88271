"""`huiyin disclose`: the record first, then the file for the board."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from adapters.cli.act_run import built, tell
from adapters.disclosure import disclosed, written_for_the_board
from adapters.finding import case_of
from adapters.put import put
from domain.matter.commands import DiscloseCase

if TYPE_CHECKING:
    from adapters.cli.act_run import Doing
    from workflows.submission import Answer


def hand_over(doing: Doing) -> Answer:
    """Record the disclosure, and write what was recorded into a file that only its owner reads.

    A file that is there already is never written over. Raises typer.BadParameter, NotFound, Unavailable: a file that
    could not be written is made by the same command again, under the key that was printed.
    """
    case = case_of(doing.engine, doing.given["case"], doing.actor)
    command = built(doing, DiscloseCase, {}, case)
    given: Path | None = doing.given["output"]
    if given is not None:
        _free(given)
    answer = doing.hand_in(command, case)
    if not answer.accepted:
        tell(doing, answer, command)
        return answer
    found = disclosed(doing.engine, case, doing.command_id)
    path = given or Path(f"{found.number}.disclosures.json")
    _free(path)
    put(path, written_for_the_board(found), mode=0o600)
    tell(doing, answer, command, values=len(found.values), file=f"{path}")
    return answer


def _free(path: Path) -> None:
    if path.exists():
        raise typer.BadParameter(f"name a new file: {path.name} is there already", param_hint="--output")
