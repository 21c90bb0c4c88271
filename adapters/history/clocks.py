"""Questions 15 and 16: missed clocks, extensions, deferrals."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from adapters.history.bodies import late_by
from adapters.history.trail import Fact, Trail
from adapters.history.who import by
from adapters.labels import STAGES, label
from domain.instant import written
from domain.matter import Clock
from domain.matter import events as mev
from domain.matter import order_events as oev

if TYPE_CHECKING:
    from adapters.history.questions import Figures, Row


def missed(trail: Trail, figures: Figures | None) -> tuple[list[Row], list[str]]:
    """Question 15: every clock that was missed, and every extension with whether it came before the due moment."""
    rows: list[Row] = [_missed(trail, clock) for clock in trail.clocks() if late_by(clock, trail)]
    flags = list[str]()
    for decided in trail.of(oev.ExtensionDecided):
        rows.append(_extension(trail, decided))
        if decided.pub.granted and not decided.pub.in_time:
            flags.append(f"extension_after_expiry: {decided.stored.position}")
    decisions = trail.of(oev.ExtensionDecided)
    rows += [
        _asked(trail, asked)
        for asked in trail.of(oev.ExtensionRequested)
        if not any(_same_clock(asked, decided) for decided in decisions)
    ]
    for deferral in trail.of(mev.MatterDeferred):
        if _on_due_day(trail, deferral):
            flags.append(f"deferral_on_due_day: {deferral.stored.position}")
    return rows, flags


def _missed(trail: Trail, clock: Clock) -> Row:
    calendar = next(
        (f.recorded.basis.calendar for f in trail.facts if f.recorded.recorded_at == clock.started), None
    )
    steps = [
        fact.stored.position
        for fact in trail.of(mev.DueItem)
        if fact.pub.owner == clock.owner and fact.pub.stage == clock.stage and fact.pub.due == clock.due
    ]
    return {
        "what": "missed 超期", "stage": label(STAGES, clock.stage), "body": trail.owes(clock), "rulebook": clock.rulebook,
        "calendar": calendar, "started": written(clock.started), "first_due": written(clock.first_due),
        "due": written(clock.due), "done_at": written(clock.stopped) if clock.stopped else None,
        "late_by_seconds": late_by(clock, trail), "extensions": clock.extensions, "events": steps,
    }  # fmt: skip


def _extension(trail: Trail, decided: Fact) -> Row:
    pub, asked = decided.pub, _request(trail, decided)
    leg = trail.matter.leg(pub.owner)
    return {
        "what": "extension 延期", "stage": label(STAGES, pub.stage), "body": trail.body(leg.body if leg else None),
        "asked_by": by(trail, asked) if asked else None,
        "asked_at": written(asked.recorded.recorded_at) if asked else None,
        "decided_by": by(trail, decided), "decided_at": written(decided.recorded.recorded_at), "granted": pub.granted,
        "before_due": pub.in_time, "due": written(pub.due) if pub.due else None,
        "reason": asked.pub.reason if asked else None,
        "events": [fact.stored.position for fact in (asked, decided) if fact],
    }  # fmt: skip


def _asked(trail: Trail, asked: Fact) -> Row:
    leg = trail.matter.leg(asked.pub.owner)
    return {
        "what": "extension undecided 延期未批", "stage": label(STAGES, asked.pub.stage),
        "body": trail.body(leg.body if leg else None), "asked_by": by(trail, asked),
        "asked_at": written(asked.recorded.recorded_at), "reason": asked.pub.reason, "events": [asked.stored.position],
    }  # fmt: skip


def _request(trail: Trail, decided: Fact) -> Fact | None:
    earlier = [asked for asked in trail.of(oev.ExtensionRequested) if _same_clock(asked, decided)]
    return earlier[-1] if earlier else None


def _same_clock(asked: Fact, decided: Fact) -> bool:
    """Whether this is the request that was decided: of the same clock, and before it."""
    same = (asked.pub.owner, asked.pub.stage) == (decided.pub.owner, decided.pub.stage)
    return same and asked.stored.position < decided.stored.position


def _on_due_day(trail: Trail, deferral: Fact) -> bool:
    day = _local_day(trail, deferral.recorded.recorded_at)
    finish = [clock for clock in trail.clocks() if (clock.owner, clock.stage) == ("", "finish")]
    return any(
        clock.started < deferral.recorded.recorded_at and _local_day(trail, clock.due) == day
        for clock in finish
    )


def _local_day(trail: Trail, moment: datetime) -> Any:
    return moment.astimezone(trail.zone).date()


def deferred(trail: Trail, figures: Figures | None) -> tuple[list[Row], list[str]]:
    """Question 16: each deferral from its approval to its end, with its reviews."""
    rows, flags = list[Any](), list[str]()
    deferrals = trail.of(mev.MatterDeferred)
    for n, began in enumerate(deferrals):
        until = deferrals[n + 1].stored.position if n + 1 < len(deferrals) else 2**62
        during = [f for f in trail.facts if began.stored.position < f.stored.position < until]
        row = _deferral(trail, began, during)
        rows.append(row)
        if row["still_open"] and row["overdue"]:
            flags.append(f"review_overdue: {began.stored.position}")
        if not row["reviews"] and row["overdue"]:
            flags.append(f"never_reviewed: {began.stored.position}")
    return rows, flags


def _deferral(trail: Trail, began: Fact, during: list[Fact]) -> Row:
    reviews = [fact for fact in during if isinstance(fact.pub, mev.ReviewHeld)]
    ended = next(
        (f for f in during if isinstance(f.pub, mev.MatterResumed | mev.MatterMerged | mev.MatterWithdrawn)),
        None,
    )
    promised = [began.pub.review_by, *(fact.pub.review_by for fact in reviews)]
    held = [
        *(fact.recorded.recorded_at for fact in reviews),
        ended.recorded.recorded_at if ended else trail.at,
    ]
    return {
        "approved_by": by(trail, began), "authority": began.recorded.authority,
        "deferred_at": written(began.recorded.recorded_at), "ground": began.pub.ground,
        "review_by": [written(moment) for moment in promised],
        "reviews": [f"{written(f.recorded.recorded_at)} {by(trail, f)}" for f in reviews],
        "ended_at": written(ended.recorded.recorded_at) if ended else None, "still_open": ended is None,
        "overdue": any(done > due for due, done in zip(promised, held, strict=True)),
        "events": [fact.stored.position for fact in (began, *reviews, ended) if fact],
    }  # fmt: skip
