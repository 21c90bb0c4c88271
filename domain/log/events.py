"""Events of the evidence log: its opening, who cosigns it, which board fell silent, its key, its law, its census.

They stand in the stream `words.LOG`, except the opening, which is leaf 0 and stands in no store. Nothing in them
is personal: a board is a body, a key is a key.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from domain.event import Event
from domain.instant import Instant


class LogOpened(Event, name="log_opened.v1"):
    """Leaf 0: what the log is called, whose signatures it bears, and how soon it promises to be cosigned.

    `log_key` and `receipt_key` are verifier keys (C2SP signed-note); `delay_hours` is the longest time from a
    stored event to a head that the boards have cosigned; the previous log's origin and last head where there is one.
    `rules`: the process law that the log was opened under, as in `RulesPublished`; `census`: whether every month from
    the store's first event on gets a `CensusTaken`.
    """

    origin: str
    log_key: str
    receipt_key: str
    delay_hours: int
    store_epoch: str
    previous_origin: str | None = None
    previous_head: str | None = None
    rules: str | None = None
    census: bool | None = None

    @model_serializer(mode="wrap")
    def _as_stored(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """An opening from before there were `rules` or a `census` stays, byte for byte, what it was."""
        told: dict[str, Any] = plain(self)
        return {name: one for name, one in told.items() if name not in ("rules", "census") or one is not None}


class WitnessNamed(BaseModel):
    """A board as the policy names it, with its verifier key (C2SP tlog-cosignature)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    vkey: str


class PolicyAdopted(Event, name="policy_adopted.v1"):
    """From here on a head counts when `k` of these `n` boards have cosigned it, within `delay_hours`.

    `digest` is the SHA-256 (hex) of the policy's text (C2SP tlog-policy), which is kept in the store; `log_keys` are
    the verifier keys of the logs that it accepts.
    """

    digest: str
    log_keys: tuple[str, ...]
    witnesses: tuple[WitnessNamed, ...]
    k: int
    n: int
    delay_hours: int


class WitnessSilent(Event, name="witness_silent.v1"):
    """This board has left heads without its cosignature for longer than promised: since when, and up to which head.

    `since` is when the first head above `last_size`, the newest that the board has cosigned (0 if none), was signed, or
    when the board was appointed if that was later. `size` and `root` (base64) are the newest head's: it waits too.
    """

    witness: str
    since: Instant
    size: int
    root: str
    last_size: int


class WitnessReturned(Event, name="witness_returned.v1"):
    """A silent board has cosigned again: which head, and since when it had been silent."""

    witness: str
    since: Instant
    size: int
    root: str


class ClaimSetAside(Event, name="claim_set_aside.v1"):
    """What a board says without any proof counts for nothing: that it has cosigned `claimed` leaves of this log, or fewer.

    `size` and `root` (base64) are those of the log when that was recorded; `vkey` is the board's key. A head that bears
    this log's own signature is proof, and nobody sets it aside.
    """

    witness: str
    vkey: str
    claimed: int
    size: int
    root: str


class LogKeyChanged(Event, name="log_key_changed.v1"):
    """Another key signs the log from now on. `head` is the note of one head under the old key and the new one."""

    old: str
    new: str
    head: str


class RulesPublished(Event, name="rules_published.v1"):
    """The process law that is handed to the boards from now on (rules.json); the envelope's basis says which release's.

    `digest` is the SHA-256 (hex) of its canonical JSON without the rulebooks; the text is kept in the store under it.
    """

    digest: str


class ChannelCount(BaseModel):
    """So many requests were registered by a channel (a `source` of `matter_registered.v1`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: str
    registered: int = Field(ge=1)


class CensusTaken(Event, name="census_taken.v1"):
    """How much was recorded in a month that is over, counted in the store and not in the log: one for each, in order.

    An event belongs to the month (UTC, 2026-11) of its own `recorded_at`, whenever it happened or was sealed. `events`
    counts those of all streams (leaf 0 stands in no store), `cases` those that opened a case, `registrations` those
    that registered a request, by channel. It is taken when nothing of the month can be stored any more.
    """

    month: str
    events: int
    cases: int
    registrations: tuple[ChannelCount, ...]
