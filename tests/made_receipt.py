"""A receipt as a resident holds it, made without a store: a matter's first event, its promise, its proof."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.receipt.promise import promised
from domain.event import canonical
from domain.log.checkpoint import Checkpoint
from domain.log.cosignature import cosign
from domain.log.leaf import leaf
from domain.log.notes import Note, sign_note
from domain.log.proof import Proof, format_proof
from domain.log.tree import inclusion, leaf_hash, root
from tests.made_log import AT, BOARD_KEYS, LOG_KEY, ORIGIN, RECEIPT_KEY, Key
from tests.small_tree import subtree_of
from workflows.ports import Stored

NUMBER, RECORDED = "450305-20261123-7KQ2MWX", "2026-11-23T01:02:03.000004Z"


def first(position: int = 7, **pub: object) -> Stored:
    """A matter's first event as stored."""
    body = {
        "_sd": ["d9f"], "nonce": "00ff", "person": "someone", "pub": {"number": NUMBER, "kind": "hazard", **pub},
        "recorded_at": RECORDED, "type": "matter_registered.v1",
    }  # fmt: skip
    return Stored(position, "a-stream", 1, "matter_registered.v1", canonical(body))


def promise_for(event: Stored, hours: int = 24) -> str:
    return promised(event, RECEIPT_KEY.public, RECEIPT_KEY.sign, hours)


def head(size: int, hashed: bytes, *boards: int, log: Key = LOG_KEY, origin: str = ORIGIN) -> Note:
    """A head signed by the log and cosigned by these boards."""
    note = sign_note(Checkpoint(origin, size, hashed).text, log.public, log.sign)
    at = int(AT.timestamp())
    return note.plus(*(cosign(note.text, BOARD_KEYS[b].public, at, BOARD_KEYS[b].sign) for b in boards))


@dataclass(frozen=True)
class Receipt:
    """The parts of a receipt and the file that they make."""

    event: Stored
    promise: str
    leaf: bytes
    index: int
    hashes: tuple[bytes, ...]
    note: Note

    @property
    def file(self) -> str:
        return self.proof(self.promise)

    def proof(self, extra: str | None) -> str:
        """The file with another extra line, or none."""
        return format_proof(
            Proof(self.index, self.hashes, self.note, None if extra is None else extra.encode())
        )


def receipt(*boards: int, size: int = 100, index: int = 41, log: Key = LOG_KEY) -> Receipt:
    """A receipt under a head of so many leaves, cosigned by these boards."""
    event = first()
    made = leaf(event.body, event.position, 1, None)
    tree = subtree_of([leaf_hash(made if at == index else b"%d" % at) for at in range(size)])
    note = head(size, root(size, tree), *boards, log=log, origin=log.public.name)
    return Receipt(event, promise_for(event), made, index, tuple(inclusion(index, size, tree)), note)
