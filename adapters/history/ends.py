"""Question 19: whether it came back after it was said to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.history.trail import Trail
from adapters.history.who import by
from adapters.labels import EVENTS, label
from domain.instant import written
from domain.matter import events as mev

if TYPE_CHECKING:
    from adapters.history.questions import Figures, Row


def returned(trail: Trail, figures: Figures | None) -> tuple[list[Row], list[str]]:
    """Reopenings, words that came after the result, the case that this one repeats, and those that repeat it."""
    rows, flags = list[Any](), list[str]()
    for fact in trail.of(mev.MatterReopened, mev.ChildReopened):
        rows.append(
            {
                "what": label(EVENTS, fact.stored.type), "ground": getattr(fact.pub, "ground", None),
                "times": getattr(fact.pub, "count", None), "by": by(trail, fact),
                "at": written(fact.recorded.recorded_at), "events": [fact.stored.position],
            }
        )  # fmt: skip
    rows += _after_the_result(trail)
    (first, *_) = trail.facts
    if getattr(first.pub, "repeat_of", None):
        rows.append({"what": "repeats 重复", "case": first.pub.repeat_of, "events": [first.stored.position]})
    for again in figures.again(trail.matter.id) if figures is not None else ():
        rows.append({"what": "came again 再次反映", **again, "events": []})
        flags.append(f"came_again: {again['number']} by {again['source']}")
    if trail.of(mev.MatterClosed) and trail.matter.reopened:
        flags.append(f"reopened: {trail.matter.reopened} times before it was closed")
    return rows, flags


def _after_the_result(trail: Trail) -> list[Row]:
    results = trail.of(mev.ResultSubmitted)
    if not results:
        return []
    after = results[0].stored.position
    return [
        {
            "what": label(EVENTS, fact.stored.type), "kind": fact.pub.what, "source": fact.pub.source,
            "at": written(fact.recorded.recorded_at), "events": [fact.stored.position],
        }
        for fact in trail.of(mev.MatterSupplemented)
        if fact.stored.position > after
    ]  # fmt: skip
