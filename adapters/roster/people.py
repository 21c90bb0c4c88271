"""From an office's staff reference to a person id that says nothing about the person."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable


def person_ids(pepper: bytes) -> Callable[[str], str]:
    """How a staff reference becomes a person id (UUID): always the same one, and nobody without `pepper` can guess it.

    So a roster that is imported again finds the same persons, and the reference itself is kept nowhere.
    A reference that is a UUID already stands for itself.
    """

    def identify(reference: str) -> str:
        try:
            return str(UUID(reference))
        except ValueError:
            digest = hmac.new(pepper, b"huiyin person\0" + reference.encode(), hashlib.sha256).digest()
            return str(UUID(bytes=digest[:16], version=4))

    return identify
