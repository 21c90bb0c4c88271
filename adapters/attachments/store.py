"""Where attachments lie: `attachments.db`, or a schema `attachments` of the event store's database.

A file is sealed under the key of the person whom it concerns in that case, the one that seals their other values: an
erasure makes it unreadable, a lock shuts it, a diversion hands it over with the rest. It counts from the act on that
names its digest as evidence; what no act has named within a day is swept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import IO
from uuid import uuid4

from adapters import pieces
from adapters.acts import EVIDENCE
from adapters.arriving import Arriving
from adapters.attachments.kinds import kind_of
from adapters.engine import Engine
from adapters.holding import holding
from adapters.pieces import Incoming, Pieces
from adapters.store.moment import as_microseconds
from adapters.store.tables import open_tables
from domain.matter import Matter
from domain.refusal import NotFound, Refused

UNNAMED = timedelta(hours=24)
"""How long a file waits for the act that names it."""

TABLES = (
    *pieces.TABLES,
    "CREATE TABLE IF NOT EXISTS attachments (upload TEXT PRIMARY KEY, case_id TEXT NOT NULL, digest TEXT NOT NULL,"
    " subject TEXT NOT NULL, kind TEXT NOT NULL, size BIGINT NOT NULL, asked TEXT NOT NULL UNIQUE, made_at BIGINT NOT NULL,"
    " named BIGINT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS attachments_by_case ON attachments (case_id, digest)",
)
NO_FILE = "Check the digest: no act that you may see names a file of this digest."
_COLUMNS = "upload, case_id, digest, subject, kind, size"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file: in which case, its SHA-256 (hex), whom it concerns, its kind (a name of KINDS), its bytes' number."""

    upload: str
    case: str
    digest: str
    subject: str
    kind: str
    size: int


class Attachments:
    """The attachments of a store. Every method may raise domain.refusal.Unavailable."""

    def __init__(self, engine: Engine) -> None:
        url = engine.settings.attachments_url
        self._tables = open_tables(url, "attachments", TABLES)
        self._pieces, self._engine = Pieces(self._tables), engine
        self._arriving = Arriving(self._tables, holding(url, "attachments"))

    def close(self) -> None:
        """Let go of the connections."""
        self._arriving.close()
        self._tables.close()

    def tidy(self) -> None:
        """Let go of what broken-off uploads of processes that are gone have left, as far as that can be done now."""
        self._arriving.tidy()

    def incoming(self, matter: Matter, subject: str) -> Incoming:
        """A file on its way in, about a person of the case; `settle` it in the end, whatever became of it.

        Raises Refused "erased", "locked" where nothing is added to that person's data.
        """
        key = self._engine.keys.create([(matter.id, subject)], holder=_holder(matter))[matter.id, subject]
        most, upload, at = self._engine.settings.attachment_most_bytes, str(uuid4()), self._now()
        self._arriving.begin(upload, at)
        return Incoming(self._pieces, key, upload, most, at)

    def settle(self, coming: Incoming) -> None:
        """Let go of what came, unless it was kept: now, or before the next file comes in where the disk is full."""
        self._arriving.settle(coming.upload)

    def keep(self, matter: Matter, subject: str, coming: Incoming, asked: str) -> tuple[Attachment, bool]:
        """The file is whole: keep it, under what it was asked for by; and whether it was kept before.

        Raises Refused "wrong_file_type", "key_reused".
        """
        coming.end()
        key = self._key(matter, subject)
        if not coming.size:
            raise Refused("wrong_file_type", "Attach a file that holds something.")
        with self._arriving.looked_at():
            kind = kind_of(self._pieces.opened(key, coming.upload, coming.size))
        made = Attachment(coming.upload, matter.id, coming.digest, subject, kind, coming.size)
        kept = self._added(made, asked)
        (row,) = self._tables.rows(f"SELECT {_COLUMNS} FROM attachments WHERE asked = ?", asked)
        before = Attachment(*row)
        if (before.case, before.digest, before.subject) != (made.case, made.digest, made.subject):
            raise Refused(
                "key_reused", "This key was used for another file; give every file a key of its own."
            )
        return before, not kept

    def of(self, case: str, digest: str) -> list[Attachment]:
        """The files of this digest in a case; of one that was sent twice there are several."""
        found = self._tables.rows(
            f"SELECT {_COLUMNS} FROM attachments WHERE case_id = ? AND digest = ? ORDER BY upload",
            case,
            digest,
        )
        return [Attachment(*row) for row in found]

    def opened(self, matter: Matter, one: Attachment) -> IO[bytes]:
        """Its bytes. Raises NotFound where its key is gone, or locked."""
        return self._pieces.opened(self._key(matter, one.subject), one.upload, one.size)

    def sweep(self) -> None:
        """Let go of what no act has named in time, and of pieces that a broken-off upload has left."""
        before = self._now() - UNNAMED // timedelta(microseconds=1)
        unnamed = self._tables.rows(
            f"SELECT {_COLUMNS} FROM attachments WHERE named = 0 AND made_at < ?", before
        )
        for row in unnamed:
            one = Attachment(*row)
            if self._is_named(one):
                self._tables.run("UPDATE attachments SET named = 1 WHERE upload = ?", one.upload)
            else:
                self._tables.run("DELETE FROM attachments WHERE upload = ?", one.upload)
        for upload in self._pieces.uploads(before):
            if not self._tables.rows("SELECT 1 FROM attachments WHERE upload = ?", upload):
                self._pieces.drop(upload)
        self.tidy()

    def _added(self, made: Attachment, asked: str) -> bool:
        """Keep the row of a whole file, unless one was kept under the same key."""
        with self._tables.transaction() as work:
            kept = work.run(
                f"INSERT INTO attachments ({_COLUMNS}, asked, made_at, named) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)"
                " ON CONFLICT (asked) DO NOTHING",
                made.upload, made.case, made.digest, made.subject, made.kind, made.size, asked, self._now(),
            )  # fmt: skip
            if kept:
                self._arriving.keep(work, made.upload)
        return kept > 0

    def _is_named(self, one: Attachment) -> bool:
        """Whether an act of the case names it; nobody is shown anything by this."""
        matter = self._engine.handle.load(one.case)
        if matter is None:
            return False
        values = self._engine.vault.open(one.case, holder=_holder(matter), locked=True)
        return any(value.name == EVIDENCE and value.value == one.digest for value in values)

    def _key(self, matter: Matter, subject: str) -> bytes:
        key = self._engine.keys.key(matter.id, subject, holder=_holder(matter))
        if key is None:
            raise NotFound(NO_FILE)
        return key

    def _now(self) -> int:
        return as_microseconds(self._engine.handle.clock())


def _holder(matter: Matter) -> str:
    return "discipline" if matter.confidential else "ordinary"


@contextmanager
def attachments_of(engine: Engine) -> Iterator[Attachments]:
    """The attachments beside an engine. Raises Unavailable."""
    made = Attachments(engine)
    try:
        made.tidy()
        yield made
    finally:
        made.close()
