"""What goes wrong, in the standard's form: an array of {code, description} under 403, 404 or else 400.

`code` is the status; `description` begins with the refusal's stable code, which programs may go by.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from adapters.http.problems import FORBIDDEN, RETRY_SECONDS, UNAUTHENTICATED
from adapters.open311.formats import format_of, written
from domain.refusal import Refused, Unavailable

_log = structlog.get_logger("open311")
UNKNOWN = frozenset({"not_found", "no_such_page", "unknown_service", "unknown_jurisdiction"})
_LATER = frozenset({"unavailable", "clock_behind", "clock_ahead"})


class Faults(Exception):
    """Everything that is wrong with what was sent, each as a refusal."""

    def __init__(self, found: list[Refused]) -> None:
        super().__init__(", ".join(one.code for one in found))
        self.found = found


def status_of(code: str) -> int:
    """The status of a refusal's code."""
    if code in UNAUTHENTICATED | FORBIDDEN:
        return int(HTTPStatus.FORBIDDEN)
    if code in UNKNOWN:
        return int(HTTPStatus.NOT_FOUND)
    return int(HTTPStatus.SERVICE_UNAVAILABLE if code in _LATER else HTTPStatus.BAD_REQUEST)


def failed(form: str, found: list[Refused], status: int = 0) -> Response:
    """The answer that says so; the worst of several decides its status."""
    given = [status or status_of(one.code) for one in found]
    worst = next((one for one in (503, 403, 404) if one in given), given[0])
    headers = {"Retry-After": str(RETRY_SECONDS)} if worst == HTTPStatus.SERVICE_UNAVAILABLE else {}
    errors = [
        {"code": code, "description": f"{one.code}: {one.advice}"}
        for code, one in zip(given, found, strict=True)
    ]
    return written(form, "errors", errors, worst, headers)


Handler = Callable[[Request, Exception], Awaitable[Response]]


def handlers() -> dict[Any, Handler]:
    """What gives every failure the standard's form, by its class."""

    async def refused(request: Request, error: Exception) -> Response:
        found = error.found if isinstance(error, Faults) else [error]
        return failed(format_of(request.url.path), [one for one in found if isinstance(one, Refused)])

    async def unavailable(request: Request, error: Exception) -> Response:
        # The error's own words name machines: they are for the log, not for callers.
        _log.warning("unavailable", why=str(error))
        later = Refused("unavailable", "Nothing was done; send it again in a few seconds.")
        return failed(format_of(request.url.path), [later])

    async def unknown(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        no_page = error.status_code == HTTPStatus.NOT_FOUND
        what = Refused(
            "no_such_page" if no_page else "wrong_method", "Look at GeoReport v2 for what there is."
        )
        response = failed(format_of(request.url.path), [what], error.status_code)
        response.headers.update(error.headers or {})
        return response

    async def unexpected(request: Request, _: Exception) -> Response:
        what = Refused("internal", "Tell the operator; nothing more is known of this request here.")
        return failed(format_of(request.url.path), [what], 500)

    return {
        Exception: unexpected,
        Refused: refused,
        Faults: refused,
        Unavailable: unavailable,
        HTTPException: unknown,
    }
