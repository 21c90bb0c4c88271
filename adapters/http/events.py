"""Events out, for who asks: the pull feed, server-sent events, and how subscriptions stand."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from adapters.deliveries.desk import Desk
from adapters.deliveries.feed import Asked, Feed, FeedPage
from adapters.deliveries.kinds import GROUPS, check_kinds
from adapters.deliveries.outbox import Count
from adapters.deliveries.telling import subscription_row
from adapters.engine import Engine
from adapters.http.documented import PROBLEMS
from adapters.http.reading import Limit
from adapters.http.serve import STOPPING
from adapters.http.who import Caller, Doors, caller_of
from domain.refusal import Refused, Unavailable

HEARTBEAT_SECONDS = 15.0
LOOK_SECONDS = 0.5
"""How often a stream looks for news; all streams of a process share the question."""
MOST_STREAMS = 100
IN_STREAM = 100
_MOST_POSITION = 2**53

Types = Annotated[
    str,
    Query(
        max_length=2_000, pattern=r"^[a-z0-9_*.,]*$", examples=["progress,leg_*"],
        description=f"Kinds of events, by commas: types, patterns such as `leg_*`, or of {', '.join(GROUPS)}.",
    ),
]  # fmt: skip
After = Annotated[
    int, Query(ge=0, le=_MOST_POSITION, description="`next` of the page before; 0: from the first one.")
]
Life = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9a-f]{32}$",
        description="`life` of the page that the position came from: another one is refused (`another_life`).",
    ),
]


class EventPage(BaseModel):
    """CloudEvents 1.0 in store order. `next` is where to go on, also when `items` is empty; `more`: at once.

    `life` names the life of the record in which `next` is a position: a restore begins another one.
    """

    items: list[dict[str, Any]] = Field(
        examples=[[{
            "specversion": "1.0", "id": "evt_279690e4299ce3489437b4b0aec14133", "source": "huiyin:450305",
            "type": "matter_closed.v1", "subject": "450305-20261123-7KQ2MWX", "time": "2026-11-23T01:30:00Z",
            "datacontenttype": "application/json", "data": {"position": 4711},
        }]]
    )  # fmt: skip
    next: int
    more: bool
    life: str = Field(examples=["8c214f22f3584ad588a63102b05f7cb4"])


class SubscriptionRow(BaseModel):
    """A subscription and how its deliveries stand: rows that wait, matters that are parked, how often it failed in a row."""

    id: str
    channel: str
    person: str
    body: str
    post: str
    source: str | None
    url: str
    types: list[str]
    ground: str | None
    state: str
    why: str | None
    made_at: str
    waiting: int
    parked: int
    failures: int
    failing_since: str | None


class SubscriptionList(BaseModel):
    """Those that the caller may know of: all of them for a security administrator, else one's own."""

    items: list[SubscriptionRow]


class Events:
    """What answers."""

    def __init__(self, engine: Engine, doors: Doors, desk: Desk) -> None:
        self._engine, self._doors, self._desk, self._feed = engine, doors, desk, Feed(engine)
        self._streams = 0
        self._seen, self._looked, self._looking = 0, 0.0, asyncio.Lock()

    def _asked(self, request: Request, types: str) -> Asked:
        caller = self._caller(request)
        kinds = check_kinds(tuple(one for one in types.split(",") if one) or ("all",))
        return Asked(caller.officer(), caller.key.source if caller.key else None, kinds)

    def _caller(self, request: Request) -> Caller:
        caller = caller_of(request, self._engine, self._doors)
        if caller.resident:
            raise Refused("no_post", "Events are for those who hold a post; ask for a case by its number.")
        return caller

    def read_events(
        self, request: Request, after: After = 0, limit: Limit = 100, types: Types = "all", life: Life = None
    ) -> EventPage:
        """The events of the caller's own matters above a position, in order: what a webhook would have brought."""
        asked = self._asked(request, types)
        living = self._feed.life(after, life)
        found = self._feed.page(asked, after, limit)
        return EventPage(
            items=[event for _, event in found.items], next=found.next, more=found.more, life=living
        )

    async def stream_events(
        self,
        request: Request,
        after: Annotated[
            int | None, Query(ge=0, le=_MOST_POSITION, description="Where to begin; left out: now.")
        ] = None,
        types: Types = "all",
        last_event_id: Annotated[
            str | None, Header(max_length=60, pattern=r"^([0-9a-f]{32}:)?[0-9]{0,16}$")
        ] = None,
        life: Life = None,
    ) -> StreamingResponse:
        """The same as they happen, as server-sent events; `Last-Event-ID` goes on where a stream was cut, in the life of
        the record that it names."""
        asked = await run_in_threadpool(self._asked, request, types)
        if self._streams >= MOST_STREAMS:
            raise Unavailable("Too many streams are open here; come again shortly, or read the feed.")
        lived, _, last = (last_event_id or "").rpartition(":")
        at = int(last) if last else after
        living = await run_in_threadpool(self._feed.life, at or 0, lived or life)
        begin = await run_in_threadpool(self._feed.head) if at is None else at
        told = self._told(request, asked, begin, types, living)
        return StreamingResponse(told, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    async def _told(
        self, request: Request, asked: Asked, at: int, types: str, life: str
    ) -> AsyncIterator[bytes]:
        """Until the caller goes, its rights end, or this process stops."""
        stopping: asyncio.Event = request.scope.get(STOPPING) or asyncio.Event()
        self._streams += 1
        spoke = checked = time.monotonic()
        try:
            yield _beat(life, at)
            while not stopping.is_set():
                page = await self._news(asked, at)
                for position, event in page.items:
                    yield _line(life, position, event)
                at = page.next
                if page.items:
                    spoke = time.monotonic()
                elif not page.more:
                    await _until(stopping, LOOK_SECONDS)
                if time.monotonic() - checked >= HEARTBEAT_SECONDS:  # however much there is to tell meanwhile
                    asked = await run_in_threadpool(self._asked, request, types)
                    await run_in_threadpool(self._feed.life, at, life)
                    checked = time.monotonic()
                if time.monotonic() - spoke >= HEARTBEAT_SECONDS:
                    spoke = time.monotonic()
                    yield _beat(life, at)
        except (Refused, Unavailable):
            return  # a revoked key, a restored record, a store out of reach: whoever comes again is told so
        finally:
            self._streams -= 1

    async def _news(self, asked: Asked, at: int) -> FeedPage:
        async with self._looking:
            if time.monotonic() - self._looked >= LOOK_SECONDS:
                self._seen = await run_in_threadpool(self._feed.head)
                self._looked = time.monotonic()
        if self._seen <= at:
            return FeedPage((), at, more=False)
        return await run_in_threadpool(self._feed.page, asked, at, IN_STREAM)

    def list_subscriptions(self, request: Request) -> SubscriptionList:
        """Subscriptions with how their deliveries stand; never their secrets."""
        viewer = self._caller(request).officer()
        register, now = self._engine.handle.standing.caught_up().register, self._engine.handle.clock()
        if viewer.post is None or not register.holds(viewer.person, viewer.body, viewer.post, now):
            raise Refused("no_post", "You do not hold this post now.")
        counts = self._desk.outbox.counts()
        rows = [
            subscription_row(one, counts.get(one.id, Count()))
            for one in self._desk.subscriptions.known()
            if viewer.post == "security_admin" or one.person == viewer.person
        ]
        return SubscriptionList(items=[SubscriptionRow.model_validate(row) for row in rows])


def router(engine: Engine, doors: Doors, desk: Desk) -> APIRouter:
    """The feed, the stream and the subscriptions, under their paths."""
    made, of = APIRouter(responses=PROBLEMS, tags=["events"]), Events(engine, doors, desk)
    made.add_api_route("/events", of.read_events, summary="Events since 事件增量", operation_id="read_events")
    made.add_api_route(
        "/events/stream", of.stream_events, summary="Events as they happen 事件流", operation_id="stream_events",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )  # fmt: skip
    made.add_api_route(
        "/subscriptions",
        of.list_subscriptions,
        summary="Subscriptions 订阅",
        operation_id="list_subscriptions",
    )
    return made


def _line(life: str, position: int, event: dict[str, Any]) -> bytes:
    said = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return f"id: {life}:{position}\nevent: {event['type']}\ndata: {said}\n\n".encode()


def _beat(life: str, position: int) -> bytes:
    """Nothing new; an id without data moves the place from which a reader goes on (HTML, section 9.2.6)."""
    return f": 心跳 heartbeat\nid: {life}:{position}\n\n".encode()


async def _until(stopping: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return
