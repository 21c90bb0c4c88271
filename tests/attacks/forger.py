"""The forger's hand: the log thrown away and sealed anew under the office's own key, the opening kept as it was."""

from __future__ import annotations

from collections.abc import Callable

from adapters.engine import now
from adapters.log.growing import Tip, grown, tip_of
from adapters.log.keys import LOG_KEY, open_signer
from adapters.log.rows import NOTHING
from adapters.log.store import Head, LogStore
from domain.log.checkpoint import Checkpoint
from domain.log.events import LogOpened
from domain.log.leaf import unleaf
from domain.log.notes import format_note, sign_note
from domain.log.words import GENESIS
from tests.attacks.world import Office
from workflows.ports import Stored

TABLES = ("state", "tail", "bundles", "tiles", "streams", "heads")


def reseal(office: Office, choose: Callable[[list[Stored]], list[Stored]] = list) -> Head:
    """Seal what the store holds now, as if it had never been otherwise; `choose` may leave out, add and reorder."""
    with office.log() as log:
        opening, state = unleaf(log.leaf(0)).body, log.state()
    for table in TABLES:
        office.in_log(f"DELETE FROM {{log}}{table}")
    with office.engine() as engine, office.log() as log:
        empty = NOTHING._replace(origin=state.origin, epoch=state.epoch)
        events = [Stored(0, GENESIS, 1, LogOpened.TYPE, opening), *choose(engine.store.read(0, 1_000_000))]
        made = grown(Tip(empty, (), b""), events, lambda _: {})
        log.append(log.state(), made.growth)
        return signs(office, log)


def signs(office: Office, log: LogStore) -> Head:
    """Sign the log as it stands, with the office's key, and call it cosigned, so that a bundle is made of it."""
    state, signer = tip_of(log).state, open_signer(office.keys / LOG_KEY)
    text = Checkpoint(state.origin, state.size, state.root).text
    log.save_head(Head(state.size, state.root, format_note(sign_note(text, signer.vkey, signer.sign)), now()))
    log.add_cosignatures(state.size, (), quorum_at=now())
    head = log.head()
    assert head is not None
    return head
