"""What every operation of Open311 stands on: the open parts, and the state of one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from adapters.engine import Engine
from adapters.http.who import Doors
from adapters.open311.fields import Fields
from adapters.open311.listing import Requests
from adapters.open311.places import MapInForce, Places
from adapters.open311.services import offered
from adapters.open311.shown import Teller
from adapters.views.folded import OPENING, folded_of
from adapters.views.published import request_row, shown
from adapters.views.reader import Reader, Record
from adapters.views.rows import micro
from adapters.views.schema import REQUESTS
from domain.refusal import Refused
from domain.rulebook import CatalogueItem, Rulebook
from workflows.standing import Standing
from workflows.submission import OWN_NUMBER


class Desk:
    """The open parts. Safe to share between threads."""

    def __init__(self, engine: Engine, doors: Doors, reader: Reader) -> None:
        self.engine, self.doors, self.requests = engine, doors, Requests(reader)
        self._map = MapInForce(engine.store)

    def now(self, fields: Fields) -> Present:
        """The present state, for who asks about this jurisdiction. Raises Refused "unknown_jurisdiction"."""
        wanted = fields.one("jurisdiction_id")
        if wanted is not None and wanted != self.engine.district():
            raise Refused(
                "unknown_jurisdiction", "Leave jurisdiction_id out: this endpoint serves one alone."
            )
        moment = self.engine.handle.clock()
        standing = self.engine.handle.standing.caught_up()
        return Present(standing, moment, self._map.places(standing, moment))

    def find(self, numbers: Sequence[str], present: Present) -> list[Record]:
        """The requests of these numbers, in their order; what is hidden, and what is not there, is left out.

        One that the read models have not heard of yet is read from the record: who handed it in may ask at once.
        """
        wanted = list(dict.fromkeys(number.upper() for number in numbers))
        known = self.requests.numbered(wanted)
        found = [known.get(number) or self._recorded(number, present) for number in wanted]
        return [row for row in found if row is not None and row["code"] not in present.withheld]

    def _recorded(self, number: str, present: Present) -> Record | None:
        case = self.engine.handle.find(OWN_NUMBER, number)
        events = self.engine.store.load(case) if case is not None else []
        if not events or events[0].type not in OPENING:
            return None
        folded = folded_of(events)
        if not shown(folded, present.standing.laws.__getitem__):
            return None
        return dict(zip(REQUESTS.names, request_row(folded, micro), strict=True))


@dataclass(frozen=True)
class Present:
    """The register, the rules and the map as of one moment (UTC)."""

    standing: Standing
    moment: datetime
    places: Places | None

    @cached_property
    def book(self) -> Rulebook:
        """The rulebook in force. Raises Refused."""
        return self.standing.law_at(self.moment).book

    @cached_property
    def services(self) -> list[CatalogueItem]:
        """What is offered now. Raises Refused."""
        return offered(self.book)

    @cached_property
    def codes(self) -> frozenset[str]:
        """Every code that was ever offered."""
        return frozenset(item.code for law in self.standing.laws.values() for item in offered(law.book))

    @cached_property
    def withheld(self) -> list[str]:
        """Codes that were offered and, by the catalogue in force, may be shown no longer. Raises Refused."""
        shown_now = {item.code for item in self.services}
        return sorted({item.code for item in self.book.catalogue} & self.codes - shown_now)

    @cached_property
    def teller(self) -> Teller:
        """What tells rows in the standard's words."""
        return Teller(self.standing, self.places, self.moment)
