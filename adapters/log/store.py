"""The port LogStore: the tiles of the evidence log, how far it has come, and its heads.

The tree is that of RFC 9162 section 2.1, its rows the tiles of C2SP tlog-tiles. Nothing that was written is ever
changed: a tile that is not full yet only gets longer, so that every head ever signed stays provable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from domain.log.tiles import Tile


class LogState(NamedTuple):
    """How far the log has come, as committed.

    `size` leaves under `root` (32 bytes); the last of them is the event at `position` of the event store whose life is
    named `epoch` (0 for the genesis leaf). Before the genesis: size 0, the empty root, origin and epoch "".
    """

    origin: str
    size: int
    position: int
    root: bytes
    epoch: str


@dataclass(frozen=True, slots=True)
class StreamHead:
    """The newest sealed event of a stream: its version, leaf index and leaf hash."""

    version: int
    index: int
    hash: bytes


StreamRow = tuple[str, int, int, bytes]
"""A stream and its newest sealed event: version, leaf index, leaf hash. Plain, since thousands are made at once."""


@dataclass(frozen=True, slots=True)
class Head:
    """A signed head. `note` is the whole checkpoint note (C2SP tlog-checkpoint), with every signature line known.

    `signed_at` (UTC) is when the log signed it; it never falls from one head to the next larger one. `cosigned_at` is
    when a quorum of the policy had cosigned it, None before.
    """

    size: int
    root: bytes
    note: str
    signed_at: datetime
    cosigned_at: datetime | None = None


class Growth(NamedTuple):
    """What one batch adds: `after`, the state it leads to; the new `leaves`, their hashes and their positions in the
    event store, in order; `tiles`, the hash tiles that are new or wider, whole, as domain.log.tiles.grow gives them;
    `streams`, the streams' new heads as (stream, version, leaf index, leaf hash)."""

    after: LogState
    leaves: Sequence[bytes]
    hashes: Sequence[bytes]
    positions: Sequence[int]
    tiles: Sequence[tuple[Tile, bytes]]
    streams: Sequence[StreamRow]


class LogStore(Protocol):
    """The log's rows. One process writes, any number read. Every method may raise domain.refusal.Unavailable."""

    # -- what there is ------------------------------------------------------------------------------------------------

    def state(self) -> LogState:
        """How far the log has come."""
        ...

    def tile(self, level: int, index: int, width: int = 256) -> bytes | None:
        """The tile's bytes: `width` hashes of 32 bytes, or for level -1 the entry bundle of `width` leaves.

        Every width up to the present one can be asked for. None where the log has not come so far.
        """
        ...

    def leaf(self, index: int) -> bytes:
        """The bytes of a leaf. Raises IndexError where there is none."""
        ...

    def leaves(self, start: int, stop: int) -> Iterator[bytes]:
        """The leaves from `start` up to `stop`, in order, read bundle by bundle. Raises IndexError beyond the size."""
        ...

    def index_of(self, position: int) -> int | None:
        """The leaf index of the event at this position of the store, None if it is not sealed."""
        ...

    def stream_head(self, stream: str) -> StreamHead | None:
        """The newest sealed event of a stream, None for a stream without one."""
        ...

    def stream_heads(self, streams: Sequence[str]) -> dict[str, StreamHead]:
        """The same for many streams; those without a sealed event are left out."""
        ...

    # -- growing ------------------------------------------------------------------------------------------------------

    def append(self, before: LogState, growth: Growth) -> None:
        """Write leaves, tiles, streams' heads and state in one transaction.

        Raises domain.refusal.Conflict if the log does not stand at `before`: nothing was written, read it again; and
        Refused "log_damaged" if a tile that stands there is not the beginning of its wider form.
        """
        ...

    def adopt(self, before: LogState, epoch: str) -> None:
        """Go on under a new life of the event store, after a restore that was checked. Raises Conflict as `append`."""
        ...

    def leader(self, consumer: str) -> AbstractContextManager[bool]:
        """Try to lead a consumer that writes here, for as long as the context lasts; the value says whether it does."""
        ...

    # -- heads --------------------------------------------------------------------------------------------------------

    def save_head(self, head: Head) -> None:
        """Keep a head that the log has signed; the same one again changes nothing.

        Raises Conflict if the log does not stand at (size, root) any more, and domain.refusal.Refused "second_head" for
        a size that has a head with another root, "head_goes_back" for a size below the newest head's.
        """
        ...

    def head(self) -> Head | None:
        """The newest head, None before the first."""
        ...

    def head_at(self, size: int) -> Head | None:
        """The head of exactly this size, None if none was signed there."""
        ...

    def cosigned(self) -> Head | None:
        """The newest head that a quorum has cosigned, None before the first."""
        ...

    def heads(self, after: int = 0, limit: int = 1000) -> list[Head]:
        """Heads of sizes above `after`, smallest first."""
        ...

    def covering(self, index: int, *, cosigned: bool = True) -> Head | None:
        """The smallest (cosigned) head that holds the leaf at `index`, None if there is none yet."""
        ...

    def add_cosignatures(self, size: int, lines: Sequence[str], *, quorum_at: datetime | None = None) -> None:
        """Add signature lines ("— name base64", without line end) to the head of this size; known lines are ignored.

        `quorum_at` marks the head as cosigned by a quorum of the policy in force, unless it is already. Raises
        domain.refusal.Refused "no_such_head".
        """
        ...

    # -- notes of the log's own keepers -------------------------------------------------------------------------------

    def meta(self, name: str) -> str | None:
        """A small note by its name, None if there is none. The sealer keeps "trouble" here: "code: advice"."""
        ...

    def set_meta(self, name: str, value: str | None) -> None:
        """Write or (None) remove a note."""
        ...

    def close(self) -> None:
        """Let go of all connections."""
        ...
