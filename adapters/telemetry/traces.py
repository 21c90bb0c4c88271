"""Traces on demand: OpenTelemetry spans, sent as OTLP over HTTP to the collector that the settings name, else none.

Nothing is sent, and nothing of OpenTelemetry is even loaded, unless `HUIYIN_TRACES` or OpenTelemetry's own
`OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` names a collector. What leaves is rebuilt from
the span: names, times and the attributes of a list. The words of an error stay here, for they might quote a value.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from adapters import correlation

if TYPE_CHECKING:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter
    from temporalio.client import Interceptor

    from adapters.settings import Settings

TOLD = frozenset({
    "huiyin.act", "huiyin.case", "huiyin.consumer", "huiyin.correlation", "huiyin.events", "huiyin.outcome",
    "huiyin.code", "huiyin.subscription", "huiyin.attempt", "huiyin.state", "http.request.method", "http.route",
    "http.response.status_code", "temporalWorkflowID", "temporalRunID", "temporalActivityID", "temporalUpdateID",
    "error.type",
})  # fmt: skip
"""The attributes that may leave; all others are taken off before a span is sent."""

_HTTP = {"method": "http.request.method", "route": "http.route", "status": "http.response.status_code"}
Value = str | int | bool
_tracer: trace.Tracer | None = None


def collector(settings: Settings) -> str | None:
    """Where traces go, None where nobody asked for them."""
    if settings.traces:
        return settings.traces
    named = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    base = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    return named or (f"{base.rstrip('/')}/v1/traces" if base else None)


@contextmanager
def tracing(settings: Settings, role: str) -> Iterator[None]:
    """Trace this process for as long as the context lasts, if the settings name a collector."""
    global _tracer  # noqa: PLW0603 - one process, one role, one tracer
    endpoint = collector(settings)
    if endpoint is None:
        yield
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    told = Resource.create({"service.name": f"huiyin-{role}"})
    provider = TracerProvider(resource=told, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(_clean(OTLPSpanExporter(endpoint=endpoint))))
    _tracer = provider.get_tracer("huiyin")
    try:
        yield
    finally:
        _tracer = None
        provider.shutdown()


@contextmanager
def span(name: str, *, parent: str | None = None, **attributes: Value | None) -> Iterator[trace.Span | None]:
    """A span around this piece of work; None, which costs next to nothing, where nobody traces.

    `act="…"` becomes `huiyin.act`; `route`, `method` and `status` are HTTP's own. `parent` is a correlation
    under which a first span begins its trace, so that a request, what came of it and its deliveries are one trace.
    """
    if _tracer is None:
        yield None
        return
    from opentelemetry.trace import StatusCode

    said = {_key(key): value for key, value in attributes.items() if value is not None}
    about = parent or correlation.current()
    if about is not None:
        said["huiyin.correlation"] = about
    began = _tracer.start_as_current_span(
        name, _beginning(about), attributes=said, record_exception=False, set_status_on_exception=False
    )
    with began as made:
        try:
            yield made
        except BaseException as error:
            made.set_status(StatusCode.ERROR)
            made.set_attribute("error.type", type(error).__name__)
            raise


def say(made: trace.Span | None, **attributes: Value | None) -> None:
    """Attributes that are known only at the end."""
    if made is not None and made.is_recording():
        made.set_attributes({_key(key): value for key, value in attributes.items() if value is not None})


def interceptors() -> list[Interceptor]:
    """What carries the trace through Temporal; none where nobody traces."""
    if _tracer is None:
        return []
    from temporalio.contrib.opentelemetry import TracingInterceptor

    return [TracingInterceptor(_tracer)]


def _key(key: str) -> str:
    return _HTTP.get(key, f"huiyin.{key}")


def _beginning(about: str | None) -> Any:
    """The context of a span that has none above it: the trace that the correlation names."""
    from opentelemetry import trace

    if about is None or trace.get_current_span().get_span_context().is_valid:
        return None
    digits = about.replace("-", "")
    if len(digits) != 32 or not set(digits) <= set("0123456789abcdef"):
        return None
    number = int(digits, 16)
    above = trace.SpanContext(
        number, (number & (2**64 - 1)) or 1, is_remote=True, trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED)
    )  # fmt: skip
    return trace.set_span_in_context(trace.NonRecordingSpan(above))


def _clean(exporter: SpanExporter) -> SpanExporter:
    """An exporter that sends only what may leave."""
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class Clean(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            return exporter.export([_cleaned(one) for one in spans])

        def shutdown(self) -> None:
            exporter.shutdown()

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            return exporter.force_flush(timeout_millis)

    return Clean()


def _cleaned(one: ReadableSpan) -> ReadableSpan:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Status

    said: Mapping[str, Any] = one.attributes or {}
    return ReadableSpan(
        name=one.name, context=one.get_span_context(), parent=one.parent, resource=one.resource,
        attributes={key: value for key, value in said.items() if key in TOLD}, events=(), links=one.links,
        kind=one.kind, status=Status(one.status.status_code), start_time=one.start_time,
        end_time=one.end_time, instrumentation_scope=one.instrumentation_scope,
    )  # fmt: skip
