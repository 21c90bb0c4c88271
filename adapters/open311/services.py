"""Services: the catalogue in force as Open311 names it, what each asks, and whether the answers will do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from adapters.open311.fields import Fields, moment_of
from adapters.open311.problems import Faults
from adapters.open311.words import DATATYPE, KIND
from domain.refusal import Refused
from domain.rulebook import CatalogueItem, Rulebook
from domain.rulebook.catalogue import Question
from domain.visibility import SHOWN_KINDS

_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)


def offered(book: Rulebook) -> list[CatalogueItem]:
    """The items that anybody may bring here and see: never a person's own affairs, a dispute or a petition."""
    return [item for item in book.catalogue if item.public and item.kind in SHOWN_KINDS]


def item_of(book: Rulebook, code: str) -> CatalogueItem:
    """The service of a code. Raises Refused `unknown_service`."""
    found = next((item for item in offered(book) if item.code == code), None)
    if found is None:
        raise Refused("unknown_service", "Give a service_code that GET services names.")
    return found


def name_of(item: CatalogueItem) -> str:
    """What a service is called."""
    return f"{item.zh} {item.en}"


def service(item: CatalogueItem) -> dict[str, Any]:
    """One service as GET services lists it."""
    return {
        "service_code": item.code, "service_name": name_of(item), "description": item.note or name_of(item),
        "metadata": bool(item.ask), "type": "realtime", "keywords": ", ".join((*item.zh.split("、"), item.en)),
        "group": KIND[item.kind],
    }  # fmt: skip


def definition(item: CatalogueItem) -> dict[str, Any]:
    """What a service asks besides what and where."""
    asked = [
        {
            "variable": True, "code": one.code, "datatype": one.datatype, "required": one.required,
            "datatype_description": DATATYPE[one.datatype], "order": place, "description": f"{one.zh} {one.en}",
            "values": [{"key": value.key, "name": f"{value.zh} {value.en}"} for value in one.values],
        }
        for place, one in enumerate(item.ask, 1)
    ]  # fmt: skip
    return {"service_code": item.code, "attributes": asked}


def answers(item: CatalogueItem, fields: Fields) -> list[str]:
    """The answers to what the service asks, each as a line of text; others are left alone. Raises Faults, Refused."""
    given, faults, lines = fields.attributes(), list[Refused](), list[str]()
    for one in item.ask:
        values = given.get(one.code, [])
        faults += _wrong(one, values)
        if values:
            names = {value.key: f"{value.zh} {value.en}" for value in one.values}
            lines.append(f"{one.zh} {one.en}: {'; '.join(names.get(value, value) for value in values)}")
    if faults:
        raise Faults(faults)
    return lines


def _wrong(one: Question, values: list[str]) -> Iterator[Refused]:
    where = f"attribute[{one.code}]"
    if one.required and not values:
        yield Refused("attribute_missing", f"Answer {where}: this service needs it.")
    if len(values) > 1 and one.datatype != "multivaluelist":
        yield Refused("attribute_wrong", f"Give {where} one value.")
    if one.values and not {value.key for value in one.values}.issuperset(values):
        yield Refused("attribute_wrong", f"Give {where} one of the keys that the service definition names.")
    if one.datatype == "number" and not all(_NUMBER.fullmatch(value) for value in values):
        yield Refused("attribute_wrong", f"Give {where} as a number.")
    if one.datatype == "datetime" and not all(map(moment_of, values)):
        yield Refused("attribute_wrong", f"Give {where} as a time with its offset.")
