"""A log beside a store: what the tests of the evidence log open, fill and seal."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from adapters.log import open_log
from adapters.log.genesis import Opening
from adapters.log.keys import LOG_KEY, RECEIPT_KEY, make_log_keys, open_signer, public_key
from adapters.log.mark import MARK, Mark
from adapters.log.sealer import Ahead, Sealer, nobody
from adapters.log.store import LogStore
from domain.log.leaf import Unleafed, leaf, unleaf
from domain.log.notes import VerifierKey
from domain.log.tree import leaf_hash
from domain.refusal import Unavailable
from tests.contract.store_world import events, opened
from workflows.ports import Append, Batch, EventStore

ORIGIN = "huiyin.test/000000"


def log_url(store_url: str) -> str:
    """Beside the store: a file of its own, or a schema of the same database."""
    return store_url if store_url.startswith("postgresql") else str(Path(store_url).with_name("log.db"))


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class LogWorld:
    """A store, its log and the keys, in one folder; `clock` may be set to anything."""

    store_url: str
    keys: Path
    store: EventStore
    log: LogStore
    clock: Callable[[], datetime] = now
    versions: dict[str, int] = field(default_factory=dict)

    def sealer(self, ahead: Ahead = nobody, log: LogStore | None = None) -> Sealer:
        """A sealer that has not been asked anything yet."""
        opening = Opening(ORIGIN, public_key(self.keys / RECEIPT_KEY), 24, "test")
        signer = open_signer(self.keys / LOG_KEY)
        return Sealer(self.store, log or self.log, signer, Mark(self.keys / MARK), opening, self.clock, ahead)

    def add(self, *streams: str) -> None:
        """One event more for each of these streams, in this order."""
        for stream in streams:
            after = self.versions.get(stream, 0)
            self.store.append(Batch((Append(stream, after, events()),), datetime.now(UTC)))
            self.versions[stream] = after + 1

    def sealed(self, batch: int = 4096, sealer: Sealer | None = None) -> Sealer:
        """Everything that the store holds, sealed in batches of this size; gives the sealer."""
        sealer = sealer or self.sealer()
        seal_all(self.store, sealer, itertools.repeat(batch))
        return sealer

    def leaves(self) -> list[Unleafed]:
        """All leaves after the genesis."""
        return [unleaf(each) for each in self.log.leaves(1, self.log.state().size)]


class Deaf:
    """A signer behind which the module does not answer (an HSM that is out of reach)."""

    def __init__(self, vkey: VerifierKey) -> None:
        self.vkey = vkey

    def sign(self, message: bytes) -> bytes:
        raise Unavailable("the module does not answer")


def seal_all(store: EventStore, sealer: Sealer, sizes: Iterator[int]) -> None:
    """Seal what there is, in batches of these sizes."""
    after = sealer.position()
    for size in sizes:
        batch = store.read(after, size)
        if not batch:
            return
        sealer.seal(batch)
        after = batch[-1].position


def expected(store: EventStore) -> list[Unleafed]:
    """What the leaves after the genesis must be, worked out from the store alone."""
    made, last = [], dict[str, bytes]()
    for stored in store.read(0, 1_000_000):
        made.append(Unleafed(stored.body, stored.position, stored.version, last.get(stored.stream)))
        last[stored.stream] = leaf_hash(leaf(*made[-1]))
    return made


@contextmanager
def log_world(store_url: str, folder: Path) -> Iterator[LogWorld]:
    """An empty store with an empty log, and keys in `folder`."""
    make_log_keys(folder / "log-keys", ORIGIN)
    store, log = opened(store_url), open_log(log_url(store_url))
    try:
        yield LogWorld(store_url, folder / "log-keys", store, log)
    finally:
        store.close()
        log.close()


def hashes_of(leaves: Sequence[bytes]) -> list[bytes]:
    return [leaf_hash(each) for each in leaves]
