"""The OpenAPI document says all that there is, its examples are what the models take, and its page needs nobody."""

from __future__ import annotations

import re
from typing import Any

import httpx
import jsonschema_rs
import pytest
from pydantic import TypeAdapter

from adapters.http.bodies import body_of
from adapters.http.document import example_of
from adapters.http.operations import Operation, operations
from adapters.http.problems import (
    BAD_REQUEST,
    FORBIDDEN,
    UNAUTHENTICATED,
    UNPROCESSABLE,
    Problem,
    status_of,
)
from tests.acceptance.http_world import Api
from tests.unit.test_house import ROOT


@pytest.fixture(scope="module")
def said(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.client.get("/api/v1/openapi.json").json()
    return found


def references(value: Any) -> list[str]:
    """Every $ref, however deep."""
    if isinstance(value, dict):
        return [v for k, v in value.items() if k == "$ref"] + [
            r for v in value.values() for r in references(v)
        ]
    return [r for one in value for r in references(one)] if isinstance(value, list) else []


def test_every_act_stands_in_the_document_with_key_version_and_problems(said: dict[str, Any]) -> None:
    for operation in operations():
        found = said["paths"][f"/api/v1{operation.path}"]["post"]
        names = {one["name"]: one["required"] for one in found["parameters"]}
        assert names["Idempotency-Key"] is True
        assert {"If-Match", "Huiyin-Acting-As"} <= names.keys()
        assert {"401", "403", "404", "409", "412", "422", "503"} <= found["responses"].keys()
        assert found["requestBody"]["content"]["application/json"]["example"] is not None


def test_every_answer_that_asks_to_come_again_says_that_it_tells_when(said: dict[str, Any]) -> None:
    answers = [
        (path, status, answer)
        for path, methods in said["paths"].items() if path.startswith("/api/v1/") for one in methods.values()
        for status, answer in one["responses"].items() if status in ("429", "503")
    ]  # fmt: skip

    assert len(answers) > len(operations())
    assert [where for *where, answer in answers if "Retry-After" not in answer.get("headers", {})] == []


def test_every_operation_says_that_a_packed_body_is_none(said: dict[str, Any]) -> None:
    answers = [
        one["responses"]["415"]
        for path, methods in said["paths"].items() if not path.startswith("/open311") for one in methods.values()
    ]  # fmt: skip

    assert len(answers) > len(operations())
    assert all(one["headers"]["Accept-Encoding"]["schema"]["const"] == "identity" for one in answers)


def contents(said: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """All that is sent or answered: where, of which media type, and what the document says of it."""
    return [
        (f"{method} {path} {status}", kind, content)
        for path, methods in said["paths"].items() for method, one in methods.items()
        for status, part in {"body": one.get("requestBody", {}), **one["responses"]}.items()
        for kind, content in part.get("content", {}).items()
    ]  # fmt: skip


def example_in(said: dict[str, Any], content: dict[str, Any]) -> Any:
    """The example of it: its own, one that it refers to, or that of its schema; None without one."""
    schema = content["schema"]
    if "examples" in content:
        (found,) = content["examples"].values()
        return said["components"]["examples"][found["$ref"].rpartition("/")[2]]["value"]
    if "$ref" in schema and "example" not in content:
        return said["components"]["schemas"][schema["$ref"].rpartition("/")[2]].get("examples", [None])[0]
    return content.get("example")


def test_everything_that_is_sent_or_answered_has_an_example_but_files(said: dict[str, Any]) -> None:
    bare = [
        (where, kind) for where, kind, content in contents(said)
        if content["schema"].get("format") != "binary" and example_in(said, content) is None
    ]  # fmt: skip

    assert bare == []


def test_every_example_in_json_fits_its_schema(said: dict[str, Any]) -> None:
    checked = 0
    for where, kind, content in contents(said):
        if kind.endswith("json"):
            whole = {**content["schema"], "components": said["components"]}
            fault = next(jsonschema_rs.validator_for(whole).iter_errors(example_in(said, content)), None)
            assert fault is None, (where, str(fault))
            checked += 1

    assert checked > 1000


def test_every_problem_is_shown_with_its_own_status(said: dict[str, Any]) -> None:
    for where, kind, content in contents(said):
        if kind == "application/problem+json":
            shown = example_in(said, content)
            assert where.endswith(str(shown["status"]))
            assert status_of(shown["code"]) == shown["status"]


def test_every_header_that_tells_something_stands_in_the_document(api: Api, said: dict[str, Any]) -> None:
    by, key, order = ("hotline", "intake_officer"), "told-by-headers", api.order()
    made = api.post("/matters", order, by=by, key=key)
    again = api.post("/matters", order, by=by, key=key)
    case = made.json()["case"]
    answers = {
        ("/matters", "post", "201"): (made, {"etag", "location"}),
        ("/matters", "post", "201 again"): (again, {"etag", "location", "idempotency-replayed"}),
        ("/matters/{case}/accept", "post", "200"): (
            api.post(f"/matters/{case}/accept", by=("com-01", "intake_officer")), {"etag"},
        ),
        ("/matters/{case}", "get", "200"): (api.get(f"/matters/{case}", by=by), {"etag"}),
        ("/matters", "get", "200"): (api.get("/matters", by=by), {"huiyin-position"}),
        ("/clocks", "get", "200"): (api.get("/clocks", by=by), {"huiyin-position"}),
    }  # fmt: skip

    for (path, method, status), (answer, told) in answers.items():
        assert str(answer.status_code) == status[:3]
        found = said["paths"][f"/api/v1{path}"][method]["responses"][status[:3]]["headers"]
        assert told <= answer.headers.keys()
        assert told <= {name.lower() for name in found}


def test_every_reference_leads_somewhere(said: dict[str, Any]) -> None:
    for reference in set(references(said)):
        _, components, kind, name = reference.split("/")
        assert components == "components"
        assert name in said["components"][kind], reference


def test_operation_ids_are_unique(said: dict[str, Any]) -> None:
    ids = [one["operationId"] for methods in said["paths"].values() for one in methods.values()]

    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("operation", operations(), ids=lambda one: one.name)
def test_the_example_of_every_act_is_taken_by_its_model(operation: Operation) -> None:
    body = body_of(operation)

    assert body.model_validate(example_of(operation, body))


def test_what_the_api_answers_is_what_the_document_says(api: Api, said: dict[str, Any]) -> None:
    made = api.post("/matters", api.order(), by=("hotline", "intake_officer"))
    refused = api.post(f"/matters/{made.json()['case']}/close", by=("hotline", "intake_officer"))
    accepted = said["paths"]["/api/v1/matters"]["post"]["responses"]

    assert accepted["201"]["content"]["application/json"]["schema"]["$ref"].endswith("/Accepted")
    assert TypeAdapter(Problem).validate_json(refused.content).status == refused.status_code
    assert made.json().keys() <= said["components"]["schemas"]["Accepted"]["properties"].keys()


def test_the_page_shows_every_operation_and_loads_nothing(api: Api, said: dict[str, Any]) -> None:
    page = api.client.get("/docs")

    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert not re.search(r"(src|href)=\"(https?:)?//", page.text)
    assert "<script" not in page.text
    for path in said["paths"]:
        assert path in page.text
    assert "事事有回音" in page.text


def test_unknown_pages_and_methods_are_problems(api: Api) -> None:
    for answer in (
        api.client.get("/api/v1/nothing"), api.client.get("/"), api.client.delete("/api/v1/matters"),
        api.client.get("/api/v1/matters/x/accept"), api.client.post("/api/v1/clocks"), api.client.get("/redoc"),
    ):  # fmt: skip
        assert answer.status_code in (404, 405)
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_wrong_method_is_told_all_that_the_address_knows(api: Api) -> None:
    asked = {
        "/api/v1/matters": "GET, HEAD, POST", "/api/v1/matters/x/accept": "POST", "/api/v1/imports": "POST",
        "/healthz": "GET, HEAD",
    }  # fmt: skip

    answers = {path: api.client.request("DELETE", path) for path in asked}

    assert {path: answer.headers["allow"] for path, answer in answers.items()} == asked
    assert {answer.status_code for answer in answers.values()} == {405}


def test_every_code_of_the_table_is_one_that_somebody_says() -> None:
    """A code that was renamed would silently become a conflict."""
    files = [
        *(ROOT / "domain").rglob("*.py"),
        *(ROOT / "workflows").rglob("*.py"),
        *(ROOT / "adapters").rglob("*.py"),
    ]
    table = ROOT / "adapters" / "http" / "problems.py"
    text = "\n".join(path.read_text(encoding="utf-8") for path in files if path != table)

    named = BAD_REQUEST | UNAUTHENTICATED | FORBIDDEN | UNPROCESSABLE
    assert {code for code in named if f'"{code}"' not in text} == set()
    assert len(named) == len(BAD_REQUEST) + len(UNAUTHENTICATED) + len(FORBIDDEN) + len(UNPROCESSABLE)
    assert (status_of("wrong_state"), status_of("version_moved"), status_of("not_found")) == (409, 412, 404)


def test_chinese_is_sent_as_it_is_written(api: Api) -> None:
    case = api.registered()["case"]
    answer: httpx.Response = api.get(f"/matters/{case}", by=("hotline", "intake_officer"))

    assert "已登记".encode() in answer.content
    assert answer.headers["content-type"] == "application/json"
