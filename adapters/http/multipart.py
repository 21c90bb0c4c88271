"""Forms with a file (RFC 7578): the file goes where it belongs as it comes, and is never held whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from domain.refusal import Refused

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MOST_FIELD = 65_536
"""Bytes of a field that is no file."""


class Sink(Protocol):
    """Where a file goes."""

    def write(self, part: bytes) -> None:
        """Its next bytes. May raise Refused, Unavailable."""
        ...


async def read_form(request: Request, fields: frozenset[str], file: str, sink: Sink) -> dict[str, str]:
    """The fields of a form, each of which may come once; the part `file` has gone to the sink, and must have come.

    Raises Refused: "wrong_media_type", "malformed", "body_cut_short", "file_missing", and what the sink raises.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= 70:
        raise Refused("wrong_media_type", "Send the form as multipart/form-data, with a boundary.")
    form = _Form(fields, file, sink)
    parser = MultipartParser(boundary, form.callbacks())
    try:
        async for part in request.stream():
            await run_in_threadpool(parser.write, part)
    except MultipartParseError:
        raise _malformed("as multipart/form-data; this is none.") from None
    except ClientDisconnect:
        raise _cut() from None
    return form.read()


class _Form:
    def __init__(self, fields: frozenset[str], file: str, sink: Sink) -> None:
        self._fields, self._file, self._sink = fields, file, sink
        self._said: dict[str, bytearray] = {}
        self._header, self._value, self._name = bytearray(), bytearray(), ""
        self._whole = False

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin, "on_part_data": self._data, "on_header_field": _into(self._header),
            "on_header_value": _into(self._value), "on_header_end": self._headed, "on_headers_finished": self._named,
            "on_end": self._end,
        }  # fmt: skip

    def read(self) -> dict[str, str]:
        if not self._whole:
            raise _cut()
        if self._file not in self._said:
            raise Refused("file_missing", f"Send the file as the part {self._file} of the form.")
        try:
            return {name: bytes(said).decode() for name, said in self._said.items() if name != self._file}
        except UnicodeDecodeError:
            raise _malformed("with its fields in UTF-8.") from None

    def _begin(self) -> None:
        self._name = ""

    def _headed(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            self._name = options.get(b"name", b"").decode("utf-8", "replace")
        self._header.clear()
        self._value.clear()

    def _named(self) -> None:
        if self._name in self._said:
            raise _malformed(f"with one part {self._name} alone.")
        if self._name not in self._fields and self._name != self._file:
            raise _malformed(f"with the parts {', '.join(sorted({*self._fields, self._file}))} alone.")
        self._said[self._name] = bytearray()

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._name == self._file:
            self._sink.write(data[start:end])
            return
        said = self._said[self._name]
        said += data[start:end]
        if len(said) > MOST_FIELD:
            raise Refused("too_large_a_body", f"Shorten {self._name} to at most {MOST_FIELD:,} bytes.")

    def _end(self) -> None:
        self._whole = True


def _into(held: bytearray) -> Callable[[bytes, int, int], None]:
    def add(data: bytes, start: int, end: int) -> None:
        held.extend(data[start:end])

    return add


def _malformed(how: str) -> Refused:
    return Refused("malformed", f"Send the form {how}")


def _cut() -> Refused:
    return Refused("body_cut_short", "Send it again, whole.")
