"""What a bundle takes along beside the leaves: time stamps of its heads (RFC 3161), proofs of cases to be handed on."""

from __future__ import annotations

import hashlib
from typing import Final

from adapters.bundle.remit import Reads
from adapters.bundle.span import Span
from adapters.engine import Engine
from adapters.finding import case_of
from adapters.log.proofs import Proofs
from adapters.log.store import LogStore
from adapters.receipt.prove import ENDING
from domain.acting import Actor
from domain.log.notes import parse_note
from domain.log.proof import Proof, format_proof
from domain.refusal import NotFound, Refused

Member = tuple[str, bytes]
LARGEST_STAMP: Final = 1024 * 1024
"""Bytes; the verifier opens no larger one."""
_DIGESTS: Final = ("sha256", "sha384", "sha512")


def stamped(token: bytes, span: Span) -> Member:
    """A token as the bundle holds it, called after the size of the head that it stamps: the new one or the old one.

    A token holds the digest of what it stamps as it is (RFC 3161 section 2.4.1, messageImprint); whether the authority
    signed it is for the verifier to say. Raises Refused "stamp_too_large", "other_head".
    """
    if len(token) > LARGEST_STAMP:
        raise Refused(
            "stamp_too_large", "Give the authority's reply itself: a time stamp has a few kilobytes."
        )
    for head in (span.new, span.old):
        if head is not None and any(
            hashlib.new(name, head.note.encode()).digest() in token for name in _DIGESTS
        ):
            return f"tsr/{head.size}.tsr", token
    raise Refused(
        "other_head",
        "Have the head stamped that this bundle holds, with all the cosignatures that it bears by now "
        "(log/checkpoint of a bundle made without the stamp).",
    )


def proven(engine: Engine, log: LogStore, case: str, viewer: Actor, reads: Reads, span: Span) -> Member:
    """The proof of the newest leaf that a case has under the new head; `case` is a number or an id.

    Raises NotFound where the board may not read the case, Refused "not_yet_cosigned" before its first leaf stands there.
    """
    stream = case_of(engine, case, viewer)
    if not reads(stream):
        raise NotFound
    for stored in reversed(engine.store.load(stream)):
        index = log.index_of(stored.position)
        if index is not None and index < span.new.size:
            path = tuple(Proofs(log).inclusion(index, span.new.size))
            text = format_proof(Proof(index, path, parse_note(span.new.note), None))
            return f"proofs/{index}{ENDING}", text.encode()
    raise Refused("not_yet_cosigned", "Ask for a later month: no leaf of that case stands under this head.")
