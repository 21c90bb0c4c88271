"""After a restore: the log and the event store brought together again, before anything opens.

A leaf follows from its event and its place alone, so that events which the restored store still holds, and the
restored log does not, get the very leaves that they had. Nothing is signed here: the sealer asks the witnesses first.
"""

from __future__ import annotations

from adapters.log.checks import check_newest_head, check_tail
from adapters.log.growing import grown, tip_of
from adapters.log.sealer import BATCH
from adapters.log.store import LogStore
from domain.refusal import Refused
from workflows.ports import EventStore


def rejoin(store: EventStore, log: LogStore) -> str:
    """Seal what the store holds beyond the log, and let the log go on under the store's present life.

    Returns what became of it, for the operator. Where the two contradict each other the log is left as it stands: the
    sealer refuses it by the same name. Raises Unavailable.
    """
    try:
        tip = tip_of(log)
        if not tip.state.size:
            return "no log"
        check_tail(log, store, tip)
        check_newest_head(log, tip)
        while batch := store.read(tip.state.position, BATCH):
            made = grown(tip, batch, log.stream_heads)
            log.append(tip.state, made.growth)
            tip = made.tip
        log.adopt(tip.state, store.epoch())
    except Refused as refused:
        return str(refused)
    return f"{tip.state.size} leaves"
