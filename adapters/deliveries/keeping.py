"""Who may make and change subscriptions: a security administrator in that post, on a stated authority (B9.3)."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.engine import Engine
from domain.acting import Actor, When, check_keeper
from domain.refusal import Refused
from workflows.submission import check_authority


@dataclass(frozen=True, slots=True)
class Keeper:
    """Who asks, when, and on what ground."""

    actor: Actor
    when: When
    authority: str | None


def check_may_keep(engine: Engine, actor: Actor, authority: str | None) -> None:
    """Raises Refused "not_your_post", "authority_missing", "post_not_held", "malformed"; Unavailable."""
    check_authority(authority)
    now = engine.handle.clock()
    check_keeper(Keeper(actor, When(occurred_at=now, recorded_at=now), authority))
    register = engine.handle.standing.caught_up().register
    if actor.post is None or not register.holds(actor.person, actor.body, actor.post, now):
        raise Refused(
            "post_not_held", "Act in a post that you hold now: ask a security administrator to fill it."
        )
