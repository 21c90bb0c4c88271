"""Leaf 0: what the log is called, who signs it and the receipts, and how soon it promises to be cosigned.

The sealer writes it before the first event. It stands in no event store, so that nobody can give it another place.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from adapters.bundle.rules import rules
from adapters.log.growing import Tip, grown
from adapters.log.rows import NOTHING
from adapters.log.store import Growth, LogStore
from domain.acting import CLOCK
from domain.event import Basis, Recorded, decode, encode
from domain.log.events import LogKeyChanged, LogOpened
from domain.log.leaf import unleaf
from domain.log.notes import VerifierKey
from domain.log.words import GENESIS, LOG
from workflows.ports import EventStore, Stored


@dataclass(frozen=True, slots=True)
class Opening:
    """How a log is to be opened where there is none yet. `code` is the release that opens it.

    `previous_origin` and `previous_head` (the note of its last head) name the log that this one goes on from.
    """

    origin: str
    receipt_key: VerifierKey
    delay_hours: int
    code: str
    previous_origin: str | None = None
    previous_head: str | None = None


def first_growth(opening: Opening, log_key: VerifierKey, epoch: str, moment: datetime) -> tuple[Growth, Tip]:
    """The growth that opens the log under this life of the event store, and the tip that it leads to."""
    return growth_of(encode(_recorded(opening, log_key, epoch, moment)), opening.origin, epoch)


def growth_of(body: bytes, origin: str, epoch: str) -> tuple[Growth, Tip]:
    """The same of an opening as stored in a leaf."""
    unopened = NOTHING._replace(origin=origin, epoch=epoch)
    made = grown(Tip(unopened, (), b""), [Stored(0, GENESIS, 1, LogOpened.TYPE, body)], lambda _: {})
    return made.growth, made.tip


def opened(log: LogStore) -> LogOpened:
    """What leaf 0 says. Raises IndexError before the genesis."""
    recorded: Recorded[LogOpened] = decode(LogOpened.TYPE, unleaf(log.leaf(0)).body)
    return recorded.pub


def key_in_force(log: LogStore, store: EventStore) -> str:
    """The verifier key that signs the log now: the genesis names the first, the log's own stream every later one."""
    return keys_of(opened(log), store)[-1]


def keys_of(opening: LogOpened, store: EventStore) -> list[str]:
    """The verifier keys that have signed the log, that of now last."""
    changed = (one for one in store.load(LOG) if one.type == LogKeyChanged.TYPE)
    return [opening.log_key, *(decode(one.type, one.body).pub.new for one in changed)]


def _recorded(opening: Opening, log_key: VerifierKey, epoch: str, moment: datetime) -> Recorded[LogOpened]:
    event = LogOpened(
        origin=opening.origin, log_key=str(log_key), receipt_key=str(opening.receipt_key),
        delay_hours=opening.delay_hours, store_epoch=epoch, previous_origin=opening.previous_origin,
        previous_head=opening.previous_head, rules=rules()["digest"], census=True,
    )  # fmt: skip
    return Recorded(
        basis=Basis(calendar="", code=opening.code, register=0, rulebook=""), capacity=CLOCK.body,
        command="genesis", correlation=GENESIS, nonce=secrets.token_hex(16), occurred_at=moment, person=CLOCK.person,
        pub=event, recorded_at=moment, rule="genesis", stream=GENESIS, type=LogOpened.TYPE,
    )  # fmt: skip
