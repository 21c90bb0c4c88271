"""Saves as the arrays that the function `append_saves` takes, one round trip for all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from adapters.store.moment import as_microseconds
from adapters.store.postgres_columns import bigints, binaries, ints, texts
from adapters.store.save import Save
from workflows.ports import Batch

_Column: TypeAlias = Callable[[Any], bytes]
_COMMAND: tuple[_Column, ...] = (ints, texts, texts, texts, texts, texts, binaries, bigints)
_REFERENCE: tuple[_Column, ...] = (ints, texts, texts, texts)
_APPEND: tuple[_Column, ...] = (ints, texts, bigints, bigints)
_EVENT: tuple[_Column, ...] = (ints, texts, bigints, texts, binaries, bigints)
_SEALED: tuple[_Column, ...] = (ints, texts, texts, texts, texts, binaries)
_TEXT: tuple[_Column, ...] = (ints, texts, texts)
_BLINDED: tuple[_Column, ...] = (ints, texts)
_ALL = (_COMMAND, _REFERENCE, _APPEND, _EVENT, _SEALED, _TEXT, _BLINDED)
_EMPTY = {kinds: [kind(()) for kind in kinds] for kinds in _ALL}
"""The columns of no rows: most commands have no references, no texts, nothing to blind."""

PARAMETERS = ", ".join(["%b"] * sum(map(len, _ALL)))
"""The placeholders of `arrays`, in the order of the function's arguments."""


def arrays(saves: Mapping[int, Save]) -> list[bytes]:
    """The arguments of `append_saves`, each row led by the number of its save."""
    numbered = list(saves.items())
    batches = [(number, save.batch) for number, save in numbered if save.batch is not None]
    rows: tuple[Iterable[tuple[Any, ...]], ...] = (
        (_command(number, b.answered) for number, b in batches if b.answered is not None),
        ((number, *reference) for number, b in batches for reference in b.references),
        (row for number, b in batches for row in _appends(number, b)),
        (row for number, save in numbered for row in _events(number, save)),
        ((number, *sealed) for number, b in batches for sealed in b.sealed),
        ((number, *text) for number, b in batches for text in b.texts),
        ((number, stream) for number, b in batches for stream in b.blinded),
    )
    return [column for kinds, each in zip(_ALL, rows, strict=True) for column in _columns(kinds, each)]


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


def _appends(number: int, batch: Batch) -> Iterator[tuple[Any, ...]]:
    moment = as_microseconds(batch.recorded_at)
    return ((number, append.stream, append.after, moment) for append in batch.appends)


def _columns(kinds: tuple[_Column, ...], rows: Iterable[tuple[Any, ...]]) -> list[bytes]:
    columns = list(zip(*rows, strict=True))
    if not columns:
        return _EMPTY[kinds]
    return [kind(column) for kind, column in zip(kinds, columns, strict=True)]
