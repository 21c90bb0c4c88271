"""Notices: who was to be told what, read off the events by `domain.matter.telling`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapters.views.rows import Row, micro
from domain.event import Recorded
from domain.matter import Matter
from domain.matter.telling import told
from workflows.ports import Stored


def notice_rows(stored: Stored, recorded: Recorded[Any], matter: Matter) -> Iterator[Row]:
    """The rows of `notices` for one event. Which requester is meant stands in the event itself."""
    event = recorded.pub
    for n, one in enumerate(told(event, matter)):
        stage, due = getattr(event, "stage", None), getattr(event, "due", None)
        body = None if one.audience == "requester" else one.name
        yield (
            stored.position, n, matter.id, matter.number, micro(recorded.recorded_at), stored.type.partition(".")[0],
            one.audience, body, one.leg, stage, micro(due),
        )  # fmt: skip
