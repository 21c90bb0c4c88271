"""handle: load, decide, append. The one path by which anything changes (DESIGN.md §4).

A command is decided on the events stored so far and written with the versions it was decided on; if somebody
else was faster, it is loaded and decided again. What it changes, its row and its sealed values are one
transaction: after a crash at any point either all of it is there or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

import domain.matter as matter
from domain.acting import Actor, Command, Decision, When
from domain.context import Context, Held, Law
from domain.event import Basis, Recorded, decode
from domain.matter import Matter
from domain.matter.commands import BackfillMatter, RegisterMatter
from domain.matter.events import MatterDiverted
from domain.matter.evolve import FOLDS
from domain.refusal import Conflict, NotFound, Refused, Unavailable
from domain.rulebook import releases
from workflows.checks import Administration, holds_post, not_too_long, same_version, text_comes_along
from workflows.envelope import Made, accepted, appends, command_row, enveloped, erased_in
from workflows.key_duties import carry_out
from workflows.ports import (
    BLINDED,
    AlreadyAnswered,
    Answered,
    Append,
    Batch,
    ClockAhead,
    ClockBehind,
    EventStore,
    KeyStore,
    Plain,
    ReferenceTaken,
    SealedRow,
    Stored,
    Text,
    Vault,
)
from workflows.records import CommandRefused, refusals_of
from workflows.references import References, given, hidden, taken
from workflows.rooms import STREAMS, room_of
from workflows.stand_ins import StandIns
from workflows.standing import Standing, StandingViews
from workflows.submission import Answer, Submission, answer_from, digest_of, is_case_id, keyed

MOST_TRIES = 20
ADMINISTRATION_TOLERANCE = timedelta(seconds=2)
"""How far another machine's clock may be ahead in an act on the register, the releases or the log."""
_OF_CASES = frozenset(event.TYPE for event in FOLDS)
_CLOCK_BEHIND = "This machine's clock is behind the store's; set it right and try again."
_CLOCK_AHEAD = "This machine's clock is ahead of the store's; set it right and try again."


class _Loaded(NamedTuple):
    """A case and those it touches, with the versions they were decided on."""

    case: Matter | None
    others: dict[str, Matter | None]
    versions: dict[str, int]
    held: dict[str, tuple[Held, ...]]


class _Ready(NamedTuple):
    """One of many submissions, decided and not yet kept."""

    place: int
    submission: Submission
    digest: str
    made: Made


class Handle:
    """The application: hand in a submission, get the answer. Safe to share between threads.

    `clock` gives the present moment (aware UTC); `code` names the release of this program for the envelopes.
    """

    def __init__(
        self, store: EventStore, vault: Vault, keys: KeyStore, clock: Callable[[], datetime], code: str
    ) -> None:
        self.store, self.vault, self.keys, self.clock, self.code = store, vault, keys, clock, code
        self.standing, self.references = StandingViews(store), References(store, keys)
        self.stand_ins = StandIns(store, keys)

    def __call__(self, submission: Submission, *, fresh: bool = False) -> Answer:
        """Decide and store. Refusals are answers too; raises Unavailable when nothing could be stored or told.

        `fresh`: it opens its case, and the caller has just seen that nothing was decided under its key.
        """
        digest, behind = digest_of(submission, self.keys.pepper()), False
        # What is done to a case that is there is decided at once: if its key was used before, the store will not take
        # it, or it is refused, and is looked up then. Of what opens a case a repetition would leave keys of another.
        look_first = not fresh and (
            not isinstance(submission.command, matter.COMMANDS) or _begins(submission.command)
        )
        for _ in range(MOST_TRIES):
            try:
                known = self.store.answered(submission.client, submission.key) if look_first else None
                if known is not None:
                    return self._repeated(known, digest, submission)
                return self._once(submission, digest, fresh=fresh)
            except (Conflict, AlreadyAnswered, ReferenceTaken):
                # Somebody else was faster, or this was sent before: look again, decide again.
                look_first, fresh = True, False
            except ClockBehind:
                # Once may be a long wait between the look at the clock and the lock; twice is the clock. Nothing
                # can be put on record under it, so that the same key may be tried again when it is set right.
                if behind:
                    return Answer("refused", submission.case, code="clock_behind", advice=_CLOCK_BEHIND)
                behind = look_first = True
            except ClockAhead:
                return Answer("refused", submission.case, code="clock_ahead", advice=_CLOCK_AHEAD)
            except Exception:
                # Whatever is amiss with the case or its keys: what was answered once is answered again (law 3).
                known = None if look_first else self.store.answered(submission.client, submission.key)
                if known is None:
                    raise
                return self._repeated(known, digest, submission)
        raise Unavailable("The case is being changed too often at this moment; try again shortly.")

    def preview(self, submission: Submission) -> Answer:
        """What `__call__` would answer now, as far as it is decided: nothing is kept, not even a refusal. Raises Unavailable.

        Whether its numbers are still free is told only by the store that keeps them.
        """
        try:
            made = self._decided(submission, self.standing.caught_up())
            return accepted(submission, made, appends(submission, made, ()))
        except Refused as refused:
            return Answer("refused", submission.case, code=refused.code, advice=refused.advice)

    def load(self, case: str) -> Matter | None:
        """The present state of a case, or None. Raises Unavailable."""
        rows = self.store.load(case)
        return _folded(rows) if _of_a_case(rows) else None

    def history(self, case: str) -> list[Recorded[Any]]:
        """All events of a case, in order; empty for a stream that is no case."""
        rows = self.store.load(case)
        return [decode(row.type, row.body) for row in rows] if _of_a_case(rows) else []

    def command_id(self, submission: Submission) -> str:
        """What the envelopes name the command by: the client, and its key under an HMAC.

        A key may be another system's number (law 9); who knows it finds the command, nobody else guesses it.
        """
        return f"{submission.client}:{keyed(self.keys.pepper(), submission.key)[:32]}"

    def find(self, source: str, number: str, viewer: Actor | None = None) -> str | None:
        """The case of an outside number, or of a matter's own under OWN_NUMBER; None for an unknown one.

        A case that is hidden from `viewer` is not found (law 10); None is an operator at the machine.
        """
        register, now = self.standing.caught_up().register, self.clock()
        found = None
        for found in self.references.cases(source, number):
            if not hidden(self.load(found), viewer, register, now):
                return found
        if found is None:
            _folded(self.stand_ins.rows(number))  # as long as for a case that is hidden
        return None

    def answer(self, client: str, key: str) -> Answer | None:
        """The first answer under this key, None before it. An edge that looks a number up to choose its command asks
        here first: the number's case may have been hidden meanwhile, and its own answer stays the same (law 3)."""
        return self.answers(client, (key,)).get(key)

    def answers(self, client: str, keys: Sequence[str]) -> dict[str, Answer]:
        """The same for several keys, as of one moment; without those that nothing was decided under."""
        return {key: answer_from(known.answer) for key, known in self.store.answers(client, keys).items()}

    def backfill(self, submissions: Sequence[Submission]) -> list[Answer]:
        """Many matters of other systems, each decided by itself, kept in one transaction (DESIGN.md §9).

        The answers are those of `__call__`, in order, with the same guarantees; what is not accepted at the
        first try is handed in again one by one. Raises Unavailable; what was kept until then stays kept.
        """
        answers = self._together(submissions)
        return [answers.get(number) or self(one) for number, one in enumerate(submissions)]

    def _together(self, submissions: Sequence[Submission]) -> dict[int, Answer]:
        """The answers of those that one transaction took, by their place among the submissions."""
        ready = self._ready(submissions)
        try:
            sealed = iter(self.vault.seal_all([value for one in ready for value in _plain(one.submission)]))
            batches = [
                self._batch(
                    one.submission, one.digest, one.made, [*islice(sealed, len(one.submission.sealed))]
                )
                for one in ready
            ]
        except Refused:
            return {}  # one by one, so that each gets its own answer
        answers = {}
        outcomes = self.store.append_all([batch for batch, _ in batches])
        for one, (_, answer), outcome in zip(ready, batches, outcomes, strict=True):
            if not isinstance(outcome, Exception):
                answers[one.place] = answer
            elif not isinstance(
                outcome, (Conflict, AlreadyAnswered, ReferenceTaken, ClockBehind, ClockAhead)
            ):
                raise outcome
        return answers

    def _ready(self, submissions: Sequence[Submission]) -> list[_Ready]:
        """Those that are new and allowed, with what was decided on them."""
        pepper, standing = self.keys.pepper(), self.standing.caught_up()
        ready: list[_Ready] = []
        for place, one in enumerate(submissions):
            if not isinstance(one.command, BackfillMatter):
                continue
            # A backfill opens its case. Where that is there already, the store says so, and the row is looked at alone.
            with suppress(Refused):  # handed in again by itself, and refused there on record
                ready.append(
                    _Ready(place, one, digest_of(one, pepper), self._on_matter(one, standing, _unseen(one)))
                )
        return ready

    def _once(self, submission: Submission, digest: str, *, fresh: bool) -> Answer:
        standing = self.standing.caught_up()
        self.standing.look_again()  # whatever becomes of this decision, the next is taken on what stands then
        try:
            return self._keep(submission, digest, self._decided(submission, standing, fresh), standing)
        except Refused as refused:
            known = self.store.answered(submission.client, submission.key)
            if known is not None:
                return self._repeated(known, digest, submission)
            return self._refuse(submission, standing, refused)

    def _keep(self, submission: Submission, digest: str, made: Made, standing: Standing) -> Answer:
        """Write it. A number of a case that is hidden from the actor is answered as nobody's (law 10)."""
        try:
            return self._accept(submission, digest, made)
        except ReferenceTaken:
            for one in given(submission):
                others = (
                    self.load(case)
                    for case in self.references.cases(one.source, one.number)
                    if case != one.case
                )
                at = made.when.recorded_at
                if any(not hidden(other, submission.actor, standing.register, at) for other in others):
                    raise taken(one) from None
        return self._accept(submission, digest, made, beside=True)

    # -- decide ---------------------------------------------------------------------------------------------------

    def _decided(self, submission: Submission, standing: Standing, fresh: bool = False) -> Made:
        command = submission.command
        if isinstance(command, matter.COMMANDS):
            # Where a fresh case is there already, the store says so, and it is looked at.
            loaded = _unseen(submission) if fresh else self._load(submission)
            return self._on_matter(submission, standing, loaded)
        room = room_of(command)
        now = self.clock()
        when = When(occurred_at=submission.occurred_at or now, recorded_at=now)
        context = Administration(submission, when)
        if when.occurred_at > now + ADMINISTRATION_TOLERANCE:
            raise Refused("future", "Give the time when it happened; that lies in the future.")
        if isinstance(command, room.keepers):
            holds_post(standing, submission, when)
            text_comes_along(submission)
        decision, version = (
            room.decide(getattr(standing, room.held), command, context),
            standing.versions[room.stream],
        )
        if submission.case != room.stream:
            raise Refused(
                "wrong_stream", f"Hand {command.NAME} in for the stream {room.stream}; it is no case's."
            )
        same_version(submission, version)
        return Made(
            decision, when, self._basis(standing, None), {room.stream: version}, self.command_id(submission)
        )

    def _on_matter(self, submission: Submission, standing: Standing, loaded: _Loaded) -> Made:
        now = self.clock()
        when = When(occurred_at=submission.occurred_at or now, recorded_at=now)
        law = standing.law_at(when.occurred_at, submission.rulebook)
        not_too_long(submission, law)
        if law.book.backfill and not isinstance(submission.command, BackfillMatter):
            raise Refused(
                "rulebook_for_backfill", f"{law.book.name} holds imported history only; leave it out."
            )
        context = Context(
            actor=submission.actor, when=when, authority=submission.authority, rulebook=law.book,
            calendar=law.calendar, register=standing.register, others=loaded.others,
            sealed=frozenset(one.name for one in submission.sealed), laws=standing.laws, held=loaded.held,
        )  # fmt: skip
        decision = matter.decide(loaded.case, submission.command, context)
        same_version(submission, loaded.versions[submission.case])  # told only to whom the case exists for
        confidential = _is_confidential(loaded.case, submission.command)
        grace = law.calendar.due(when.occurred_at, law.book.backfill_after).at - when.occurred_at
        return Made(
            decision,
            when,
            self._basis(standing, law),
            loaded.versions,
            self.command_id(submission),
            confidential,
            grace,
            loaded.case.number if loaded.case else None,
        )

    def _load(self, submission: Submission) -> _Loaded:
        case = self._past(submission.case)
        if case is None and not _begins(submission.command):
            _folded(self.stand_ins.rows(submission.case))
        touched = matter.touches(case, submission.command)
        if not all(is_case_id(other) for other in touched):
            raise Refused("malformed", "A case is named by a random UUID (version 4), in lower case.")
        others = {other: self._past(other) for other in touched}
        states = {submission.case: case, **others}
        versions = {stream: state.version if state else 0 for stream, state in states.items()}
        # After the events: a value that comes later moves its case on, and this decision is taken again.
        held = (
            {stream: self._held(stream) for stream in states}
            if matter.lists_digests(submission.command)
            else {}
        )
        return _Loaded(case, others, versions, held)

    def _held(self, stream: str) -> tuple[Held, ...]:
        return tuple(Held(row.digest, row.subject) for row in self.store.sealed(stream))

    def _past(self, stream: str) -> Matter | None:
        """A case as it stands, None for a new one. Raises NotFound for a stream of another kind."""
        rows = self.store.load(stream)
        if stream in STREAMS or (rows and not _of_a_case(rows)):
            raise NotFound
        return _folded(rows)

    def _basis(self, standing: Standing, law: Law | None) -> Basis:
        return Basis(
            calendar=standing.calendar_version(), code=self.code, register=standing.register_version,
            rulebook=law.book.name if law else "none",
        )  # fmt: skip

    # -- append ---------------------------------------------------------------------------------------------------

    def _accept(self, submission: Submission, digest: str, made: Made, *, beside: bool = False) -> Answer:
        plain = _plain(submission)
        holder = "discipline" if made.confidential else "ordinary"
        opens = made.versions[submission.case] == 0
        sealed = self.vault.seal_all(plain, holder=holder, fresh=opens) if plain else []
        diverted = any(isinstance(event, MatterDiverted) for event in made.decision.events)
        if diverted and not self.keys.holds("discipline"):
            raise Refused("no_discipline_key", "Divert it where the key of discipline inspection is at hand.")
        batch, answer = self._batch(submission, digest, made, sealed)
        if beside:
            batch = replace(batch, references=self.references.next_places(submission))
        positions = self.store.append(batch)
        # A crash right here leaves the keys as they were; the follower's keeper does the same from the events.
        for event in made.decision.events:
            carry_out(self.keys, submission.case, event, self.store)
        for stream, event in made.decision.elsewhere:
            carry_out(self.keys, stream, event, self.store)
        return replace(answer, written=_written(batch, positions, submission.case))

    def _batch(
        self, submission: Submission, digest: str, made: Made, sealed: Sequence[SealedRow]
    ) -> tuple[Batch, Answer]:
        """All that an accepted command writes, and its answer."""
        written = appends(submission, made, sealed)
        answer = accepted(submission, made, written)
        blinded = erased_in(written)
        if blinded and submission.sealed:
            digest = BLINDED  # what it says itself goes with the rest
        batch = Batch(
            appends=written, recorded_at=made.when.recorded_at, blinded=blinded,
            answered=command_row(submission, digest, answer, made.when.recorded_at),
            references=self.references.first_places(submission, opens=_opens(submission, made)), sealed=tuple(sealed),
            texts=tuple(Text(releases.digest_of(text), text) for text in submission.texts),
        )  # fmt: skip
        return batch, answer

    def _repeated(self, known: Answered, digest: str, submission: Submission) -> Answer:
        """The first answer again; another command under the same key is refused, on record, and changes nothing.

        What an erasure has blinded cannot be compared any more. Its first answer is not given either: whoever sent
        something else under the key would take it for accepted. The refusal is the same each time, and no news.
        What was refused is compared without its words (`_refuse`): with others it is refused for the same reason.
        """
        if known.digest == BLINDED:
            advice = (
                "What was sent under this key was erased with its case; look at the case, or use another key."
            )
            return Answer("refused", submission.case, code="erased", advice=advice, repeated=True)
        if known.digest in (digest, digest_of(submission, None)):
            return answer_from(known.answer)
        advice = "This key was used for another command; give every command a key of its own."
        refused = Refused("key_reused", advice)
        return self._refuse(submission, self.standing.caught_up(), refused, first=False)

    def _refuse(
        self, submission: Submission, standing: Standing, refused: Refused, *, first: bool = True
    ) -> Answer:
        """A refusal is evidence (law 5): recorded beside the case, which it never changes; the `first` under its key is
        its answer.

        Of the words that were refused nothing is kept, not even a digest that a guess could be held against (law 9): their
        case may never come to be, and no erasure would reach them. Whether it is there or hidden makes no difference
        (law 10). Of what was sent about somebody who was erased not even that is left.
        """
        digest = BLINDED if refused.code == "erased" else digest_of(submission, None)
        stream = refusals_of(submission.case)
        now = self.clock()
        event = CommandRefused(case=submission.case, command_name=submission.command.NAME, code=refused.code)
        made = Made(
            Decision(rule="refusal", events=(event,)), When(occurred_at=now, recorded_at=now),
            self._basis(standing, None), {}, self.command_id(submission),
        )  # fmt: skip
        (after,) = self.store.versions((stream,))
        answer = Answer("refused", submission.case, code=refused.code, advice=refused.advice)
        stored = enveloped(submission, made, stream, event)
        batch = Batch(
            appends=(Append(stream, after, (stored,)),), recorded_at=now,
            answered=command_row(submission, digest, answer, now) if first else None,
        )  # fmt: skip
        self.store.append(batch)
        return answer


def _unseen(submission: Submission) -> _Loaded:
    """A case that is to begin."""
    return _Loaded(None, {}, {submission.case: 0}, {})


def _written(batch: Batch, positions: Sequence[int], case: str) -> tuple[Stored, ...]:
    """What a batch has stored in a case."""
    rows = (row for append in batch.appends for row in append.rows())
    placed = (row._replace(position=at) for row, at in zip(rows, positions, strict=True))
    return tuple(row for row in placed if row.stream == case)


def _of_a_case(rows: Sequence[Stored]) -> bool:
    return bool(rows) and rows[0].type in _OF_CASES


def _folded(rows: Sequence[Stored]) -> Matter | None:
    """The state after these events, each let go of as soon as it is folded."""
    return matter.replay(decode(row.type, row.body) for row in rows)


def _opens(submission: Submission, made: Made) -> bool:
    """Whether all numbers of the command are new ones: the case is, or no other system's came along."""
    return not submission.outside or made.versions[submission.case] == 0


def _begins(command: Command) -> bool:
    """Whether the command begins a case."""
    return isinstance(command, RegisterMatter | BackfillMatter)


def _is_confidential(case: Matter | None, command: Command) -> bool:
    if case is None:
        return isinstance(command, RegisterMatter) and command.accusation
    return case.confidential


def _plain(submission: Submission) -> list[Plain]:
    return [Plain(submission.case, one.subject, one.name, one.value) for one in submission.sealed]
