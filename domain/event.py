"""Events: what happened, as it is stored and as it is sealed.

An `Event` holds public fields only (DESIGN.md law 9). Its stored body (DESIGN.md §9) is
canonical JSON: sorted ASCII keys, no white space, no floats, integers below 2**53, at
most 60,000 bytes; the sealer later hashes these bytes without decoding them.

    {"_sd":[…],"authority":…,"backfill":false,"basis":{…},"capacity":…,"causation":…,"command":…,
     "correlation":…,"nonce":…,"occurred_at":…,"person":…,"post":…,"pub":{…},"recorded_at":…,
     "rule":…,"stream":…,"type":"matter_registered.v1"}

A type name is a declared constant and outlives the code (law 11).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.instant import Instant

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_BYTES = 60_000
MOST_INTEGER = 2**53

_KNOWN: dict[str, type[Event]] = {}


class Event(BaseModel):
    """One fact in the past tense; a subclass declares its stored name: `class X(Event, name="x.v1")`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    TYPE: ClassVar[str] = ""

    def __init_subclass__(cls, name: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if name is None:
            return
        if name in _KNOWN:
            raise TypeError(f"two events are called {name}")
        cls.TYPE = name
        _KNOWN[name] = cls


E = TypeVar("E", bound=Event)


class Basis(BaseModel):
    """What a decision stood on: versions of the rulebook, the calendar, the register and the code."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calendar: str
    code: str
    register_: int = Field(alias="register")
    rulebook: str


class Recorded(BaseModel, Generic[E]):
    """An event with its envelope (law 4): who, as what, on what ground, by which rule, when.

    `person` is a stable pseudonym; `capacity` the body acted for; `post` the post held there;
    `authority` the power item, law, mandate or resolution cited; `rule` the id of the rule that
    decided; `occurred_at` the claimed and `recorded_at` the stored moment (UTC); `sd` the salted
    digests of the sealed values that belong to it (RFC 9901); `backfill` marks a late record.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    sd: tuple[str, ...] = Field(default=(), alias="_sd")
    authority: str | None = None
    backfill: bool = False
    basis: Basis
    capacity: str
    causation: str | None = None
    command: str
    correlation: str
    nonce: str
    occurred_at: Instant
    person: str
    post: str | None = None
    pub: E
    recorded_at: Instant
    rule: str
    stream: str
    type: str


def known_types() -> dict[str, type[Event]]:
    """Every declared stored name and its class, as far as their rooms have been imported."""
    return dict(_KNOWN)


def canonical(value: Any) -> bytes:
    """Canonical JSON (RFC 8785 restricted to ASCII keys, no floats, integers below 2**53).

    Raises ValueError for anything outside that subset.
    """
    _check(value)
    return _WRITER.encode(value).encode("utf-8")


_WRITER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _check(value: Any) -> None:
    # On the path of every append: most values are texts, and no call is made for those.
    match value:
        case None | bool() | str():
            return
        case int():
            if abs(value) >= MOST_INTEGER:
                raise ValueError("integers stay below 2**53")
            return
        case dict():
            _check_keys(value)
            inner: Iterable[Any] = value.values()
        case list() | tuple():
            inner = value
        case _:
            raise ValueError(f"{type(value).__name__} has no canonical form here")
    for one in inner:
        if not isinstance(one, str):
            _check(one)


def _check_keys(value: dict[Any, Any]) -> None:
    try:
        ascii_only = "".join(value).isascii()
    except TypeError:
        ascii_only = False
    if not ascii_only:
        raise ValueError("keys are ASCII strings")


def encode(recorded: Recorded[Any]) -> bytes:
    """The stored body; raises ValueError when it would be larger than 60,000 bytes."""
    body = canonical(recorded.model_dump(mode="json", by_alias=True))
    if len(body) > MOST_BYTES:
        raise ValueError("an event holds at most 60,000 bytes; long text belongs into a sealed value")
    return body


_READERS: dict[str, TypeAdapter[Recorded[Any]]] = {}


def decode(type_name: str, body: bytes) -> Recorded[Any]:
    """The event that `encode` stored. Raises KeyError for a type name that no room declares."""
    reader = _READERS.get(type_name)
    if reader is None:
        reader = _READERS[type_name] = TypeAdapter(Recorded[_KNOWN[type_name]])  # type: ignore[valid-type]
    return reader.validate_json(body)
