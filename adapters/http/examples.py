"""Examples of the answers, made from what the document says of them: so there is one of each, and each fits its schema.

A field that has an example of its own, a closed list or a fixed value says itself what it looks like; what is left is
looked up by its name.
"""

from __future__ import annotations

from typing import Any

from adapters.http.problems import MEDIA_TYPE, TITLES

Json = Any
_CASE, _ORDER, _LEG = (
    "0e1f4a3c-6a55-4a51-9d3e-0a6a0f9a1c52", "5b0d2f8e-9c61-4e0a-8f3b-2d7c1a90e6f4", "7c9e6679-7425-40de-944b-e07fc1f90ae7",
)  # fmt: skip
_PERSON, _REQUESTER = "3d5c7a1e-2b4f-4c6d-8e9f-a1b2c3d4e5f6", "96fe792f-c080-45be-a9f5-93dd288b92ac"
_MOMENT, _LATER = "2026-11-23T01:30:00Z", "2026-11-25T01:30:00Z"
_NUMBER, _DIGEST = (
    "450305-20261123-7KQ2MWX",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
)

_WORDS: dict[str, Json] = {
    "about": "the matter", "act": "acknowledge", "authority": "law:subdistrict-office-ordinance", "body": "com-01",
    "body_kind": "community", "body_name": "桂花社区", "calendar": "cn/2026", "case": _CASE, "case_id": _CASE,
    "causation": None, "channel": "hotline", "clock": "accept", "code": "FW-01", "command": "hotline:5f2b7c09",
    "compared": 48, "correlation": "8c214f22f3584ad588a63102b05f7cb4", "demand": "help", "digest": _DIGEST,
    "district": "450305", "due": _LATER, "duration": 12, "endpoint": "/open311/v2", "en": "Who came late?",
    "first_due": _LATER, "finish_due": _LATER, "grid": "grid-017", "host": "com-01", "id": _CASE, "issuer": "sd-01",
    "item": "accept", "key": "accept", "kind": "hazard", "leg": _LEG, "line": 2, "mandatory": True, "name": "text",
    "name_en": "Guihua community", "name_zh": "桂花社区", "next_due": _LATER, "next_stage": "accept", "number": _NUMBER,
    "occurred_at": _MOMENT, "opened_at": _MOMENT, "order": _ORDER, "order_id": _ORDER, "owner": "", "parent": None,
    "person": _PERSON, "position": 17, "post": "intake_officer", "posts": ["intake_officer"], "purpose": "handling",
    "question": 11, "recorded_at": _MOMENT, "register": 152, "registered_at": _MOMENT, "requester": _REQUESTER,
    "role": "lead", "row": 2, "rows": [], "rule": "intake", "rulebook": "gulou/2026.1", "scale": "hard", "seconds": 0.2,
    "since": _MOMENT, "size": 48_213, "source": "hotline_12345", "stage": "accept", "started": _MOMENT,
    "status": "registered", "subdistrict": "sd-01", "subject": _REQUESTER, "tier": "community", "updated_at": _MOMENT,
    "url": "https://gateway.example/hook", "value": "3栋电梯坏了两天", "version": 1, "what": "登记 matter_registered",
    "zh": "谁迟到了？",
}  # fmt: skip
_TEXTS = {
    "text/plain": "huiyin-receipt/v1\nhuiyin.example/450305\n450305-20261123-7KQ2MWX\n…",
    "text/csv": "\ufeffrow,line,outcome,code,detail,matter\r\n2,2,added,,,450305-20261123-7KQ2MWX\r\n",
    "text/event-stream": 'id: 17\nevent: matter_registered.v1\ndata: {"specversion":"1.0","id":"evt_…"}\n\n',
}
_XML = '<?xml version="1.0" encoding="utf-8"?>\n'
_XML_ERRORS = _XML + "<errors><error><code>{0}</code><description>…</description></error></errors>"
_CODES = {
    400: ("idempotency_key_missing", "Send Idempotency-Key with a key of your own for this act."),
    401: ("sign_in", "Send a working key or token as Authorization: Bearer …, or sign in at /auth/login."),
    403: ("not_your_post", "The rulebook does not let this post do accept; ask one of the posts it names."),
    404: ("not_found", "Check the number: there is no case of this number that you may see."),
    408: ("body_too_slow", "Send the body faster."),
    409: ("wrong_state", "It cannot be done in this state; look at the case."),
    412: ("version_moved", "The case has moved on to version 2; look at it again, then decide."),
    413: ("too_large_a_body", "Send at most 1,048,576 bytes; attach long texts as files."),
    414: ("uri_too_long", "Send a shorter address."),
    415: ("wrong_media_type", "Send the body as application/json, in UTF-8."),
    422: ("malformed", "Correct what is named under errors, and send it again."),
    429: ("too_many_requests", "Wait 2 s, then go on more slowly."),
    431: ("header_too_large", "Send at most 100 headers of 24,576 bytes together."),
    500: ("internal", "Tell the operator the X-Request-ID of this answer."),
    501: ("not_signed_up", "Set HUIYIN_OIDC_ISSUER to a provider first."),
    503: ("unavailable", "Send it again after the seconds in Retry-After."),
}


def add_examples(document: dict[str, Json]) -> None:
    """Give every answer of the document an example that has none yet: what it refers to, or the answer itself."""
    parts = document["components"]
    parts["examples"] = {str(status): {"value": _problem(status)} for status in _CODES}
    made = _Made(parts["schemas"])
    for methods in document["paths"].values():
        for operation in methods.values():
            operation["responses"] = {
                status: _with_examples(answer, int(status), made)
                for status, answer in operation["responses"].items()
            }


def _problem(status: int) -> dict[str, Json]:
    code, detail = _CODES[status]
    return {"type": "about:blank", "title": TITLES[status], "status": status, "code": code, "detail": detail}


def _with_examples(answer: dict[str, Json], status: int, made: _Made) -> dict[str, Json]:
    if "content" not in answer:
        return answer
    content = {kind: _shown(kind, one, status, made) for kind, one in answer["content"].items()}
    return {**answer, "content": content}


def _shown(kind: str, content: dict[str, Json], status: int, made: _Made) -> dict[str, Json]:
    """The content with an example; a file, and what has one, as it is."""
    schema = content.get("schema", {})
    if "example" in content or "examples" in content:
        return content
    if kind == MEDIA_TYPE:
        return {**content, "examples": {"problem": {"$ref": f"#/components/examples/{status}"}}}
    if kind == "application/json" and "$ref" in schema:
        made.show(schema["$ref"])
        return content
    if kind == "application/json":
        return {**content, "example": made.value("", schema)}
    if kind == "text/xml" and status >= 400:
        return {**content, "example": _XML_ERRORS.format(status)}
    return {**content, "example": _TEXTS[kind]} if kind in _TEXTS else content


class _Made:
    """Examples by the schemas that references lead to."""

    def __init__(self, schemas: dict[str, Json]) -> None:
        self._schemas = schemas

    def show(self, reference: str) -> None:
        """Give the schema that is referred to an example."""
        schema = self._schemas[reference.rpartition("/")[2]]
        if "examples" not in schema:
            schema["examples"] = [self.value("", schema)]

    def value(self, name: str, schema: dict[str, Json]) -> Json:
        """A value of a schema, which belongs to a field of that name."""
        schema = self._schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        for word in ("example", "const"):
            if word in schema:
                return schema[word]
        for word in ("examples", "enum"):
            if word in schema:
                return schema[word][0]
        if "anyOf" in schema:
            return self.value(name, schema["anyOf"][0])
        return self._by_kind(name, schema)

    def _by_kind(self, name: str, schema: dict[str, Json]) -> Json:
        kind = schema.get("type")
        if kind == "object":
            needed = {*schema.get("required", ())}
            fields = schema.get("properties", {})
            return {
                key: self.value(key, one) for key, one in fields.items() if key in needed or "examples" in one
            }
        if name in _WORDS:
            return _WORDS[name]
        if kind == "array":
            return [self.value(name, schema["items"])] if schema.get("items") else []
        return {"integer": schema.get("minimum", 1), "number": 1.0, "boolean": False}.get(str(kind), "word")
