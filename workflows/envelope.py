"""Envelopes: what stands around an event when it is stored, and the rows beside it (DESIGN.md law 4, §9)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.acting import Decision, When
from domain.event import Basis, Event, Recorded, encode
from domain.matter.events import DataErased
from domain.refusal import Refused
from workflows.ports import Answered, Append, SealedRow
from workflows.submission import Answer, Submission

_RECORDED = Recorded[Any]


@dataclass(frozen=True, slots=True)
class Made:
    """A decision with what its envelopes need: the versions it was decided on, by stream, the grace (G2), and
    the number of a case that was there before."""

    decision: Decision
    when: When
    basis: Basis
    versions: Mapping[str, int]
    command: str
    confidential: bool = False
    grace: timedelta | None = None
    number: str | None = None


def enveloped(
    submission: Submission, made: Made, stream: str, event: Event, digests: tuple[str, ...] = ()
) -> tuple[str, bytes]:
    """An event's type and stored body. Raises Refused `too_large`."""
    when = made.when
    late = made.grace is not None and when.recorded_at - when.occurred_at > made.grace
    recorded = _RECORDED(
        sd=digests, authority=submission.authority, backfill=late or event.TYPE == "matter_backfilled.v1",
        basis=made.basis, capacity=submission.actor.body, causation=submission.causation,
        command=made.command, correlation=submission.correlation or made.command,
        nonce=secrets.token_hex(16), occurred_at=when.occurred_at, person=submission.actor.person,
        post=submission.actor.post, pub=event, recorded_at=when.recorded_at, rule=made.decision.rule,
        stream=stream, type=event.TYPE,
    )  # fmt: skip
    try:
        return event.TYPE, encode(recorded)
    except ValueError as error:
        raise Refused("too_large", "Send less at once: one event holds at most 60,000 bytes.") from error


def appends(submission: Submission, made: Made, sealed: Sequence[SealedRow]) -> tuple[Append, ...]:
    """The decided events by stream; the sealed values ride with the first event of their command."""
    by_stream: dict[str, list[tuple[str, bytes]]] = {}
    digests = tuple(row.digest for row in sealed)
    for event in made.decision.events:
        written = enveloped(submission, made, submission.case, event, digests)
        by_stream.setdefault(submission.case, []).append(written)
        digests = ()
    for stream, event in made.decision.elsewhere:
        by_stream.setdefault(stream, []).append(enveloped(submission, made, stream, event))
    return tuple(Append(stream, made.versions[stream], tuple(events)) for stream, events in by_stream.items())


def accepted(submission: Submission, made: Made, written: tuple[Append, ...]) -> Answer:
    """The answer to an accepted command."""
    mine = sum(len(append.events) for append in written if append.stream == submission.case)
    types = tuple(name for append in written for name, _ in append.events)
    return Answer(
        "accepted", submission.case, made.versions[submission.case] + mine, types, number=made.number
    )


def erased_in(written: tuple[Append, ...]) -> tuple[str, ...]:
    """The cases in which these events erase something."""
    return tuple(one.stream for one in written if any(name == DataErased.TYPE for name, _ in one.events))


def command_row(submission: Submission, digest: str, answer: Answer, now: datetime) -> Answered:
    """The command's row, stored in the transaction of its events."""
    return Answered(
        submission.client, submission.key, digest, submission.case, answer.outcome, answer.to_bytes(), now
    )
