"""What may stand in public events: codes, and lines that an office has published (DESIGN.md law 9).

A ground is a code; what somebody writes in their own words comes beside the command as a sealed value.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LIKE_A_TELEPHONE = re.compile(r"[0-9]{7}")


def like_a_telephone(word: str) -> bool:
    """Whether seven digits stand in a row, as in telephone and identity numbers; those of random ids do not count."""
    return _LIKE_A_TELEPHONE.search(_UUID.sub("", word)) is not None


def no_telephone(word: str) -> str:
    """The word itself; ValueError for what is like a telephone number."""
    if like_a_telephone(word):
        raise ValueError("no seven digits in a row may stand here; seal what a person can be found by")
    return word


def _no_address(line: str) -> str:
    if "@" in line:
        raise ValueError("no electronic address may stand here; seal what a person can be found by")
    return line


Word = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/#-]{0,79}$"), AfterValidator(no_telephone)
]
"""A code, never free text: what people write in their own words is sealed."""

Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\r\n]+$"),
    AfterValidator(no_telephone),
    AfterValidator(_no_address),
]
"""One line that an office has published: its own name, a list's basis, limits and steps. Never somebody's words."""
