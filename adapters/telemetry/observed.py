"""`handle` with figures and spans around it, and the correlation of whoever works under it in every command."""

from __future__ import annotations

import time
from dataclasses import replace

from adapters import correlation
from adapters.telemetry import metrics
from adapters.telemetry.traces import say, span
from domain.refusal import Conflict, Unavailable
from workflows.handle import Handle
from workflows.ports import ReferenceTaken
from workflows.submission import Answer, Submission


class ObservedHandle(Handle):
    """The same application, seen from outside. What it decides and stores is what `Handle` does."""

    def __call__(self, submission: Submission, *, fresh: bool = False) -> Answer:
        """As Handle; the command is correlated with the request or the process that it is handed in for."""
        if submission.correlation is None:
            submission = replace(submission, correlation=correlation.current())
        act, began = submission.command.NAME, time.perf_counter()
        with span("command", act=act, case=submission.case) as made:
            try:
                answer = super().__call__(submission, fresh=fresh)
            except Unavailable:
                metrics.COMMANDS.labels(act, "unavailable", "").inc()
                raise
            finally:
                metrics.COMMAND_SECONDS.labels(act).observe(time.perf_counter() - began)
            outcome = "repeated" if answer.repeated else answer.outcome
            say(made, outcome=outcome, code=answer.code)
        metrics.COMMANDS.labels(act, outcome, answer.code or "").inc()
        return answer

    def _once(self, submission: Submission, digest: str, *, fresh: bool) -> Answer:
        try:
            return super()._once(submission, digest, fresh=fresh)
        except (Conflict, ReferenceTaken):
            metrics.CONFLICTS.labels(submission.command.NAME).inc()
            raise
