"""Saves as the arrays that the function `append_saves` takes, one round trip for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from adapters.store.moment import as_microseconds
from adapters.store.save import Save

_TYPES = (
    *("int", "text", "text", "text", "text", "text", "bytea", "bigint"),  # commands
    *("int", "text", "text", "text"),  # references
    *("int", "text", "bigint", "bigint"),  # appends
    *("int", "text", "bigint", "text", "bytea", "bigint"),  # events
    *("int", "text", "text", "text", "text", "bytea"),  # sealed values
    *("int", "text", "text"),  # texts
)
PARAMETERS = ", ".join(f"%b::{each}[]" for each in _TYPES)
"""The placeholders of `arrays`, in the order of the function's arguments."""


def arrays(saves: Mapping[int, Save]) -> list[list[Any]]:
    """The arguments of `append_saves`, each row led by the number of its save."""
    numbered = list(saves.items())
    batches = [(number, save.batch) for number, save in numbered if save.batch is not None]
    columns = (
        _columns(8, (_command(number, b.answered) for number, b in batches if b.answered is not None)),
        _columns(4, ((number, *reference) for number, b in batches for reference in b.references)),
        _columns(
            4,
            (
                (number, a.stream, a.after, as_microseconds(b.recorded_at))
                for number, b in batches
                for a in b.appends
            ),
        ),
        _columns(6, (row for number, save in numbered for row in _events(number, save))),
        _columns(6, ((number, *sealed) for number, b in batches for sealed in b.sealed)),
        _columns(3, ((number, *text) for number, b in batches for text in b.texts)),
    )
    return list(chain.from_iterable(columns))


def apart(saves: Sequence[Save]) -> Iterator[list[int]]:
    """The saves' numbers in rounds: no two saves of a round touch the same stream, command or reference.

    Two that do are decided one after the other, as if they had come so.
    """
    left = list(range(len(saves)))
    while left:
        seen: set[object] = set()
        now: list[int] = []
        later: list[int] = []
        for number in left:
            touched = _touched(saves[number])
            (later if touched & seen else now).append(number)
            seen |= touched
        yield now
        left = later


def _touched(save: Save) -> set[object]:
    touched: set[object] = {event.originator_id for event in save.events}
    if save.batch is not None:
        touched.update(append.stream for append in save.batch.appends)
        touched.update((reference.source, reference.digest) for reference in save.batch.references)
        if save.batch.answered is not None:
            touched.add((save.batch.answered.client, save.batch.answered.key, "command"))
    return touched


def _command(number: int, answered: Any) -> tuple[Any, ...]:
    a = answered
    return (number, a.client, a.key, a.digest, a.stream, a.outcome, a.answer, as_microseconds(a.recorded_at))


def _events(number: int, save: Save) -> Iterator[tuple[Any, ...]]:
    moment = 0 if save.batch is None else as_microseconds(save.batch.recorded_at)
    for e in save.events:
        yield number, str(e.originator_id), e.originator_version, e.topic, e.state, moment


def _columns(width: int, rows: Iterator[tuple[Any, ...]]) -> list[list[Any]]:
    columns = [list(column) for column in zip(*rows, strict=True)]
    return columns or [[] for _ in range(width)]
