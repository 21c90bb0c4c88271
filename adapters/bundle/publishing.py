"""The process law is published in the log before a board is handed it: a laxer one shows (evidence.md 2.7)."""

from __future__ import annotations

from uuid import uuid4

from adapters.bundle.rules import law_text
from domain.acting import CLOCK
from domain.log.commands import PublishRules
from domain.log.words import LOG
from domain.rulebook.releases import digest_of
from workflows.handle import Handle
from workflows.submission import Submission


def publish_rules(handle: Handle) -> bool:
    """Record this release's law, its text kept in the store, unless it is the one published last. Raises Unavailable."""
    text = law_text()
    command = PublishRules(digest=digest_of(text))
    if handle.standing.caught_up().cosigning.rules == command.digest:
        return False
    return handle(Submission("seal", uuid4().hex, LOG, command, CLOCK, texts=(text,))).accepted
