"""Where a request is about: which grid and community of the register, from a point, an id or an address."""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

from adapters.open311.desk import Present
from adapters.open311.fields import Fields
from domain.matter.guards import BELOW_COMMUNITY
from domain.refusal import Refused
from domain.register import Register
from domain.register.entries import Body
from domain.register.words import Kind

_DEGREES = re.compile(r"[+-]?\d{1,3}(\.\d{1,20})?", re.ASCII)
_MOST_ADDRESS = 500
_KINDS: tuple[Kind, ...] = ("community", "grid", "building", "compound")


class Located(NamedTuple):
    """The community that hosts the request, and the grid where one was found."""

    host: str
    grid: str | None


def told_of(fields: Fields) -> str | None:
    """The place as the client told it, to be sealed. Raises Refused."""
    address, lat, long = fields.one("address_string", _MOST_ADDRESS), fields.one("lat"), fields.one("long")
    return address if lat is None else f"{address or ''} ({lat}, {long})".strip()


def located(fields: Fields, present: Present) -> Located:
    """Where it is: by lat and long, else by address_id (a body's id), else by the body that address_string names.

    Raises Refused.
    """
    told = fields.one("address_string", _MOST_ADDRESS)
    lat, long = fields.one("lat"), fields.one("long")
    register, now = present.standing.register, present.moment
    if lat is not None or long is not None:
        found = _by_point(lat, long, present)
    elif (named := fields.one("address_id")) is not None:
        found = named
    elif told is not None:
        found = _by_name(told, register, now)
    else:
        raise Refused("place_missing", "Send lat and long, or address_id, or address_string.")
    body = register.body(found, now)
    host = register.ancestor(found, "community", now)
    if body is None or host is None:
        raise Refused(
            "unknown_place", "This place belongs to no community of the register now; send another one."
        )
    return Located(host, found if body.kind in BELOW_COMMUNITY else None)


def _by_point(lat: str | None, long: str | None, present: Present) -> str:
    if present.places is None:
        raise Refused("no_map", "This office has released no map; send address_id or address_string.")
    found = present.places.body(_degrees("lat", lat, 90), _degrees("long", long, 180))
    if found is None:
        raise Refused(
            "outside_the_map", "This point lies outside this district; send it to the office it belongs to."
        )
    return found


def _degrees(name: str, said: str | None, most: int) -> float:
    if said is None or not _DEGREES.fullmatch(said) or abs(float(said)) > most:
        raise Refused(
            "bad_point", f"Give lat and long together, as degrees of WGS 84: {name} is missing or wrong."
        )
    return float(said)


def _by_name(told: str, register: Register, now: datetime) -> str:
    """The community or the place in one that the address names, by the longest name that stands in it."""
    places = [body for kind in _KINDS for body in register.bodies(kind, now)]
    named = [(name, body) for body in places if (name := _name_in(told, body)) is not None]
    closest = [
        (name, body) for name, body in named if not any(name != other and name in other for other, _ in named)
    ]
    hosts = {register.ancestor(body.id, "community", now) for _, body in closest}
    if len(hosts) != 1:
        raise Refused(
            "address_unknown", "This address names no community of ours for certain; send lat and long."
        )
    below = [body.id for _, body in closest if body.kind != "community"]
    return below[0] if len(below) == 1 else str(hosts.pop())


def _name_in(told: str, body: Body) -> str | None:
    return next((name for name in (body.name_zh, body.name_en) if name and name in told), None)
