"""Advance: a due moment has come. Take what is due, in one idempotent command, and say what comes next (DESIGN.md §6)."""

from __future__ import annotations

import hashlib
import logging
import threading
from dataclasses import replace
from datetime import datetime, timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from domain.acting import CLOCK
from domain.matter.commands import TakeDueSteps
from domain.refusal import Refused, Unavailable
from workflows.agenda_view import ahead, nothing
from workflows.agenda_view import snapshot as snapshot_of
from workflows.handle import Handle
from workflows.messages import ADVANCE, Look, Snapshot
from workflows.submission import Answer, Submission

_log = logging.getLogger(__name__)

CLIENT = "clock"
MOST_TRIES = 20
ASK_AGAIN = timedelta(minutes=1)
"""When to ask again after a refusal that time may mend: no rulebook in force, a clock set wrong."""

_TURNS = [threading.Lock() for _ in range(64)]


def snapshot(handle: Handle, case: str, owner: str = "") -> Snapshot:
    """What the record says now about a matter, or about one leg of it. Raises Unavailable."""
    epoch, state = handle.store.epoch(), handle.load(case)
    if state is None:
        return nothing(case, owner, epoch)
    return snapshot_of(state, epoch, handle.standing.caught_up().laws.__getitem__, owner)


def advance(handle: Handle, look: Look) -> Snapshot:
    """Take all that is due of this owner; the snapshot returned is due in the future or never.

    The command is conditional on the version seen; when the case has moved on, it is looked at and decided again.
    A crash anywhere leaves the steps taken or not taken, and what is taken is not due any more. Raises Unavailable.
    """
    # The processes of one case often come due in the same moment: here they take turns and do not meet in the store.
    with _TURNS[hash(look.case) % len(_TURNS)]:
        for _ in range(MOST_TRIES):
            seen, ready, now = _look(handle, look)
            if not ready:
                return seen
            answer = _take(handle, look.case, seen.version, ready, now)
            if not answer.accepted and answer.code != "version_moved":
                _log.warning("the clock was refused", extra={"case": look.case, "code": answer.code})
                return replace(seen, due=now + ASK_AGAIN)
    raise Unavailable("The case is being changed too often at this moment; try again shortly.")


def _look(handle: Handle, look: Look) -> tuple[Snapshot, tuple[str, ...], datetime]:
    epoch, state, now = handle.store.epoch(), handle.load(look.case), handle.clock()
    if state is None:
        return nothing(look.case, look.owner, epoch), (), now
    law = handle.standing.caught_up().laws.__getitem__
    view = ahead(state, law).get(look.owner)
    ready = tuple(item.id for item in view.items if item.at <= now) if view is not None else ()
    return snapshot_of(state, epoch, law, look.owner), ready, now


def due_steps(case: str, version: int, items: tuple[str, ...]) -> Submission:
    """The clock's command; its key derives from the case, the version seen and the items: a repeat is the same one."""
    said = "\n".join((case, str(version), *items))
    return Submission(
        client=CLIENT, key=hashlib.sha256(said.encode()).hexdigest(), case=case, command=TakeDueSteps(items=items),
        actor=CLOCK, expected=version,
    )  # fmt: skip


def _take(handle: Handle, case: str, version: int, items: tuple[str, ...], now: datetime) -> Answer:
    command = due_steps(case, version, items)
    answer = handle(command)
    if answer.repeated and not answer.accepted:
        # The clock was refused before, and nothing has changed but the time: it may ask again once a minute.
        answer = handle(replace(command, key=f"{command.key}:{int(now.timestamp()) // 60}"))
    return answer


class Steps:
    """The activities, over one `Handle`. They are synchronous: run them in threads."""

    def __init__(self, handle: Handle) -> None:
        self.handle = handle

    @activity.defn(name=ADVANCE)
    def advance(self, look: Look) -> Snapshot:
        """Take what is due. Unavailable is tried again by Temporal; a refusal is final."""
        try:
            return advance(self.handle, look)
        except Refused as refused:
            raise ApplicationError(refused.code, type="Refused", non_retryable=True) from None
