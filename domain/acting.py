"""Acting: who does something, for which body, on what ground, at what moment (DESIGN.md law 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field

from domain.event import Event
from domain.instant import Instant
from domain.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

CLOCK_PERSON = "system:clock"
RESIDENT = "resident"
_PERSON = r"^(system:clock|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$"
_WORD = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,79}$"


class Actor(BaseModel):
    """A person in a capacity.

    `person` is a stable pseudonym (an officer's random id, a requester's fresh id per matter, or
    `system:clock`); `body` is the body acted for (`resident` for requesters, `system` for timers);
    `post` is the post held there, none for requesters and timers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    person: str = Field(pattern=_PERSON)
    body: str = Field(pattern=_WORD)
    post: str | None = Field(default=None, pattern=_WORD)


CLOCK = Actor(person=CLOCK_PERSON, body="system")
"""The actor of timers: it may only remind, record breaches and take the rulebook's default steps (G7)."""


class SealedName(BaseModel):
    """That a command brings a sealed value of this name about this subject; the value stays outside."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    subject: str


class Command(BaseModel):
    """An intention in the imperative; public fields only. A subclass declares its name:
    `class AcceptMatter(Command, name="accept_matter")`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    NAME: ClassVar[str] = ""
    _known: ClassVar[dict[str, type[Command]]] = {}

    def __init_subclass__(cls, name: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if name is None:
            return
        if name in Command._known:
            raise TypeError(f"two commands are called {name}")
        cls.NAME = name
        Command._known[name] = cls

    def touches(self) -> tuple[str, ...]:
        """The other cases whose state this command must know, and may append to (one atomic append)."""
        return ()


def known_commands() -> Mapping[str, type[Command]]:
    """Every declared command by its name."""
    return Command._known


class Decision(BaseModel):
    """What `decide` allows: the events for the case itself, and those for other cases, by id.

    `rule` is the id of the rule that decided, stored in every envelope.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    rule: str
    events: tuple[Event, ...]
    elsewhere: tuple[tuple[str, Event], ...] = ()


class When(BaseModel):
    """The two times of an act: `occurred_at` as claimed, `recorded_at` as stored (UTC)."""

    model_config = ConfigDict(frozen=True)

    occurred_at: Instant
    recorded_at: Instant


class Keeping(Protocol):
    """Who asks for a change of what all cases stand on (rulebooks, notices, the log's policy), when, on what ground."""

    @property
    def actor(self) -> Actor:
        """The person in a capacity."""
        ...

    @property
    def when(self) -> When:
        """When it was done and when it is recorded (UTC)."""
        ...

    @property
    def authority(self) -> str | None:
        """The law, resolution or mandate that is cited."""
        ...


def check_keeper(context: Keeping) -> None:
    """Only a security administrator, who keeps the lists (B9.3), and only on a stated authority. Raises Refused."""
    if context.actor.post != "security_admin":
        raise Refused(
            "not_your_post", "Let a security administrator do this; the lists are in their keeping."
        )
    if not context.authority:
        raise Refused(
            "authority_missing", "Say on what ground: the resolution or the document that orders it."
        )
