"""What the store's tests write: batches with fresh nonces, as `handle` makes them."""

import hashlib
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from adapters.store.postgres import PostgresStore
from adapters.store.sqlite import SqliteStore
from workflows.ports import Answered, Append, Batch, Reference, SealedRow, Text

STORES = ("sqlite", "postgres")


def new_id() -> str:
    return str(uuid.uuid4())


def body(note: str = "") -> bytes:
    return f'{{"_sd":[],"nonce":"{uuid.uuid4().hex}","note":"{note}","type":"matter_noted.v1"}}'.encode()


def events(count: int = 1, note: str = "") -> tuple[tuple[str, bytes], ...]:
    return tuple(("matter_noted.v1", body(note)) for _ in range(count))


def answered(key: str | None = None, client: str = "window", answer: bytes = b"{}") -> Answered:
    return Answered(client, key or new_id(), "0" * 64, new_id(), "accepted", answer, datetime.now(UTC))


def batch(
    *appends: Append,
    key: str | None = None,
    at: datetime | None = None,
    references: Iterable[Reference] = (),
    sealed: Iterable[SealedRow] = (),
    texts: Iterable[Text] = (),
) -> Batch:
    return Batch(
        appends=appends,
        recorded_at=at or datetime.now(UTC),
        answered=answered(key),
        references=tuple(references),
        sealed=tuple(sealed),
        texts=tuple(texts),
    )


def one(stream: str, after: int = 0, count: int = 1, **more: object) -> Batch:
    """A batch of events for one stream."""
    return batch(Append(stream, after, events(count)), **more)  # type: ignore[arg-type]


def sealed_row(stream: str) -> SealedRow:
    return SealedRow(uuid.uuid4().hex, stream, "person", "name", b"ciphertext")


def text(content: str) -> Text:
    return Text(hashlib.sha256(content.encode()).hexdigest(), content)


def opened(url: str) -> SqliteStore | PostgresStore:
    return PostgresStore(url) if url.startswith("postgresql") else SqliteStore(Path(url))
