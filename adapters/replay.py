"""Replay: whatever the events say of keys is done again before anything opens (evidence.md 2.3, threat 15).

After a restore the key store may be older than the record, the record older than the key store, or both older than
the evidence log: a key that was destroyed, locked or handed to discipline inspection must not come back from any of
them. Everything is done in order, and any number of times.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from adapters.log import open_log
from domain.event import decode
from domain.log.leaf import LeafError, unleaf
from domain.matter.events import MatterDiverted
from workflows.key_duties import OF_KEYS, Duty, carry_out, carry_out_stored, damaged
from workflows.ports import EventStore, KeyStore

_READ = 5000
_MARKS = tuple(f'"type":"{name}"'.encode() for name in sorted(OF_KEYS))

Replayed = Counter[Duty]
"""How many events of each kind were done again."""


def replay_record(store: EventStore, keys: KeyStore) -> Replayed:
    """Do again what the record's events say of keys. Raises Unavailable, Refused `master_key_missing`."""
    return _counted(_of_record(store, keys))


def replay_missed(store: EventStore, keys: KeyStore) -> Replayed:
    """Do again what the key store does not know to have been done: all that came since, and, where it was restored from
    an older backup, all that it missed. Every program does it before it opens anything.

    A process without the key of discipline inspection leaves diversions to the keeper: it can open no case of either.
    Raises Unavailable.
    """
    return _counted(_of_record(store, keys, keys.kept_up_to(store.epoch()), _possible(keys)))


def replay_log(url: str, keys: KeyStore) -> Replayed:
    """The same for the leaves of the log at `url`: they stand for events that a restored record may lack.

    Raises as `replay_record`, and Refused `event_damaged` for a leaf that cannot be read.
    """
    log = open_log(url)
    try:
        return _counted(_of_leaves(log.leaves(0, log.state().size), keys))
    finally:
        log.close()


def _of_record(
    store: EventStore, keys: KeyStore, after: int = 0, types: frozenset[str] = OF_KEYS
) -> Iterator[Duty | None]:
    while batch := store.read(after, _READ):
        yield from (carry_out_stored(keys, stored, store) for stored in batch if stored.type in types)
        after = batch[-1].position


def _possible(keys: KeyStore) -> frozenset[str]:
    return OF_KEYS if keys.holds("discipline") else OF_KEYS - {MatterDiverted.TYPE}


def _of_leaves(leaves: Iterable[bytes], keys: KeyStore) -> Iterator[Duty | None]:
    for index, leaf in enumerate(leaves):
        # The type stands nearly last in the canonical body: most leaves are passed over without being read.
        named = next((mark for mark in _MARKS if mark in leaf), None)
        if named is None:
            continue
        try:
            recorded = decode(named[8:-1].decode("ascii"), unleaf(leaf).body)
        except (ValueError, LeafError) as error:
            raise damaged(f"Restore the evidence log: its leaf {index}") from error
        yield carry_out(keys, recorded.stream, recorded.pub)


def _counted(done: Iterable[Duty | None]) -> Replayed:
    return Counter(duty for duty in done if duty is not None)
