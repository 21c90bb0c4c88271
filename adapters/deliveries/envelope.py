"""What an event looks like outside: a CloudEvent 1.0 in structured JSON. Public fields only, unless a ground is named.

    {"specversion":"1.0","id":"evt_…","source":"huiyin:450305","type":"matter_closed.v1","subject":"450305-20261123-…",
     "time":"…","datacontenttype":"application/json","data":{…}}

`id` is the same at every try and to everybody; `type` is the stored name, which outlives the code (law 11); `subject` is
the matter's number, `time` when it happened. `data` holds both times, who acted for which body on what ground, the event's
public fields (`pub`), its place in the case and in the store, and where the API tells of the case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from cloudevents.core.bindings.http import to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from adapters.deliveries.ports import event_id
from adapters.engine import Engine
from adapters.reading import record_reading
from domain.acting import Actor
from domain.event import Recorded, decode
from domain.instant import written
from domain.matter import Matter, replay
from domain.matter.concern import concerns
from domain.visibility import Sight, sees
from workflows.ports import Stored
from workflows.records import SealedRead, reads_of

PURPOSE = "delivery"
MEDIA_TYPE = "application/cloudevents+json"


@dataclass(frozen=True, slots=True)
class Case:
    """A case that a viewer may see now, with all its events, as stored and as read."""

    matter: Matter
    sight: Sight
    events: tuple[Stored, ...]
    history: tuple[Recorded[Any], ...]


def case_for(engine: Engine, case: str, viewer: Actor) -> Case | None:
    """The case, if the viewer may see it now; None where not, or where there is none (law 10). Raises Unavailable."""
    events = tuple(engine.store.load(case))
    history = tuple(decode(stored.type, stored.body) for stored in events)
    matter = replay(history)
    if matter is None:
        return None
    sight = sees(matter, viewer, engine.handle.standing.caught_up().register, engine.handle.clock())
    return None if sight.level == "nothing" else Case(matter, sight, events, history)


def concerned(case: Case, version: int, body: str, source: str | None) -> bool:
    """Whether the event of this version concerned the body when it happened."""
    state = replay(case.history[:version])
    return state is not None and concerns(state, body, source)


def cloud_event(
    engine: Engine, case: Case, stored: Stored, sealed: list[dict[str, Any]] | None = None, **more: Any
) -> bytes:
    """The event in structured JSON; `sealed` are values that this receiver is shown, `more` stands beside them."""
    recorded = case.history[stored.version - 1]
    settings, number = engine.settings, case.matter.number
    data: dict[str, Any] = {
        "case": stored.stream, "number": number, "version": stored.version, "position": stored.position,
        "occurred_at": written(recorded.occurred_at), "recorded_at": written(recorded.recorded_at),
        "backfill": recorded.backfill, "person": recorded.person, "post": recorded.post, "body": recorded.capacity,
        "authority": recorded.authority, "rule": recorded.rule, "rulebook": recorded.basis.rulebook,
        "correlation": recorded.correlation, "pub": recorded.pub.model_dump(mode="json"),
        "link": f"{settings.api_address}/api/v1/matters/{stored.stream}",
    }  # fmt: skip
    data |= more | ({} if sealed is None else {"sealed": sealed})
    attributes = {
        "id": event_id(stored.body), "source": f"huiyin:{settings.district}", "type": stored.type,
        "subject": number or stored.stream, "time": recorded.occurred_at, "datacontenttype": "application/json",
    }  # fmt: skip
    return to_structured(CloudEvent(attributes, data), JSONFormat()).body


class Disclosing(NamedTuple):
    """Which sealed values: those of an event, and of these `beside`; of these names alone, where names are given."""

    stored: Stored
    beside: tuple[Stored, ...] = ()
    names: frozenset[str] | None = None


def opened(
    engine: Engine, case: Case, asked: Disclosing, viewer: Actor, ground: str, *, known: bool = False
) -> list[dict[str, Any]]:
    """The sealed values that came with an event, as far as the viewer may read them; that they leave is recorded first.

    `known`: it was recorded before, at an earlier try. Raises Unavailable.
    """
    stored = asked.stored
    digests = {digest for one in (stored, *asked.beside) for digest in decode(one.type, one.body).sd}
    holder = "discipline" if case.matter.confidential else "ordinary"
    shown = [
        one for one in engine.store.sealed(stored.stream)
        if one.digest in digests and case.sight.opens(one.subject, one.name)
        and (asked.names is None or one.name in asked.names)
    ]  # fmt: skip
    readable = tuple(sorted({one.name for one in shown if case.matter.shut(one.subject) is None}))
    if readable and not known:
        event = SealedRead(case=stored.stream, fields=readable, purpose=PURPOSE)
        record_reading(engine, viewer, reads_of(stored.stream), event, ground)
    wanted = {one.digest for one in shown}
    values = [
        one for one in engine.vault.open(stored.stream, holder=holder) if one.digest in wanted
    ] if shown else []  # fmt: skip
    return [_value(case.matter, one) for one in values]


def _value(matter: Matter, one: Any) -> dict[str, Any]:
    state = matter.shut(one.subject) or one.state
    return {
        "subject": one.subject, "name": one.name, "state": state, "value": one.value if state == "open" else None,
    }  # fmt: skip
