"""Handing in: a new matter, or what a message becomes of a matter that its number is known by (DESIGN.md law 3).

A hotline sends an order again under the number it gave it the first time. While the matter is being handled that is a
supplement or an urging; once it has been answered it asks to reopen, and where the rules do not let it, its words are
kept as a supplement and the answer says why. Nothing is swallowed, and the same key gets the same answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from adapters.duplicates.offering import Taken, take_in
from adapters.http.answers import ReopeningRefused, respond, told_at_intake
from domain.acting import Command
from domain.matter.commands import AddSupplement, ReopenMatter
from workflows.submission import Answer, OutsideNumber, Sealing, Submission

if TYPE_CHECKING:
    from starlette.responses import Response

    from adapters.http.acts import Acting
    from adapters.http.building import Building

REOPENING, SUPPLEMENT = ".reopening", ".supplement"
ERASED = "erased"
ANSWERED = frozenset({"called_back", "closed"})
"""States in which the requester has an answer: who writes again then holds that it is not done."""


class HandedIn(NamedTuple):
    """What was handed in, its answer, and what the edge tells beside it (fields of Accepted); of a new matter what was
    read of it as it was taken in."""

    submission: Submission
    answer: Answer
    told: dict[str, Any]
    taken: Taken | None = None


def register(acting: Acting) -> Response:
    """Register it, or follow up the matter that it is about."""
    handed = hand_in(acting)
    beside = {} if handed.taken is None else told_at_intake(acting.engine, handed.submission, handed.taken)
    return respond(acting.engine, handed.submission, handed.answer, **handed.told, **beside)


def hand_in(acting: Acting) -> HandedIn:
    """The same, for an edge that answers in words of its own. Raises Refused, Unavailable."""
    handle = acting.engine.handle
    made, outside = _read(acting)
    before = _before(acting, made)
    earlier, known = before.get(""), _known(acting, made, outside, before)
    if known is not None and earlier is None:
        # Known by its number perhaps since a moment ago, by this very message: sent twice at once it is one.
        earlier = handle.answer(acting.caller.client(made.actor), acting.key)
    if known is None or (earlier is not None and earlier.code != "known_number"):
        submission = _registration(acting, made, outside, fresh=earlier is None)
        answer = handle(submission, fresh=earlier is None)
        taken = take_in(acting.engine, submission, answer)
        if answer.code != "known_number":
            became = {"became": "registered"} if answer.accepted else {}
            return HandedIn(submission, answer, became | (made.made if answer.accepted else {}), taken)
        # Another message of the same number was faster.
        known = _known(acting, made, outside, _before(acting, made))
        if known is None:
            return HandedIn(submission, answer, {})
    return follow_up(acting, known, outside)


def foreseen(acting: Acting) -> HandedIn:
    """What handing it in would come to now; nothing is kept, not even a refusal. Raises Refused, Unavailable."""
    made, outside = _read(acting)
    known = _known(acting, made, outside, _before(acting, made))
    if known is None:
        submission, became = _registration(acting, made, outside), "registered"
        return HandedIn(submission, acting.engine.handle.preview(submission), {"became": became})
    return _foreseen_of(acting, known, outside)


def _foreseen_of(acting: Acting, case: str, outside: tuple[OutsideNumber, ...]) -> HandedIn:
    made, preview = acting.building(case), acting.engine.handle.preview
    if _reopens(acting, made):
        submission = _message(acting, made, _reopening(), REOPENING, acting.message)
        answer = preview(submission)
        if answer.accepted:
            return HandedIn(submission, answer, {"became": "reopening"})
    added = _added(acting)
    submission = _message(acting, made, added, SUPPLEMENT, outside)
    return HandedIn(submission, preview(submission), {"became": added.what})


def _read(acting: Acting) -> tuple[Building, tuple[OutsideNumber, ...]]:
    """The act on a fresh case, and every number that came along, the message's own included. Raises Refused."""
    outside = tuple(OutsideNumber(one.source, one.number) for one in acting.given.outside)  # type: ignore[attr-defined]
    for source in (acting.given.source, *(one.source for one in outside)):  # type: ignore[attr-defined]
        acting.caller.may_hand_in(source)
    return acting.building(acting.ids.id("case")), outside + acting.message


def _registration(
    acting: Acting, made: Building, outside: tuple[OutsideNumber, ...], *, fresh: bool = False
) -> Submission:
    made.fresh = fresh
    command = made.command()
    return acting.submission(made, command, sealed=made.sealed(command), outside=outside)


def _before(acting: Acting, made: Building) -> dict[str, Answer]:
    """What was answered under this key before, by the part of it."""
    parts = ("", REOPENING, SUPPLEMENT)
    keys = [acting.key + part for part in parts]
    answers = acting.engine.handle.answers(acting.caller.client(made.actor), keys)
    return {part: answers[key] for part, key in zip(parts, keys, strict=True) if key in answers}


def _known(
    acting: Acting, made: Building, outside: tuple[OutsideNumber, ...], before: dict[str, Answer]
) -> str | None:
    """The case that was followed up under this key, or that a number is known by."""
    handle = acting.engine.handle
    for part in (REOPENING, SUPPLEMENT):
        if part in before:
            return before[part].case
    found = (handle.find(one.source, one.number, made.actor) for one in outside)
    return next((case for case in found if case is not None), None)


def follow_up(acting: Acting, case: str, outside: tuple[OutsideNumber, ...] = ()) -> HandedIn:
    """What a message becomes of a known case: a reopening, a supplement or an urging. Raises Refused, Unavailable."""
    made, more = acting.building(case), dict[str, Any]()
    if _reopens(acting, made):
        submission, answer = _send(acting, made, _reopening(), REOPENING, acting.message)
        if answer.accepted:
            return HandedIn(submission, answer, {"became": "reopening"})
        if answer.code == ERASED:
            # What it said is gone, and does not come back as a supplement.
            return HandedIn(submission, answer, {})
        more["reopening_refused"] = ReopeningRefused(code=answer.code or "", detail=answer.advice or "")
    added = _added(acting)
    submission, answer = _send(acting, made, added, SUPPLEMENT, outside)
    return HandedIn(submission, answer, {"became": added.what, **more} if answer.accepted else {})


def _reopening() -> ReopenMatter:
    return ReopenMatter(ground="not_solved")


def _added(acting: Acting) -> AddSupplement:
    return AddSupplement(what=_what(acting), source=acting.given.source, outside_number=True)  # type: ignore[attr-defined]


def _send(
    acting: Acting, made: Building, command: Command, part: str, outside: tuple[OutsideNumber, ...]
) -> tuple[Submission, Answer]:
    submission = _message(acting, made, command, part, outside)
    return submission, acting.engine.handle(submission)


def _message(
    acting: Acting, made: Building, command: Command, part: str, outside: tuple[OutsideNumber, ...]
) -> Submission:
    text, person = _text(acting), made.actor.person
    sealed = [Sealing("text", person, text)] if text else []
    given = acting.given.outside  # type: ignore[attr-defined]
    if isinstance(command, AddSupplement):
        sealed += [Sealing("outside_number", person, f"{one.source}:{one.number}") for one in given]
    return acting.submission(made, command, part=part, sealed=tuple(sealed), outside=outside)


def _reopens(acting: Acting, made: Building) -> bool:
    """Whether it asks to reopen. Sent again, it does what it did the first time, however the matter stands by now."""
    handle, client = acting.engine.handle, acting.caller.client(made.actor)
    if handle.answer(client, acting.key + REOPENING) is not None:
        return True
    if handle.answer(client, acting.key + SUPPLEMENT) is not None:
        return False
    message = acting.given.message  # type: ignore[attr-defined]
    if message is not None:
        return bool(message == "reopening")
    state = handle.load(made.case)
    return state is not None and state.status in ANSWERED


def _what(acting: Acting) -> Any:
    message = acting.given.message  # type: ignore[attr-defined]
    if message in ("supplement", "urging"):
        return message
    return "supplement" if _text(acting) else "urging"


def _text(acting: Acting) -> str | None:
    sealed = acting.given.sealed  # type: ignore[attr-defined]
    return None if sealed is None else sealed.text
