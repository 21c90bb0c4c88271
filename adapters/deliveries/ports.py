"""What the outbox asks of whoever fills it and of whoever sends: routers and senders, as small protocols."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from adapters.deliveries.subscriptions import Subscription
    from workflows.ports import Stored

Kind = Literal["sent", "withheld", "refused", "unreadable", "down", "gone"]


class Row(NamedTuple):
    """One thing to be delivered; nothing personal stands in it.

    `event` is the event's id outside (`event_id`), `what` a code where one event becomes several deliveries to the same
    subscription, '' for the event itself. Rows of one `lane` go out one after the other; '' is the stream. A row that
    names its stream gathers there whatever waits of its case (adapters.deliveries.lanes).
    """

    subscription: str
    stream: str
    version: int
    position: int
    event: str
    type: str
    what: str = ""
    lane: str = ""

    @property
    def id(self) -> str:
        """Derived, so that there is one row of each (subscription, event, what)."""
        said = f"{self.subscription}\0{self.event}\0{self.what}"
        return hashlib.sha256(said.encode()).hexdigest()[:16]


class Queued(NamedTuple):
    """A row that waits, as its lane stands: tried `attempts` times, failing since then (microseconds).

    `opened`: that sealed values leave with it was put on record, at an earlier try.
    """

    id: str
    row: Row
    queued_at: int
    opened: bool = False
    attempts: int = 0
    failing_since: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try.

    `sent`: done. `withheld`: the receiver may not, or may no longer, be told: done as well. `refused`: this one failed;
    it is tried again later and later, and parks in the end. `unreadable`: the same, because its case cannot be read for
    the moment: that is no fault of the receiver, and waits in a lane of the case's own. `down`: nobody can be told
    anything at the moment, so that the whole subscription waits. `gone`: the receiver wants nothing more, ever: ends the
    subscription. `code` says why, in a word for operators; `wait` is how many seconds the receiver asked for. `charged`:
    the try also counts for the row itself, which might be why the receiver says that it is away. `instead`: the rows that
    take the place of one that is done, because only now could be told who is to hear of the event.
    """

    kind: Kind
    code: str = ""
    wait: float | None = None
    charged: bool = False
    instead: tuple[Row, ...] = ()


class Router(Protocol):
    """Decides by the events alone who is to be told of them. It may be asked twice about the same batch."""

    def rows(self, batch: Sequence[Stored]) -> list[Row]:
        """What is to be delivered of this batch. Raises Unavailable."""
        ...


class Sender(Protocol):
    """Delivers over one channel."""

    async def send(self, to: Subscription, queued: Queued) -> Outcome:
        """One try. A receiver's fault is an Outcome; raises Unavailable where a database of ours is out of reach."""
        ...


def event_id(body: bytes) -> str:
    """How a stored event is called outside: derived from its bytes, which hold a nonce, so that it is the same at every
    try and another one for an event that a restored store holds in its place."""
    return f"evt_{hashlib.sha256(b'huiyin event' + bytes(1) + body).hexdigest()[:32]}"
