"""The file that opens a case for a board: each value's disclosure (RFC 9901), to be held against the log's leaves.

    {"format": "huiyin-disclosures/v1", "case": …, "number": …, "to": …, "ground": …, "authority": …, "at": …,
     "disclosures": ["WyJ…", …],
     "values": [{"digest": …, "stream": …, "subject": …}, …],
     "closed": [{"digest": …, "stream": …, "subject": …, "why": "erased" | "locked" | "damaged"}, …]}

A disclosure is base64url(JSON [salt, name, value]). `values` says of each, in the same order, its digest (the base64url
of its SHA-256, a member of the `_sd` of a leaf of that stream) and the random id of the person concerned. `closed` are
values that were not, or could no longer be, handed over. `verify.py --disclosures FILE` reads it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from adapters.engine import Engine
from domain.event import Recorded
from domain.instant import written
from domain.matter.events import CaseDisclosed
from domain.refusal import NotFound
from workflows.ports import Opened

FORMAT = "huiyin-disclosures/v1"


@dataclass(frozen=True, slots=True)
class Disclosed:
    """What was handed over to which board, on what ground; all values are those of the recorded event."""

    format: str
    case: str
    number: str
    to: str
    ground: str
    authority: str
    at: str
    disclosures: list[str]
    values: list[dict[str, str]]
    closed: list[dict[str, str]]


def disclosed(engine: Engine, case: str, command: str) -> Disclosed:
    """What the recorded disclosure of this command hands over. Raises NotFound, Unavailable.

    Only what was recorded is opened; what was erased since stays erased.
    """
    history = engine.handle.history(case)
    state = engine.handle.load(case)
    recorded = [one for one in history if one.command == command and isinstance(one.pub, CaseDisclosed)]
    if state is None or not recorded:
        raise NotFound
    digests = {digest for one in recorded for digest in one.pub.digests}
    holder = "discipline" if state.confidential else "ordinary"
    opened = engine.vault.open(case, holder=holder, locked=True)
    shut = {one.digest for one in opened if state.shut(one.subject) == "erased"}
    handed = {one.digest: one.disclosure for one in opened if one.disclosure and one.digest in digests - shut}
    closed = [_closed(case, one, one.digest in shut) for one in opened if one.digest not in handed]
    return Disclosed(
        case=case, number=state.number, disclosures=[*handed.values()],
        values=[_place(case, one) for one in opened if one.digest in handed], closed=closed, **_of(recorded[0]),
    )  # fmt: skip


def _of(recorded: Recorded[CaseDisclosed]) -> dict[str, Any]:
    return {
        "format": FORMAT, "to": recorded.pub.to, "ground": recorded.pub.ground, "authority": recorded.authority or "",
        "at": written(recorded.recorded_at),
    }  # fmt: skip


def _place(case: str, one: Opened) -> dict[str, str]:
    return {"digest": one.digest, "stream": case, "subject": one.subject}


def _closed(case: str, one: Opened, erased: bool) -> dict[str, str]:
    why = "erased" if erased else "locked" if one.state == "open" else one.state
    return _place(case, one) | {"why": why}


def written_for_the_board(found: Disclosed) -> bytes:
    """The file's bytes: JSON in UTF-8."""
    return json.dumps(asdict(found), ensure_ascii=False, indent=1).encode() + b"\n"
