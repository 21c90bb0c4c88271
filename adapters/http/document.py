"""The OpenAPI document: what FastAPI knows of the readings, and of the acts what their models say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from adapters.http.acts import KEY
from adapters.http.answers import Accepted
from adapters.http.bodies import Given
from adapters.http.documented import AT_THE_EDGE, sent_with
from adapters.http.if_match import PATTERN
from adapters.http.operations import Operation, path_names
from adapters.http.problems import Problem
from adapters.http.who import ACTING_AS
from domain.matter.commands import RegisterMatter

_REF = "#/components/schemas/{model}"
_MOMENT = datetime(2026, 11, 23, 1, 30, tzinfo=UTC).isoformat()
_DESCRIPTION = """\
「事事有回音」 *Every matter gets an answer.*

Every act takes an `Idempotency-Key`: the same key gets the same answer, the stored one, however often it is sent.
`If-Match` with the ETag of a reading makes an act count only if the case has not moved on; of a list one must match.
What cannot be done is answered as `application/problem+json`: programs go by its `code`.
Who calls with a key or a token says by `Huiyin-Acting-As: BODY/POST` in which of their posts they act.
A case that the caller may not see is answered exactly like one that does not exist.
Every answer names its request in `X-Request-ID`: the caller's own (a UUID, 32 hexadecimal digits or a ULID; or the trace
id of a `traceparent`), else a new one. The events that came of the request hold it as their `correlation`.
`RateLimit` and `RateLimit-Policy` say how many requests are left; 429 comes with `Retry-After`.
`HEAD` is answered wherever `GET` is, without the content. Headers of one value come once; bodies come as they are, uncompressed.
"""

KEY_PARAMETER: dict[str, Any] = {
    "name": KEY, "in": "header", "required": True, "example": "12345-20261123-000017",
    "description": "A key of your own for this act, such as the message's id: letters, digits and ._:/#- signs.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._:/#-]{0,99}$"},
}  # fmt: skip
_PARAMETERS: list[dict[str, Any]] = [
    KEY_PARAMETER,
    {
        "name": "If-Match", "in": "header", "required": False, "example": '"7"',
        "description": "The ETag of the reading that this act was decided on, or a list of such.",
        "schema": {"type": "string", "pattern": PATTERN},
    },
]  # fmt: skip
_AS = {
    "name": ACTING_AS, "in": "header", "required": False, "example": "sd-01/officer",
    "description": "BODY/POST, or resident. Not needed by who holds one post.",
    "schema": {"type": "string", "maxLength": 200},
}  # fmt: skip
_PATHS = {
    "case": {"type": "string", "maxLength": 200},
    "order": {"type": "string", "format": "uuid"},
    "leg": {"type": "string", "format": "uuid"},
}


def extra_of(operation: Operation, body: type[Given]) -> dict[str, Any]:
    """What an act's operation says beside its path."""
    named = [
        {"name": name, "in": "path", "required": True, "schema": _PATHS[name]}
        for name in path_names(operation)
    ]
    content = {"schema": {"$ref": _REF.format(model=body.__name__)}, "example": example_of(operation, body)}
    return {
        "parameters": [*named, *_PARAMETERS],
        "requestBody": {"required": False, "content": {"application/json": content}},
    }


def document(app: FastAPI, bodies: Sequence[type[Given]]) -> dict[str, Any]:
    """The whole document, made once."""
    found: dict[str, Any] = get_openapi(
        title="Huiyin 回音", version=app.version, description=_DESCRIPTION, routes=app.routes
    )
    models: list[tuple[type[BaseModel], Any]] = [(body, "validation") for body in bodies]
    models += [(Accepted, "serialization"), (Problem, "serialization")]
    _, schemas = models_json_schema(models, ref_template=_REF)
    parts = found.setdefault("components", {})
    parts["schemas"] = {**parts.get("schemas", {}), **schemas["$defs"]}
    parts["securitySchemes"] = {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "A system's key, or a provider's access token.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "huiyin_session",
            "description": "From /auth/login.",
        },
    }
    for path, methods in found["paths"].items():
        for operation in methods.values():
            for status, problem in AT_THE_EDGE.items():
                operation["responses"].setdefault(str(status), problem)
        if path.startswith("/api/"):
            for operation in methods.values():
                operation["security"] = [{"bearer": []}, {"session": []}]
                operation.setdefault("parameters", []).append(_AS)
                for status, answer in operation["responses"].items():
                    if headers := sent_with(operation, status):
                        operation["responses"][status] = {**answer, "headers": headers}
    return found


def example_of(operation: Operation, body: type[Given]) -> dict[str, Any]:
    """A body that could be sent: what is needed, and what is sealed."""
    found: dict[str, Any] = {}
    if "case" in path_names(operation) or operation.act.noun == "register":
        found["authority"] = "law:subdistrict-office-ordinance"
    for name, field in body.model_fields.items():
        if field.is_required():
            found[name] = _by_schema(body, name)
    if operation.command is RegisterMatter:
        found |= _REGISTER
    elif operation.act.sealed:
        words = {name: ["0" * 64] if name == "evidence" else "原话" for name in operation.act.sealed}
        found["sealed"] = words
    return found


_EXAMPLES: dict[str, Any] = {
    "receivers": [{"body": "dept-housing", "role": "lead"}], "reason": "beyond_own_power", "ground": "ground:1",
    "host": "com-01", "place": "com-01", "body": "com-01", "to": "discipline", "tier": "community",
    "person": "staff-0017", "requester": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "master": "450305-20261123-7KQ2MWX",
    "number": "db-001", "level": "district", "code": "FW-01", "item": "power-whistle", "holder": "sd-01",
    "leg": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "name_zh": "桂花社区", "name_en": "Guihua community",
    "district": "450305", "application": "application-1", "department": "dept-housing", "decided_by": ["450305"],
    "approved_by": ["450305"], "retention": "ten_years", "needs": "equipment", "basis": "law:basis",
    "other_channel": "court", "to_whom": "board",
}  # fmt: skip
_REGISTER = {
    "authority": "law:subdistrict-office-ordinance", "source": "hotline_12345", "kind": "hazard", "code": "FW-01",
    "demand": "help", "host": "com-01", "sealed": {"text": "3栋电梯坏了两天，老人上下楼不便"},
    "requesters": [{"name": "王某某", "contact": "13800000000"}],
    "outside": [{"source": "hotline_12345", "number": "GL20261123-00017"}],
}  # fmt: skip


def _by_schema(body: type[Given], name: str) -> Any:
    """A value for a field: the first word of a closed list, a moment, a word as it is used, a number, a yes."""
    schema = body.model_json_schema()["properties"][name]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "date-time":
        return _MOMENT
    if name in _EXAMPLES:
        return _EXAMPLES[name]
    return {"boolean": True, "integer": schema.get("minimum", 1), "array": []}.get(
        schema.get("type", ""), "word"
    )
