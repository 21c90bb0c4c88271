"""What everybody may see of a matter, decided in the domain: each ground that hides it, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from domain.matter.state import WHOLE, Lock, Matter, Order
from domain.rulebook import CatalogueItem
from domain.visibility import in_public

ITEM = CatalogueItem(
    code="SL-01", zh="路灯不亮", en="Street light out", kind="hazard", demand="report", body="department"
)
UNIT, ASKER = "dept-water", "3f2b8c1e-5d4a-4b6f-9e7d-0a1b2c3d4e5f"


def matter(**more: Any) -> Matter:
    return Matter("case", kind="hazard", code="SL-01", **more)


def order(kind: str) -> dict[str, Order]:
    return {"o": Order("o", kind, None, "com-01", (), None, None)}


def test_a_street_light_is_everybodys_business() -> None:
    assert in_public(matter(), ITEM)
    assert in_public(matter(status="closed"), ITEM)
    assert in_public(matter(orders=order("whistle")), ITEM)
    assert in_public(matter(erased={ASKER}), ITEM)  # one requester's data are gone: nothing of them was shown


@pytest.mark.parametrize(
    "hidden",
    [
        {"confidential": True}, {"diverted_to": "discipline"}, {"subject": UNIT}, {"backfilled": True},
        {"source": "petition"}, {"erased": {WHOLE}}, {"locked": {WHOLE: Lock("term_over", "x", None)}},
        {"orders": order("visit")},
    ],
    ids=lambda one: next(iter(one)),
)  # fmt: skip
def test_each_of_these_hides_it(hidden: dict[str, Any]) -> None:
    assert not in_public(matter(**hidden), ITEM)


@pytest.mark.parametrize("kind", ["dispute", "petition", "project", "task"])
def test_some_kinds_are_never_shown_whoever_says_so(kind: Any) -> None:
    assert not in_public(matter(), ITEM.model_copy(update={"kind": kind}))
    assert not in_public(Matter("case", kind=kind, code="SL-01"), ITEM)


def test_what_no_catalogue_knows_or_calls_private_is_not_shown() -> None:
    assert not in_public(matter(), None)
    assert not in_public(matter(), ITEM.model_copy(update={"public": False}))
    assert not in_public(Matter("case", kind=None, code=None), ITEM)
