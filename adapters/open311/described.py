"""What the OpenAPI document says of Open311: every operation with its fields, an example and what it may answer."""

from __future__ import annotations

import json
from typing import Any

from adapters.http.acts import KEY
from adapters.open311.app import OPERATIONS, PREFIX, Operation
from adapters.open311.fields import FORM, MOST_BYTES, MOST_TEXT
from adapters.open311.formats import to_xml

_DATE = {"type": "string", "format": "date-time"}
_WORD: dict[str, Any] = {"type": "string", "maxLength": 1000}
_NULLABLE = {"type": ["string", "null"]}
_NUMBER, _SERVICE, _BODY = "450305-20261123-7KQ2MWX", "SL-01", "grid-001"
_NAMES = {"service_code": _SERVICE, "service_request_id": _NUMBER, "token": _NUMBER}


def _object(required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required.split()}


_REQUEST = _object(
    "service_request_id status service_code requested_datetime",
    service_request_id={"type": "string"}, status={"type": "string", "enum": ["open", "closed"]},
    status_notes=_NULLABLE, service_name=_NULLABLE, service_code={"type": "string"}, description=_NULLABLE,
    agency_responsible=_NULLABLE, service_notice=_NULLABLE, requested_datetime=_DATE,
    updated_datetime={"type": ["string", "null"], "format": "date-time"},
    expected_datetime={"type": ["string", "null"], "format": "date-time"}, address=_NULLABLE, address_id=_NULLABLE,
    zipcode=_NULLABLE, lat={"type": ["number", "null"]}, long={"type": ["number", "null"]}, media_url=_NULLABLE,
)  # fmt: skip
_SERVICE_ITEM = _object(
    "service_code service_name metadata type",
    service_code={"type": "string"}, service_name={"type": "string"}, description=_NULLABLE,
    metadata={"type": "boolean"}, type={"type": "string", "enum": ["realtime"]}, keywords=_NULLABLE, group=_NULLABLE,
)  # fmt: skip
_DEFINITION = _object(
    "service_code attributes",
    service_code={"type": "string"},
    attributes={"type": "array", "items": {"type": "object"}},
)
_DISCOVERY = _object(
    "changeset contact key_service endpoints", changeset={"type": "string"}, contact={"type": "string"},
    key_service={"type": "string"}, endpoints={"type": "array", "items": {"type": "object"}},
)  # fmt: skip
_CREATED = _object(
    "service_request_id",
    service_request_id={"type": "string"},
    service_notice=_NULLABLE,
    account_id=_NULLABLE,
)
_TOKEN = _object("service_request_id token", service_request_id={"type": "string"}, token={"type": "string"})
_UPDATE = _object(
    "update_id service_request_id status updated_datetime description", update_id={"type": "string"},
    service_request_id={"type": "string"}, status={"type": "string", "enum": ["open", "closed"]},
    updated_datetime=_DATE, description={"type": "string"}, media_url=_NULLABLE,
)  # fmt: skip
_UPDATED = _object("update_id", update_id={"type": "string"})
_ERRORS = {
    "type": "array", "minItems": 1,
    "items": _object("code description", code={"type": "integer"}, description={"type": "string"}),
}  # fmt: skip

_ONE = {
    "service_request_id": _NUMBER, "status": "open", "status_notes": "已受理 accepted",
    "service_name": "路灯不亮 Street light out", "service_code": _SERVICE, "description": None,
    "agency_responsible": "第1社区 Community 1", "service_notice": None,
    "requested_datetime": "2026-11-23T09:30:00+08:00", "updated_datetime": "2026-11-23T09:41:12+08:00",
    "expected_datetime": "2026-11-26T09:30:00+08:00", "address": "第1网格 Grid 1, 第1社区 Community 1",
    "address_id": _BODY, "zipcode": None, "lat": 25.2755, "long": 110.3105, "media_url": None,
}  # fmt: skip
_ITEM = {
    "service_code": _SERVICE, "service_name": "路灯不亮 Street light out", "description": "路灯不亮 Street light out",
    "metadata": True, "type": "realtime", "keywords": "路灯不亮, Street light out", "group": "隐患 hazard",
}  # fmt: skip
_ASKED = {
    "variable": True, "code": "pole", "datatype": "string", "required": False, "datatype_description": "一行文字 one line",
    "order": 1, "description": "灯杆编号 Number on the lamp post", "values": [],
}  # fmt: skip
_FOUND = {
    "changeset": "2026-11-23 01:30", "contact": "Ask the office", "key_service": "Ask its security administrator",
    "endpoints": [
        {
            "specification": "http://wiki.open311.org/GeoReport_v2", "url": "http://127.0.0.1:8000/open311/v2",
            "changeset": "2026-11-23 01:30", "type": "production", "formats": ["text/xml", "application/json"],
        }
    ],
}  # fmt: skip
_SAID = {
    "update_id": f"{_NUMBER}-2", "service_request_id": _NUMBER, "status": "open",
    "updated_datetime": "2026-11-23T09:41:12+08:00", "description": "已受理 accepted", "media_url": None,
}  # fmt: skip


def _list(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema}


_ANSWERS: dict[str, tuple[dict[str, Any], Any]] = {
    "discovery": (_DISCOVERY, _FOUND), "discovery_v2": (_DISCOVERY, _FOUND),
    "services": (_list(_SERVICE_ITEM), [_ITEM]),
    "service_definition": (_DEFINITION, {"service_code": _SERVICE, "attributes": [_ASKED]}),
    "requests": (_list(_REQUEST), [_ONE]), "request": (_list(_REQUEST), [_ONE]),
    "post_request": (_list(_CREATED), [{"service_request_id": _NUMBER, "service_notice": None, "account_id": None}]),
    "token": (_list(_TOKEN), [{"service_request_id": _NUMBER, "token": _NUMBER}]),
    "updates": (_list(_UPDATE), [_SAID]),
    "post_update": (_list(_UPDATED), [{"update_id": f"{_NUMBER}-3"}]),
}  # fmt: skip

_WHICH = {"jurisdiction_id": (_WORD, "The district's code; not needed: there is one jurisdiction.")}
_WINDOW: dict[str, tuple[dict[str, Any], str]] = {
    "start_date": (
        _DATE,
        "With its offset. With end_date 90 days apart at most; the last 90 days without both.",
    ),
    "end_date": (_DATE, "With its offset."),
    "page": ({"type": "integer", "minimum": 1, "maximum": 10**8}, "From 1."),
    "page_size": ({"type": "integer", "minimum": 1, "maximum": 1000}, "1000 unless said otherwise."),
}
_QUERY: dict[str, dict[str, tuple[dict[str, Any], str]]] = {
    "requests": {
        "service_request_id": (_WORD, "One or several, with commas between; overrides all other fields."),
        "service_code": (_WORD, "One or several, with commas between."),
        "status": (
            {"type": "string", "pattern": "^(open|closed)(,(open|closed))?$"},
            "open, closed, or both.",
        ),
        **_WINDOW,
    },
    "updates": {"service_request_id": (_WORD, "Of this request alone."), **_WINDOW},
}
_KEYED = {"api_key": ({"type": "string"}, "A system's key (huiyin key create).")}
_ABOUT: dict[str, tuple[dict[str, Any], str]] = {
    "description": ({"type": "string", "maxLength": MOST_TEXT}, "What somebody says; sealed."),
    "email": (_WORD, "Sealed."), "phone": (_WORD, "Sealed."), "first_name": (_WORD, "Sealed."),
    "last_name": (_WORD, "Sealed."), "media_url": (_WORD, "Sealed. It is never fetched."),
    "device_id": (_WORD, "Not kept."), "account_id": (_WORD, "Not kept."),
}  # fmt: skip
_FORMS: dict[str, tuple[list[str], dict[str, tuple[dict[str, Any], str]]]] = {
    "post_request": (
        ["api_key", "service_code"],
        {
            **_KEYED, **_WHICH, "service_code": (_WORD, "Of GET services."), "lat": (_WORD, "Degrees, WGS 84; with long."),
            "long": (_WORD, "Degrees, WGS 84."), "address_string": (_WORD, "Sealed; it finds a community it names."),
            "address_id": (_WORD, "A community's or grid's id in the register."), **_ABOUT,
            "requested_datetime": (_DATE, "When the client took it in, with its offset."),
            "external_id": (_WORD, "The client's own reference: the same message under it is the same request."),
            "attribute[pole]": (_WORD, "An answer to what the service definition asks, by its code."),
        },
    ),
    "post_update": (
        ["api_key", "service_request_id"],
        {
            **_KEYED, **_WHICH, "service_request_id": (_WORD, "Which request."),
            "update_id": (_WORD, "The client's own: the same message under it is the same update."),
            "updated_datetime": (_DATE, "With its offset."), "status": (_WORD, "open asks to reopen an answered request."),
            **_ABOUT,
        },
    ),
}  # fmt: skip
_SENT = {
    "post_request": {
        "api_key": "hy_…", "service_code": _SERVICE, "lat": "25.2755", "long": "110.3105", "last_name": "王",
        "first_name": "某某", "phone": "13800000000", "description": "桂花路12号门口路灯不亮", "attribute[pole]": "GH-017",
        "external_id": "fms-4711",
    },
    "post_update": {
        "api_key": "hy_…", "service_request_id": _NUMBER, "update_id": "88", "status": "open",
        "updated_datetime": "2026-11-24T08:00:00+08:00", "description": "昨晚又不亮了",
    },
}  # fmt: skip
_SUMMARY = {
    "discovery": "Service discovery 服务发现", "discovery_v2": "Service discovery 服务发现",
    "services": "Services 服务目录", "service_definition": "A service's questions 服务所问",
    "requests": "Requests 诉求列表", "post_request": "Hand in a request 提交诉求", "request": "One request 诉求",
    "token": "A token's request 令牌", "updates": "Updates 进展", "post_update": "Hand in an update 提交补充",
}  # fmt: skip
_FAILS = {
    400: "有误 What was sent cannot be accepted",
    403: "密钥有误 The api_key is missing or may not do this",
    404: "查无此项 There is no such thing",
    429: "过于频繁 Too many requests; Retry-After says how long to wait",
    500: "内部错误 Something broke here",
    503: "暂时不能办理 Out of reach for a moment; Retry-After says how long to wait",
}


def describe(document: dict[str, Any]) -> None:
    """Add every operation of Open311 to an OpenAPI document."""
    for operation in OPERATIONS:
        path = document["paths"].setdefault(f"{PREFIX}{operation.path}.{{format}}", {})
        path[operation.method.lower()] = _operation(operation)
    document["components"]["schemas"]["Open311Errors"] = _ERRORS


def _operation(operation: Operation) -> dict[str, Any]:
    does = operation.reading or operation.posting
    said: dict[str, Any] = {
        "operationId": f"open311_{operation.name}", "tags": ["open311"], "summary": _SUMMARY[operation.name],
        "description": (does.__doc__ or "").strip(), "parameters": [*_in_path(operation), *_in_query(operation)],
        "responses": _responses(operation),
    }  # fmt: skip
    if operation.name in _FORMS:
        said["requestBody"] = _form(operation.name)
        said["parameters"].append(
            {
                "name": KEY, "in": "header", "required": False, "example": "4711",
                "description": "A key of the client's own for this message; Open311 itself has none.",
                "schema": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._:/#-]{0,99}$"},
            }
        )  # fmt: skip
    return said


def _in_path(operation: Operation) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": _WORD, "example": example}
        for name, example in _NAMES.items()
        if f"{{{name}}}" in operation.path
    ]
    form = {"type": "string", "enum": ["xml", "json"]}
    return [*found, {"name": "format", "in": "path", "required": True, "schema": form, "example": "json"}]


def _in_query(operation: Operation) -> list[dict[str, Any]]:
    fields = _WHICH | _QUERY.get(operation.name, {}) if operation.method == "GET" else {}
    return [
        {"name": name, "in": "query", "required": False, "schema": schema, "description": said}
        for name, (schema, said) in fields.items()
    ]


def _form(name: str) -> dict[str, Any]:
    required, fields = _FORMS[name]
    properties = {field: schema | {"description": said} for field, (schema, said) in fields.items()}
    schema = {"type": "object", "required": required, "properties": properties}
    said = f"At most {MOST_BYTES:,} bytes of UTF-8."
    return {
        "required": True,
        "description": said,
        "content": {FORM: {"schema": schema, "example": _SENT[name]}},
    }


def _responses(operation: Operation) -> dict[str, Any]:
    schema, example = _ANSWERS[operation.name]
    fails = [{"code": 404, "description": "not_found: There is no such service_request_id."}]
    refused = _content({"$ref": "#/components/schemas/Open311Errors"}, "errors", fails)
    statuses = [one for one in _FAILS if one != 403 or operation.method == "POST"]
    return {
        "200": {"description": "As asked.", "content": _content(schema, operation.root, example)},
        **{str(status): {"description": _FAILS[status], "content": refused} for status in statuses},
    }


def _content(schema: dict[str, Any], root: str, example: Any) -> dict[str, Any]:
    return {
        "application/json": {"schema": schema, "example": json.loads(json.dumps(example))},
        "text/xml": {"schema": {"type": "string"}, "example": to_xml(root, example)},
    }
