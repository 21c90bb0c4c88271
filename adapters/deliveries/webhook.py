"""The channel `webhook`: a signed CloudEvent, posted to the subscriber's URL (Standard Webhooks 1.0).

A receiver answers 2xx for "taken". 410 ends the subscription; 429 and 503 with Retry-After say when to come again.
Redirects are not followed, what an answer says is not read beyond a little, and no try takes longer than `TRY_SECONDS`.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import httpx
import structlog

from adapters.deliveries.envelope import (
    MEDIA_TYPE,
    Case,
    Disclosing,
    case_for,
    cloud_event,
    concerned,
    opened,
)
from adapters.deliveries.outbox import Outbox
from adapters.deliveries.ports import Outcome, Queued, event_id
from adapters.deliveries.signing import signed
from adapters.deliveries.subscriptions import Subscription, Subscriptions
from adapters.engine import Engine
from domain.acting import Actor
from domain.refusal import Refused, Unavailable
from workflows.ports import Stored

CONNECT_SECONDS, TRY_SECONDS = 3.0, 8.0
MOST_ANSWER = 16_384
"""Bytes of an answer's body that are read, and thrown away, so that the connection can be used again."""
AWAY = frozenset({429, 502, 503, 504})
"""Answers that are about the receiver as a whole, not about what it was sent."""
WITHHELD = Outcome("withheld")
_log = structlog.get_logger("delivery")


class Message(NamedTuple):
    """What goes out."""

    body: bytes
    headers: dict[str, str]


class WebhookSender:
    """The sender of the channel `webhook`. Close it in the event loop that used it."""

    def __init__(self, engine: Engine, subscriptions: Subscriptions, outbox: Outbox) -> None:
        self._engine, self._subscriptions, self._outbox = engine, subscriptions, outbox
        self._client: httpx.AsyncClient | None = None

    async def send(self, to: Subscription, queued: Queued) -> Outcome:
        """One try. Raises Unavailable."""
        try:
            message = await asyncio.to_thread(self._message, to, queued)
        except Unavailable:
            raise
        except Refused as refused:
            return Outcome("down", refused.code)
        except Exception as error:  # noqa: BLE001 - a case that cannot be read holds up its own lane, nobody else's
            _log.error("not_readable", delivery=queued.id, error=type(error).__name__)
            return Outcome("unreadable", "not_readable")
        return WITHHELD if message is None else await self._post(to.url, message)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _message(self, to: Subscription, queued: Queued) -> Message | None:
        engine, row, clock = self._engine, queued.row, self._engine.handle.clock
        viewer = Actor(person=to.person, body=to.body, post=to.post)
        register = engine.handle.standing.caught_up().register
        if not register.holds(to.person, to.body, to.post, clock()):
            # Until it holds its post again nothing leaves, and nothing is lost.
            raise Refused("no_post", "Fill the post that the subscription acts in.")
        case = case_for(engine, row.stream, viewer)
        stored = None if case is None or len(case.events) < row.version else case.events[row.version - 1]
        if case is None or stored is None or event_id(stored.body) != row.event:
            return None
        if not concerned(case, row.version, to.body, to.source):
            return None
        body = self._content(to, case, stored, queued)
        if body is None:
            return None
        headers = signed(self._subscriptions.secrets(to.id), row.event, clock(), body)
        return Message(body, headers | {"content-type": MEDIA_TYPE, "user-agent": "huiyin"})

    def _content(self, to: Subscription, case: Case, stored: Stored, queued: Queued) -> bytes | None:
        """What the receiver is told, None for nothing; its sealed values as well where the subscription names the ground."""
        return cloud_event(self._engine, case, stored, self._opened(to, case, Disclosing(stored), queued))

    def _opened(
        self, to: Subscription, case: Case, wanted: Disclosing, queued: Queued
    ) -> list[dict[str, Any]] | None:
        if to.ground is None:
            return None
        viewer = Actor(person=to.person, body=to.body, post=to.post)
        sealed = opened(self._engine, case, wanted, viewer, to.ground, known=queued.opened)
        if sealed and not queued.opened:
            self._outbox.opened(queued.id)
        return sealed

    async def _post(self, url: str, message: Message) -> Outcome:
        if self._client is None:
            limits = httpx.Timeout(TRY_SECONDS, connect=CONNECT_SECONDS)
            self._client = httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=limits)
        try:
            async with asyncio.timeout(TRY_SECONDS):
                request = self._client.stream("POST", url, content=message.body, headers=message.headers)
                async with request as answer:
                    await _read_a_little(answer)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return Outcome("down", "not_reached")
        except (httpx.TimeoutException, TimeoutError):
            return Outcome("refused", "no_answer")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError):
            return Outcome("refused", "broken_answer")
        return outcome_of(answer.status_code, answer.headers.get("retry-after"), self._engine.handle.clock())


async def _read_a_little(answer: httpx.Response) -> None:
    read = 0
    async for part in answer.aiter_raw():
        read += len(part)
        if read > MOST_ANSWER:
            return


def outcome_of(status: int, retry_after: str | None, now: datetime) -> Outcome:
    """What an answer's status means; `retry_after` is its header, in seconds or as a date (RFC 9110 section 10.2.3)."""
    code = f"http_{status}"
    if 200 <= status < 300:
        return Outcome("sent", code)
    if status == 410:
        return Outcome("gone", code)
    if status in AWAY:
        return Outcome("down", code, _wait(retry_after, now), charged=True)
    return Outcome("refused", code)


def _wait(given: str | None, now: datetime) -> float | None:
    if given is None:
        return None
    if given.isascii() and given.isdigit():
        return float(given[:9])
    try:
        at = parsedate_to_datetime(given)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
