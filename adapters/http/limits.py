"""Reading a body: JSON, in UTF-8, no longer than makes sense, and of one meaning alone."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import Any

from starlette.requests import ClientDisconnect, Request

from domain.refusal import Refused

MOST_BYTES = 1_048_576
"""Of a request's body; files go another way."""

LARGER: dict[str, int] = {}
"""Paths that take longer bodies, `*` standing for any part of one: those that stream to disk."""

DEEPEST = 64
"""How deep lists and objects may lie in each other; nothing here needs ten."""

_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|([\[{])|([\]}])', re.DOTALL)


def most_bytes(path: str) -> int:
    """The longest body that this path takes."""
    return next((most for shape, most in LARGER.items() if fnmatchcase(path, shape)), MOST_BYTES)


def too_large(most: int) -> Refused:
    """The refusal of a longer one."""
    return Refused("too_large_a_body", f"Send at most {most:,} bytes; attach long texts as files.")


async def read_json(request: Request) -> bytes:
    """The bytes of a JSON body; none count as an empty object. Raises Refused."""
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                raise too_large(MOST_BYTES)
    except ClientDisconnect:
        raise Refused("body_cut_short", "Send it again, whole.") from None
    if not body:
        return b"{}"
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused("wrong_media_type", "Send the body as application/json, in UTF-8.")
    check_json(bytes(body))
    return bytes(body)


def check_json(body: bytes) -> None:
    """Refuse what programs read differently (RFC 8259 sections 4, 6, 8; RFC 7493): see the codes.

    Raises Refused: not_utf_8, json_too_deep, json_number, json_twice, nul_character, and malformed for what is no JSON.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Refused("not_utf_8", "Send the body in UTF-8.") from None
    if _deeper(body):
        raise Refused("json_too_deep", f"Put lists and objects into each other at most {DEEPEST} deep.")
    try:
        json.loads(text, object_pairs_hook=_once, parse_int=_whole, parse_float=_broken, parse_constant=_word)
    except ValueError:
        raise Refused("malformed", "Send JSON (RFC 8259); this is none.") from None


def _deeper(body: bytes) -> bool:
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return False
    depth = 0
    for found in _BRACKETS.finditer(body):
        depth += 1 if found[1] else -1 if found[2] else 0
        if depth > DEEPEST:
            return True
    return False


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused("json_twice", "Name every field of an object once.")
    for key, value in pairs:
        if "\0" in key or _nul(value):
            raise Refused("nul_character", "Leave the character NUL out.")
    return found


def _nul(value: Any) -> bool:
    return "\0" in value if isinstance(value, str) else isinstance(value, list) and any(map(_nul, value))


def _whole(digits: str) -> int:
    number = int(digits) if len(digits) <= 17 else 2**53
    if abs(number) >= 2**53:
        raise Refused("json_number", "Send whole numbers below 2**53.")
    return number


def _broken(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise Refused("json_number", "Send numbers that a program can hold.")
    return number


def _word(word: str) -> float:
    raise Refused("json_number", f"{word} is no number of JSON; leave it out.")
