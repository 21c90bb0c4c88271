"""The promise that a resident gets at intake: a signed note (C2SP signed-note) by the receipt key.

    huiyin-receipt/v1
    <origin of the log>
    <number of the matter>
    <leaf hash of the matter's first event, base64>
    <when that was recorded, RFC 3339 in UTC, as stored>
    <delay, whole hours>

    — <origin>/receipts <key id and Ed25519 signature, base64>

It says: by `recorded + delay` this leaf stands in the log, under a head that the boards have cosigned. Who holds it
after that time and gets no proof holds evidence against the office. It names no kind, place or person.

It stands on nothing but the stored event: its position, version 1 and no previous leaf are known at intake, so that it
can be given while the log is out of reach, and the same event gives the same bytes again (RFC 8032 signs without chance).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.instant import as_utc
from domain.log.leaf import leaf
from domain.log.notes import (
    Note,
    NoteError,
    Sign,
    VerifierKey,
    Verify,
    format_note,
    parse_note,
    sign_note,
    verified,
)
from domain.log.texts import from_decimal, hash_from_base64, to_base64
from domain.log.tree import leaf_hash
from domain.refusal import Refused
from workflows.ports import Stored

KIND: Final = "huiyin-receipt/v1"
KEY_SUFFIX: Final = "/receipts"
"""The receipt key is named after the log that it promises for."""

_NUMBER = re.compile(r"[0-9A-Za-z-]{1,40}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)


class PromiseError(Refused):
    """A text is no promise."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What is promised; `recorded` keeps the stored spelling, `leaf_hash` is 32 bytes."""

    origin: str
    number: str
    leaf_hash: bytes
    recorded: str
    delay_hours: int

    @property
    def recorded_at(self) -> datetime:
        """When the matter's first event was recorded (UTC)."""
        return as_utc(datetime.fromisoformat(self.recorded))

    @property
    def due(self) -> datetime:
        """When the proof can be asked for at the latest (UTC)."""
        return self.recorded_at + timedelta(hours=self.delay_hours)

    @property
    def text(self) -> str:
        """The note's text."""
        lines = (KIND, self.origin, self.number, to_base64(self.leaf_hash), self.recorded, self.delay_hours)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Promise:
        """The promise of a note's text, in its one form. Raises PromiseError."""
        lines = text.split("\n")
        try:
            kind, origin, number, hashed, recorded, hours, end = lines
            found = cls(origin, number, hash_from_base64(hashed), recorded, from_decimal(hours))
            if (
                kind != KIND
                or end
                or not origin
                or not _NUMBER.fullmatch(number)
                or not _MOMENT.fullmatch(recorded)
            ):
                raise ValueError("not the form of a promise")
            _ = found.due  # a day that no calendar has, or a delay beyond all calendars
        except (ValueError, OverflowError) as error:
            raise PromiseError("promise_form", "Give the promise whole, as it was handed out.") from error
        return found


def promised(first: Stored, key: VerifierKey, sign: Sign, delay_hours: int) -> str:
    """The promise on a matter's first event, signed. The same event, key and delay give the same text.

    Raises Refused "not_the_first" for a later event, "receipt_key_name" for a key that is not called after a log.
    """
    if first.version != 1:
        raise Refused("not_the_first", "Promise a matter's first event; the others follow from it.")
    origin = key.name.removesuffix(KEY_SUFFIX)
    if origin == key.name:
        raise Refused("receipt_key_name", f"Name the receipt key after the log, ending in {KEY_SUFFIX}.")
    body = json.loads(first.body)
    hashed = leaf_hash(leaf(first.body, first.position, first.version, None))
    promise = Promise(origin, body["pub"]["number"], hashed, body["recorded_at"], delay_hours)
    return format_note(sign_note(Promise.parse(promise.text).text, key, sign))


def promise_of(note: str) -> tuple[Promise, Note]:
    """The promise in a note, not verified yet. Raises PromiseError."""
    try:
        parsed = parse_note(note)
    except NoteError as error:
        raise PromiseError("promise_form", "Give the promise whole, as it was handed out.") from error
    return Promise.parse(parsed.text), parsed


def signed_by(note: Note, promise: Promise, keys: tuple[VerifierKey, ...], verify: Verify) -> bool:
    """Whether one of these receipt keys, named after the promise's log, has signed it."""
    of_the_log = [key for key in keys if key.name == promise.origin + KEY_SUFFIX]
    try:
        return bool(verified(note, of_the_log, verify))
    except NoteError:
        return False
