"""What one caller has written, and what becomes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from eventsourcing.persistence import StoredEvent

from workflows.ports import Batch


class Save(NamedTuple):
    """The library's records and, from our store, the batch that they belong to."""

    events: Sequence[StoredEvent]
    batch: Batch | None


Outcome: TypeAlias = list[int] | Exception
"""The positions of a save's events, or the reason why nothing of it was written."""


def check_texts(batch: Batch) -> None:
    """Raises ValueError for a text that is not what its digest says: the first under it stays for good."""
    for text in batch.texts:
        if hashlib.sha256(text.text.encode()).hexdigest() != text.digest:
            raise ValueError("a text is stored under its own SHA-256")
