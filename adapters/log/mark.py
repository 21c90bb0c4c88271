"""How far the log's key has signed: a small file beside it, which no backup of the databases puts back.

Whoever restores an older record and log restores with them all that they know of their own heads, and of the boards that
would object. The mark stands apart: before each signature it names the newest size and root that were let out, and the
boards of the newest policy, so that no size gets a second head and nobody is forgotten who must be asked.

It is written after the leaves are committed and before the head is signed. Killed before that, nothing has been signed
and the mark is behind, as it may be; killed after it, the committed state is the marked one, and the very same head is
signed at the next start.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.log.growing import reader
from adapters.log.slots import Slots
from adapters.log.store import LogState, LogStore
from adapters.store.file_lock import FileLock
from domain.event import decode
from domain.log.events import PolicyAdopted
from domain.log.notes import NoteError, VerifierKey
from domain.log.policy import Policy, Witness
from domain.log.texts import hash_from_base64, to_base64
from domain.log.tiles import subtree_from_tiles
from domain.log.tree import root
from domain.log.words import LOG
from domain.refusal import Refused
from workflows.ports import EventStore

MARK = "log.mark"
VERSION = 1

RootAt = Callable[[int], bytes]
"""The root of this log's first so many leaves."""


@dataclass(frozen=True, slots=True)
class Marked:
    """The newest head that was let out for a log, and the boards of the newest policy seen with it."""

    size: int
    root: bytes
    boards: tuple[Witness, ...] = ()


class Mark:
    """The file, by its path: what was let out for each origin. Every method may raise Unavailable, Refused `mark_damaged`."""

    def __init__(self, path: Path) -> None:
        self._slots, self._lock = Slots(path), FileLock(path.with_name(f"{path.name}.lock"))
        self._last: tuple[str, Marked] | None = None

    def read(self, origin: str) -> Marked | None:
        """What is marked for the log of this origin; None where nothing is."""
        return self._all().get(origin)

    def check(self, state: LogState, root_at: RootAt) -> None:
        """This state goes on from what is marked. Raises Refused `signed_more_already`."""
        _check(self.read(state.origin), state, root_at)

    def move(self, state: LogState, boards: tuple[Witness, ...], root_at: RootAt) -> None:
        """Mark this state, whose head is about to be signed. Raises Refused `signed_more_already`; then nothing moves."""
        fresh = Marked(state.size, state.root, boards)
        with self._lock.held():
            marked = self._all()
            known = marked.get(state.origin)
            if known == fresh:
                return
            grown = (state.origin, known) == self._last and known is not None and state.size > known.size
            if not grown:  # what this process has marked itself it has grown from since
                _check(known, state, root_at)
            self._slots.write(_text(marked | {state.origin: fresh}))
        self._last = (state.origin, fresh)

    def _all(self) -> dict[str, Marked]:
        try:
            data = self._slots.read()
            if data is None:
                return {}
            told = json.loads(data)
            if told["version"] != VERSION:
                raise ValueError("of another release")
            return {origin: _marked(one) for origin, one in told["logs"].items()}
        except (ValueError, KeyError, TypeError, AttributeError, NoteError) as error:
            raise _damaged() from error


def roots_of(log: LogStore) -> RootAt:
    """By the log's tiles."""
    return lambda size: root(size, subtree_from_tiles(reader(log), size))


def boards_in_force(store: EventStore) -> tuple[Witness, ...]:
    """The boards of the newest policy on record, with their URLs where its text is there."""
    adopted = [one for one in store.load(LOG) if one.type == PolicyAdopted.TYPE]
    if not adopted:
        return ()
    event: PolicyAdopted = decode(PolicyAdopted.TYPE, adopted[-1].body).pub
    text = store.text(event.digest)
    if text is not None:
        return Policy.parse(text).witnesses
    return tuple(Witness(one.name, VerifierKey.parse(one.vkey)) for one in event.witnesses)


def _check(known: Marked | None, state: LogState, root_at: RootAt) -> None:
    if known is None:
        return
    if known.size > state.size:
        what = f"this log holds {state.size}"
    elif root_at(known.size) != known.root:
        what = "this log holds others"
    else:
        return
    raise Refused(
        "signed_more_already",
        f"The key of {state.origin} has signed {known.size} leaves, and {what}: restore the newer record and log"
        " (huiyin restore), or the log alone by a board's bundle (huiyin log recover). If they are lost, tell the boards and"
        " open a new log that names this one (huiyin log open --after).",
    )


def _text(marked: dict[str, Marked]) -> bytes:
    logs = {
        origin: {
            "size": one.size, "root": to_base64(one.root),
            "boards": [{"name": each.name, "vkey": str(each.vkey), "url": each.url} for each in one.boards],
        }
        for origin, one in sorted(marked.items())
    }  # fmt: skip
    return json.dumps({"version": VERSION, "logs": logs}, ensure_ascii=False).encode()


def _marked(told: dict[str, Any]) -> Marked:
    size = told["size"]
    if type(size) is not int or size < 1:
        raise ValueError("a mark is a size, a root and boards")
    boards = (Witness(one["name"], VerifierKey.parse(one["vkey"]), one["url"]) for one in told["boards"])
    return Marked(size, hash_from_base64(told["root"]), tuple(boards))


def _damaged() -> Refused:
    return Refused(
        "mark_damaged",
        f"Bring back {MARK} from its copy. If there is none, ask every board how far it has cosigned (huiyin log policy"
        " show); only if none is ahead of this log, remove the file.",
    )
