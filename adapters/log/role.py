"""What the role `seal` and the commands of `huiyin log` open: the log and its sealer, as the settings say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from adapters.log.genesis import Opening
from adapters.log.keys import LOG_KEY, RECEIPT_KEY, open_signer, public_key
from adapters.log.mark import MARK, Mark
from adapters.log.sealer import Ahead, Sealer, nobody
from adapters.log.store import LogStore
from adapters.settings import Settings
from domain.log.checkpoint import Checkpoint
from domain.log.notes import parse_note
from domain.refusal import Refused
from workflows.ports import EventStore


def opening_of(settings: Settings, code: str, previous_head: str | None = None) -> Opening:
    """How the settings would open a log; `previous_head` is the last head's note of one that is given up.

    Raises Refused where a key is missing, the note is none, or the new log would bear the old one's name.
    """
    receipt_key = public_key(settings.log_keys_folder / RECEIPT_KEY)
    previous = None if previous_head is None else Checkpoint.parse(parse_note(previous_head).text).origin
    if previous == settings.origin:
        raise Refused(
            "same_origin",
            "Give the new log a name of its own (HUIYIN_LOG_ORIGIN): boards remember the old one's size.",
        )
    return Opening(settings.origin, receipt_key, settings.log_delay_hours, code, previous, previous_head)


def sealer_of(
    settings: Settings, store: EventStore, log: LogStore, opening: Opening, clock: Callable[[], datetime],
    ahead: Ahead = nobody,
) -> Sealer:  # fmt: skip
    """The sealer under the settings' key. Raises Refused where that is missing, readable by others or damaged."""
    signer = open_signer(settings.log_keys_folder / LOG_KEY)
    return Sealer(store, log, signer, mark_of(settings), opening, clock, ahead)


def mark_of(settings: Settings) -> Mark:
    """How far the settings' key has signed; with an HSM too it stands in the folder of the log's keys."""
    return Mark(settings.log_keys_folder / MARK)
