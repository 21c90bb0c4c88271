"""Refusals: what the engine says when it will not do something.

A refusal is evidence (DESIGN.md law 5): it has a stable code, that programs may rely on,
and one sentence of advice, that tells a person what to do instead. It never quotes
personal data, and it never says more about a case than the reader may know.
"""

from __future__ import annotations


class Refused(Exception):
    """The rules do not allow this command; nothing has changed.

    `code` is stable snake_case; `advice` is one English sentence that says what to do.
    """

    def __init__(self, code: str, advice: str) -> None:
        super().__init__(f"{code}: {advice}")
        self.code = code
        self.advice = advice


class NotFound(Refused):
    """No such case, or none that the reader may know of: both look the same (law 10)."""

    def __init__(
        self, advice: str = "Check the number: there is no case of this number that you may see."
    ) -> None:
        super().__init__("not_found", advice)


class Conflict(Exception):
    """Somebody else appended first; load again and decide again."""


class Unavailable(Exception):
    """The event store cannot be reached; nothing has been done, try again later."""
