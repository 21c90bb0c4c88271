"""A log that was lost, made again from the record and a bundle that a board gives back (evidence.md: the boards' copies
are our recovery too).

A leaf follows from its event and its place alone. What stands nowhere but in the log is leaf 0 and its heads, and every
bundle since genesis holds both. All is compared before anything is written: the leaves made of the record must have the
root of each head that this log's keys have signed. Nothing is signed here: the role `seal` asks mark and boards first.

A bundle brings no record back: what is sealed in it, and what commands were answered, is in no leaf.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from adapters.log.genesis import growth_of, keys_of
from adapters.log.growing import grown
from adapters.log.keys import ML_DSA_44, ed25519_verify
from adapters.log.rejoin import rejoin
from adapters.log.rows import NOTHING
from adapters.log.sealer import BATCH, Sealer
from adapters.log.store import Growth, Head, LogState, LogStore, StreamHead
from adapters.witness.bundle import opened
from domain.event import Recorded, decode
from domain.log.checkpoint import Checkpoint
from domain.log.cosignature import signers
from domain.log.events import LogKeyChanged, LogOpened
from domain.log.leaf import unleaf
from domain.log.notes import Note, NoteError, VerifierKey, format_note, verified
from domain.log.policy import Policy
from domain.log.words import LOG
from domain.refusal import Refused
from workflows.ports import EventStore

RECOVERING = "recovering"
"""The note that stands while the log is written: killed meanwhile, the same bundle goes on where it was."""

Progress = Callable[[int, int], None]
_Step = tuple[LogState, Growth]
"""Where the log stood, and what it grew by."""


class Recovered(NamedTuple):
    """What came back: leaves up to the bundle's head, so many heads, and what became of the events after it."""

    size: int
    heads: int
    rejoined: str


class _Kept(NamedTuple):
    """A bundle since genesis: leaf 0, what it says, and the heads."""

    first: bytes
    opening: Recorded[LogOpened]
    notes: tuple[Note, ...]


def recover(
    store: EventStore, log: LogStore, key: VerifierKey, policy: Policy | None, path: Path, told: Progress
) -> Recovered:
    """Write the log again. `key` is the one that signs it now, `policy` the one in force.

    Raises Refused `log_present`, `bad_bundle`, `bundle_not_whole`, `log_key_differs`, `head_not_ours`, `record_behind`,
    `record_differs`, `still_running` while a role seals: then nothing was written. Unavailable.
    """
    with log.leader(Sealer.name) as free:
        if not free:
            raise Refused("still_running", "Stop the role seal first.")
        if log.state().size and log.meta(RECOVERING) is None:
            raise Refused("log_present", "Set the log that stands here aside first: it is evidence, keep it.")
        kept = _kept(path)
        heads = _heads(kept, _keys(kept, store), key, policy)
        _compared(_steps(store, kept, heads), heads, told)
        log.set_meta(RECOVERING, "yes")
        _written(_steps(store, kept, heads), log, heads)
        rejoined = rejoin(store, log)
        log.set_meta(RECOVERING, None)
        return Recovered(max(heads), len(heads), rejoined)


# -- what the bundle holds --------------------------------------------------------------------------------------------


def _kept(path: Path) -> _Kept:
    with opened(path) as bundle:
        first = b"" if bundle.old is not None else bundle.first_leaf()
        if not first:
            raise Refused(
                "bundle_not_whole",
                "Ask a board for a bundle since genesis, which holds leaf 0 (huiyin bundle without --month).",
            )
        return _Kept(first, decode(LogOpened.TYPE, unleaf(first).body), tuple(bundle.heads()))


def _keys(kept: _Kept, store: EventStore) -> list[str]:
    """The keys that have signed the log: the bundle's leaf 0 names the first, and the record who came after whom."""
    keys = keys_of(kept.opening.pub, store)
    changed = [decode(one.type, one.body).pub for one in store.load(LOG) if one.type == LogKeyChanged.TYPE]
    if [one.old for one in changed] != keys[:-1]:
        raise _another_key()
    return keys


def _another_key() -> Refused:
    return Refused(
        "log_key_differs", "Bring back the log.key of this log; the bundle's is signed by another one."
    )


def _heads(kept: _Kept, keys: Sequence[str], key: VerifierKey, policy: Policy | None) -> dict[int, Head]:
    """The heads by size, smallest first, each with a line of one of the log's keys; the key at hand is the last of them."""
    if keys[-1] != str(key):
        raise _another_key()
    boards, found = policy.witnesses if policy else (), {}
    for note in kept.notes:
        head = Checkpoint.parse(note.text)
        try:
            verified(note, [VerifierKey.parse(one) for one in keys], ed25519_verify)
            times = signers(note, [one.vkey for one in boards], ed25519_verify, ML_DSA_44)
        except NoteError as error:
            raise _not_ours(head) from error
        if head.origin != kept.opening.pub.origin:
            raise _not_ours(head)
        quorum = policy is not None and policy.satisfied([one.name for one in boards if one.vkey in times])
        at = datetime.fromtimestamp(max(times.values()), UTC) if quorum and times else None
        # When it was signed stands nowhere else: not before its last event was recorded, which is told below.
        found[head.size] = Head(head.size, head.root, format_note(note), kept.opening.recorded_at, at)
    return dict(sorted(found.items()))


def _not_ours(head: Checkpoint) -> Refused:
    return Refused(
        "head_not_ours",
        f"Ask the board for the bundle as it was taken: its head of {head.size} leaves is not this log's.",
    )


# -- the leaves -------------------------------------------------------------------------------------------------------


def _compared(steps: Iterator[_Step], heads: dict[int, Head], told: Progress) -> None:
    """The record makes the very leaves that were signed."""
    size, last = 0, max(heads)
    for _, growth in steps:
        size = growth.after.size
        told(size, last)
        if size in heads and heads[size].root != growth.after.root:
            raise Refused(
                "record_differs",
                f"The record does not make the head of {size} leaves that was signed: some event of it was changed since."
                " Restore the record as it was.",
            )
    if size < last:
        raise Refused(
            "record_behind",
            f"The bundle's head has {last} leaves, and the record makes {size}: restore the newer record. A bundle brings"
            " none back: what is sealed is not in it.",
        )


def _steps(store: EventStore, kept: _Kept, heads: dict[int, Head]) -> Iterator[_Step]:
    """What the log grew by, from leaf 0 on and with a stop at every head; always in the same steps."""
    growth, tip = growth_of(unleaf(kept.first).body, kept.opening.pub.origin, store.epoch())
    yield NOTHING, growth
    streams: dict[str, StreamHead] = {}

    def standing(some: Sequence[str]) -> dict[str, StreamHead]:
        return {one: streams[one] for one in some if one in streams}

    for size in heads:
        while tip.state.size < size:
            batch = store.read(tip.state.position, min(BATCH, size - tip.state.size))
            if not batch:
                return
            made = grown(tip, batch, standing)
            streams.update(
                (name, StreamHead(version, index, hashed))
                for name, version, index, hashed in made.growth.streams
            )
            yield tip.state, made.growth
            tip = made.tip


def _written(steps: Iterator[_Step], log: LogStore, heads: dict[int, Head]) -> None:
    """Everything that is not there yet, up to the last head."""
    there, moment = log.state(), None
    for before, growth in steps:
        recorded = datetime.fromisoformat(json.loads(growth.leaves[-1])["recorded_at"])
        moment, size = max(moment or recorded, recorded), growth.after.size
        if size > there.size:
            log.append(before, growth)
            there = growth.after
        if size == there.size and size in heads:
            log.save_head(replace(heads[size], signed_at=moment))
            log.add_cosignatures(size, (), quorum_at=heads[size].cosigned_at)
