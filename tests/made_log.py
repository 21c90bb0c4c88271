"""A log of any size, grown, signed and cosigned as the sealer and the boards do it, without the events of a district."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.log import open_log
from adapters.log.growing import grown, tip_of
from adapters.log.store import Head, LogStore
from domain.log.checkpoint import Checkpoint
from domain.log.cosignature import cosign
from domain.log.notes import (
    ED25519,
    ED25519_COSIGNATURE,
    Sign,
    VerifierKey,
    format_note,
    parse_note,
    sign_note,
)
from workflows.ports import Stored

ORIGIN = "huiyin.local/450305"
BOARDS = ("ombudsman.example/w1", "court.example/w1", "council.example/w1", "press.example/w1")
AT = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Key:
    """A key pair under a name."""

    public: VerifierKey
    sign: Sign


def key(name: str, algorithm: int = ED25519, salt: str = "") -> Key:
    """The key of this name: the same each time, so that a failure can be looked at again; another with a `salt`."""
    private = Ed25519PrivateKey.from_private_bytes(sha256(f"{salt}{name}".encode()).digest())
    return Key(VerifierKey.of(name, algorithm, private.public_key().public_bytes_raw()), private.sign)


LOG_KEY = key(ORIGIN)
RECEIPT_KEY = key(f"{ORIGIN}/receipts")
BOARD_KEYS = tuple(key(name, ED25519_COSIGNATURE) for name in BOARDS)


def event(position: int) -> Stored:
    """An event of a stream of its own, with a body that a leaf can be made of."""
    body = b'{"_sd":[],"nonce":"%032x","type":"made_up.v1"}' % position
    return Stored(position, f"stream-{position}", 1, "made_up.v1", body)


def grow(log: LogStore, size: int) -> None:
    """Let the log have so many leaves."""
    tip = tip_of(log)
    while tip.state.size < size:
        before, count = tip.state, min(20_000, size - tip.state.size)
        positions = range(2 * before.size + 1, 2 * (before.size + count) + 1, 2)  # with gaps
        made = grown(tip, [event(position) for position in positions], lambda _: {})
        log.append(before, made.growth)
        tip = made.tip


def sign_head(log: LogStore, boards: int = 0) -> Head:
    """Sign the log as it stands; the first so many boards cosign, and that is a quorum."""
    state = log.state()
    text = Checkpoint(ORIGIN, state.size, state.root).text
    log.save_head(
        Head(state.size, state.root, format_note(sign_note(text, LOG_KEY.public, LOG_KEY.sign)), AT)
    )
    lines = [
        str(cosign(text, one.public, int(AT.timestamp()), one.sign)).rstrip("\n")
        for one in BOARD_KEYS[:boards]
    ]
    if lines:
        log.add_cosignatures(state.size, lines, quorum_at=AT)
    found = log.head_at(state.size)
    assert found is not None
    assert len(parse_note(found.note).signatures) == 1 + boards
    return found


def policy(*boards: int, least: int | None = None, log: VerifierKey = LOG_KEY.public) -> str:
    """A policy that trusts the log and asks for so many of these boards, all of them where nothing is said."""
    named = [f"witness b{each} {BOARD_KEYS[each].public}" for each in boards]
    group = (
        [f"group boards {least or len(boards)} " + " ".join(f"b{each}" for each in boards)] if boards else []
    )
    return "\n".join([f"log {log}", *named, *group, f"quorum {'boards' if boards else 'none'}", ""])


@contextmanager
def made_log(folder: Path, size: int, boards: int = 0) -> Iterator[LogStore]:
    """A log in this folder, grown and signed."""
    log = open_log(str(folder / "log.db"))
    try:
        grow(log, size)
        sign_head(log, boards)
        yield log
    finally:
        log.close()
