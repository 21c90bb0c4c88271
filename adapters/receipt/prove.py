"""A stored event's proof: its leaf's place under the newest head that the boards have cosigned (C2SP tlog-proof).

The promise rides in the `extra` line as it was handed out, so that one file holds all that a resident needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from adapters.log import open_log
from adapters.log.proofs import Proofs
from adapters.log.store import LogStore
from adapters.settings import Settings
from domain.log.leaf import leaf, unleaf
from domain.log.notes import parse_note
from domain.log.proof import Proof, format_proof
from domain.log.state import Adopted
from domain.refusal import Refused
from workflows.ports import Stored

ENDING = ".tlog-proof"


@contextmanager
def log_of(settings: Settings) -> Iterator[LogStore]:
    """The evidence log that the settings name. Raises Refused, Unavailable."""
    log = open_log(settings.log_url)
    try:
        yield log
    finally:
        log.close()


def delay_at(adopted: Iterable[Adopted], moment: datetime, opening: int) -> int:
    """The delay in whole hours that was promised to the boards' heads when something was recorded, by the policies that
    were `adopted`, the first before the last; before the first, the `opening` one."""
    before = [policy.delay for policy in adopted if policy.at < moment]
    return before[-1] // timedelta(hours=1) if before else opening


def sealed_leaf(log: LogStore, stored: Stored) -> tuple[int, bytes]:
    """The index and the bytes of an event's leaf.

    Raises Refused "not_yet_cosigned" before it is sealed, "leaf_differs" where the store holds something else by now.
    """
    index = log.index_of(stored.position)
    if index is None:
        raise _not_yet()
    sealed = log.leaf(index)
    if leaf(stored.body, stored.position, stored.version, unleaf(sealed).previous) != sealed:
        raise Refused(
            "leaf_differs",
            f"Tell the boards: the stored event is not the one that was sealed as leaf {index}.",
        )
    return index, sealed


def proof_file(log: LogStore, index: int, promise: str | None = None) -> str:
    """The `.tlog-proof` of a leaf under the newest cosigned head. Raises Refused "not_yet_cosigned"."""
    head = log.cosigned()
    if head is None or head.size <= index:
        raise _not_yet()
    hashes = tuple(Proofs(log).inclusion(index, head.size))
    extra = None if promise is None else promise.encode("utf-8")
    return format_proof(Proof(index, hashes, parse_note(head.note), extra))


def _not_yet() -> Refused:
    return Refused(
        "not_yet_cosigned",
        "Ask again later: no head that enough boards have cosigned holds this event yet (huiyin log status).",
    )
