"""The activity as a worker runs it: with the correlation of the case, a span, its time and one log line."""

from __future__ import annotations

import json

import structlog
from temporalio import activity

from adapters.correlation import fits, working_for
from adapters.telemetry.metrics import ACTIVITY_SECONDS
from adapters.telemetry.traces import span
from workflows.advance import Steps
from workflows.messages import ADVANCE, Look, Snapshot

_log = structlog.get_logger("activity")


class ObservedSteps(Steps):
    """The same steps. What the clock does in a case goes on under the id of the act that it follows."""

    @activity.defn(name=ADVANCE)
    def advance(self, look: Look) -> Snapshot:
        """As Steps."""
        about = self._correlation(look)
        with working_for(about), span("activity", case=look.case), ACTIVITY_SECONDS.time():
            told = Steps.advance(self, look)
            _log.info("looked", case=look.case, owner=look.owner, seen=look.version, version=told.version)
            return told

    def _correlation(self, look: Look) -> str | None:
        """That of the case's newest event. Raises Unavailable."""
        rows = self.handle.store.load(look.case, max(0, look.version - 1))
        found = json.loads(rows[-1].body)["correlation"] if rows else None
        return found if found is not None and fits(found) else None
