"""Requests and updates as everybody may see them: rows of the read models in the standard's words.

The place is that of the grid, never an address; what somebody wrote stays sealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import fmean
from typing import Any
from zoneinfo import ZoneInfo

from adapters.open311.places import Places
from adapters.open311.services import name_of
from adapters.open311.words import STEP, status_notes
from adapters.views.reader import Record
from domain.register import Register
from domain.rulebook.maps import DIGITS
from workflows.standing import Standing


class Teller:
    """Tells rows in the standard's words, by the register, the catalogue and the map of one moment."""

    def __init__(self, standing: Standing, places: Places | None, now: datetime) -> None:
        self._standing, self._places, self._now = standing, places, now
        self._register: Register = standing.register
        release = standing.releases.in_force(now)
        self._zone = ZoneInfo(release.zone) if release else UTC
        self._names: dict[str, str | None] = {}
        self._services: dict[tuple[str, str], str | None] = {}
        self._told: dict[tuple[str | None, str | None], dict[str, Any]] = {}

    def request(self, row: Record) -> dict[str, Any]:
        """One request."""
        return {
            "service_request_id": row["number"], "status": "open" if row["is_open"] else "closed",
            "status_notes": status_notes(row["status"], row["disposition"]),
            "service_name": self._service(row["code"], row["rulebook"]), "service_code": row["code"],
            "description": None, "agency_responsible": self._name(row["agency"]), "service_notice": None,
            "requested_datetime": self.moment(row["opened"]), "updated_datetime": self.moment(row["updated"]),
            "expected_datetime": self.moment(row["due"]), **self._place(row["grid"], row["host"]), "media_url": None,
        }  # fmt: skip

    def update(self, row: Record) -> dict[str, Any]:
        """One update."""
        return {
            "update_id": update_id(row["number"], row["version"]), "service_request_id": row["number"],
            "status": "open" if row["is_open"] else "closed", "updated_datetime": self.moment(row["at"]),
            "description": STEP[row["what"]], "media_url": None,
        }  # fmt: skip

    def moment(self, micro: int | None) -> str | None:
        """A moment in the rulebook's zone, with its offset, to the second."""
        if micro is None:
            return None
        return datetime.fromtimestamp(micro // 1_000_000, self._zone).isoformat()

    def _name(self, body: str | None) -> str | None:
        if body is not None and body not in self._names:
            found = self._register.body(body, self._now)
            self._names[body] = None if found is None else f"{found.name_zh} {found.name_en}"
        return None if body is None else self._names[body]

    def _place(self, grid: str | None, host: str | None) -> dict[str, Any]:
        """Where it is: the grid, or the community where no grid is known."""
        known = self._told.get((grid, host))
        if known is None:
            names = [name for name in (self._name(grid), self._name(host)) if name is not None]
            lat, long = self._point(grid or host)
            known = self._told[grid, host] = {
                "address": ", ".join(names) or None, "address_id": grid or host, "zipcode": None, "lat": lat, "long": long,
            }  # fmt: skip
        return known

    def _point(self, body: str | None) -> tuple[float | None, float | None]:
        """Of a grid a point in it; of a community without ground of its own the middle of its grids."""
        if self._places is None or body is None:
            return None, None
        parts = (body,) if self._places.point(body) else self._register.children.get(body, ())
        found = [point for one in parts if (point := self._places.point(one)) is not None]
        return _middle(found) if found else (None, None)

    def _service(self, code: str, rulebook: str) -> str | None:
        """By the rulebook that the matter stands under."""
        if (code, rulebook) not in self._services:
            law = self._standing.laws.get(rulebook)
            item = law.book.item(code) if law is not None else None
            self._services[code, rulebook] = None if item is None else name_of(item)
        return self._services[code, rulebook]


def _middle(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    lats, longs = zip(*points, strict=True)
    return round(fmean(lats), DIGITS), round(fmean(longs), DIGITS)


def update_id(number: str, version: int) -> str:
    """The id of what a case's version brought."""
    return f"{number}-{version}"
