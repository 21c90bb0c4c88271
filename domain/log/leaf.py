"""The leaf: a stored event with its place spliced in, never decoded (evidence.md 2.1, DESIGN.md section 9).

    {"_position":<n>,"_prev":<"base64url, 43 characters" or null>,"_sd":[…], … ,"type":"….v1","version":<n>}

The stored body is canonical JSON from `_sd` to `type`, so the leaf is canonical too (RFC 8785): its keys stay sorted.
`_position` is the store's position (rising, with gaps), `version` that of the stream, `_prev` the leaf hash of the
stream's previous event, null for version 1.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final, NamedTuple

from domain.log.tiles import MOST_ENTRY_BYTES
from domain.log.tree import HASH_BYTES
from domain.refusal import Refused

MOST_INTEGER: Final = 2**53


class LeafError(Refused):
    """These bytes are no leaf of ours, or would make none."""


class Unleafed(NamedTuple):
    """What a leaf was made of: the stored body, the store's position, the stream's version, the previous leaf hash."""

    body: bytes
    position: int
    version: int
    previous: bytes | None


def leaf(body: bytes, position: int, version: int, previous: bytes | None) -> bytes:
    """The leaf of a stored event. `LeafError` when the body is no stored event or the leaf exceeds 65,535 bytes."""
    if not (body.startswith(b'{"_sd":[') and body.endswith(b'"}')):
        raise LeafError("leaf_body", "Give the stored bytes of an event, from _sd to type.")
    _check_place(position, version, previous)
    made = b'{"_position":%d,"_prev":%s,%s,"version":%d}' % (
        position,
        _written(previous),
        body[1:-1],
        version,
    )
    if len(made) > MOST_ENTRY_BYTES:
        raise LeafError("leaf_too_long", "Keep a leaf within 65,535 bytes.")
    return made


_LEAF = re.compile(
    rb'\{"_position":(0|[1-9][0-9]{0,15}),"_prev":(?:null|"([A-Za-z0-9_-]{43})"),("_sd":\[.*"),"version":([1-9][0-9]{0,15})\}',
    re.DOTALL,
)


def unleaf(leaf: bytes) -> Unleafed:
    """What `leaf` was made of; `LeafError` for bytes that it would not have made."""
    found = _LEAF.fullmatch(leaf)
    if found is None or len(leaf) > MOST_ENTRY_BYTES:
        raise LeafError("leaf_form", "Give the bytes of a leaf as they stand in the log.")
    position, previous, body, version = found.groups()
    made = Unleafed(b"{" + body + b"}", int(position), int(version), previous and _read(previous))
    _check_place(*made[1:])
    return made


def _check_place(position: int, version: int, previous: bytes | None) -> None:
    if not (0 <= position < MOST_INTEGER and 1 <= version < MOST_INTEGER):
        raise LeafError("leaf_place", "Give a position from 0 and a version from 1, both below 2**53.")
    if (previous is None) != (version == 1):
        raise LeafError(
            "leaf_previous", "Name the previous leaf of the stream for every version but the first."
        )
    if previous is not None and len(previous) != HASH_BYTES:
        raise LeafError("leaf_previous", "Give the previous leaf's hash as exactly 32 bytes.")


def _written(previous: bytes | None) -> bytes:
    return b"null" if previous is None else b'"' + urlsafe_b64encode(previous).rstrip(b"=") + b'"'


def _read(text: bytes) -> bytes:
    found = urlsafe_b64decode(text + b"=")
    if _written(found)[1:-1] != text:  # two spare bits that are not zero: a second spelling of one hash
        raise LeafError("leaf_previous", "Write the previous leaf's hash in its one base64url form.")
    return found
