"""The two formats of an answer: XML, which the standard requires, and JSON, made of it by the Spark convention.

An answer is a root's name and a value: a list under its root becomes an array without a name, and each of its members
an element of the name that `_MEMBERS` gives it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from pydantic_core import to_json
from starlette.responses import Response

TYPES = {"xml": "text/xml; charset=utf-8", "json": "application/json; charset=utf-8"}
_MEMBERS = {
    "services": "service", "attributes": "attribute", "values": "value", "service_requests": "request",
    "service_request_updates": "request_update", "errors": "error", "endpoints": "endpoint", "formats": "format",
}  # fmt: skip
_DECLARED = '<?xml version="1.0" encoding="utf-8"?>\n'
_NO_SIGN = "\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff"
"""What XML 1.0 has no way to write."""
_UNWRITABLE, _SPECIAL = re.compile(f"[{_NO_SIGN}]"), re.compile(f"[&<>{_NO_SIGN}]")


def format_of(path: str) -> str:
    """The format that a path asks for by its ending; XML where it asks for none that is known."""
    return "json" if path.endswith(".json") else "xml"


def written(
    form: str, root: str, value: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer in its format."""
    said = to_json(value) if form == "json" else to_xml(root, value).encode()
    return Response(said, status, dict(headers or {}) | {"content-type": TYPES[form]})


def to_xml(root: str, value: Any) -> str:
    """The XML document of a value."""
    return _DECLARED + _element(root, value)


def _element(name: str, value: Any) -> str:
    """One element. Asked seventeen times for each of a thousand requests: what is most frequent comes first."""
    if value is None:
        return f"<{name}/>"
    if isinstance(value, str):
        return f"<{name}>{_escaped(value) if _SPECIAL.search(value) else value}</{name}>"
    return f"<{name}>{_inside(name, value)}</{name}>" if value != [] else f"<{name}/>"


def _inside(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return "".join([_element(key, one) for key, one in value.items()])
    if isinstance(value, list):
        member = _MEMBERS[name]
        return "".join([_element(member, one) for one in value])
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.7f}" if isinstance(value, float) else str(value)


def _escaped(text: str) -> str:
    return _UNWRITABLE.sub("", escape(text))
