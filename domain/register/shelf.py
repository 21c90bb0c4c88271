"""A mapping that never changes and shares what it can with its successors.

The register is a value: each event makes a new one. Copying whole dictionaries would make the fold of a
district's roster quadratic; a shelf copies one drawer in 256.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    K = TypeVar("K", bound=Hashable)
else:
    K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")

_DRAWERS = 256


class Shelf(Generic[K, V]):
    """An immutable mapping; `put` answers a new shelf in about a microsecond. Its order means nothing."""

    __slots__ = ("_drawers",)

    def __init__(self, drawers: tuple[dict[K, V], ...] | None = None) -> None:
        self._drawers: tuple[dict[K, V], ...] = ({},) * _DRAWERS if drawers is None else drawers

    def get(self, key: K, default: D) -> V | D:
        """The value under `key`, else `default`."""
        return self._drawers[hash(key) % _DRAWERS].get(key, default)

    def put(self, key: K, value: V) -> Shelf[K, V]:
        """The same shelf, but with `value` under `key`."""
        place = hash(key) % _DRAWERS
        drawers = list(self._drawers)
        drawers[place] = {**drawers[place], key: value}
        return Shelf(tuple(drawers))

    def items(self) -> Iterator[tuple[K, V]]:
        """Every key and value, in no order that means anything."""
        for drawer in self._drawers:
            yield from drawer.items()

    def values(self) -> Iterator[V]:
        """Every value, in no order that means anything."""
        for drawer in self._drawers:
            yield from drawer.values()
