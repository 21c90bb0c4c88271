"""The API on a real uvicorn over a founded district, and people who call it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import structlog

from adapters.access import Giver, SystemKeys, open_access
from adapters.demo.district import SUBDISTRICT, WHISTLE_POWER, District
from adapters.engine import Engine, open_engine
from adapters.http.app import opened
from adapters.http.serve import listener, serve
from adapters.settings import Settings
from adapters.views import Views
from domain.acting import Actor
from tests.acceptance.world import DISTRICT, GROUND

HOTLINE = "hotline_12345"
WORDS = "3栋电梯坏了两天，老人上下楼不便"


@contextmanager
def lines_to_logging() -> Iterator[None]:
    """Log lines go to pytest's own handler. Printed, they would be written by the server's thread into a stream that
    pytest's capturing is changing under it: that ended the whole run now and then."""
    before = structlog.get_config()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level, structlog.contextvars.merge_contextvars, structlog.stdlib.add_log_level,
            structlog.processors.KeyValueRenderer(),
        ],
        wrapper_class=structlog.stdlib.BoundLogger, logger_factory=structlog.stdlib.LoggerFactory(),
    )  # fmt: skip
    try:
        yield
    finally:
        structlog.configure(**before)


@contextmanager
def serving(engine: Engine) -> Iterator[str]:
    """The API in a thread of its own; gives its URL."""
    with lines_to_logging(), listener(engine.settings) as at, opened(engine) as app:
        up, told = threading.Event(), list[str]()
        loop, stop = asyncio.new_event_loop(), asyncio.Event()

        def heard(url: str) -> None:
            told.append(url)
            up.set()

        def run() -> None:
            loop.run_until_complete(serve(app, at, stop, heard))

        thread = threading.Thread(target=run, name="api")
        thread.start()
        try:
            assert up.wait(100)
            yield told[0]
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(100)
            loop.close()
            assert not thread.is_alive()


@dataclass
class Api:
    """Somebody's way to the API: `by` names a body and a post of the district."""

    url: str
    engine: Engine
    client: httpx.Client
    district: District = DISTRICT
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def giver(self) -> Giver:
        """Who gives keys."""
        return Giver(Actor(person=self.district.security, body="system", post="security_admin"), GROUND)

    def token(self, body: str, person: str, source: str | None = None) -> str:
        """A key of this person for that body, made once."""
        if (body, person) not in self.tokens:
            access = open_access(self.engine.settings.access_url)
            try:
                issued = SystemKeys(access, self.engine.handle).create(self.giver, person, body, source)
            finally:
                access.close()
            self.tokens[body, person] = issued.token
        return self.tokens[body, person]

    def headers(self, by: tuple[str, str] | None, **more: str) -> dict[str, str]:
        """The headers of who holds that post."""
        if by is None:
            return more
        body, post = by
        source = HOTLINE if body == "hotline" else "window" if post == "intake_officer" else None
        token = self.token(body, self.district.staff[by], source)
        return {"Authorization": f"Bearer {token}", "Huiyin-Acting-As": f"{body}/{post}", **more}

    def post(
        self, path: str, body: Any = None, *, by: tuple[str, str] | None, key: str | None = None,
        authority: str | None = GROUND, **more: str,
    ) -> httpx.Response:  # fmt: skip
        """One act."""
        headers = self.headers(by, **{"Idempotency-Key": key or uuid4().hex, **more})
        said = {**({"authority": authority} if authority else {}), **(body or {})}
        return self.client.post(f"/api/v1{path}", json=said, headers=headers)

    def must(self, path: str, body: Any = None, **how: Any) -> dict[str, Any]:
        """The same, for what the rules allow."""
        answer = self.post(path, body, **how)
        assert answer.status_code in (200, 201), (path, answer.text)
        found: dict[str, Any] = answer.json()
        return found

    def get(self, path: str, *, by: tuple[str, str] | None, **parameters: Any) -> httpx.Response:
        """One reading."""
        return self.client.get(f"/api/v1{path}", params=parameters, headers=self.headers(by))

    def caught_up(self) -> None:
        """Bring the read models up to the tail, as a follower would."""
        views = Views(self.engine.settings.views_url, self.engine.store)
        try:
            views.catch_up()
        finally:
            views.close()

    # -- a common life ------------------------------------------------------------------------------------------------

    def order(self, number: str | None = None, **more: Any) -> dict[str, Any]:
        """The body of an order of the hotline."""
        found: dict[str, Any] = {
            "source": HOTLINE, "seen_at": "2026-11-20T09:30:00+08:00", "kind": "hazard", "code": "FW-01",
            "demand": "help", "host": "com-01", "sealed": {"text": WORDS},
            "requesters": [{"name": "王某某", "contact": "13800000000"}],
        }  # fmt: skip
        if number is not None:
            found["outside"] = [{"source": HOTLINE, "number": number}]
        return found | more

    def registered(self, number: str | None = None, **more: Any) -> dict[str, Any]:
        """A matter that the hotline handed in."""
        return self.must("/matters", self.order(number, **more), by=("hotline", "intake_officer"))

    def graded(self, **more: Any) -> dict[str, Any]:
        """A matter that was accepted and graded hard."""
        made = self.registered(**more)
        case, intake = made["case"], ("com-01", "intake_officer")
        self.must(f"/matters/{case}/accept", by=intake)
        grade = {"scale": "hard", "demand": "help", "tier": "community"}
        self.must(f"/matters/{case}/triage", grade, by=("centre", "dispatcher"))
        return made

    def whistled(self, body: str = "dept-housing") -> tuple[dict[str, Any], str]:
        """A whistle was blown; gives the matter and the department's leg."""
        made = self.graded()
        case, officer = made["case"], (SUBDISTRICT, "officer")
        draft = {
            "kind": "whistle", "whistle": "service", "receivers": [{"body": body, "role": "lead"}],
            "sealed": {"reason": "街道无力单独处置"},
        }  # fmt: skip
        drafted = self.must(f"/matters/{case}/orders", draft, by=officer)
        order = f"/matters/{case}/orders/{drafted['order']}"
        self.must(f"{order}/authorise", by=(SUBDISTRICT, "leadership_member"), authority=WHISTLE_POWER)
        self.must(f"{order}/issue", by=officer, authority=WHISTLE_POWER)
        return made, drafted["legs"][body]

    def worked_off(self, body: str = "dept-housing") -> dict[str, Any]:
        """The department came, worked and was let go; the result was handed in."""
        made, leg = self.whistled(body)
        case, part = made["case"], f"/matters/{made['case']}/legs/{leg}"
        self.must(f"{part}/acknowledge", by=(body, "duty_officer"))
        self.must(f"{part}/contact", by=(body, "officer"))
        self.must(
            f"{part}/check-in",
            {"place": "com-01", "proof": "code", "sealed": {"proof": "现场码"}},
            by=(body, "officer"),
        )
        self.must(f"{part}/note", {"sealed": {"note": "已排查"}}, by=(body, "officer"))
        report = {"outcome": "done", "sealed": {"result": "已修复", "evidence": ["0" * 64]}}
        self.must(f"{part}/report", report, by=(body, "leader"))
        self.must(f"{part}/accept", by=(SUBDISTRICT, "leadership_member"), authority=WHISTLE_POWER)
        result = {"disposition": "solved", "sealed": {"reply": "电梯已修复", "evidence": ["1" * 64]}}
        self.must(f"/matters/{case}/submit", result, by=(SUBDISTRICT, "officer"))
        return made

    def called_back(self, *, solved: bool = True) -> dict[str, Any]:
        """The requester was called back."""
        made = self.worked_off()
        said = {
            "requester": made["requesters"][0], "solved": solved,
            "satisfaction": "satisfied" if solved else "dissatisfied", "sealed": {"wording": "好" if solved else "没好"},
        }  # fmt: skip
        self.must(f"/matters/{made['case']}/callback", said, by=(SUBDISTRICT, "callback_officer"))
        return made

    def closed(self) -> dict[str, Any]:
        """The matter was closed."""
        made = self.called_back()
        self.must(f"/matters/{made['case']}/close", by=(SUBDISTRICT, "supervisor"))
        return made


@contextmanager
def api_over(data: Path, listens: int = 0, **settings: Any) -> Iterator[Api]:
    """The API over a data folder (or other stores that `settings` name)."""
    given = {"district": DISTRICT.code} | settings
    engine = open_engine(Settings(data=data, api_port=listens, **given))
    try:
        with serving(engine) as url, httpx.Client(base_url=url, timeout=100) as client:
            yield Api(url, engine, client)
    finally:
        engine.close()


def told(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    body = json.loads(response.content)
    assert body["status"] == response.status_code
    return response.status_code, body["code"]


def moment(text: str) -> datetime:
    """A time as the API writes it."""
    return datetime.fromisoformat(text)
