"""Texts that are released: named, kept by their digest, never edited (DESIGN.md law 8)."""

from __future__ import annotations

import hashlib
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from domain.codes import no_telephone
from domain.rulebook.words import NAME

Name = Annotated[str, StringConstraints(pattern=NAME), AfterValidator(no_telephone)]
"""A word and a version, such as `gulou/2026.1`."""

DIGEST = r"^[0-9a-f]{64}$"


def digest_of(text: str) -> str:
    """SHA-256 (hex) of a text in UTF-8: what a release names and what the text is kept under."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
