"""How subscriptions and parked deliveries are told to programs and people; never their secrets."""

from __future__ import annotations

from typing import Any

from adapters.deliveries.outbox import Count, Parked
from adapters.deliveries.subscriptions import Subscription
from adapters.store.moment import as_moment
from domain.instant import written


def subscription_row(one: Subscription, count: Count) -> dict[str, Any]:
    """A subscription for a program."""
    return {
        "id": one.id, "channel": one.channel, "person": one.person, "body": one.body, "post": one.post,
        "source": one.source, "url": one.url, "types": list(one.types), "ground": one.ground, "state": one.state,
        "why": one.why or None, "made_at": written(one.made_at), "waiting": count.waiting, "parked": count.parked,
        "failures": one.failures, "failing_since": None if one.failing_since is None else written(one.failing_since),
    }  # fmt: skip


def parked_row(one: Parked) -> dict[str, Any]:
    """A parked delivery for a program."""
    return {
        "id": one.id, "subscription": one.subscription, "type": one.type, "what": one.what or None,
        "position": one.position, "code": one.code, "attempts": one.attempts,
        "failing_since": written(as_moment(one.failing_since)), "parked_at": written(as_moment(one.parked_at)),
        "held_back": one.held_back,
    }  # fmt: skip
