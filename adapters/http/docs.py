"""The page of the API: made of the OpenAPI document, without a script, a font or a style from anywhere else."""

from __future__ import annotations

import json
from html import escape
from typing import Any

_STYLE = """
body{font:16px/1.5 system-ui,"Noto Sans CJK SC","Microsoft YaHei",sans-serif;margin:0 auto;max-width:60rem;padding:1rem}
pre,code{font:14px/1.4 ui-monospace,monospace}pre{background:#f4f4f4;padding:.7rem;overflow:auto}
summary{cursor:pointer;padding:.3rem 0}details{border-bottom:1px solid #ddd}
b{display:inline-block;min-width:3.5rem}table{border-collapse:collapse}
td,th{border:1px solid #ccc;padding:.2rem .6rem;text-align:left;vertical-align:top}
"""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def page(document: dict[str, Any]) -> str:
    """The page, in HTML."""
    tags: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tags.setdefault(operation.get("tags", ["other"])[0], []).append(
                _operation(path, method, operation)
            )
    body = "".join(f"<h2>{escape(tag)}</h2>{''.join(found)}" for tag, found in tags.items())
    about = "".join(f"<p>{escape(part)}</p>" for part in document["info"]["description"].split("\n\n"))
    schemas = "".join(
        f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary><pre>{_json(schema)}</pre></details>'
        for name, schema in document["components"]["schemas"].items()
    )
    return (
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>回音 API</title><style>{_STYLE}</style>'
        f"<h1>{escape(document['info']['title'])} API {escape(document['info']['version'])}</h1>{about}"
        f'<p><a href="/api/v1/openapi.json">openapi.json</a></p>{body}<h2>Schemas</h2>{schemas}</html>'
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    return (
        f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code> {escape(operation.get('summary', ''))}"
        f"</summary><p>{escape(operation.get('description', ''))}</p>{_parameters(operation)}{_body(operation)}"
        f"{_answers(operation)}</details>"
    )


def _parameters(operation: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{one['in']}</td><td>{'yes' if one.get('required') else ''}</td>"
        f"<td>{escape(one.get('description', ''))}</td></tr>"
        for one in operation.get("parameters", ())
    )
    return f"<table><tr><th>name</th><th>in</th><th>needed</th><th></th></tr>{rows}</table>" if rows else ""


def _body(operation: dict[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return ""
    return f"<h4>Body: {_link(content['schema'])}</h4><pre>{_json(content['example'])}</pre>"


def _answers(operation: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{status}</td><td>{escape(one.get('description', ''))}</td><td>{_link_of(one)}</td></tr>"
        for status, one in sorted(operation["responses"].items())
    )
    return f"<h4>Answers</h4><table>{rows}</table>"


def _link_of(answer: dict[str, Any]) -> str:
    return ", ".join(_link(content.get("schema", {})) for content in answer.get("content", {}).values())


def _link(schema: dict[str, Any]) -> str:
    name = schema.get("$ref", "").rpartition("/")[2]
    return f'<a href="#{escape(name)}"><code>{escape(name)}</code></a>' if name else "<code>…</code>"


def _json(value: Any) -> str:
    return escape(json.dumps(value, ensure_ascii=False, indent=1))
