"""Commands on the evidence log's own stream: its policy, a board's silence and its return, its key, its law, its census."""

from __future__ import annotations

import hashlib

from pydantic import Field

from domain.acting import Command
from domain.instant import Instant
from domain.log.events import ChannelCount, WitnessNamed
from domain.log.months import MONTH
from domain.log.policy import Policy
from domain.refusal import Refused

DIGEST = r"^[0-9a-f]{64}$"
LONGEST_DELAY_HOURS = 24 * 31


class AdoptPolicy(Command, name="adopt_policy"):
    """Let this policy say who must cosign from now on, and how soon. Made by `adoption_of`."""

    digest: str = Field(pattern=DIGEST)
    log_keys: tuple[str, ...]
    witnesses: tuple[WitnessNamed, ...]
    k: int = Field(ge=0)
    n: int = Field(ge=0)
    delay_hours: int = Field(ge=1, le=LONGEST_DELAY_HOURS)


class NoteSilence(Command, name="note_silence"):
    """A board has left heads without its cosignature for longer than promised. For `system:clock` alone."""

    witness: str
    since: Instant
    size: int = Field(ge=1)
    root: str
    last_size: int = Field(ge=0)


class NoteReturn(Command, name="note_return"):
    """A silent board has cosigned a head. For `system:clock` alone."""

    witness: str
    size: int = Field(ge=1)
    root: str


class SetClaimAside(Command, name="set_claim_aside"):
    """Let the log go on although a board says, without proof, that it has cosigned `claimed` leaves: see `ClaimSetAside`.

    `size` and `root` (base64) are those of the log as it stands.
    """

    witness: str
    vkey: str
    claimed: int = Field(ge=1, lt=2**53)
    size: int = Field(ge=1)
    root: str


class ChangeLogKey(Command, name="change_log_key"):
    """Sign with another key from now on; `head` is the note of the newest head, signed by the old key and the new."""

    old: str
    new: str
    head: str


class PublishRules(Command, name="publish_rules"):
    """Another process law is handed to the boards from now on. For `system:clock` alone."""

    digest: str = Field(pattern=DIGEST)


class TakeCensus(Command, name="take_census"):
    """Put on record what the store holds of a month that is over, as `CensusTaken` says. For `system:clock` alone."""

    month: str = Field(pattern=MONTH)
    events: int = Field(ge=0)
    cases: int = Field(ge=0)
    registrations: tuple[ChannelCount, ...]


COMMANDS = (AdoptPolicy, NoteSilence, NoteReturn, SetClaimAside, ChangeLogKey, PublishRules, TakeCensus)


def adoption_of(text: str, delay_hours: int) -> AdoptPolicy:
    """The command that adopts this policy text (C2SP tlog-policy).

    Raises PolicyError for a malformed one, Refused for one that names no log or no board's name that can be recorded.
    """
    policy = Policy.parse(text)
    if not policy.log_keys:
        raise Refused("policy_without_log", "Name this log in the policy: huiyin log key prints the line.")
    return AdoptPolicy(
        digest=hashlib.sha256(text.encode("utf-8")).hexdigest(),
        log_keys=tuple(str(key) for key in policy.log_keys),
        witnesses=tuple(WitnessNamed(name=one.name, vkey=str(one.vkey)) for one in policy.witnesses),
        k=policy.fewest,
        n=len(policy.witnesses),
        delay_hours=delay_hours,
    )
