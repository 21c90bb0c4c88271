"""Who may take a bundle, and that it was taken: entry bundles go to boards only (DESIGN.md law 10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from adapters.bundle.extras import proven, stamped
from adapters.bundle.remit import Remit
from adapters.bundle.span import Span, month_bounds, of_month, since_genesis, zone_of
from adapters.bundle.writing import Progress, Source, counts, write_bundle
from adapters.engine import Engine
from adapters.log.store import LogStore
from adapters.reading import record_reading
from domain.acting import Actor
from domain.refusal import Refused
from domain.register import Register
from workflows.records import BundleTaken, bundles_of

OPERATOR = "audit_admin"
"""The post that takes bundles for a board, on an authority; of three administrators the one for audits (B9.3)."""
_SEATS = ("board_member", "discipline_officer")


@dataclass(frozen=True, slots=True)
class Order:
    """A bundle as asked for: whose, of which month (None: since genesis), on what ground, with all cases or not.

    `stamps`: RFC 3161 tokens over its head. `proofs`: cases (numbers or ids) whose newest leaf is proven, to be handed on.
    """

    actor: Actor
    board: str | None = None
    month: str | None = None
    authority: str | None = None
    whole: bool = False
    stamps: tuple[bytes, ...] = ()
    proofs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """What was handed over."""

    board: str
    start: int
    end: int
    withheld: int


def take(
    engine: Engine, log: LogStore, order: Order, path: Path, progress: Progress = lambda *_: None
) -> Taken:
    """Write the bundle for a board; that it was taken is on record first. Raises Refused, NotFound, Unavailable."""
    now, standing = engine.handle.clock(), engine.handle.standing.caught_up()
    board = _board(standing.register, order, now)
    remit = Remit(engine.store, standing.register, board, now, whole=order.whole)
    span = _span(engine, log, order, now)
    extras = [stamped(token, span) for token in order.stamps]
    extras += [proven(engine, log, case, order.actor, remit.reads, span) for case in order.proofs]
    counted = counts(log, engine.store, span, remit.reads)
    taken = Taken(board, span.start, span.new.size, counted["withheld"])
    event = BundleTaken(
        board=board, start=taken.start, end=taken.end, withheld=taken.withheld, whole=order.whole
    )
    record_reading(engine, order.actor, bundles_of(board), event, order.authority)
    source = Source(log, engine.store, standing, remit.reads, counted, tuple(extras))
    write_bundle(source, span, path, progress)
    return taken


def _board(register: Register, order: Order, now: datetime) -> str:
    """The board that the bundle is for: the actor's own, or the one that the audit administrator names."""
    actor = order.actor
    if actor.post is None or not register.holds(actor.person, actor.body, actor.post, now):
        raise Refused("not_in_post", "Act in a post that you hold now: PERSON/BODY/POST.")
    if order.whole and order.authority is None:
        raise Refused("authority_needed", "Name the resolution that lets the board see more than its remit.")
    if actor.post in _SEATS and order.board in (None, actor.body):
        return actor.body
    if actor.post != OPERATOR:
        raise Refused(
            "not_entitled", "Let a member of the board take it, or the audit administrator for the board."
        )
    if order.board is None or order.authority is None:
        raise Refused("authority_needed", "Name the board that it is for, and the resolution that orders it.")
    return order.board


def _span(engine: Engine, log: LogStore, order: Order, now: datetime) -> Span:
    if order.month is None:
        return since_genesis(log)
    zone = zone_of(engine.handle.standing.caught_up(), now)
    return of_month(log, engine.store, *month_bounds(order.month, zone))
