"""Our mapper: what the library stores is a declared type name and canonical bytes, nothing of Python's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eventsourcing.persistence import Mapper, Notification, StoredEvent

from workflows.ports import Append, Stored


class DeclaredNames(Mapper):
    """Stored topic = declared type name; stored state = the bytes of domain.event.encode (laws 11, 12)."""

    def __init__(self) -> None:
        """No transcoder, compressor or cipher: the sealer hashes the very bytes that are stored."""

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """The library's record of a `Stored`; its position is given by the database."""
        return StoredEvent(domain_event.stream, domain_event.version, domain_event.type, domain_event.body)

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The `Stored` of a library record; position 0 where the record does not know it."""
        position = stored_event.id if isinstance(stored_event, Notification) else 0
        stream, version = str(stored_event.originator_id), stored_event.originator_version
        return Stored(position, stream, version, stored_event.topic, stored_event.state)


def stored_events(mapper: DeclaredNames, appends: Sequence[Append]) -> list[StoredEvent]:
    """The library's records of all events of a batch, in order."""
    return [mapper.to_stored_event(row) for append in appends for row in append.rows()]
