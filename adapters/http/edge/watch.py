"""Watch: the correlation of a request, one log line and the figures of it, and what every answer has.

The line says method, route template, status and milliseconds. A path or a query may hold a telephone number or an
address (law 9), and a resident's own address on the net is theirs: neither is ever logged, at no level.
"""

from __future__ import annotations

import time

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.correlation import HEADER, correlation_of, working_for
from adapters.telemetry import metrics
from adapters.telemetry.traces import say, span

NO_ROUTE = "none"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CLOSING = frozenset({408, 413, 414, 431})
"""After these the rest of what was sent is not worth reading."""
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"vary", b"Authorization, Cookie"),
)
_log = structlog.get_logger("api")


class Watch:
    """The outermost: it sees every answer, and every error that nobody expected."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        correlation = correlation_of(headers.get(HEADER), headers.get("traceparent"))
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        scope.setdefault("state", {})
        began, status = time.perf_counter(), 500

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                more = [(HEADER.lower().encode(), correlation.encode())]
                if status in _CLOSING:
                    more.append((b"connection", b"close"))
                message["headers"] = [*message["headers"], *_HEADERS, *more]
            await send(message)

        with working_for(correlation), span("request", method=method) as made:
            metrics.IN_FLIGHT.inc()
            try:
                await self._app(scope, receive, answered)
            except Exception as error:  # noqa: BLE001 - the last door: it was answered as a problem, and ends here by name
                _log.error("request_failed", error=type(error).__name__, at=_place(error))
            finally:
                metrics.IN_FLIGHT.dec()
                route, took = route_of(scope), time.perf_counter() - began
                metrics.REQUESTS.labels(method, route, str(status)).inc()
                metrics.REQUEST_SECONDS.labels(route).observe(took)
                say(made, route=route, status=status)
                _log.info("request", method=method, route=route, status=status, ms=round(took * 1000, 1))


def route_of(scope: Scope) -> str:
    """The template of the route that answered, such as `/api/v1/matters/{case}`; never what stood in its place."""
    # An included router's own routes do not say its prefix; what FastAPI found for this request does.
    whole = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    return str(getattr(whole, "path", NO_ROUTE))


def _place(error: BaseException) -> str:
    """Where in the code it happened; the error's words might quote a value (law 9)."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"
