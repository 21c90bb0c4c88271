"""Open311 as the standard says: its schemas, its own examples, and a client that somebody else wrote."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from georeport import GeoReport

from tests.acceptance.http_world import Api
from tests.acceptance.open311_world import Open311, errors, middle

SHARED = Path(__file__).parents[3] / "shared" / "data" / "open311"
FORMATS = {"xml": "text/xml; charset=utf-8", "json": "application/json; charset=utf-8"}


@pytest.fixture(scope="module")
def known(open311: Open311) -> list[str]:
    """Three requests that the read models know: one closed, one accepted, one new."""
    made = open311.api.closed()["number"]
    accepted = open311.posted(service_code="SL-02", **middle(1))
    case = open311.case(accepted)
    open311.api.must(f"/matters/{case}/accept", by=("com-02", "intake_officer"))
    found = [made, accepted, open311.posted()]
    open311.api.caught_up()
    return found


def shared(*path: str) -> str:
    """A text of the shared standard; the test is skipped where it is not here."""
    file = SHARED.joinpath(*path)
    if not file.exists():
        pytest.skip("the shared Open311 texts are not here")
    return file.read_text(encoding="utf-8")


def fits(schema: str, value: Any) -> None:
    """The value passes the standard's JSON schema."""
    base = "json-schema:///"

    def retrieve(uri: str) -> Any:
        return json.loads(shared("schemas", uri.removeprefix(base)))

    made = json.loads(shared("schemas", schema)) | {"$id": base + schema}
    jsonschema_rs.validator_for(made, validate_formats=True, retriever=retrieve).validate(value)


# -- JSON ---------------------------------------------------------------------------------------------------------------


def test_the_json_answers_pass_the_schemas_of_the_standard(open311: Open311, known: list[str]) -> None:
    fits("services.json", open311.get("/v2/services.json").json())
    fits("service-definition.json", open311.get("/v2/services/SL-01.json").json())
    fits("requests.json", open311.get("/v2/requests.json").json())
    fits("requests.json", open311.get(f"/v2/requests/{known[0]}.json").json())
    fits("request.json", open311.one(known[1]))


def test_a_schema_would_tell_a_wrong_answer(open311: Open311, known: list[str]) -> None:
    wrong = open311.one(known[0]) | {"status": "pending"}

    with pytest.raises(jsonschema_rs.ValidationError):
        fits("request.json", wrong)
    with pytest.raises(jsonschema_rs.ValidationError):
        fits("requests.json", [open311.one(known[0]) | {"requested_datetime": "yesterday"}])


# -- a client of somebody else's ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "xml"])
def test_the_client_georeport_works_as_it_is(open311: Open311, known: list[str], form: str) -> None:
    client = GeoReport(f"{open311.api.url}/open311/v2", output_format=form)

    services = client.get_service_list()
    definition = client.get_service_definition("SL-01")
    every = client.get_service_requests()
    closed = client.get_service_requests(status="closed", service_code="FW-01")
    some = client.get_service_requests(service_request_id=",".join(known[:2]))
    one = client.get_service_request(known[2])

    assert "SL-01" in [service["service_code"] for service in services]
    assert definition["service_code"] == "SL-01"
    assert {request["service_request_id"] for request in every} >= set(known)
    assert (closed if isinstance(closed, dict) else closed[0])["service_request_id"] == known[0]
    assert [request["service_request_id"] for request in some] == known[:2]
    assert (one["service_request_id"], one["status"]) == (known[2], "open")


# -- XML ----------------------------------------------------------------------------------------------------------------


def examples(root: str) -> list[ET.Element]:
    """The XML examples of the standard with this root."""
    blocks = re.findall(r"(<\?xml.*?)~~~~", shared("GeoReport_v2_index.md"), re.DOTALL)
    found = [ET.fromstring(block.strip().encode()) for block in blocks]
    assert found
    return [one for one in found if one.tag == root]


def shape(element: ET.Element) -> Any:
    """Names and nesting, without what stands in them: a list of like children counts as one."""
    return {child.tag: shape(child) for child in element}


@pytest.mark.parametrize(
    ("path", "root", "of"),
    [
        ("/v2/services.xml", "services", "service_code"),
        ("/v2/services/SL-01.xml", "service_definition", "service_code"),
        ("/v2/requests.xml", "service_requests", "status"),
    ],
)
def test_the_xml_has_the_structure_of_the_standards_examples(
    open311: Open311, known: list[str], path: str, root: str, of: str
) -> None:
    answer = open311.get(path)
    wanted = [one for one in examples(root) if next(one.iter(of), None) is not None]

    assert answer.content.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
    assert wanted
    for example in wanted:
        assert shape(ET.fromstring(answer.content)) == shape(example)


def test_what_a_post_and_a_token_answer_has_the_examples_structure(
    open311: Open311, known: list[str]
) -> None:
    posted = open311.send("/v2/requests.xml", {"service_code": "SL-01", **middle(0)})
    token = open311.get(f"/v2/tokens/{known[0]}.xml")
    refused = open311.send("/v2/requests.xml", {"service_code": "SL-01"}, key="nobody")
    shapes = [shape(one) for one in examples("service_requests")]

    assert shape(ET.fromstring(posted.content)) in shapes
    assert shape(ET.fromstring(token.content)) in shapes
    assert token.text.count(known[0]) == 2
    assert shape(ET.fromstring(refused.content)) == shape(examples("errors")[0])


@pytest.mark.parametrize("path", ["/v2/services", "/v2/services/SL-01", "/v2/requests", "/discovery"])
def test_xml_and_json_say_the_same(open311: Open311, known: list[str], path: str) -> None:
    answers = {form: open311.get(f"{path}.{form}") for form in FORMATS}
    flat = [text for text in ET.fromstring(answers["xml"].content).itertext() if text.strip()]

    assert {form: one.headers["content-type"] for form, one in answers.items()} == FORMATS
    assert flat == list(leaves(answers["json"].json()))


def leaves(value: Any) -> Iterator[str]:
    """Every value of a JSON answer as XML writes it, in order."""
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from leaves(one)
    elif isinstance(value, bool):
        yield str(value).lower()
    elif value is not None:
        yield f"{value:.7f}" if isinstance(value, float) else str(value)


# -- discovery, services ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/discovery", "/v2/discovery"])
def test_discovery_names_the_endpoint_and_its_formats(open311: Open311, path: str) -> None:
    found = open311.get(f"{path}.json").json()
    (endpoint,) = found["endpoints"]

    assert found.keys() == {"changeset", "contact", "key_service", "endpoints"}
    assert endpoint["specification"] == "http://wiki.open311.org/GeoReport_v2"
    assert endpoint["url"].endswith("/open311/v2")
    assert endpoint["formats"] == ["text/xml", "application/json"]
    assert endpoint["type"] == "test"  # the rulebook is a demonstration's
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", endpoint["changeset"])


def test_services_are_the_catalogue_without_what_nobody_is_to_see(open311: Open311) -> None:
    found = {one["service_code"]: one for one in open311.get("/v2/services.json").json()}

    assert (found["SL-01"]["metadata"], found["SL-02"]["metadata"]) == (True, False)
    assert found["SL-01"]["service_name"] == "路灯不亮 Street light out"
    assert found.keys().isdisjoint({"JF-01", "JF-02", "XF-02", "XM-01", "RW-01", "MS-01"})
    assert "FW-01" in found


def test_a_definition_asks_what_the_catalogue_asks(open311: Open311) -> None:
    pole, fault = open311.get("/v2/services/SL-01.json").json()["attributes"]

    assert (pole["code"], pole["datatype"], pole["required"], pole["order"]) == ("pole", "string", False, 1)
    assert [value["key"] for value in fault["values"]] == ["out", "flickers", "leans"]
    assert open311.get("/v2/services/SL-02.json").json()["attributes"] == []


# -- requests -----------------------------------------------------------------------------------------------------------


def test_a_request_says_how_it_stands_where_and_with_whom(open311: Open311, known: list[str]) -> None:
    closed, accepted = open311.one(known[0]), open311.one(known[1])

    assert (closed["status"], closed["status_notes"]) == ("closed", "已结案 closed：已解决 solved")
    assert (accepted["status"], accepted["status_notes"]) == ("open", "已受理 accepted")
    assert accepted["agency_responsible"] == "第2社区 Community 2"
    assert accepted["address"] == "第2网格 Grid 2, 第2社区 Community 2"
    assert (accepted["address_id"], accepted["lat"], accepted["long"]) == ("grid-002", 25.275, 110.315)
    assert closed["expected_datetime"] is not None
    for name in ("requested_datetime", "updated_datetime", "expected_datetime"):
        assert closed[name].endswith("+08:00")
        assert datetime.fromisoformat(closed[name])
    assert (accepted["description"], accepted["media_url"]) == (None, None)


def test_a_request_without_a_grid_is_shown_in_the_middle_of_its_community(
    open311: Open311, known: list[str]
) -> None:
    found = open311.one(known[0])

    assert (found["address_id"], found["lat"], found["long"]) == ("com-01", 25.275, 110.315)


def test_a_request_is_there_before_any_read_model_has_heard_of_it(open311: Open311) -> None:
    number = open311.posted()

    listed = open311.get("/v2/requests.json", service_request_id=number.lower()).json()

    assert open311.one(number)["service_request_id"] == number
    assert [one["service_request_id"] for one in listed] == [number]


def test_ids_override_all_other_fields_and_unknown_ones_are_left_out(
    open311: Open311, known: list[str]
) -> None:
    wanted = f"{known[2]},none,{known[0]},{known[2]}"

    answer = open311.get("/v2/requests.json", service_request_id=wanted, status="closed", service_code="none")

    assert [one["service_request_id"] for one in answer.json()] == [known[2], known[0]]


def test_status_and_service_code_choose_and_may_be_given_together(open311: Open311, known: list[str]) -> None:
    def numbers(**fields: Any) -> set[str]:
        found = open311.get("/v2/requests.json", **fields).json()
        return {one["service_request_id"] for one in found} & set(known)

    assert numbers(status="closed") == {known[0]}
    assert numbers(status="open") == {known[1], known[2]}
    assert numbers(status="open,closed") == set(known)
    assert numbers(service_code="SL-02") == {known[1]}
    assert numbers(service_code=["SL-02", "SL-01"], status="open") == {known[1], known[2]}
    assert numbers(service_code="SL-02,FW-01", status="closed") == {known[0]}
    assert numbers(status="", service_code="", start_date="", page="") == set(known)


def test_pages_are_the_whole_list_in_order_without_a_gap(open311: Open311, known: list[str]) -> None:
    whole = [one["service_request_id"] for one in open311.get("/v2/requests.json").json()]
    pages, page = list[str](), 1
    while rows := open311.get("/v2/requests.json", page=page, page_size=2).json():
        pages += [one["service_request_id"] for one in rows]
        page += 1

    assert pages == whole
    assert len(set(whole)) == len(whole) >= 3


def test_a_window_holds_what_was_made_in_it(open311: Open311, known: list[str]) -> None:
    opened = datetime.fromisoformat(open311.one(known[1])["requested_datetime"])
    second = timedelta(seconds=1)

    def numbers(**window: datetime) -> set[str]:
        fields = {name: moment.isoformat() for name, moment in window.items()}
        return {one["service_request_id"] for one in open311.get("/v2/requests.json", **fields).json()}

    assert known[1] in numbers(start_date=opened - second, end_date=opened + second)
    assert known[1] in numbers(start_date=opened)
    assert known[1] not in numbers(end_date=opened - second)
    assert known[1] in numbers(end_date=opened + second)
    assert known[1] not in numbers(start_date=opened + second)


def test_a_plus_sign_that_nobody_escaped_is_read(open311: Open311, known: list[str]) -> None:
    answer = open311.api.client.get("/open311/v2/requests.json?start_date=2026-10-01T00:00:00+08:00")

    assert answer.status_code == 200


def test_updates_tell_the_steps_of_requests_in_order(open311: Open311, known: list[str]) -> None:
    found = open311.get("/v2/servicerequestupdates.json", service_request_id=known[0]).json()
    every = open311.get("/v2/servicerequestupdates.json").json()

    assert [one["description"].split()[1] for one in found][:3] == ["registered", "accepted", "graded"]
    assert (found[-1]["status"], found[-1]["description"]) == ("closed", "已结案 closed")
    assert {one["status"] for one in found[:-1]} == {"open"}
    assert len({one["update_id"] for one in every}) == len(every)
    moments = [datetime.fromisoformat(one["updated_datetime"]) for one in every]
    assert moments == sorted(moments)


def test_updates_as_xml_have_the_extensions_names(open311: Open311, known: list[str]) -> None:
    root = ET.fromstring(open311.get("/v2/servicerequestupdates.xml").content)

    assert (root.tag, root[0].tag) == ("service_request_updates", "request_update")
    assert [part.tag for part in root[0]] == [
        "update_id", "service_request_id", "status", "updated_datetime", "description", "media_url",
    ]  # fmt: skip


def test_our_jurisdiction_may_be_named_and_another_is_not_found(open311: Open311) -> None:
    ours = open311.get("/v2/services.json", jurisdiction_id=open311.api.district.code)
    other = open311.get("/v2/services.xml", jurisdiction_id="city.gov")

    assert ours.status_code == 200
    assert (other.status_code, errors(other)) == (404, [(404, "unknown_jurisdiction")])


def test_the_document_tells_of_every_operation(api: Api) -> None:
    paths = api.client.get("/api/v1/openapi.json").json()["paths"]
    mine = {path: set(methods) for path, methods in paths.items() if path.startswith("/open311/")}

    assert mine["/open311/v2/requests.{format}"] == {"get", "post"}
    assert mine["/open311/v2/servicerequestupdates.{format}"] == {"get", "post"}
    assert len(mine) == 8
    assert all(
        {"200", "400", "404", "503"} <= one["responses"].keys() for m in mine for one in paths[m].values()
    )
