"""What goes with the leaves: the schema of the events, the process law, the texts that leaves name by their digest."""

from __future__ import annotations

import json
from typing import Any, Final

from adapters.bundle.rules import digest, rules
from adapters.log.genesis import key_in_force
from adapters.log.store import LogStore
from domain.event import Recorded, decode, known_types
from domain.log.events import PolicyAdopted, RulesPublished
from domain.log.words import LOG
from domain.rulebook.releases import RulebookReleased
from workflows import records
from workflows.ports import EventStore
from workflows.standing import RELEASES

SCHEMA_FORMAT: Final = "huiyin-schema/v1"
_ROOMS = (records,)  # declares events; the other rooms are imported by who reads the store
_RECORDED = Recorded[Any]


def schema() -> dict[str, Any]:
    """schema.json: JSON schemas of the envelope and of the public fields of every type of event."""
    envelope = _RECORDED.model_json_schema(by_alias=True)
    types = {name: event.model_json_schema() for name, event in sorted(known_types().items())}
    return {"format": SCHEMA_FORMAT, "envelope": envelope, "types": types}


def texts(store: EventStore) -> dict[str, str]:
    """Every rulebook and policy that was ever adopted, by SHA-256 (hex); a text that is missing is left out."""
    found = {digest: store.text(digest) for digest in (*_digests(store, RELEASES), *_digests(store, LOG))}
    return {digest: text for digest, text in sorted(found.items()) if text is not None}


def law(store: EventStore, upto: int) -> dict[str, Any]:
    """rules.json as published last up to a position, with every rulebook that was released.

    A later release may have another law; what came before it was done, and is judged, by the one of its time.
    """
    books = [text for name in _digests(store, RELEASES) if (text := store.text(name)) is not None]
    present = rules(books)
    named = [row for row in store.load(LOG) if row.type == RulesPublished.TYPE and row.position <= upto]
    text = store.text(decode(named[-1].type, named[-1].body).pub.digest) if named else None
    if text is None:
        return present
    published = json.loads(text)
    return {**published, "digest": digest(published), "rulebooks": present["rulebooks"]}


def policy_text(log: LogStore, store: EventStore) -> str:
    """The policy in force; before the first, one that asks for the log's own signature alone."""
    for name in reversed(_digests(store, LOG)):
        text = store.text(name)
        if text is not None:
            return text
    return f"log {key_in_force(log, store)}\nquorum none\n"


def _digests(store: EventStore, stream: str) -> list[str]:
    """What the events of a stream name by its digest, in order."""
    rows = store.load(stream)
    named = (PolicyAdopted.TYPE, RulebookReleased.TYPE)
    return [decode(row.type, row.body).pub.digest for row in rows if row.type in named]
