"""Bounds of what stands before a body: the address, the header, and what that says of the body."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from urllib.parse import unquote_to_bytes

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http.edge.turned_away import turned_away
from adapters.http.limits import MOST_BYTES, most_bytes, too_large

MOST_ADDRESS = 8_192
MOST_HEADERS, MOST_HEADER_BYTES = 100, 24_576
ONCE = frozenset({
    b"authorization", b"content-encoding", b"content-length", b"content-type", b"huiyin-acting-as", b"idempotency-key",
})  # fmt: skip
"""Of two of them one reader would take the first and another one the last."""


class Bounds:
    """Turns away what is longer than anybody needs, is no text, says two things at once, or is packed."""

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
    if len(headers) > MOST_HEADERS or sum(map(len, chain.from_iterable(headers))) > MOST_HEADER_BYTES:
        return turned_away(
            "header_too_large",
            f"Send at most {MOST_HEADERS} headers of {MOST_HEADER_BYTES:,} bytes together.",
        )
    named = dict(headers)
    twice = _twice(headers) if len(named) < len(headers) else None
    return twice or _coded(named) or _no_text(path, query) or _announced(scope["path"], named)


def _twice(headers: Sequence[tuple[bytes, bytes]]) -> Response | None:
    counted = Counter(name for name, _ in headers if name in ONCE)
    for name, times in counted.items():
        if times > 1:
            return turned_away("header_twice", f"Send {name.decode().title()} once.")
    return None


def _coded(headers: Mapping[bytes, bytes]) -> Response | None:
    if headers.get(b"content-encoding", b"").lower() in (b"", b"identity"):
        return None
    response = turned_away("wrong_content_coding", "Send the body as it is, without Content-Encoding.")
    response.headers["Accept-Encoding"] = "identity"  # RFC 9110, section 15.5.16
    return response


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


def _announced(path: str, headers: Mapping[bytes, bytes]) -> Response | None:
    said = headers.get(b"content-length", b"")
    length = int(said[:20]) if said.isdigit() else 0
    if length <= MOST_BYTES or length <= (most := most_bytes(path)):  # no path takes less than MOST_BYTES
        return None
    refused = too_large(most)
    return turned_away(refused.code, refused.advice)
