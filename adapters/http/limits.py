"""Reading a body: JSON, in UTF-8, and no longer than makes sense."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request

from domain.refusal import Refused

MOST_BYTES = 1_048_576
"""Of a request's body; files go another way."""


async def read_json(request: Request) -> bytes:
    """The bytes of a JSON body; none count as an empty object. Raises Refused."""
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                raise Refused(
                    "too_large_a_body", f"Send at most {MOST_BYTES:,} bytes; attach long texts as files."
                )
    except ClientDisconnect:
        raise Refused("body_cut_short", "Send it again, whole.") from None
    if not body:
        return b"{}"
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused("wrong_media_type", "Send the body as application/json, in UTF-8.")
    return bytes(body)
