"""The bundle as a file: a plain zip, written from front to back, the same bytes for the same log (evidence.md 2.7).

README.txt                 how to check it, in Chinese and English
policy                     who must sign (C2SP tlog-policy); a board goes by its own
checkpoint.old             the head that the board has seen, absent since genesis
log/checkpoint             the head now
log/tile/<L>/….p/<W>       the right edge of the tree at the old head
heads/<size>               heads between, so that each leaf's times are bounded by the boards' clocks
texts/<sha256>             rulebooks and policies that leaves name by their digest
schema.json, rules.json    what the events are, and the process law
census.json                what the event store counts
verify.py, verify.html     copies for convenience; a board uses its own
tsr/<size>.tsr             RFC 3161 time stamps of heads, where somebody had one made
proofs/<index>.tlog-proof  proofs of single leaves, to be handed on; not needed here, where every leaf is
log/tile/entries/…         the leaves; an empty entry stands for one that this board may not read, whose hash is
log/tile/0/…               in the tile of hashes beside it
"""

from __future__ import annotations

import os
import secrets
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from adapters.bundle import papers
from adapters.bundle.census import census
from adapters.bundle.remit import Reads
from adapters.bundle.span import Span, heads_between
from adapters.log.genesis import opened
from adapters.log.growing import reader
from adapters.log.store import LogStore
from domain.event import canonical
from domain.log.leaf import unleaf
from domain.log.tiles import (
    ENTRIES,
    WIDTH,
    Tile,
    decode_entries,
    encode_entries,
    partial_tiles,
    tile_bytes,
    tile_path,
)
from domain.refusal import Unavailable
from workflows.ports import EventStore
from workflows.standing import Standing

Progress = Callable[[int, int], None]
_HERE = Path(__file__).parent
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_STREAM: Final = b'"stream":"'


@dataclass(frozen=True, slots=True)
class Source:
    """What a bundle is made of: the log, the event store, whose leaves the board reads, and what `counts` gave.

    `extras`: members that are taken along as they are.
    """

    log: LogStore
    store: EventStore
    standing: Standing
    reads: Reads
    counted: dict[str, Any]
    extras: tuple[tuple[str, bytes], ...] = ()


def write_bundle(source: Source, span: Span, path: Path, progress: Progress = lambda *_: None) -> None:
    """Write the bundle of a span; it is there whole or not at all. Raises Unavailable."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        with open(fresh, "xb") as file:  # noqa: PTH123 - "xb" refuses a file that is there
            with zipfile.ZipFile(file, "w") as archive:
                for name, data in members(source, span, progress):
                    archive.writestr(_entry(name), data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise Unavailable(f"{path.name} cannot be written: {error.strerror}.") from error
    finally:
        fresh.unlink(missing_ok=True)


def _entry(name: str) -> zipfile.ZipInfo:
    """A member that says nothing of when and where it was written."""
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
    return entry


def members(source: Source, span: Span, progress: Progress) -> Iterator[tuple[str, bytes]]:
    """The files of a bundle, one after the other: never more than one bundle of entries is held."""
    log, store = source.log, source.store
    yield "README.txt", (_HERE / "README.txt").read_bytes()
    yield "policy", papers.policy_text(log, store).encode()
    if span.old is not None:
        yield "checkpoint.old", span.old.note.encode()
    yield "log/checkpoint", span.new.note.encode()
    read = reader(log)
    for tile in partial_tiles(span.start):
        if tile.level != ENTRIES:
            yield f"log/{tile_path(tile)}", tile_bytes(read, tile)
    for head in heads_between(log, span, _delay(source)):
        yield f"heads/{head.size}", head.note.encode()
    for digest, text in papers.texts(store).items():
        yield f"texts/{digest}", text.encode()
    yield "schema.json", canonical(papers.schema())
    yield "rules.json", canonical(papers.law(store, _position(log, span.new.size - 1)))
    yield "census.json", canonical(source.counted)
    for verifier in ("verify.py", "verify.html"):
        yield verifier, (_HERE / verifier).read_bytes()
    yield from sorted(dict(source.extras).items())
    yield from _entries(source, span, progress)


def _delay(source: Source) -> timedelta:
    policy = source.standing.cosigning.policy
    return policy.delay if policy is not None else timedelta(hours=opened(source.log).delay_hours)


def counts(log: LogStore, store: EventStore, span: Span, reads: Reads) -> dict[str, Any]:
    """census.json of a span. Raises Unavailable."""
    first = 0 if span.old is None else _position(log, span.start - 1)
    last = _position(log, span.new.size - 1)
    return census(store, first, last, reads, opening=span.old is None)


def _position(log: LogStore, index: int) -> int:
    return unleaf(log.leaf(index)).position


def _entries(source: Source, span: Span, progress: Progress) -> Iterator[tuple[str, bytes]]:
    """The bundles of entries from the old head's last one on; beside each that withholds a leaf, its hashes."""
    first, end = span.start // WIDTH, -(-span.new.size // WIDTH)
    read, edge = reader(source.log), {tile_path(tile) for tile in partial_tiles(span.start)}
    for index in range(first, end):
        width = min(WIDTH, span.new.size - index * WIDTH)
        data = read(ENTRIES, index, width)
        leaves = decode_entries(data)
        shown = [leaf if source.reads(stream_of(leaf)) else b"" for leaf in leaves]
        if not all(shown):
            data, hashes = encode_entries(shown), Tile(0, index, width)
            if tile_path(hashes) not in edge:
                yield f"log/{tile_path(hashes)}", tile_bytes(read, hashes)
        yield f"log/{tile_path(Tile(ENTRIES, index, width))}", data
        progress(index + 1 - first, end - first)


def stream_of(leaf: bytes) -> str:
    """The stream of a leaf, read off its end: its last keys are stream, type and version, and keys are sorted."""
    begins = leaf.rindex(_STREAM) + len(_STREAM)
    return leaf[begins : leaf.index(b'"', begins)].decode()
