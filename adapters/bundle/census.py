"""census.json: what the event store itself counts, for the verifier to hold against the leaves.

It is taken from the store and never from the log, so that an event which the sealer left out shows.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections import Counter
from typing import Any, Final

from adapters.bundle.remit import Reads
from adapters.log.counting import events_between
from domain.log.events import LogOpened
from domain.log.leaf import LeafError, leaf
from domain.log.tree import leaf_hash
from domain.log.words import GENESIS
from workflows.ports import EventStore, Stored
from workflows.rooms import STREAMS

FORMAT: Final = "huiyin-census/v1"
_REGISTERED: Final = "matter_registered.v1"


def census(store: EventStore, after: int, upto: int, reads: Reads, *, opening: bool) -> dict[str, Any]:
    """The events at the positions above `after` up to `upto`; `opening` counts leaf 0 too, which no store holds.

    `events` by type, `streams` by stream, `intake` by day (UTC) and channel; of what may not be read only how many
    (`withheld`). It holds one number per stream, whatever the number of events. `heads` says where each stream that is
    every board's to read ends: its version, and the leaf hash (base64url) that the stored events make, '' where they make
    none; nothing of those may be withheld.
    """
    events, streams, intake = Counter[str](), Counter[str](), Counter[str]()
    withheld = 0
    if opening:
        events[LogOpened.TYPE] += 1
        streams[GENESIS] += 1
    for stored in events_between(store, after, upto):
        if not reads(stored.stream):
            withheld += 1
            continue
        events[stored.type] += 1
        streams[stored.stream] += 1
        if stored.type == _REGISTERED:
            intake[_channel(stored)] += 1
    return {
        "format": FORMAT, "events": dict(events), "streams": dict(streams), "intake": dict(intake),
        "withheld": withheld, "heads": {stream: _head(store, stream, upto) for stream in STREAMS},
    }  # fmt: skip


def _head(store: EventStore, stream: str, upto: int) -> tuple[int, str]:
    version, hashed = 0, None
    for row in store.load(stream):
        if row.position > upto:
            break
        version = row.version
        try:
            hashed = leaf_hash(leaf(row.body, row.position, version, hashed))
        except LeafError:  # a row is gone or damaged: a board must be shown that, and is
            hashed = None
    return version, "" if hashed is None else urlsafe_b64encode(hashed).rstrip(b"=").decode()


def _channel(stored: Stored) -> str:
    body = json.loads(stored.body)
    return f"{body['recorded_at'][:10]} {body['pub']['source']}"
