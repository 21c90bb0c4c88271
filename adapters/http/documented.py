"""Which problems every operation may answer with, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from adapters.http.problems import MEDIA_TYPE, TITLES, Problem

_EVERYWHERE = (401, 403, 404, 409, 422, 503)
_BODY = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}


def _said(status: int) -> dict[str, Any]:
    waits = {"headers": _RETRY} if status in (429, 503) else {}
    return {"description": TITLES[status], "content": _BODY} | waits


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
    status: _said(status) for status in (400, 408, 413, 414, 429, 431, 503)
}
"""What any operation may be answered with before it is begun."""
SCHEMA = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
