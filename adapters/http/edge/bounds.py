"""Bounds of what stands before a body: the address, the header, and the length that is announced."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http.edge.turned_away import turned_away
from adapters.http.limits import most_bytes, too_large

MOST_ADDRESS = 8_192
MOST_HEADERS, MOST_HEADER_BYTES = 100, 24_576


class Bounds:
    """Turns away what is longer than anybody needs, or is no text."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        wrong = _wrong(scope) if scope["type"] == "http" else None
        await (wrong or self._app)(scope, receive, send)


def _wrong(scope: Scope) -> Response | None:
    path, query = scope.get("raw_path") or scope["path"].encode(), scope.get("query_string", b"")
    if len(path) + len(query) > MOST_ADDRESS:
        return turned_away("uri_too_long", f"Shorten the address to at most {MOST_ADDRESS:,} bytes.")
    headers = scope["headers"]
    if (
        len(headers) > MOST_HEADERS
        or sum(len(name) + len(value) for name, value in headers) > MOST_HEADER_BYTES
    ):
        return turned_away(
            "header_too_large",
            f"Send at most {MOST_HEADERS} headers of {MOST_HEADER_BYTES:,} bytes together.",
        )
    return _no_text(path, query) or _announced(scope)


def _no_text(path: bytes, query: bytes) -> Response | None:
    for part in (path, query):
        if b"%" not in part and part.isascii():
            continue
        plain = unquote_to_bytes(part)
        if b"\0" in plain:
            return turned_away("nul_character", "Leave the character NUL out.")
        try:
            plain.decode()
        except UnicodeDecodeError:
            return turned_away("not_utf_8", "Write the address as UTF-8, percent-encoded.")
    return None


def _announced(scope: Scope) -> Response | None:
    most = most_bytes(scope["path"])
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value[:20]) > most:
            refused = too_large(most)
            return turned_away(refused.code, refused.advice)
    return None
