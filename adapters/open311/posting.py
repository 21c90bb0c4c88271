"""Handing in: a form becomes a matter, or what a message becomes of one that is known (law 3).

Open311 has no key for a request that is sent again. A client that sends `Idempotency-Key`, or a reference of its own
(`external_id`, `fixmystreet_id`, as fields or as attributes), gets one matter for one message: the same key the same
answer; the same reference with the same message the same matter, with another message a supplement, an urging or a
reopening of it. Without any of these two equal posts are two requests: nothing is guessed.

Whoever asks is sealed under a fresh id; of device and account nothing is kept.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

from starlette.requests import Request

from adapters.derived import Derived
from adapters.http.acts import KEY, Acting, key_of
from adapters.http.answers import sees
from adapters.http.bodies import Given, body_of
from adapters.http.edge.rates import CALLER
from adapters.http.operations import operations
from adapters.http.registering import HandedIn, follow_up, hand_in
from adapters.http.who import ACTING_AS, Caller
from adapters.open311.desk import Desk, Present
from adapters.open311.fields import MOST_TEXT, Fields
from adapters.open311.locating import Located, located, told_of
from adapters.open311.services import answers, item_of, name_of
from adapters.open311.shown import update_id
from adapters.open311.words import BECAME
from adapters.reading import look
from adapters.store.moment import as_microseconds
from domain.matter.commands import RegisterMatter
from domain.refusal import NotFound, Refused
from domain.rulebook import CatalogueItem
from workflows.submission import OWN_NUMBER, Answer

AUTHORITY = "standard:georeport-v2"
"""The ground of what systems hand in here: the published interface, for which the office gave them their key."""

REFERENCES = ("external_id", "fixmystreet_id")
_REGISTER = next(one for one in operations() if one.command is RegisterMatter)
_BODY = body_of(_REGISTER)
_URL = re.compile(r"https?://[^\s<>\"]{1,990}")
_MOST_MEDIA = 10
_HAN = re.compile(r"[\u4e00-\u9fff]")


class Key(NamedTuple):
    """What tells one message from another: the key of the write, and the client's own reference, if it sent one."""

    key: str
    reference: str | None


def post_request(desk: Desk, request: Request, form: bytes) -> list[dict[str, Any]]:
    """POST requests. Raises Refused, Faults, Unavailable."""
    fields, caller = _opened(desk, request, form)
    present = desk.now(fields)
    code = fields.one("service_code")
    if code is None:
        raise Refused("service_code_missing", "Send the service_code of one of GET services.")
    item = item_of(present.book, code)
    asked = answers(item, fields)
    said = "\n".join([_description(fields) or name_of(item), *asked, *_media(fields)])
    acting, key = _acting(desk, caller, request, fields, "request")
    handed = _handed(acting, _body(desk, acting, key, fields, present, item, said))
    if (
        handed.answer.code == "key_reused"
    ):  # the same message was faster, with a moment of its own: as it was then
        handed = _handed(acting, _body(desk, acting, key, fields, present, item, said))
    return [_answered(desk, handed, present)]


def _handed(acting: Acting, given: dict[str, Any]) -> HandedIn:
    return hand_in(replace(acting, given=_BODY.model_validate(given)))


def _body(
    desk: Desk, acting: Acting, key: Key, fields: Fields, present: Present, item: CatalogueItem, said: str
) -> dict[str, Any]:  # fmt: skip
    """The request as the body of the act of registering; of one that is sent again as it was written down."""
    before, source = _before(desk, acting), _source(acting.caller)
    place = located(fields, present) if before is None else before.place
    requesters = _requesters(fields)
    return {
        "authority": AUTHORITY, "source": source, "seen_at": _seen_at(fields, present, before), "kind": item.kind,
        "code": item.code, "demand": item.demand, "host": place.host, "grid": place.grid,
        "sealed": {"text": said, "place": told_of(fields)}, "requesters": requesters, "anonymous": not requesters,
        "outside": [{"source": source, "number": key.reference}] if key.reference else [],
    }  # fmt: skip


def post_update(desk: Desk, request: Request, form: bytes) -> list[dict[str, Any]]:
    """POST servicerequestupdates. Raises Refused, NotFound, Unavailable.

    Words to an open request are a supplement, an empty update urges; what says that an answered request is open asks
    to reopen it, and is kept as a supplement where the rules do not let it.
    """
    fields, caller = _opened(desk, request, form)
    desk.now(fields)
    number = fields.one("service_request_id")
    if number is None:
        raise Refused("request_missing", "Send the service_request_id that the update is about.")
    still = (fields.one("status") or "open").lower() == "open"
    fields.moment("updated_datetime")
    case = desk.engine.handle.find(OWN_NUMBER, number.upper(), caller.officer())
    if case is None:
        raise NotFound
    look(desk.engine, case, caller.officer())  # one that this key may not see is not there
    acting, _ = _acting(desk, caller, request, fields, "update", number.upper(), ("update_id",))
    text = "\n".join([_description(fields) or "", *_media(fields)]).strip()
    given = {
        "authority": AUTHORITY, "source": _source(caller), "seen_at": desk.engine.handle.clock(),
        "sealed": {"text": text} if text else None, "message": None if still else "supplement",
    }  # fmt: skip
    handed = follow_up(replace(acting, given=_BODY.model_validate(given)), case)
    return [{"update_id": update_id(number.upper(), _accepted(desk, handed).version)}]


def _opened(desk: Desk, request: Request, form: bytes) -> tuple[Fields, Caller]:
    """The fields, and whose key came with them. Raises Refused."""
    fields = Fields(form, request.scope.get("query_string", b""))
    key = desk.doors.keys.holder(fields.one("api_key") or "")
    if key is None:
        raise Refused(
            "sign_in", "Send the api_key that this office gave you; this one is missing or works no longer."
        )
    caller = Caller(desk.engine, request.headers.get(ACTING_AS), person=key.person, key=key)
    request.scope.setdefault("state", {})[CALLER] = f"key {key.id}"
    caller.may_hand_in(_source(caller))
    return fields, caller


def _source(caller: Caller) -> str:
    return (caller.key.source if caller.key else None) or ""


def _acting(
    desk: Desk, caller: Caller, request: Request, fields: Fields, what: str, about: str = "",
    references: tuple[str, ...] = REFERENCES,
) -> tuple[Acting, Key]:  # fmt: skip
    key = _key(desk, caller, request, fields, (what, about), references)
    return Acting(desk.engine, caller, _REGISTER, Given(), key.key, None, {}), key


def _key(
    desk: Desk, caller: Caller, request: Request, fields: Fields, about: tuple[str, str], references: tuple[str, ...]
) -> Key:  # fmt: skip
    derived = Derived(desk.engine.keys.pepper(), ("open311", *about, *caller.name))
    reference = _reference(fields, references)
    if KEY in request.headers:
        return Key(derived.key("header", key_of(request)), reference)
    if reference is None:
        return Key(uuid4().hex, None)
    message = json.dumps([one for one in fields if one[0] != "api_key"], ensure_ascii=True)
    return Key(derived.key("reference", reference, hashlib.sha256(message.encode()).hexdigest()), reference)


def _reference(fields: Fields, names: tuple[str, ...]) -> str | None:
    given = fields.attributes()
    found = {value for name in names for value in (fields.one(name, 200), *given.get(name, ())) if value}
    if len(found) > 1:
        raise Refused("given_twice", f"Give one reference of your own: {' or '.join(names)}.")
    return next(iter(found), None)


class _Before(NamedTuple):
    """What was written down of this very message when it came first."""

    seen_at: datetime
    place: Located


def _before(desk: Desk, acting: Acting) -> _Before | None:
    history = desk.engine.handle.history(acting.ids.id("case"))
    if not history:
        return None
    first = history[0].pub
    return _Before(first.seen_at, Located(first.host or "", first.grid))


def _seen_at(fields: Fields, present: Present, before: _Before | None) -> datetime:
    """When the client took it in, if it says so; for one that is sent again, as it was written down."""
    return fields.moment("requested_datetime") or (before.seen_at if before else present.moment)


def _description(fields: Fields) -> str | None:
    return fields.one("description", MOST_TEXT)


def _media(fields: Fields) -> list[str]:
    found = [one for name in ("media_url", "media_url[]") for one in fields.many(name)]
    if len(found) > _MOST_MEDIA or not all(_URL.fullmatch(one) for one in found):
        raise Refused("bad_media_url", f"Give media_url as an http address, {_MOST_MEDIA} at most.")
    return found


def _requesters(fields: Fields) -> list[dict[str, str | None]]:
    """Who asks, if they said so: a Chinese name is written without a blank, family name first."""
    first, last = fields.one("first_name", 100), fields.one("last_name", 100)
    han = any(_HAN.search(one) for one in (first, last) if one)
    name = f"{last or ''}{first or ''}" if han else " ".join(one for one in (first, last) if one)
    contact = ", ".join(one for field in ("phone", "email") if (one := fields.one(field, 200)))
    return [{"name": name or None, "contact": contact or None}] if name or contact else []


def _answered(desk: Desk, handed: HandedIn, present: Present) -> dict[str, Any]:
    answer, command = _accepted(desk, handed), handed.submission.command
    state = desk.engine.handle.load(answer.case)
    number = command.number if isinstance(command, RegisterMatter) else state.number if state else ""
    notice = BECAME.get(handed.told.get("became", ""))
    clock = state.clock("", "accept") if state else None
    if notice is None and clock is not None:
        due = present.teller.moment(as_microseconds(clock.due))
        notice = f"已登记，将于 {due} 前受理 registered; it will be taken up by then"
    return {"service_request_id": number, "service_notice": notice, "account_id": None}


def _accepted(desk: Desk, handed: HandedIn) -> Answer:
    """The answer. Raises Refused; of a case that the caller may not see NotFound (law 10)."""
    answer, submission = handed.answer, handed.submission
    if not answer.accepted and not sees(desk.engine, answer.case, submission.actor, submission):
        raise NotFound
    if not answer.accepted:
        raise Refused(answer.code or "refused", answer.advice or "")
    return answer
