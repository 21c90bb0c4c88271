"""One stored sample of every event ever released (law 11): where they lie, and how a new one is made.

A sample is never changed: it stands for the events in every store. `python -m tests.unit.event_samples` writes
those of types that have none yet, with every field filled, and leaves all others as they are.
"""

from __future__ import annotations

import types
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

import domain.log.events
import domain.matter
import domain.register.events
import domain.rulebook.releases
import workflows.records
from domain.event import Basis, Event, Recorded, encode, known_types

SAMPLES = Path(__file__).with_name("samples")
ROOMS = (
    domain.log.events,
    domain.matter,
    domain.register.events,
    domain.rulebook.releases,
    workflows.records,
)
MOMENT = datetime(2026, 3, 2, 4, 0, 0, 123456, tzinfo=UTC)
UUID = "3f2b8c1e-5d4a-4b6f-9e7d-0a1b2c3d4e5f"


def declared() -> dict[str, type[Event]]:
    """Every event type that a room of the house declares, by its stored name."""
    return {
        name: event
        for name, event in known_types().items()
        if event.__module__.split(".")[0] in ("domain", "workflows")
    }


def stored(name: str) -> Path:
    """Where the sample of a type lies."""
    return SAMPLES / f"{name}.json"


def made(event: type[Event]) -> bytes:
    """A new sample: every field filled."""
    recorded = Recorded[Any](
        sd=("Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE",), authority="law:street-office", backfill=True,
        basis=Basis(calendar="cn-2026", code="0.1.0", register=7, rulebook="gulou/2026.1"), capacity="sd-01",
        causation="poke:1", command="api:1", correlation="1", nonce="00112233445566778899aabbccddeeff",
        occurred_at=MOMENT, person=UUID, post="officer", pub=_model(event), recorded_at=MOMENT, rule="accept_matter",
        stream=UUID, type=event.TYPE,
    )  # fmt: skip
    return encode(recorded)


def _model(kind: type[BaseModel]) -> Any:
    return kind(**{name: _field(given) for name, given in kind.model_fields.items()})


def _field(given: FieldInfo) -> Any:
    return _value(given.annotation, given.metadata)


def _value(kind: Any, told: Any = ()) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _value(inner[0], inner[1:])
    if origin in (Union, types.UnionType):
        return _value(next(one for one in inner if one is not type(None)), told)
    if origin is Literal:
        return inner[0]
    if origin is tuple:
        return (_value(inner[0]),) if inner[-1] is Ellipsis else tuple(_value(one) for one in inner)
    return _plain(kind, told)


def _plain(kind: Any, told: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _model(kind)
    if kind is str:
        return UUID if any("[0-9a-f]{8}-" in str(one) for one in told) else "word-1"
    made_of: dict[Any, Any] = {
        int: 3, bool: True, datetime: MOMENT, AwareDatetime: MOMENT, date: MOMENT.date(),
    }  # fmt: skip
    return made_of[kind]


def main() -> None:
    """Write the samples that are missing."""
    SAMPLES.mkdir(exist_ok=True)
    for name, event in sorted(declared().items()):
        if not stored(name).exists():
            stored(name).write_bytes(made(event))


if __name__ == "__main__":
    main()
