"""The receipt that a new matter's requester is handed at the counter, with the answer to its registration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.put import put
from adapters.receipt.give import receipt_of
from domain.acting import Command
from domain.matter.commands import RegisterMatter
from domain.refusal import Refused, Unavailable
from workflows.submission import Answer

if TYPE_CHECKING:
    from adapters.cli.act_run import Doing


def receipt_given(doing: Doing, answer: Answer, command: Command) -> dict[str, Any]:
    """What to tell of the receipt: its text, or the file it was saved in; nothing for any other act.

    It is the requester's, whoever typed: later it is shown to those alone who may see the case. Accepted is kept
    (law 2), so that a receipt that cannot be made now is told as `receipt_failed`; `huiyin receipt show` makes it later.
    """
    if not (answer.accepted and isinstance(command, RegisterMatter)):
        return {}
    file: Path | None = doing.given["receipt"]
    try:
        text = receipt_of(doing.engine, doing.engine.store.load(answer.case)[0])
        if file is not None:
            put(file, text.encode("utf-8"))
    except (Refused, Unavailable) as error:
        return {"receipt_failed": str(error)}
    return {"receipt": text if file is None or doing.given["as_json"] else str(file)}
