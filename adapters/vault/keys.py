"""Data keys: one per person per case, wrapped for their holder, destroyed for good."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple, Protocol

from adapters.vault.masters import HOLDERS, KEY_BYTES, Masters, master_key_differs
from domain.refusal import NotFound, Refused
from workflows.ports import OnRecord

LOCKED = ".locked"
"""What stands behind a holder's name where the key is locked; the wrapping is the holder's, as it was."""

KEPT = "kept up to"
"""The note of how far the record's events have been carried out: the store's epoch, a space and the position."""


class KeyRow(NamedTuple):
    """A data key as stored; `wrapped` is None once it was destroyed, which stays as a tombstone."""

    stream: str
    subject: str
    holder: str
    wrapped: bytes | None

    @property
    def master(self) -> str:
        """The holder under whose master key it is wrapped."""
        return self.holder.removesuffix(LOCKED)

    @property
    def locked(self) -> bool:
        """Whether it is kept and not used."""
        return self.wrapped is not None and self.holder.endswith(LOCKED)


class KeyTable(Protocol):
    """What a database does for the key store. Every method may raise domain.refusal.Unavailable."""

    def rows(self, stream: str) -> list[KeyRow]:
        """All keys and tombstones of a case."""
        ...

    def row(self, stream: str, subject: str) -> KeyRow | None:
        """One key or tombstone."""
        ...

    def rows_of(self, subjects: Sequence[tuple[str, str]]) -> list[KeyRow]:
        """The keys and tombstones of these (stream, subject), in any order."""
        ...

    def emptied(self) -> list[str]:
        """The cases with a tombstone, in any order."""
        ...

    def insert(self, rows: Sequence[KeyRow]) -> int:
        """Add rows where there are none, durably; returns how many were added."""
        ...

    def destroy(self, stream: str, subject: str | None) -> int:
        """Turn a key, or all keys of the case, into tombstones; remove what is left of them on disk.

        A person named without a key gets a tombstone that is not counted.
        """
        ...

    def exchange(self, stream: str, change: Callable[[KeyRow], KeyRow]) -> int:
        """Replace the keys of a case in one transaction by what `change` makes of them; returns how many it changed.

        `change` is called when nobody else can change them. What is left of wrappings on disk is removed as `destroy` does.
        """
        ...

    def secret(self, name: str, wrapped: bytes | None = None) -> bytes | None:
        """A wrapped secret of the whole store; `wrapped` is stored first, durably, where there is none."""
        ...

    def note(self, name: str, value: bytes) -> None:
        """Write beside the secrets what is none, over what stands there."""
        ...

    def close(self) -> None:
        """Let go of the connections."""
        ...


class Keys:
    """The port KeyStore over a table; nothing is cached: a key destroyed elsewhere opens nothing here."""

    def __init__(self, table: KeyTable, masters: Masters) -> None:
        """Raises Refused("master_key_differs", …) if the master keys are not those of this store."""
        self._table = table
        self._masters = masters
        self._pepper: bytes | None = None
        for holder in HOLDERS:
            if masters.has(holder):
                self._check_master(holder)

    def key(
        self,
        stream: str,
        subject: str,
        *,
        create: bool = False,
        holder: str = "ordinary",
        locked: bool = False,
    ) -> bytes | None:
        """The key of a person in a case; None if destroyed, unknown, another holder's, or locked without `locked`."""
        row = self._table.row(stream, subject)
        if row is not None:
            return self._open(row, create, holder, locked)
        return self.create([(stream, subject)], holder=holder)[stream, subject] if create else None

    def create(
        self, subjects: Iterable[tuple[str, str]], *, holder: str = "ordinary", fresh: bool = False
    ) -> dict[tuple[str, str], bytes]:
        """The keys of many (stream, subject), made where there are none, in one durable write.

        `fresh`: there will be none yet, and they are made first; those that are there after all are read then.
        """
        wanted = list(dict.fromkeys(subjects))
        if not wanted:
            return {}
        rows = {} if fresh else self._stored(wanted)
        missing = [each for each in wanted if each not in rows]
        made = {each: self._fresh(*each, holder) for each in missing}
        if made and self._table.insert(list(made.values())) < len(made):
            made = self._stored(missing)  # another process was faster: its keys, or tombstones
        rows |= made
        keys = {}
        for subject in wanted:
            key = self._open(rows[subject], True, holder) if subject in rows else None
            if key is None:
                raise _erased()
            keys[subject] = key
        return keys

    def usable(self, subjects: Iterable[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
        """The ordinary holder's keys of many (stream, subject), without those destroyed, locked or handed over."""
        unwrap = self._masters.unwrap
        return {
            (stream, subject): unwrap("ordinary", wrapped, _label(stream, subject, "ordinary"))
            for stream, subject, holder, wrapped in self._table.rows_of(list(dict.fromkeys(subjects)))
            if wrapped is not None and holder == "ordinary"
        }

    def destroy(self, stream: str, subject: str | None = None) -> int:
        """Destroy one person's key in a case, or all keys of the case; returns how many."""
        return self._table.destroy(stream, subject)

    def lock(self, stream: str, subject: str | None = None, on_record: OnRecord | None = None) -> int:
        """Lock one person's key in a case, or all keys of the case, as far as the record says; returns how many."""

        def shut(row: KeyRow) -> KeyRow:
            wanted = subject in (None, row.subject) and (on_record is None or on_record(row.subject))
            return row._replace(holder=row.master + LOCKED) if wanted else row

        return self._table.exchange(stream, shut)

    def locked(self, stream: str) -> frozenset[str]:
        """The persons whose keys in the case are locked."""
        return frozenset(row.subject for row in self._table.rows(stream) if row.locked)

    def unlock(
        self,
        stream: str,
        subject: str | None = None,
        still: Collection[str] = (),
        on_record: OnRecord | None = None,
    ) -> int:
        """Undo a lock, but for the persons in `still`, and those locked on record; returns how many keys open again."""

        def opened(row: KeyRow) -> KeyRow:
            stays = row.subject in still or (on_record is not None and on_record(row.subject))
            return row._replace(holder=row.master) if subject in (None, row.subject) and not stays else row

        return self._table.exchange(stream, opened)

    def erased(self) -> list[str]:
        """The cases of which some key was destroyed."""
        return self._table.emptied()

    def rewrap(self, stream: str, holder: str) -> int:
        """Hand the keys of a case to another holder, locked ones as locked ones; returns how many."""
        self._masters.fingerprint(holder)  # refuse before anything is touched

        def handed(row: KeyRow) -> KeyRow:
            assert row.wrapped is not None
            key = self._masters.unwrap(row.master, row.wrapped, _label(row.stream, row.subject, row.master))
            wrapped = self._masters.wrap(holder, key, _label(row.stream, row.subject, holder))
            return row._replace(holder=holder + (LOCKED if row.locked else ""), wrapped=wrapped)

        return self._table.exchange(stream, handed)

    def holds(self, holder: str) -> bool:
        """Whether this process has the holder's master key."""
        return self._masters.has(holder)

    def pepper(self) -> bytes:
        """The secret under which outside numbers are HMACed; made at its first use, and the same for ever."""
        if self._pepper is None:
            self._pepper = self._stored_pepper()
        return self._pepper

    def kept_up_to(self, epoch: str) -> int:
        """The position up to which these keys are as the record's events say."""
        life, _, position = (self._table.secret(KEPT) or b"").decode("ascii").partition(" ")
        return int(position) if life == epoch else 0

    def keep_up_to(self, epoch: str, position: int) -> None:
        """Note that everything up to this position has been carried out."""
        self._table.note(KEPT, f"{epoch} {position}".encode("ascii"))

    def _stored_pepper(self) -> bytes:
        wrapped = self._table.secret("pepper")
        if wrapped is None:
            fresh = self._masters.wrap("ordinary", secrets.token_bytes(KEY_BYTES), "pepper")
            wrapped = self._table.secret("pepper", fresh)
        assert wrapped is not None
        return self._masters.unwrap("ordinary", wrapped, "pepper")

    def close(self) -> None:
        """Let go of the connections."""
        self._table.close()

    def _open(self, row: KeyRow, create: bool, holder: str, locked: bool = False) -> bytes | None:
        if row.wrapped is None:
            if create:
                raise _erased()
            return None
        if row.master != holder:
            if create:  # a diverted case looks like one that does not exist
                raise NotFound
            return None
        if row.locked and not locked:
            if create:
                raise Refused(
                    "locked", "This person's data in this case are locked: nothing is added to them."
                )
            return None
        return self._masters.unwrap(holder, row.wrapped, _label(row.stream, row.subject, holder))

    def _stored(self, subjects: Sequence[tuple[str, str]]) -> dict[tuple[str, str], KeyRow]:
        return {(row.stream, row.subject): row for row in self._table.rows_of(subjects)}

    def _fresh(self, stream: str, subject: str, holder: str) -> KeyRow:
        key = secrets.token_bytes(KEY_BYTES)
        return KeyRow(
            stream, subject, holder, self._masters.wrap(holder, key, _label(stream, subject, holder))
        )

    def _check_master(self, holder: str) -> None:
        name = f"fingerprint of {holder}"
        known = self._table.secret(name)
        if known is None:
            known = self._table.secret(name, self._masters.fingerprint(holder).encode())
        if known != self._masters.fingerprint(holder).encode():
            raise master_key_differs(HOLDERS[holder])


def _label(stream: str, subject: str, holder: str) -> str:
    return f"{stream}|{subject}|{holder}"


def _erased() -> Refused:
    return Refused("erased", "This person's data in this case was erased: it is not collected again.")
