"""Ports: what the application needs of the world, as small protocols. Adapters fill them in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Protocol, TypeAlias


class Stored(NamedTuple):
    """One event as stored: `position` orders the store (with gaps), `version` its stream (1, 2, …)."""

    position: int
    stream: str
    version: int
    type: str
    body: bytes


BLINDED = ""
"""What stands for a command's digest once the data of its case, or of a person in it, were erased."""


class Append(NamedTuple):
    """Events for one stream, to follow the version `after` (0 for a new stream); each is (type, body)."""

    stream: str
    after: int
    events: tuple[tuple[str, bytes], ...]

    def rows(self) -> list[Stored]:
        """The events as they will be stored, at no position yet."""
        return [
            Stored(0, self.stream, self.after + number, name, body)
            for number, (name, body) in enumerate(self.events, start=1)
        ]


@dataclass(frozen=True, slots=True)
class Answered:
    """The stored row of a decided command, unique by (client, key).

    `digest` is the SHA-256 (hex) of the command's public body, what it was decided on, and its sealed values under an
    HMAC (of one that was refused they are left out), or BLINDED; `answer` is the JSON of the first answer (outcome, ids,
    version, or the refusal's code and advice), given to repeats.
    """

    client: str
    key: str
    digest: str
    stream: str
    outcome: str
    answer: bytes
    recorded_at: datetime


class Reference(NamedTuple):
    """An outside number of a case: `digest` is its HMAC, so that it can be found again but not guessed."""

    source: str
    digest: str
    stream: str


class SealedRow(NamedTuple):
    """A sealed value as stored: its salted digest stands in the event, the key in the key store."""

    digest: str
    stream: str
    subject: str
    name: str
    ciphertext: bytes


class Text(NamedTuple):
    """A published text (rulebook, notice) kept by its SHA-256 (hex)."""

    digest: str
    text: str


@dataclass(frozen=True, slots=True)
class Batch:
    """All that one command writes, in one transaction or not at all.

    `recorded_at` is the moment set by `handle`: a batch more than one second behind the newest stored event
    is refused with ClockBehind, and where the store has a clock of its own one more than five seconds ahead of it with
    ClockAhead. `answered` is None only for repairs by the store itself. `blinded` names the cases in which something is
    erased: the digests of all their commands so far are blinded with it, those of this batch's own excepted.
    """

    appends: tuple[Append, ...]
    recorded_at: datetime
    answered: Answered | None = None
    references: tuple[Reference, ...] = ()
    sealed: tuple[SealedRow, ...] = ()
    texts: tuple[Text, ...] = ()
    blinded: tuple[str, ...] = ()


class AlreadyAnswered(Exception):
    """A row of this (client, key) exists already: read it and give its answer."""


class ReferenceTaken(Exception):
    """This outside number belongs to a case already: find it and decide again."""


class ClockBehind(Exception):
    """This machine's clock lies more than a second behind the store's newest event."""


class ClockAhead(Exception):
    """This machine's clock lies more than five seconds ahead of the store's own."""


class EventStore(Protocol):
    """The record. Every method may raise domain.refusal.Unavailable: nothing has been done by halves.

    A database that dies in its own commit may have kept the whole batch all the same: the same command handed in
    again then finds its answer (law 3).
    """

    def load(self, stream: str, after: int = 0) -> list[Stored]:
        """The stream's events with a version above `after`, in order; empty for an unknown stream."""
        ...

    def versions(self, streams: Sequence[str]) -> tuple[int, ...]:
        """The newest version of each stream as of one moment, 0 for an unknown one."""
        ...

    def append(self, batch: Batch) -> tuple[int, ...]:
        """Write the batch and return the positions of its events, in the order of `batch.appends`.

        Raises domain.refusal.Conflict (a stream has moved on), AlreadyAnswered, ReferenceTaken, ClockBehind,
        ClockAhead.
        After an ambiguous commit the adapter looks the batch up before it raises. Only where the database died in
        that moment and cannot be asked may a batch stand after Unavailable: the same key then finds its answer.
        """
        ...

    def append_all(self, batches: Sequence[Batch]) -> list[tuple[int, ...] | Exception]:
        """Write many batches in one transaction, each whole or not at all; for imports.

        Gives for each what `append` returns or raises. No batch builds on another one of the same call.
        """
        ...

    def answered(self, client: str, key: str) -> Answered | None:
        """The row of a decided command, or None."""
        ...

    def answers(self, client: str, keys: Sequence[str]) -> dict[str, Answered]:
        """The rows of those of a client's commands that are decided, by their keys, in one look."""
        ...

    def blind(self, streams: Sequence[str], before: datetime | None = None) -> int:
        """Put BLINDED for the digests of the commands of these cases, or of those recorded before a moment; returns how
        many there were. For restores and for erasures by older releases: an append does it with the erasure itself."""
        ...

    def find(self, source: str, digest: str) -> str | None:
        """The stream that an outside number belongs to, or None."""
        ...

    def read(self, after: int, limit: int) -> list[Stored]:
        """Up to `limit` events of all streams above the position `after`, in store order, none left out."""
        ...

    def head(self) -> int:
        """The position of the newest event, 0 for an empty store."""
        ...

    def sealed(self, stream: str) -> list[SealedRow]:
        """The sealed values of a stream that have not been erased."""
        ...

    def text(self, digest: str) -> str | None:
        """A published text by its digest, or None."""
        ...

    def known_at(self, moment: datetime) -> int:
        """The last position recorded by `moment` (aware), 0 if none: known then are the events up to it."""
        ...

    def epoch(self) -> str:
        """A random name of this life of the store; `renew_epoch` gives another one after a restore."""
        ...

    def renew_epoch(self) -> str:
        """Give the store a new epoch, after a restore, and return it."""
        ...

    def wait(self, after: int, timeout: float) -> bool:
        """Whether an event with a position above `after` exists; waits up to `timeout` seconds for one."""
        ...

    def close(self) -> None:
        """Let go of all connections; the store is not used again."""
        ...


class Positions(Protocol):
    """How far each consumer of the log has come (DESIGN.md §6). Every method may raise Unavailable.

    A consumer with rows of its own saves its position in their transaction: see adapters.store.positions.
    """

    def position(self, consumer: str) -> int:
        """The position up to which the consumer has done its work; 0 before it has begun."""
        ...

    def save(self, consumer: str, expected: int, new: int) -> None:
        """Move the consumer from `expected` to `new`; raises domain.refusal.Conflict if it stands elsewhere."""
        ...

    def beginning_with(self, prefix: str) -> dict[str, int]:
        """The consumers whose name begins so and that stand above 0, with their positions."""
        ...

    def leader(self, consumer: str) -> AbstractContextManager[bool]:
        """Try to lead the consumer, for as long as the context lasts; the value says whether it does."""
        ...


OnRecord: TypeAlias = Callable[[str], bool]
"""Whether the record says by now that a person's data in a case are locked."""


class KeyStore(Protocol):
    """Data keys per person per case, in a store of their own with short backups (DESIGN.md laws 9, 10).

    Each key is wrapped for a `holder`: "ordinary", or "discipline" after a diversion. A locked key is kept and not
    used: it seals nothing more, and opens only where that is asked for by name.
    """

    def key(
        self,
        stream: str,
        subject: str,
        *,
        create: bool = False,
        holder: str = "ordinary",
        locked: bool = False,
    ) -> bytes | None:
        """The 32-byte key; with `create` made, and durable before it is returned; with `locked` also a locked one.

        None if it was destroyed, is unknown, locked or another holder's. A destroyed key is never created again: with
        `create` that raises domain.refusal.Refused("erased", …), a locked one Refused("locked", …), and another
        holder's key NotFound.
        """
        ...

    def create(
        self, subjects: Iterable[tuple[str, str]], *, holder: str = "ordinary", fresh: bool = False
    ) -> dict[tuple[str, str], bytes]:
        """The keys of many (stream, subject), made in one durable write where missing; raises as `key`.

        `fresh` says that all will be missing; those that are not are found all the same.
        """
        ...

    def destroy(self, stream: str, subject: str | None = None) -> int:
        """Destroy one person's key in a case, or all keys of the case; returns how many were destroyed.

        A person who had no key in the case gets none any more either.
        """
        ...

    def lock(self, stream: str, subject: str | None = None, on_record: OnRecord | None = None) -> int:
        """Lock one person's key in a case, or all keys of the case; returns how many were locked.

        With `on_record` only the keys of those whose data it says are locked; it is asked when nobody else can change the
        case's keys any more, so that who asks last has seen the newest word.
        """
        ...

    def unlock(
        self,
        stream: str,
        subject: str | None = None,
        still: Collection[str] = (),
        on_record: OnRecord | None = None,
    ) -> int:
        """Undo the lock of one person's key in a case, or of all but those of the persons in `still`; returns how many
        open again. What was destroyed stays so. With `on_record`, asked as in `lock`, none of those that it says are locked."""
        ...

    def locked(self, stream: str) -> frozenset[str]:
        """The persons whose keys in the case are locked, and not destroyed."""
        ...

    def erased(self) -> list[str]:
        """The cases of which some key was destroyed, in any order."""
        ...

    def rewrap(self, stream: str, holder: str) -> int:
        """Hand all keys of a case to another holder and destroy the present wrapping; returns how many."""
        ...

    def holds(self, holder: str) -> bool:
        """Whether this process has the holder's master key: only then can it open or rewrap the holder's keys."""
        ...

    def pepper(self) -> bytes:
        """The 32-byte secret under which outside numbers are HMACed."""
        ...

    def kept_up_to(self, epoch: str) -> int:
        """The position up to which the keys are as the record's events say; 0 in another life of the store.

        It is kept with the keys: a key store that was restored from an older backup tells by it what it missed.
        """
        ...

    def keep_up_to(self, epoch: str, position: int) -> None:
        """Note that everything up to this position has been carried out."""
        ...


Sealable: TypeAlias = str | int | bool | list["Sealable"] | dict[str, "Sealable"] | None
"""What can be sealed: JSON without fractions."""


class Plain(NamedTuple):
    """A value to be sealed: whose case, whose data, which field."""

    stream: str
    subject: str
    name: str
    value: Sealable


class Opened(NamedTuple):
    """A sealed value as read. `value` and `disclosure` (RFC 9901, with its salt) are None unless "open".

    "erased": the key was destroyed, or is another holder's. "locked": it is kept, and opens nothing until it is
    destroyed. "damaged": the bytes are not what was sealed.
    """

    subject: str
    name: str
    value: Sealable
    digest: str
    state: Literal["open", "erased", "locked", "damaged"]
    disclosure: str | None


class Vault(Protocol):
    """Seals values for their events and opens them (law 9). Any method may raise Unavailable."""

    def seal(
        self, stream: str, subject: str, name: str, value: Sealable, *, holder: str = "ordinary"
    ) -> SealedRow:
        """The row to put into the batch; its digest goes into the event. The key is durable by then.

        Raises domain.refusal.Refused "invalid_text" for invalid Unicode, "erased" for an erased person, "locked" for one
        whose data are locked.
        """
        ...

    def seal_all(
        self, values: Iterable[Plain], *, holder: str = "ordinary", fresh: bool = False
    ) -> list[SealedRow]:
        """The rows of many values, in order, with one durable write of keys; `fresh`: they will have none yet."""
        ...

    def open(
        self, stream: str, *, holder: str = "ordinary", locked: bool = False, subject: str | None = None
    ) -> list[Opened]:
        """All sealed values of a case; with `locked` also what is locked, for a body that may see it all the same.

        With `subject` only what is about that person.
        """
        ...
