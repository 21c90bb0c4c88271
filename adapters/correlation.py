"""Correlation: the id under which a request's command, events, process steps and deliveries are found together.

An edge takes the caller's id or makes one, and everything on the way says it: log lines, spans, and the envelope of
every event that came of it, where it stays for ever. So nothing can be said in one (law 9): it is random by its form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import uuid4

import structlog

HEADER = "X-Request-ID"

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_TRACE = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
_NONE = "0" * 32
_MOST = 120
_current: ContextVar[str | None] = ContextVar("correlation", default=None)


def current() -> str | None:
    """The id of what this thread or task works for; None where nobody gave one."""
    return _current.get()


def correlation_of(request_id: str | None, traceparent: str | None) -> str:
    """The caller's own id where it has one of the forms taken, else a fresh one.

    Taken are a UUID, 32 hexadecimal digits or a ULID as `X-Request-ID`, then the trace id of a `traceparent`
    (W3C Trace Context, section 3.2). Any other form could hold a telephone number or a name.
    """
    if request_id is not None and _well_formed(request_id):
        return request_id if _ULID.fullmatch(request_id) else request_id.lower()
    parent = _PARENT.fullmatch(traceparent or "")
    if parent is not None and parent[1] != _NONE:
        return parent[1]
    return uuid4().hex


def _well_formed(request_id: str) -> bool:
    return any(form.fullmatch(request_id) for form in (_UUID, _TRACE, _ULID))


def fits(correlation: str) -> bool:
    """Whether a stored one may be handed on: one that is a command's id may be longer than a command takes."""
    return len(correlation) <= _MOST


@contextmanager
def working_for(correlation: str | None) -> Iterator[None]:
    """Work for this id: log lines say it, and so do the commands that are handed in meanwhile."""
    if correlation is None:
        yield
        return
    before = _current.set(correlation)
    try:
        with structlog.contextvars.bound_contextvars(correlation=correlation):
            yield
    finally:
        _current.reset(before)
