"""What goes wrong, said as RFC 9457 problem details: the refusal's stable code, its sentence, and one status for each.

This is the one place where codes become statuses. A refusal that no line below names is a conflict with how the case
stands (409).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Match

from domain.refusal import Refused, Unavailable

_log = structlog.get_logger("api")
MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")

BAD_REQUEST = frozenset({
    "idempotency_key_missing", "capacity_missing", "if_match_malformed", "body_cut_short", "json_too_deep",
    "json_twice", "not_utf_8", "nul_character", "no_http", "header_twice",
})  # fmt: skip
UNAUTHENTICATED = frozenset({"sign_in", "sign_in_failed"})
FORBIDDEN = frozenset({
    "accused", "appraised", "audit_admin_changes_nothing", "audit_is_apart", "authority_lapsed", "beneficiary", "no_leading_post",
    "no_power", "no_post", "not_allowed", "not_an_issuer", "not_an_officer", "not_by_hand", "not_on_duty",
    "not_the_centre", "not_the_clock", "not_the_duty_leader", "not_the_first_blower", "not_the_rater",
    "not_the_requester", "not_your_body", "not_your_post", "not_your_tier", "not_your_triage", "out_of_scope",
    "post_lapsed", "post_not_held", "power_elsewhere", "power_not_cited", "power_reaches_not", "recused", "ruled_by_panel",
    "same_person", "self_dispatch", "self_granting", "self_release",
})  # fmt: skip
"""Who asks may not: another person, in another post or with another power, might."""

UNPROCESSABLE = frozenset({
    "attempt_missing", "authority_missing", "back_dated", "bad_mapping", "bad_table", "before_its_cause", "blower_twice",
    "closed_before_opened",
    "confidential", "demand_missing", "due_past", "due_too_far", "ends_before_it_begins", "evidence_missing",
    "file_missing", "future",
    "host_missing", "invalid_text", "json_number", "key_reused", "malformed", "name_missing", "proof_missing", "receiver_twice",
    "requester_missing", "requester_not_told", "requester_twice", "retention_unknown", "score_range", "seen_after",
    "text_missing", "text_too_long", "unknown_body", "unknown_call", "unknown_lead", "unknown_leg", "unknown_order",
    "unknown_person", "unknown_requester", "unknown_tier", "unreadable_file", "wrong_body", "wrong_parent", "wrong_post_for_body",
})  # fmt: skip
"""What was sent says too little, or what cannot be; sent right it might be accepted."""

_OTHERS: Final = {
    "not_found": HTTPStatus.NOT_FOUND,
    "version_moved": HTTPStatus.PRECONDITION_FAILED,
    "clock_behind": HTTPStatus.SERVICE_UNAVAILABLE,
    "clock_ahead": HTTPStatus.SERVICE_UNAVAILABLE,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "too_large_a_body": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "body_too_slow": HTTPStatus.REQUEST_TIMEOUT,
    "uri_too_long": HTTPStatus.REQUEST_URI_TOO_LONG,
    "header_too_large": HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "too_many_requests": HTTPStatus.TOO_MANY_REQUESTS,
    "too_busy": HTTPStatus.SERVICE_UNAVAILABLE,
    "starting": HTTPStatus.SERVICE_UNAVAILABLE,
    "wrong_media_type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "wrong_file_type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "wrong_content_coding": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "not_signed_up": HTTPStatus.NOT_IMPLEMENTED,
    "internal": HTTPStatus.INTERNAL_SERVER_ERROR,
}

TITLES: Final = {
    400: "请求有误 The request is not one that can be read",
    401: "请先登录 Sign in first",
    403: "无权办理 You may not do this",
    404: "查无此项 There is nothing here",
    405: "方法不对 Use another method",
    408: "发送过慢 Too slow",
    409: "目前不能这样办 It cannot be done as things stand",
    412: "事项已有变化 The case has moved on",
    413: "内容过大 Too large",
    414: "地址过长 The address is too long",
    415: "格式不对 Send another format",
    422: "内容有误 What was sent cannot be accepted",
    429: "请求过于频繁 Too many requests",
    431: "请求头过大 The header is too large",
    500: "内部错误 Something broke here",
    501: "尚未启用 Not set up here",
    503: "暂时不能办理 Out of reach for a moment",
}


class Fault(BaseModel):
    """One thing that is wrong with what was sent: where, and why; never what was sent."""

    at: str = Field(examples=["demand"])
    why: str = Field(
        examples=["Input should be 'consultation', 'help', 'complaint', 'report' or 'suggestion'"]
    )


class Problem(BaseModel):
    """A problem (RFC 9457). Programs go by `code`, which never changes; `detail` tells a person what to do."""

    type: str = Field(default="about:blank", examples=["about:blank"])
    title: str = Field(examples=[TITLES[403]])
    status: int = Field(examples=[403])
    code: str = Field(examples=["not_your_post"])
    detail: str = Field(
        examples=["The rulebook does not let this post do accept; ask one of the posts it names."]
    )
    errors: list[Fault] | None = None


def status_of(code: str) -> int:
    """The status of a refusal's code."""
    for codes, status in (
        (BAD_REQUEST, HTTPStatus.BAD_REQUEST), (UNAUTHENTICATED, HTTPStatus.UNAUTHORIZED),
        (FORBIDDEN, HTTPStatus.FORBIDDEN), (UNPROCESSABLE, HTTPStatus.UNPROCESSABLE_ENTITY),
    ):  # fmt: skip
        if code in codes:
            return int(status)
    return int(_OTHERS.get(code, HTTPStatus.CONFLICT))


def problem(code: str, detail: str, *, status: int = 0, errors: list[Fault] | None = None) -> Response:
    """The answer that says so."""
    given = status or status_of(code)
    said = Problem(
        title=TITLES.get(given, "不能办理 Not possible"),
        status=given,
        code=code,
        detail=detail,
        errors=errors,
    )
    headers = {}
    if given == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_SECONDS)
    if given == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="huiyin"'
    return JSONResponse(said.model_dump(exclude_none=True), given, headers, MEDIA_TYPE)


def faults_of(error: ValidationError | RequestValidationError) -> list[Fault]:
    """What a model did not take, without the values (law 9)."""
    found = error.errors() if isinstance(error, RequestValidationError) else error.errors(
        include_url=False, include_input=False, include_context=False
    )  # fmt: skip
    return [Fault(at=_where(one), why=_why(one)) for one in found[:20]]


def _where(one: Any) -> str:
    """The way to a fault; a field that nobody declared is the sender's own word, so it is not repeated."""
    parts = [str(part) for part in one["loc"]]
    if one["type"] == "extra_forbidden":
        parts[-1] = "…"
    return ".".join(parts)


def _why(one: Any) -> str:
    if one["type"] == "json_invalid":
        return "This is no JSON in UTF-8."
    return str(one["msg"])


def malformed(errors: list[Fault]) -> Response:
    """What was sent does not have the form that it needs."""
    return problem("malformed", "Correct what is named under errors, and send it again.", errors=errors)


def _methods(app: FastAPI, request: Request) -> list[str]:
    """All methods of an address: what answers a wrong one knows those of one route alone. HEAD goes along with GET."""
    scopes = {method: {**request.scope, "method": method} for method in _METHODS}
    found = [
        method
        for method, scope in scopes.items()
        if any(route.matches(scope)[0] is Match.FULL for route in app.routes)
    ]
    return sorted([*found, "HEAD"]) if "GET" in found else found


def handlers(app: FastAPI) -> None:
    """Let every failure be a problem."""

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        return problem(error.code, error.advice)

    async def unavailable(_: Request, error: Exception) -> Response:
        # The error's own words name machines: they are for the log, not for callers.
        _log.warning("unavailable", why=str(error))
        return problem("unavailable", "Nothing was done; send it again in a few seconds, under the same key.")

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError | ValidationError)
        return malformed(faults_of(error))

    async def unknown(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == HTTPStatus.NOT_FOUND:
            return problem("no_such_page", "Look into /api/v1/openapi.json for what there is.", status=404)
        response = problem(
            "wrong_method", "Look into /api/v1/openapi.json for what there is.", status=error.status_code
        )
        response.headers.update({**(error.headers or {}), "Allow": ", ".join(_methods(app, request))})
        return response

    async def unexpected(_: Request, __: Exception) -> Response:
        return problem("internal", "Tell the operator; nothing more is known of this request here.")

    app.add_exception_handler(Exception, unexpected)
    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(Unavailable, unavailable)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(ValidationError, invalid)
    app.add_exception_handler(HTTPException, unknown)
