"""Result, review, callback, reopening, closing (domain.md D.1, last rows)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from domain.acting import RESIDENT
from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter.guards import (
    SUPERVISORS,
    brings,
    officer,
    offices,
    other_person,
    requester,
    started,
    unaccused,
)
from domain.refusal import Refused

if TYPE_CHECKING:
    from domain.context import Context
    from domain.event import Event
    from domain.matter.state import Matter, Requester
    from domain.matter.words import Scale
    from domain.rulebook import Rulebook


def submit_result(state: Matter, command: do.SubmitResult, ctx: Context) -> tuple[Event, ...]:
    """办结: all mandatory legs and children have ended; a reply and a disposition stand."""
    lead_bodies = {leg.body for leg in state.legs() if leg.role == "lead" and leg.status == "discharged"}
    officer(ctx, "submit_result", offices(ctx, state) | lead_bodies)
    brings(ctx, "reply")
    if command.disposition == "solved" and command.evidence < 1:
        raise Refused("evidence_missing", "A solved matter needs evidence; attach it.")
    if command.evidence:
        brings(ctx, "evidence")
    nothing_open(state)
    if state.urgent and not state.met:
        raise Refused(
            "no_on_site_response",
            "An urgent matter is met on site, not by talk alone; record what was done there.",
        )
    return (
        ev.ResultSubmitted(
            disposition=command.disposition,
            evidence=command.evidence,
            clocks=started(ctx, ("callback", state.demand or "*")),
        ),
    )


def nothing_open(state: Matter) -> None:
    """A matter cannot complete while a mandatory leg or child is open."""
    if any(leg.live and leg.mandatory for leg in state.legs()):
        raise Refused(
            "leg_open", "A summoned body has not been released; accept its report or excuse it first."
        )
    if any(state.children[child] for child in state.mandatory_children):
        raise Refused("child_open", "A mandatory child matter is still open; it ends first.")


def review(state: Matter, command: do.ReviewResult, ctx: Context) -> tuple[Event, ...]:
    """审核: let it pass."""
    _reviewer(state, ctx)
    return (ev.ResultReviewed(),)


def send_back(state: Matter, command: do.SendBackResult, ctx: Context) -> tuple[Event, ...]:
    """Back to the handler, whose clock does not start afresh."""
    _reviewer(state, ctx)
    return (ev.ResultSentBack(reason=command.reason),)


def _reviewer(state: Matter, ctx: Context) -> None:
    officer(ctx, "review_result", offices(ctx, state))
    other_person(
        ctx, state.handlers, "Whoever handled the matter does not review its result; ask a reviewer."
    )


def sampled(lot: str, book: Rulebook, scale: Scale) -> bool:
    """Whether the rulebook's sample takes a case for a callback: fixed by its lot (`Matter.draw`), its id and the
    chance that its registration was stored with, so nobody can choose."""
    share = book.callback.sampling.get(scale)
    if share is None or share >= 1:
        return True
    draw = int.from_bytes(hashlib.sha256(lot.encode()).digest()[:8], "big")
    return bool(draw * share.denominator < share.numerator * 2**64)


def callback(state: Matter, command: do.RecordCallback, ctx: Context) -> tuple[Event, ...]:
    """回访 by someone independent; never reached is never satisfied."""
    if command.how == "counter":
        return _at_the_counter(state, command, ctx)
    officer(ctx, "callback", callers(ctx, state))
    other_person(
        ctx, took_part(state), "Whoever had a part in the matter does not call back; ask a callback officer."
    )
    if command.how == "site_check":
        return _on_site(state, command, ctx)
    if command.how != "callback":
        raise Refused("not_by_hand", "Only the sample decides that no callback is made.")
    return _called(state, _the_one(state, command), command, ctx)


def callers(ctx: Context, state: Matter) -> set[str]:
    """The bodies that call back, close and hear a withdrawal: the offices that carry the matter, or a supervising one."""
    supervising = ctx.register.body(ctx.actor.body, ctx.when.occurred_at)
    extra = {ctx.actor.body} if supervising is not None and supervising.kind in SUPERVISORS else set()
    return offices(ctx, state) | unaccused(ctx, state, extra)


def took_part(state: Matter) -> set[str]:
    """Who handled the matter, summoned anybody for it, or let them go: none of them says how it went (law 4)."""
    found = {*state.handlers, *state.releasers}
    for order in state.orders.values():
        found |= order.issuers
    return found


def _the_one(state: Matter, command: do.RecordCallback) -> Requester:
    one = state.requesters.get(command.requester or "")
    if one is None:
        raise Refused(
            "unknown_requester", "Name one of the matter's requesters, or check on site if there is none."
        )
    if one.erased:
        raise Refused("erased", "Nobody can be called whose data were erased; check on site instead.")
    if one.answered or one.withdrawn:
        raise Refused("already_called", "This requester has been called back already.")
    return one


def _called(state: Matter, one: Requester, command: do.RecordCallback, ctx: Context) -> tuple[Event, ...]:
    rules = ctx.rulebook.callback
    if not command.reached:
        if command.solved is not None or command.satisfaction is not None:
            raise Refused(
                "nobody_answered", "Nobody was reached, so nobody said anything; leave the answers out."
            )
        tries = one.tries if _too_soon(one, ctx) else one.tries + 1
        tried = ev.CallbackTried(requester=one.id, tries=tries)
        if tries < rules.tries:
            return (tried,)
        return (tried, _done(state, ctx, one, command))
    if command.solved is None or command.satisfaction not in rules.scale:
        raise Refused("answers_missing", f"Say whether it is solved and one of: {', '.join(rules.scale)}.")
    brings(ctx, "wording")
    return (_done(state, ctx, one, command),)


def _too_soon(one: Requester, ctx: Context) -> bool:
    """Calls closer together than the rulebook's gap count as one try."""
    if one.tried_at is None:
        return False
    return ctx.when.recorded_at < ctx.calendar.due(one.tried_at, ctx.rulebook.callback.gap).at


def _done(state: Matter, ctx: Context, one: Requester | None, command: do.RecordCallback) -> ev.CallbackDone:
    complete = all(other is one for other in state.owed())
    return ev.CallbackDone(
        how=command.how, requester=one.id if one else None, reached=command.reached, solved=command.solved,
        satisfaction=command.satisfaction, complete=complete, clocks=_close_clock(ctx, state) if complete else (),
    )  # fmt: skip


def _close_clock(ctx: Context, state: Matter) -> tuple[ev.StartedClock, ...]:
    return started(ctx, ("close", state.demand or "*"))


def _on_site(state: Matter, command: do.RecordCallback, ctx: Context) -> tuple[Event, ...]:
    """No requester, or an anonymous one: an independent check on site."""
    if state.owed():
        raise Refused(
            "requester_waits", "There are requesters to call back; a site check does not replace them."
        )
    if command.solved is None:
        raise Refused("answers_missing", "Say whether the check on site found it solved.")
    return (_done(state, ctx, None, command),)


def _at_the_counter(state: Matter, command: do.RecordCallback, ctx: Context) -> tuple[Event, ...]:
    """Counter service and minor self-handling: the requester's own confirmation is the callback."""
    requester(ctx, state, command.requester)
    if state.orders or state.scale != "minor":
        raise Refused("not_minor", "This matter needs an independent callback; wait for the call.")
    one = _the_one(state, command)
    if command.solved is None or command.satisfaction not in ctx.rulebook.callback.scale:
        raise Refused(
            "answers_missing",
            f"Say whether it is solved and one of: {', '.join(ctx.rulebook.callback.scale)}.",
        )
    return (_done(state, ctx, one, command),)


def not_called(state: Matter, ctx: Context) -> tuple[Event, ...]:
    """The sample did not take this case: the clock's default step, never counted as satisfied."""
    clocks = _close_clock(ctx, state)
    return (ev.CallbackDone(how="not_sampled", reached=False, complete=True, clocks=clocks),)


def reopen(state: Matter, command: do.ReopenMatter, ctx: Context) -> tuple[Event, ...]:
    """重办: by the callback officer, or by the requester inside the window."""
    if ctx.actor.body == RESIDENT:
        requester(ctx, state)
        _inside_window(state, ctx)
    else:
        officer(ctx, "reopen", callers(ctx, state))
        _said_so(state, command, ctx)
    if state.reopened >= ctx.rulebook.reopen.most and (
        ctx.actor.post not in ctx.rulebook.posts("review_result")
    ):
        raise Refused(
            "reopen_limit", "It has been reopened as often as the rulebook allows; ask for a review."
        )
    return (
        ev.MatterReopened(ground=command.ground, count=state.reopened + 1, clocks=_finish_again(ctx, state)),
    )


def _said_so(state: Matter, command: do.ReopenMatter, ctx: Context) -> None:
    """An officer reopens on what was heard at the callback; the requester's own word needs nothing beside it."""
    if state.status == "closed":
        raise Refused(
            "wrong_state", "It has been closed; only its requester reopens it now, inside the window."
        )
    asked = state.requesters.values()
    if command.ground == "not_solved":
        heard = state.site_solved is False or any(one.solved is False for one in asked)
    else:
        heard = any(one.satisfaction in ctx.rulebook.callback.dissatisfied for one in asked)
    if not heard:
        raise Refused(
            "nobody_said_so", "Nobody said so when called back; the requester may reopen it themselves."
        )


def _finish_again(ctx: Context, state: Matter) -> tuple[ev.StartedClock, ...]:
    demand = state.demand or "*"
    return started(ctx, ("finish", f"{demand}.urgent" if state.urgent else demand))


def _inside_window(state: Matter, ctx: Context) -> None:
    if state.returned_at is None:
        return
    last = ctx.calendar.due(state.returned_at, ctx.rulebook.reopen.window).at
    if ctx.when.recorded_at > last:
        raise Refused(
            "window_over", "The time for reopening is over; register a new matter that repeats this one."
        )


def late_child(ctx: Context, state: Matter) -> tuple[Event, ...]:
    """A child that comes, or comes back, after completion opens its parent again.

    The parent was not done: its clock goes on as if it had never stopped, also where its requester had an answer or it
    was closed. Else a part split off at the end would be fresh time for the whole (law 7: no restart moves a due time).
    """
    if state.status not in ("completed", "called_back", "closed"):
        return ()
    return (ev.MatterReopened(ground="late_child", count=state.reopened),)


def close(state: Matter, command: do.CloseMatter, ctx: Context) -> tuple[Event, ...]:
    """结案 by someone who handled no leg and no part of it."""
    officer(ctx, "close", callers(ctx, state))
    other_person(
        ctx,
        took_part(state) | {state.submitter},
        "Whoever had a part in the matter does not close it; ask a supervisor.",
    )
    _unsolved_reviewed(state, ctx)
    nothing_open(state)
    if state.owed():
        raise Refused("requester_waits", "There are requesters to call back first.")
    return (ev.MatterClosed(),)


def _unsolved_reviewed(state: Matter, ctx: Context) -> None:
    """Not solved, says a requester or the check on site: whoever closes it nevertheless is one who reviews results."""
    unsolved = state.site_solved is False or any(one.solved is False for one in state.requesters.values())
    if unsolved and ctx.actor.post not in ctx.rulebook.posts("review_result"):
        raise Refused("not_solved", "It is not solved; reopen it, or ask a reviewer to close it.")
