"""The two formats of an answer: XML, which the standard requires, and JSON, made of it by the Spark convention.

An answer is a root's name and a value: a list under its root becomes an array without a name, and each of its members
an element of the name that `_MEMBERS` gives it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from starlette.responses import Response

TYPES = {"xml": "text/xml; charset=utf-8", "json": "application/json; charset=utf-8"}
_MEMBERS = {
    "services": "service", "attributes": "attribute", "values": "value", "service_requests": "request",
    "service_request_updates": "request_update", "errors": "error", "endpoints": "endpoint", "formats": "format",
}  # fmt: skip
_DECLARED = '<?xml version="1.0" encoding="utf-8"?>\n'
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 has no way to write."""


def format_of(path: str) -> str:
    """The format that a path asks for by its ending; XML where it asks for none that is known."""
    return "json" if path.endswith(".json") else "xml"


def written(
    form: str, root: str, value: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer in its format."""
    text = json.dumps(value, ensure_ascii=False) if form == "json" else to_xml(root, value)
    return Response(
        text.encode("utf-8", "replace"), status, dict(headers or {}) | {"content-type": TYPES[form]}
    )


def to_xml(root: str, value: Any) -> str:
    """The XML document of a value."""
    parts = [_DECLARED]
    _write(parts, root, value)
    return _UNWRITABLE.sub("", "".join(parts))


def _write(parts: list[str], name: str, value: Any) -> None:
    if value is None or value == []:
        parts.append(f"<{name}/>")
        return
    parts.append(f"<{name}>")
    match value:
        case str():
            parts.append(escape(value))
        case bool():
            parts.append("true" if value else "false")
        case float():
            parts.append(f"{value:.7f}")
        case dict():
            for key, one in value.items():
                _write(parts, key, one)
        case list():
            for one in value:
                _write(parts, _MEMBERS[name], one)
        case _:
            parts.append(str(value))
    parts.append(f"</{name}>")
