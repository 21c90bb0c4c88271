"""A matter's receipt, made of its stored first event: at intake, and again whenever someone asks who may see it."""

from __future__ import annotations

from adapters.engine import Engine
from adapters.log.keys import RECEIPT_KEY, open_signer
from adapters.receipt.promise import promised
from adapters.receipt.prove import delay_at
from domain.event import decode
from workflows.ports import Stored


def receipt_of(engine: Engine, first: Stored) -> str:
    """The promise on this first event of a matter: the same bytes each time, and the log is not asked.

    Raises Refused where the receipt key is missing or damaged, Unavailable where it or the store is out of reach.
    """
    settings = engine.settings
    signer = open_signer(settings.log_keys_folder / RECEIPT_KEY)
    adopted = engine.handle.standing.caught_up().cosigning.policies
    delay = delay_at(adopted, decode(first.type, first.body).recorded_at, settings.log_delay_hours)
    return promised(first, signer.vkey, signer.sign, delay)
