"""A district with a small map, systems with keys, and Open311 over a running server."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import Any
from uuid import uuid4

import httpx

from adapters.engine import Engine
from domain.acting import Actor
from domain.rulebook.maps import map_of, reduced, release_of_map
from tests.acceptance.http_world import HOTLINE, Api
from tests.acceptance.world import DISTRICT, GROUND
from workflows.standing import RELEASES
from workflows.submission import Answer, Submission

WEST, SOUTH, SIDE = 110.30, 25.27, 0.01
"""The map: four square grids of 0.01 degrees in a row from west to east, grid-001 to grid-004."""


def square(n: int) -> list[list[float]]:
    """The ring of the n-th grid, from 0."""
    west, east = round(WEST + n * SIDE, 7), round(WEST + (n + 1) * SIDE, 7)
    north = round(SOUTH + SIDE, 7)
    return [[west, SOUTH], [east, SOUTH], [east, north], [west, north], [west, SOUTH]]


def map_text(name: str = "guihua/1") -> str:
    """The map as it is released."""
    features = [
        {
            "type": "Feature", "properties": {"body": grid},
            "geometry": {"type": "Polygon", "coordinates": [square(n)]},
        }
        for n, grid in enumerate(DISTRICT.grids)
    ]  # fmt: skip
    return reduced(map_of(json.dumps({"type": "FeatureCollection", "features": features}), name=name))


def released(engine: Engine, text: str) -> Answer:
    """What became of releasing a map."""
    security = Actor(person=DISTRICT.security, body="system", post="security_admin")
    command = release_of_map(text)
    return engine.handle(
        Submission("founding", uuid4().hex, RELEASES, command, security, authority=GROUND, texts=(text,))
    )


def middle(n: int) -> dict[str, str]:
    """A point within the n-th grid, as a form says it."""
    return {"lat": f"{SOUTH + SIDE / 2:.6f}", "long": f"{WEST + (n + 0.5) * SIDE:.6f}"}


class Open311:
    """A client of Open311: the hotline's system unless said otherwise."""

    def __init__(self, api: Api) -> None:
        self.api = api

    @property
    def key(self) -> str:
        """The hotline's key."""
        return self.api.token("hotline", DISTRICT.staff["hotline", "intake_officer"], HOTLINE)

    def get(self, path: str, **fields: Any) -> httpx.Response:
        """One reading, without a key."""
        return self.api.client.get(f"/open311{path}", params=fields)

    def send(
        self, path: str, fields: dict[str, Any], key: str | None = None, **headers: str
    ) -> httpx.Response:
        """One post; the key comes along."""
        form = {"api_key": self.key if key is None else key, **fields}
        acting = {"Huiyin-Acting-As": "hotline/intake_officer"}
        return self.api.client.post(f"/open311{path}", data=form, headers=acting | headers)

    def post(self, **fields: Any) -> httpx.Response:
        """A request about a street light."""
        given = {"service_code": "SL-01", **middle(0), "description": "桂花路12号门口路灯不亮"}
        return self.send("/v2/requests.json", given | fields)

    def posted(self, **fields: Any) -> str:
        """The same, accepted; gives its number."""
        answer = self.post(**fields)
        assert answer.status_code == 200, answer.text
        (made,) = answer.json()
        number: str = made["service_request_id"]
        return number

    def one(self, number: str) -> dict[str, Any]:
        """One request as everybody sees it."""
        answer = self.get(f"/v2/requests/{number}.json")
        assert answer.status_code == 200, answer.text
        (found,) = answer.json()
        return dict(found)

    def case(self, number: str) -> str:
        """The case of a number."""
        found = self.api.engine.handle.find("number", number)
        assert found is not None
        return found


def errors(answer: httpx.Response) -> list[tuple[int, str]]:
    """Codes of an answer's errors, each with the stable word that its description begins with."""
    if answer.headers["content-type"].startswith("text/xml"):
        assert answer.headers["content-type"] == "text/xml; charset=utf-8"
        root = ET.fromstring(answer.content)
        assert (root.tag, {one.tag for one in root}) == ("errors", {"error"})
        rows = [{part.tag: part.text or "" for part in one} for one in root]
    else:
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        rows = answer.json()
    assert all(one.keys() == {"code", "description"} for one in rows)
    return [(int(one["code"]), one["description"].partition(":")[0]) for one in rows]
