"""Which problems every operation may answer with, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from adapters.http.problems import MEDIA_TYPE, TITLES, Problem

_EVERYWHERE = (401, 403, 404, 409, 422, 503)
_BODY = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
_CODING = {
    "Accept-Encoding": {
        "description": "How bodies are taken, where one came in another coding (`wrong_content_coding`).",
        "schema": {"type": "string", "const": "identity"},
    }
}
_TOLD_WITH = {415: _CODING, 429: _RETRY, 503: _RETRY}


def _said(status: int) -> dict[str, Any]:
    headers = {"headers": _TOLD_WITH[status]} if status in _TOLD_WITH else {}
    return {"description": TITLES[status], "content": _BODY} | headers


def problems(*more: int) -> dict[int | str, dict[str, Any]]:
    """The problems of an operation, by status."""
    return {status: _said(status) for status in sorted({*_EVERYWHERE, *more})}


PROBLEMS = problems(400, 500)
OF_ACTS = problems(400, 412, 413, 415, 500)
OF_REGISTERING = OF_ACTS | {
    200: {
        "description": "Its number is known already: the case that it was added to; `became` says as what.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Accepted"}}},
    }
}
OPEN = {503: _said(503)}
AT_THE_EDGE: dict[int, dict[str, Any]] = {
    status: _said(status) for status in (400, 408, 413, 414, 415, 429, 431, 503)
}
"""What any operation may be answered with before it is begun."""
SCHEMA = Problem.model_json_schema(ref_template="#/components/schemas/{model}")


def _text(description: str, example: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}, "example": example}


_VERSION = {"ETag": _text("The version that the case has now, for If-Match.", '"7"')}
_REPLAYED = {"Idempotency-Replayed": _text("That this answer was given before, under the same key.", "true")}
_LOCATION = {"Location": _text("Where it is read.", "/api/v1/matters/0e1f4a3c-6a55-4a51-9d3e-0a6a0f9a1c52")}
_POSITION = {"Huiyin-Position": _text("Up to which event of the record the list was told.", "1742")}
_TOLD: dict[str, dict[str, Any]] = {
    "read_case": _VERSION, "list_matters": _POSITION, "list_work": _POSITION, "list_clocks": _POSITION,
    "register_matter": _LOCATION, "start_import": _LOCATION | _REPLAYED, "attach_file": _REPLAYED,
}  # fmt: skip


def sent_with(operation: dict[str, Any], status: str) -> dict[str, Any]:
    """The headers of an operation's answer that tell something, by name."""
    if not status.startswith("2"):
        return {}
    content = operation["responses"][status].get("content", {}).get("application/json", {})
    of_an_act = content.get("schema", {}).get("$ref", "").endswith("/Accepted")
    return {**(_VERSION | _REPLAYED if of_an_act else {}), **_TOLD.get(operation["operationId"], {})}
