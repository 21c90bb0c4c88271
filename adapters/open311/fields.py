"""Reading what was sent: a query or a form, in UTF-8, nothing guessed. An empty field counts as one not sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from domain.refusal import Refused

MOST_BYTES = 262_144
"""Of a form: sixty times the longest description, in percent signs."""

MOST_FIELDS = 200
MOST_TEXT = 4000
"""Characters of a description (GeoReport v2)."""

MOST_LINE = 1000
FORM = "application/x-www-form-urlencoded"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_ATTRIBUTE = re.compile(r"attribute\[([^\[\]]{1,100})\](\[\])?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Fields:
    """The fields of a query, of a form, or of both."""

    def __init__(self, *raw: bytes) -> None:
        """Raises Refused for what is no UTF-8, or too much."""
        self._values: dict[str, list[str]] = {}
        for part in raw:
            for name, value in _pairs(part):
                if value.strip() and value not in self._values.setdefault(name, []):
                    self._values[name].append(value)

    def __iter__(self) -> Iterator[tuple[str, list[str]]]:
        """Every field that was sent, by name."""
        return iter(sorted(self._values.items()))

    def one(self, name: str, most: int = MOST_LINE) -> str | None:
        """The value of a field that is given once, without surrounding blanks. Raises Refused."""
        found = self._values.get(name, [])
        if len(found) > 1:
            raise Refused("given_twice", f"Give {name} once; two values for it came in.")
        return self._checked(name, found[0], most) if found else None

    def many(self, name: str) -> list[str]:
        """The values of a field that may be repeated, or hold several between commas. Raises Refused."""
        found = [part for value in self._values.get(name, []) for part in value.split(",")]
        return list(dict.fromkeys(self._checked(name, one, MOST_LINE) for one in found if one.strip()))

    def attributes(self) -> dict[str, list[str]]:
        """The answers `attribute[code]` and `attribute[code][]`, by code. Raises Refused."""
        found: dict[str, list[str]] = {}
        for name, values in self._values.items():
            if parts := _ATTRIBUTE.fullmatch(name):
                found.setdefault(parts[1], []).extend(
                    self._checked("an attribute", one, MOST_TEXT) for one in values
                )
        return found

    def moment(self, name: str) -> datetime | None:
        """A moment with its offset, in UTC. Raises Refused."""
        said = self.one(name)
        if said is None:
            return None
        found = moment_of(said)
        if found is None:
            raise Refused("bad_datetime", f"Give {name} with its offset, such as 2026-11-23T09:30:00+08:00.")
        return found

    def number(self, name: str, least: int, most: int) -> int | None:
        """A whole number. Raises Refused."""
        said = self.one(name)
        if said is None:
            return None
        if not (said.isascii() and said.isdigit() and len(said) < 10 and least <= int(said) <= most):
            raise Refused("bad_number", f"Give {name} as a whole number from {least} to {most}.")
        return int(said)

    def _checked(self, name: str, value: str, most: int) -> str:
        if len(value) > most:
            raise Refused("text_too_long", f"Give {name} in at most {most:,} characters.")
        if _CONTROL.search(value):
            raise Refused("invalid_text", f"Leave control characters out of {name}.")
        return value.strip()


def moment_of(said: str) -> datetime | None:
    """A moment of the W3 form with its offset, in UTC; None for any other text."""
    said = re.sub(r" (?=\d\d:\d\d$)", "+", said)  # a plus sign that nobody escaped
    try:
        return datetime.fromisoformat(said).astimezone(UTC) if _MOMENT.fullmatch(said) else None
    except (ValueError, OverflowError):
        return None


def query_of(request: Request) -> Fields:
    """The fields of a query. Raises Refused."""
    return Fields(request.scope.get("query_string", b""))


async def form_of(request: Request) -> bytes:
    """The bytes of a form. Nothing but a form is read: a body of XML is refused as it is. Raises Refused."""
    kind, _, more = request.headers.get("content-type", "").partition(";")
    if kind.strip().lower() != FORM:
        raise Refused("wrong_media_type", f"Send the request as {FORM}; charset=utf-8.")
    charset = more.partition("charset=")[2].strip(' "').lower()
    if charset not in ("", "utf-8", "utf8"):
        raise Refused("wrong_charset", "Send the form in UTF-8.")
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                raise Refused("too_large_a_body", f"Send at most {MOST_BYTES:,} bytes.")
    except ClientDisconnect:
        raise Refused("body_cut_short", "Send it again, whole.") from None
    return bytes(body)


def _pairs(raw: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except UnicodeDecodeError:
        raise Refused("wrong_charset", "Send all text in UTF-8.") from None
    except ValueError:
        raise Refused("too_many_fields", f"Send at most {MOST_FIELDS} fields.") from None
