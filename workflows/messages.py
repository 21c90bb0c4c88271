"""Messages between the record and the processes: names as constants, one dataclass in, one out (DESIGN.md §6, §9).

Only ids, versions, states and times stand in them: whatever enters Temporal is neither sealed nor erasable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

MATTER_PROCESS = "matter_process"
SUMMONS_PROCESS = "summons_process"
ADVANCE = "advance"
POKE = "poke"
"""The names under which Temporal knows workflows, activity and signal: constants, never Python paths."""


def process_id(case: str, owner: str = "") -> str:
    """The id of the process of a case, or of one summons in it: derived, so that there is one of each."""
    return f"matter/{case}/{owner}" if owner else f"matter/{case}"


@dataclass(frozen=True)
class Look:
    """Look at the case: take what is due of this owner ('' for the matter, else a leg), last seen at `version`."""

    case: str
    owner: str
    version: int


@dataclass(frozen=True)
class Snapshot:
    """What the record says about a matter or a summons at one version; always whole, never a difference.

    `epoch` names the life of the store: versions of two epochs are not compared. `due` (UTC) is the moment of the
    next step, `step` what it is; `phase` the state of the matter or the leg. `closed`: nothing is left to do, ever.
    `number`, `place` (the sub-district) and `body` are public ids, empty for a confidential case. A matter's
    snapshot holds those of its open legs; `absent` names the legs of which no process was found, those that are over
    included.
    """

    case: str
    owner: str
    epoch: str
    version: int
    due: datetime | None
    closed: bool
    phase: str
    step: str = ""
    number: str = ""
    place: str = ""
    body: str = ""
    legs: tuple[Snapshot, ...] = ()
    absent: tuple[str, ...] = ()
