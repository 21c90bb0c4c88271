"""Logs: one JSON object a line on standard error, ours, Temporal's and the standard library's alike.

Nothing personal is ever handed to a log; ids and codes are. Tracebacks show code lines, never the values of variables.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor
from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter


def _plain(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Leave out the SDK's own record object: its words are in the message."""
    event.pop("temporal_log", None)
    return event


def _named(logger: Line, _method: str, event: EventDict) -> EventDict:
    """Say whose line it is."""
    event["logger"] = logger.name
    return event


_ENCODE = json.JSONEncoder(ensure_ascii=False, default=repr).encode


def _encoded(event: EventDict, **_: object) -> str:
    return _ENCODE(event)


_LAST: tuple[Processor, ...] = (
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)
_OURS: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars, _named, structlog.processors.add_log_level, *_LAST,
    structlog.processors.JSONRenderer(_encoded),
)  # fmt: skip
_OTHERS: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars, structlog.stdlib.add_logger_name, structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(), _plain, *_LAST,
)  # fmt: skip


class Line(structlog.WriteLogger):
    """Where our own lines go: straight to the stream, for the standard library's way there costs more than the line."""

    def __init__(self, stream: TextIO, name: str) -> None:
        super().__init__(stream)
        self.name = name


def to_json(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send every log line of this process to `stream` (standard error) as JSON. Call it once, in an entry point."""
    to = stream or sys.stderr
    handler = logging.StreamHandler(to)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_OTHERS,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(_encoded),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # A line for every question to every board would bury all others; what fails is told by who asked. The others here
    # would, at the level debug, say addresses and headers as they were sent.
    for library in ("httpx", "httpcore", "python_multipart", "urllib3"):
        logging.getLogger(library).setLevel(logging.WARNING)

    def line(*names: str) -> Line:
        return Line(to, *names)

    structlog.configure(
        processors=_OURS, logger_factory=line, wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )  # fmt: skip


def forward_temporal() -> None:
    """Let the SDK's own runtime log through Python. Call it before the first client of this process."""
    forwarding = LogForwardingConfig(logging.getLogger("temporalio.core"))
    telemetry = TelemetryConfig(
        logging=LoggingConfig(
            filter=TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding=forwarding
        )
    )
    Runtime.set_default(Runtime(telemetry=telemetry))
