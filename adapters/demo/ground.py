"""The ground of the made-up district: its grids as squares side by side, so that Open311 can place a point."""

from __future__ import annotations

from math import ceil, sqrt
from uuid import NAMESPACE_OID, uuid5

from adapters.demo.district import District
from adapters.engine import Engine
from domain.acting import Actor
from domain.rulebook.maps import DIGITS, Map, Point, reduced, release_of_map
from workflows.standing import RELEASES
from workflows.submission import Answer, Submission

WEST, SOUTH, SIDE = 110.30, 25.27, 0.002
"""The south-west corner in degrees, and the side of a grid: about two hundred metres."""

NAME = "demo-map/2026.1"


def ground(district: District) -> Map:
    """The grids in rows, from the south-west, in the order of the plan."""
    across = ceil(sqrt(len(district.grids)))
    return Map(
        NAME, tuple((grid, ((_square(n % across, n // across),),)) for n, grid in enumerate(district.grids))
    )


def release_ground(engine: Engine, district: District) -> Answer:
    """Release the map. The same again changes nothing."""
    text = reduced(ground(district))
    security = Actor(person=district.security, body="system", post="security_admin")
    key = uuid5(NAMESPACE_OID, f"{district.security}/{NAME}").hex
    return engine.handle(
        Submission(
            "founding",
            key,
            RELEASES,
            release_of_map(text),
            security,
            authority="resolution:founding",
            texts=(text,),
        )
    )


def _square(east: int, north: int) -> tuple[Point, ...]:
    corners = ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))
    return tuple(
        (round(WEST + (east + x) * SIDE, DIGITS), round(SOUTH + (north + y) * SIDE, DIGITS))
        for x, y in corners
    )
