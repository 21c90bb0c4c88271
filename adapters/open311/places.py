"""Places: in whose ground a point lies, by the map in force.

A point belongs to every body whose polygons cover it, their borders included; of several, where grids meet, the one
with the smallest id has it, so that the same point is always the same body's. A point that none covers is nobody's.
"""

from __future__ import annotations

import threading
from datetime import datetime

import shapely

from domain.refusal import Refused
from domain.rulebook.maps import Map, map_of
from workflows.ports import EventStore
from workflows.standing import Standing

_SPIKES = 1e-6
"""The part of a polygon's area that its slips may make up."""


class Places:
    """The ground of a map, indexed. Safe to share between threads."""

    def __init__(self, ground: Map) -> None:
        """Raises Refused `bad_map` for a polygon that crosses itself."""
        self._bodies: list[str] = []
        shapes: list[shapely.Geometry] = []
        for body, polygons in ground.ground:
            for rings in polygons:
                shape = _area(shapely.Polygon(rings[0], rings[1:]), body)
                self._bodies.append(body)
                shapes.append(shape)
        self._tree = shapely.STRtree(shapes)
        self._points = self._middles(shapes)

    def body(self, lat: float, long: float) -> str | None:
        """Whose ground the point lies in; None outside the map."""
        found = self._tree.query(shapely.Point(long, lat), predicate="intersects")
        return min((self._bodies[int(one)] for one in found), default=None)

    def point(self, body: str) -> tuple[float, float] | None:
        """A point within a body's largest part, as latitude and longitude: where it is, and nobody's address."""
        return self._points.get(body)

    def _middles(self, shapes: list[shapely.Geometry]) -> dict[str, tuple[float, float]]:
        largest: dict[str, shapely.Geometry] = {}
        for body, shape in zip(self._bodies, shapes, strict=True):
            if body not in largest or shape.area > largest[body].area:
                largest[body] = shape
        middles = {body: shape.representative_point() for body, shape in largest.items()}
        return {body: (round(one.y, 7), round(one.x, 7)) for body, one in middles.items()}


def _area(shape: shapely.Geometry, body: str) -> shapely.Geometry:
    """The area of a polygon. Offices' files have rings that touch themselves or run into a spike and back: these are
    mended. Where mending changes the area, as of a ring that crosses itself, nobody knows what was meant."""
    mended = shape if shape.is_valid else shapely.make_valid(shape)
    if not mended.area or abs(mended.area - shape.area) > _SPIKES * mended.area:
        why = shapely.is_valid_reason(shape).partition("[")[0]
        raise Refused("bad_map", f"Correct the map: a polygon of {body} is no area ({why}).")
    return mended


class MapInForce:
    """The places of the map in force; each map is read once."""

    def __init__(self, store: EventStore) -> None:
        self._store, self._lock = store, threading.Lock()
        self._known: tuple[str, Places] | None = None

    def places(self, standing: Standing, now: datetime) -> Places | None:
        """Those in force at a moment, None before the first map. Raises Unavailable, Refused for a damaged store."""
        released = standing.releases.map_at(now)
        if released is None:
            return None
        with self._lock:
            if self._known is None or self._known[0] != released.digest:
                text = self._store.text(released.digest)
                if text is None:
                    raise Refused(
                        "map_missing", f"The text of {released.name} is missing from the store; restore it."
                    )
                self._known = (released.digest, Places(map_of(text)))
            return self._known[1]
