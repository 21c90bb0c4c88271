"""The port LogStore over a database's tables; see adapters.log.store for what each method promises."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from adapters.failpoint import failpoint
from adapters.log.database import Database, Work
from adapters.log.packing import completes, packed
from adapters.log.store import Growth, Head, LogState, StreamHead
from adapters.store.moment import as_microseconds, as_moment
from domain.log.leaf import unleaf
from domain.log.tiles import ENTRIES, WIDTH, decode_entries, encode_entries
from domain.log.tree import EMPTY_ROOT, HASH_BYTES
from domain.refusal import Conflict, Refused

NOTHING = LogState("", 0, 0, EMPTY_ROOT, "")
"""The state of a log that has not been opened yet."""

_STATE = "SELECT origin, size, position, root, epoch FROM state"
_HEAD = "SELECT size, root, note, signed_at, cosigned_at FROM heads"
_GROWS = (
    "ON CONFLICT (level, tile_index) DO UPDATE SET hashes = excluded.hashes"
    " WHERE substr(excluded.hashes, 1, length(tiles.hashes)) = tiles.hashes"
)
_MOVES = (
    "ON CONFLICT (stream) DO UPDATE SET version = excluded.version, leaf_index = excluded.leaf_index,"
    " hash = excluded.hash"
)


def log_damaged(what: str) -> Refused:
    """The refusal for rows of the log that contradict each other."""
    return Refused(
        "log_damaged",
        f"Restore the log from its backup or by a board's bundle (huiyin log recover): {what}; sign nothing more.",
    )


class LogRows:
    """The port LogStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- what there is ------------------------------------------------------------------------------------------------

    def state(self) -> LogState:
        """How far the log has come."""
        rows = self._database.rows(_STATE)
        return LogState(*rows[0]) if rows else NOTHING

    def tile(self, level: int, index: int, width: int = WIDTH) -> bytes | None:
        """A tile, or a bundle for level -1."""
        if not (level >= ENTRIES and index >= 0 and 1 <= width <= WIDTH):
            return None
        # Full first: it may be completed between the two looks, never the other way round.
        return (
            self._kept(level, index, width)
            or self._waiting(level, index, width)
            or self._kept(level, index, width)
        )

    def leaf(self, index: int) -> bytes:
        """One leaf."""
        return next(self.leaves(index, index + 1))

    def leaves(self, start: int, stop: int) -> Iterator[bytes]:
        """Leaves in order."""
        if not 0 <= start <= stop:
            raise IndexError(f"there is no leaf {start}")
        while start < stop:
            bundle, first = divmod(start, WIDTH)
            wanted = min(WIDTH, first + stop - start)
            data = self.tile(ENTRIES, bundle, wanted)
            if data is None:
                raise IndexError(f"the log ends before leaf {bundle * WIDTH + wanted - 1}")
            yield from decode_entries(data)[first:]
            start = bundle * WIDTH + wanted

    def index_of(self, position: int) -> int | None:
        """Where an event stands."""
        for look in (self._in_bundle, self._in_tail, self._in_bundle):  # as in `tile`
            if (found := look(position)) is not None:
                return found
        return None

    def stream_head(self, stream: str) -> StreamHead | None:
        """Where a stream stands."""
        return self.stream_heads([stream]).get(stream)

    def stream_heads(self, streams: Sequence[str]) -> dict[str, StreamHead]:
        """Where streams stand."""
        return {stream: StreamHead(*rest) for stream, *rest in self._database.streams(streams)}

    # -- growing ------------------------------------------------------------------------------------------------------

    def append(self, before: LogState, growth: Growth) -> None:
        """All rows of a growth, or none."""
        with self._database.transaction() as work:
            failpoint("log.after_begin")
            _move(work, before, growth.after)
            failpoint("log.after_state")
            _write(work, before.size, growth)
            failpoint("log.before_commit")
        failpoint("log.after_commit")

    def adopt(self, before: LogState, epoch: str) -> None:
        """Another life of the store."""
        with self._database.transaction() as work:
            _move(work, before, before._replace(epoch=epoch))

    def leader(self, consumer: str) -> AbstractContextManager[bool]:
        """One process at a time."""
        if not consumer.replace("-", "").replace("_", "").isalnum():
            raise ValueError("a consumer's name is letters, digits, - and _")
        return self._database.leader(consumer)

    # -- heads --------------------------------------------------------------------------------------------------------

    def save_head(self, head: Head) -> None:
        """A signed head."""
        with self._database.transaction() as work:
            # The state's row is locked, so that nobody else appends or signs until this head stands.
            state = LogState(*(work.rows(f"{_STATE} FOR UPDATE") or [NOTHING])[0])
            newest = work.rows(f"{_HEAD} ORDER BY size DESC LIMIT 1")
            if newest and _is_known(head, _head(newest[0])):
                return
            if (state.size, state.root) != (head.size, head.root):
                raise Conflict(f"the log does not stand at {head.size}")
            work.run("INSERT INTO heads (size, root, note, signed_at) VALUES (?, ?, ?, ?)", *_values(head))
            failpoint("log.after_head")
        failpoint("log.after_head_commit")

    def head(self) -> Head | None:
        """The newest head."""
        return self._one_head("ORDER BY size DESC LIMIT 1")

    def head_at(self, size: int) -> Head | None:
        """The head of one size."""
        return self._one_head("WHERE size = ?", size)

    def cosigned(self) -> Head | None:
        """The newest head with a quorum."""
        return self._one_head("WHERE cosigned_at IS NOT NULL ORDER BY size DESC LIMIT 1")

    def heads(self, after: int = 0, limit: int = 1000) -> list[Head]:
        """Heads in order."""
        rows = self._database.rows(f"{_HEAD} WHERE size > ? ORDER BY size LIMIT ?", after, limit)
        return [_head(row) for row in rows]

    def covering(self, index: int, *, cosigned: bool = True) -> Head | None:
        """The first head over a leaf."""
        wanted = "WHERE size > ? AND cosigned_at IS NOT NULL" if cosigned else "WHERE size > ?"
        return self._one_head(f"{wanted} ORDER BY size LIMIT 1", index)

    def add_cosignatures(self, size: int, lines: Sequence[str], *, quorum_at: datetime | None = None) -> None:
        """More signature lines."""
        with self._database.transaction() as work:
            rows = work.rows(f"{_HEAD} WHERE size = ? FOR UPDATE", size)
            if not rows:
                raise Refused(
                    "no_such_head", f"Cosign a head that this log has signed: there is none of size {size}."
                )
            head = _head(rows[0])
            known = set(head.note.splitlines())
            added = "".join(f"{line}\n" for line in dict.fromkeys(lines) if line not in known)
            at = head.cosigned_at or quorum_at
            work.run(
                "UPDATE heads SET note = ?, cosigned_at = ? WHERE size = ?",
                *(head.note + added, None if at is None else as_microseconds(at), size),
            )
            failpoint("log.after_cosignatures")

    # -- notes --------------------------------------------------------------------------------------------------------

    def meta(self, name: str) -> str | None:
        """A small note."""
        rows = self._database.rows("SELECT value FROM meta WHERE name = ?", name)
        return rows[0][0] if rows else None

    def set_meta(self, name: str, value: str | None) -> None:
        """Write or remove it."""
        with self._database.transaction() as work:
            work.run("DELETE FROM meta WHERE name = ?", name)
            if value is not None:
                work.run("INSERT INTO meta (name, value) VALUES (?, ?)", name, value)

    def close(self) -> None:
        """Let go."""
        self._database.close()

    # -- reading ------------------------------------------------------------------------------------------------------

    def _kept(self, level: int, index: int, width: int) -> bytes | None:
        """From a full bundle, or a tile as wide as it is by now."""
        if level == ENTRIES:
            rows = self._database.rows("SELECT entries FROM bundles WHERE tile_index = ?", index)
            if not rows or width == WIDTH:
                return rows[0][0] if rows else None
            return encode_entries(decode_entries(rows[0][0])[:width])
        rows = self._database.rows(
            "SELECT hashes FROM tiles WHERE level = ? AND tile_index = ?", level, index
        )
        if not rows or len(rows[0][0]) < width * HASH_BYTES:
            return None
        found: bytes = rows[0][0][: width * HASH_BYTES]
        return found

    def _waiting(self, level: int, index: int, width: int) -> bytes | None:
        """From the leaves that wait for their bundle."""
        if level > 0:
            return None
        first, column = index * WIDTH, "leaf" if level == ENTRIES else "hash"
        rows = self._database.rows(
            f"SELECT {column} FROM tail WHERE leaf_index >= ? AND leaf_index < ? ORDER BY leaf_index",
            *(first, first + width),
        )
        if len(rows) < width:
            return None
        return (
            encode_entries([row[0] for row in rows]) if level == ENTRIES else b"".join(row[0] for row in rows)
        )

    def _in_tail(self, position: int) -> int | None:
        rows = self._database.rows("SELECT leaf_index FROM tail WHERE position = ?", position)
        return rows[0][0] if rows else None

    def _in_bundle(self, position: int) -> int | None:
        rows = self._database.rows(
            "SELECT tile_index, entries FROM bundles WHERE first_position <= ?"
            " ORDER BY first_position DESC LIMIT 1",
            position,
        )
        if not rows:
            return None
        positions = [unleaf(leaf).position for leaf in decode_entries(rows[0][1])]
        return rows[0][0] * WIDTH + positions.index(position) if position in positions else None

    def _one_head(self, wanted: str, *parameters: object) -> Head | None:
        rows = self._database.rows(f"{_HEAD} {wanted}", *parameters)
        return _head(rows[0]) if rows else None


def _move(work: Work, before: LogState, after: LogState) -> None:
    """Compare and set the state; its row stays locked to the end of the transaction."""
    if before == NOTHING:
        moved = work.run("INSERT INTO state VALUES (1, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", *after)
    else:
        moved = work.run(
            "UPDATE state SET origin = ?, size = ?, position = ?, root = ?, epoch = ?"
            " WHERE origin = ? AND size = ? AND position = ? AND root = ? AND epoch = ?",
            *(*after, *before),
        )
    if moved != 1:
        raise Conflict(f"the log does not stand at {before.size}")


def _write(work: Work, size: int, growth: Growth) -> None:
    waiting = []
    if completes(size, len(growth.leaves)):
        waiting = work.rows("SELECT leaf_index, position, hash, leaf FROM tail ORDER BY leaf_index")
        if len(waiting) != size % WIDTH:
            raise log_damaged("leaves are missing from its tail")
    made = packed(size, waiting, growth)
    if made.bundles:
        work.run("DELETE FROM tail WHERE leaf_index < ?", made.keep)
        work.add("bundles", made.bundles)
        failpoint("log.after_bundles")
    work.add("tail", made.tail)
    failpoint("log.after_tail")
    if made.tiles and work.add("tiles", made.tiles, _GROWS) != len(made.tiles):
        raise log_damaged("a tile is not the beginning of its wider form")
    failpoint("log.after_tiles")
    work.add("streams", growth.streams, _MOVES)


def _is_known(head: Head, newest: Head) -> bool:
    """Whether it is the newest head. Raises Refused for another head of that size, and for a smaller one."""
    if head.size > newest.size:
        return False
    if head.size < newest.size:
        raise Refused(
            "head_goes_back",
            f"Sign nothing below size {newest.size}, which has been signed: was an old log restored?",
        )
    if head.root != newest.root:
        raise Refused(
            "second_head", f"Never sign size {head.size} twice: it has been signed with another root."
        )
    return True


def _head(row: Any) -> Head:
    size, root, note, signed_at, cosigned_at = row
    return Head(
        size, root, note, as_moment(signed_at), None if cosigned_at is None else as_moment(cosigned_at)
    )


def _values(head: Head) -> tuple[object, ...]:
    return head.size, head.root, head.note, as_microseconds(head.signed_at)
