"""What Open311 never shows, and that a hidden request is answered exactly like one that is not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adapters.demo.district import SUBDISTRICT
from adapters.views import Reader
from tests.acceptance.http_world import Api
from tests.acceptance.open311_world import Open311, middle

UNKNOWN = "450305-20261123-7KQ2MWX"


def registered(api: Api, **more: Any) -> str:
    """A matter of the hotline's; gives its number."""
    return str(api.registered(**more)["number"])


def accusation(api: Api) -> str:
    said: dict[str, Any] = {
        "accusation": True, "kind": "request", "code": None, "demand": None, "host": None, "anonymous": True,
        "requesters": [],
    }  # fmt: skip
    return registered(api, **said)


def diverted(api: Api) -> str:
    made = api.registered()
    api.must(f"/matters/{made['case']}/divert", {"to": "discipline"}, by=("com-01", "intake_officer"))
    return str(made["number"])


def visited(api: Api) -> str:
    """An order sends somebody to somebody's door."""
    made = api.graded()
    with_a_visit(api, made)
    return str(made["number"])


def erased(api: Api) -> str:
    """Locked, since its term of keeping still runs, or erased."""
    made = api.closed()
    api.must(f"/matters/{made['case']}/erase", {"ground": "consent_withdrawn"}, by=("archive", "archivist"))
    return str(made["number"])


HIDDEN: dict[str, Callable[[Api], str]] = {
    "accusation": accusation,
    "diverted": diverted,
    "dispute": lambda api: registered(api, code="JF-01", kind="dispute"),
    "dispute under another code": lambda api: registered(api, kind="dispute"),
    "petition": lambda api: registered(api, code="XF-02", kind="petition"),
    "private affairs": lambda api: registered(api, code="MS-01", kind="request"),
    "no code": lambda api: registered(api, code=None),
    "complains about a body": lambda api: registered(api, subject="dept-water"),
    "project": lambda api: registered(api, code="XM-01", kind="project"),
    "visit": visited,
    "locked": erased,
}


@pytest.mark.parametrize("what", HIDDEN)
def test_a_hidden_matter_is_answered_like_none_at_all(open311: Open311, what: str) -> None:
    number = HIDDEN[what](open311.api)

    for once in (False, True):
        if once:
            open311.api.caught_up()
        for path in ("/v2/requests/{}.json", "/v2/requests/{}.xml", "/v2/tokens/{}.json"):
            hidden, none = (open311.get(path.format(one)) for one in (number, UNKNOWN))
            assert (hidden.status_code, hidden.content) == (404, none.content)
        hidden, none = (open311.get("/v2/requests.json", service_request_id=one) for one in (number, UNKNOWN))
        assert (hidden.status_code, hidden.content) == (200, none.content)
        hidden, none = (
            open311.get("/v2/servicerequestupdates.json", service_request_id=one) for one in (number, UNKNOWN)
        )
        assert (hidden.status_code, hidden.content) == (200, none.content)
    for path in ("/v2/requests.json", "/v2/servicerequestupdates.xml"):
        assert number not in open311.get(path).text
    for table in ("requests", "request_steps"):
        assert number not in str(rows(open311, f"SELECT * FROM {table}"))


def rows(open311: Open311, statement: str) -> Any:
    """The rows of the read models."""
    reader = Reader(open311.api.engine.settings.views_url)
    try:
        return reader.rows(statement)
    finally:
        reader.close()


def turned_dispute(api: Api, made: dict[str, Any]) -> None:
    graded = {"scale": "hard", "demand": "help", "tier": "community", "code": "JF-01"}
    api.must(f"/matters/{made['case']}/triage", graded, by=("centre", "dispatcher"))


def turned_accusation(api: Api, made: dict[str, Any]) -> None:
    api.must(f"/matters/{made['case']}/divert", {"to": "discipline"}, by=("com-01", "intake_officer"))


def locked(api: Api, made: dict[str, Any]) -> None:
    api.must(f"/matters/{made['case']}/erase", {"ground": "consent_withdrawn"}, by=("archive", "archivist"))


def with_a_visit(api: Api, made: dict[str, Any]) -> None:
    draft = {"kind": "visit", "receivers": [{"body": "com-01", "role": "lead"}], "sealed": {"reason": "上门"}}
    api.must(f"/matters/{made['case']}/orders", draft, by=(SUBDISTRICT, "leadership_member"))


@pytest.mark.parametrize(
    ("shown", "turn"),
    [
        ("accepted", turned_dispute),
        ("graded", turned_accusation),
        ("closed", locked),
        ("graded", with_a_visit),
    ],
)
def test_a_request_that_was_shown_is_gone_once_it_may_be_shown_no_longer(
    open311: Open311, shown: str, turn: Callable[[Api, dict[str, Any]], None]
) -> None:
    api = open311.api
    made = accepted(api) if shown == "accepted" else getattr(api, shown)()
    number = made["number"]
    api.caught_up()
    assert open311.one(number)["service_code"] == "FW-01"

    turn(api, made)
    api.caught_up()

    assert open311.get(f"/v2/requests/{number}.json").status_code == 404
    assert number not in open311.get("/v2/requests.json").text
    assert number not in open311.get("/v2/servicerequestupdates.json").text


def accepted(api: Api) -> dict[str, Any]:
    made = api.registered()
    api.must(f"/matters/{made['case']}/accept", by=("com-01", "intake_officer"))
    return made


def test_a_matter_that_came_by_petition_stays_hidden_whatever_it_is_about(open311: Open311) -> None:
    said = open311.api.order(code="FW-01", source="window") | {"source": "petition"}
    key = open311.api.token("centre", open311.api.district.staff["centre", "intake_officer"], "petition")
    headers = {
        "Authorization": f"Bearer {key}", "Huiyin-Acting-As": "centre/intake_officer", "Idempotency-Key": "petition-1",
    }  # fmt: skip
    answer = open311.api.client.post("/api/v1/matters", json=said | {"authority": "law:x"}, headers=headers)
    assert answer.status_code == 201, answer.text
    open311.api.caught_up()

    assert open311.get(f"/v2/requests/{answer.json()['number']}.json").status_code == 404


def test_what_an_updates_sender_may_see_decides_not_what_everybody_may(open311: Open311) -> None:
    """A dispute is shown to nobody here; the hotline, which carries it, may still add words to it."""
    number = registered(open311.api, code="JF-01", kind="dispute")

    answer = open311.send(
        "/v2/servicerequestupdates.json", {"service_request_id": number, "description": "补充"}
    )

    assert answer.status_code == 200
    assert open311.send("/v2/requests.json", {"service_code": "JF-01", **middle(0)}).status_code == 404
