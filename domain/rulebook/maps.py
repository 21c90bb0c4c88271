"""Maps: which ground is whose. A map enters by an event that names its digest; its text is kept by it (law 8).

The text is GeoJSON (RFC 7946; longitude before latitude, WGS 84) brought to one form by `reduced`: of each body of the
register its polygons, and nothing else that a file might say of it, such as who works there (law 9). A point on the
border of several bodies belongs to the one with the smallest id; adapters/open311/places.py finds it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import Field, TypeAdapter, ValidationError

from domain.acting import Command
from domain.event import Event
from domain.instant import Instant
from domain.matter.words import Body
from domain.refusal import Refused
from domain.rulebook.texts import DIGEST, Name, digest_of

MOST_TEXT = 20_000_000
"""Characters of a map."""

DIGITS = 7
"""Decimals of a degree that are kept: about a centimetre, so that neighbours' common corners stay common."""

_FEWEST = 4
_WGS84 = (
    "urn:ogc:def:crs:OGC:1.3:CRS84",
    "urn:ogc:def:crs:OGC::CRS84",
    "urn:ogc:def:crs:EPSG::4326",
    "EPSG:4326",
)

Point = tuple[float, float]
"""Longitude and latitude in degrees."""

Polygon = tuple[tuple[Point, ...], ...]
"""The outer ring, then the holes; each ends where it begins."""


class MapReleased(Event, name="map_released.v1"):
    """A map, by name and SHA-256 of its text, is in force from a moment on, until the next one is."""

    name: str
    digest: str
    in_force_from: Instant


class ReleaseMap(Command, name="release_map"):
    """Release a map; `in_force_from` none means from the moment of recording. Made by `release_of_map`."""

    name: Name
    digest: str = Field(pattern=DIGEST)
    in_force_from: Instant | None = None


class ReleasedMap(NamedTuple):
    """A released map: name, digest of its text, and since when (UTC)."""

    name: str
    digest: str
    in_force_from: datetime


@dataclass(frozen=True, slots=True)
class Map:
    """Which polygons are whose: a body's id with all its polygons, each body once."""

    name: str
    ground: tuple[tuple[str, tuple[Polygon, ...]], ...]


def released(event: MapReleased) -> ReleasedMap:
    """What is kept in memory of the event."""
    return ReleasedMap(event.name, event.digest, event.in_force_from)


def in_force(known: Sequence[ReleasedMap], moment: datetime) -> ReleasedMap | None:
    """The map in force at a moment (aware), or None before the first."""
    live = [one for one in known if one.in_force_from <= moment]
    return max(live, key=lambda one: one.in_force_from, default=None)


def release(known: Sequence[ReleasedMap], command: ReleaseMap, now: datetime) -> tuple[Event, ...]:
    """The event of a release. Raises Refused; a name says one text for ever."""
    start = command.in_force_from or now
    for one in known:
        if one.name == command.name and one.digest != command.digest:
            raise Refused("map_edited", f"Give the map a new version: {command.name} is released already.")
        if one.name == command.name:
            raise Refused("map_released", f"Nothing to do: {command.name} is released as it is here.")
        if one.in_force_from == start:
            raise Refused(
                "in_force_taken", "Choose another moment: a map comes into force at that one already."
            )
    if start < now:
        raise Refused(
            "back_dated", "Let it come into force now or later: requests were placed by the map of their day."
        )
    return (MapReleased(name=command.name, digest=command.digest, in_force_from=start),)


def release_of_map(text: str, in_force_from: datetime | None = None) -> ReleaseMap:
    """The command that releases this text. Raises Refused `bad_map`, also for a text that `reduced` did not make."""
    found = map_of(text)
    if reduced(found) != text:
        raise Refused(
            "bad_map", "Release the map through huiyin map release, which leaves all else out of it."
        )
    return ReleaseMap(name=found.name, digest=digest_of(text), in_force_from=in_force_from)


def reduced(found: Map) -> str:
    """The text of a map: GeoJSON with the bodies' polygons and nothing else, written in one way."""
    features = [
        {
            "type": "Feature", "properties": {"body": body},
            "geometry": {"type": "MultiPolygon", "coordinates": polygons},
        }
        for body, polygons in found.ground
    ]  # fmt: skip
    said = {"type": "FeatureCollection", "name": found.name, "features": features}
    return json.dumps(said, ensure_ascii=True, separators=(",", ":"))


def map_of(text: str, *, name: str | None = None, names: str = "body") -> Map:
    """The map in a GeoJSON text. `name` stands for the file's own; `names` is the property that holds a body's id.

    Raises Refused `bad_map`, which says where.
    """
    if len(text) > MOST_TEXT:
        raise _bad(f"a map has at most {MOST_TEXT:,} characters; leave out corners that nobody needs")
    try:
        said = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise _bad("this is no JSON") from None
    if not isinstance(said, dict) or said.get("type") != "FeatureCollection":
        raise _bad("a map is a GeoJSON FeatureCollection")
    if "crs" in said and _crs(said["crs"]) not in _WGS84:
        raise _bad("give longitude and latitude of WGS 84; this file names another system in crs")
    return Map(_named(name or said.get("name")), tuple(_grounds(said.get("features"), names)))


def _named(name: Any) -> str:
    try:
        return TypeAdapter(Name).validate_python(name, strict=True)
    except ValidationError:
        raise _bad("name it by a word and a version, such as guihua/2026.1") from None


def _crs(said: Any) -> Any:
    try:
        return said["properties"]["name"]
    except (KeyError, TypeError):
        return None


def _grounds(features: Any, names: str) -> Iterator[tuple[str, tuple[Polygon, ...]]]:
    if not isinstance(features, list) or not features:
        raise _bad("it has no features")
    seen: set[str] = set()
    for place, feature in enumerate(features):
        try:
            body = TypeAdapter(Body).validate_python(feature["properties"][names], strict=True)
        except (KeyError, TypeError, ValidationError):
            raise _bad(f"features[{place}] names no body of the register in its property {names}") from None
        if body in seen:
            raise _bad(f"{body} stands in it twice; make a MultiPolygon of its parts")
        seen.add(body)
        yield body, _polygons(feature.get("geometry"), body)


def _polygons(geometry: Any, body: str) -> tuple[Polygon, ...]:
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        raise _bad(f"{body} has neither a Polygon nor a MultiPolygon")
    given = geometry.get("coordinates")
    try:
        found = tuple(tuple(_ring(ring) for ring in one) for one in ([given] if kind == "Polygon" else given))
    except (TypeError, ValueError, OverflowError):
        raise _bad(f"the coordinates of {body} are no closed rings of longitude and latitude") from None
    if not found or not all(found):
        raise _bad(f"{body} has an empty polygon")
    return found


def _ring(ring: Any) -> tuple[Point, ...]:
    points = tuple(_point(one) for one in ring)
    if len(points) < _FEWEST or points[0] != points[-1]:
        raise ValueError("a ring has four positions at least and ends where it begins")
    return points


def _point(position: Any) -> Point:
    if not isinstance(position, list) or len(position) < 2:
        raise ValueError("a position is a longitude and a latitude")
    long, lat = (_degrees(one) for one in position[:2])
    if abs(long) > 180 or abs(lat) > 90:
        raise ValueError("degrees lie within 180 and 90")
    return long, lat


def _degrees(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("degrees are a number")
    return round(float(value), DIGITS) + 0.0  # no negative zero


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _bad(why: str) -> Refused:
    return Refused("bad_map", f"Correct the map: {why}.")
