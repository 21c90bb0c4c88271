"""Lives over HTTP, as a process of its own: `python -m tests.benchmarks.http_lives PLAN.json`, results on stdout.

A life is register, accept, dispatch, start, report, callback, close and search: eight requests over a connection that is
kept open, by plain sockets, so that the clients take as little as may be of the two cores that they share with what
they measure. Each is about a trouble and a place of its own, one in ten about those of the life before it. `clients`
play one life after the other for `seconds`; with `rates` lives begin at their moments instead, so many a second for a
part of the time each, whether or not the earlier ones have ended.
"""

from __future__ import annotations

import http.client
import json
import random
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

GROUND = "law:subdistrict-office-ordinance"
STEPS = ("register", "accept", "dispatch", "start", "report", "callback", "close", "search")
TIMEOUT, IDLE_SECONDS = 60.0, 3.0
STREETS = ["人民路", "解放路", "中山路", "建设街", "和平街", "文化路", "新华路", "滨江路", "学院路", "工农路"]
TROUBLES = (
    "电梯坏了两天，老人上下楼不便", "路灯不亮，晚上看不清路", "井盖松动，车一过就响", "垃圾两天没有清运，气味很大",
    "楼上漏水，墙面起皮", "消防通道被车堵住", "污水从井口溢出", "夜里施工太吵，睡不着", "暖气不热", "树枝压在电线上",
)  # fmt: skip
SAID_BEFORE = 0.1
"""The share of lives that are about what the one before was about."""


def trouble(chance: random.Random) -> str:
    """What somebody says, with a place of its own."""
    house = f"{chance.choice(STREETS)}{chance.randint(1, 300)}号{chance.randint(1, 40)}栋"
    return house + chance.choice(TROUBLES)


@dataclass
class Heard:
    """What came of the requests: the milliseconds of each, by step, and what was not answered as it should be."""

    taken: dict[str, list[float]] = field(default_factory=lambda: {step: [] for step in STEPS})
    wrong: dict[str, int] = field(default_factory=dict)
    lives: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, step: str, seconds: float, status: int | str) -> None:
        """One answer."""
        with self.lock:
            self.taken[step].append(seconds * 1000)
            if status not in (200, 201):
                name = f"{step} {status}"
                self.wrong[name] = self.wrong.get(name, 0) + 1

    def ended(self, seconds: float) -> None:
        """One whole life."""
        with self.lock:
            self.lives.append(seconds)


class Wrong(Exception):
    """An answer that ends the life."""


class Caller:
    """One connection, and the life that is played over it."""

    def __init__(self, plan: dict[str, Any], heard: Heard) -> None:
        self.plan, self.heard, self.used = plan, heard, time.perf_counter()
        self.chance, self.text = random.Random(), ""
        where = urlsplit(plan["url"])
        self.to = http.client.HTTPConnection(where.hostname or "", where.port, timeout=TIMEOUT)

    def ask(self, step: str, method: str, path: str, who: str, body: Any = None) -> dict[str, Any]:
        """One request. Raises Wrong."""
        headers = {**self.plan["headers"][who], "Idempotency-Key": uuid.uuid4().hex}
        raw = None if body is None else json.dumps({"authority": GROUND, **body}).encode()
        if raw is not None:
            headers["Content-Type"] = "application/json"
        begun = time.perf_counter()
        if begun - self.used > IDLE_SECONDS:
            self.to.close()  # the server may have closed it by now: it is opened again with the next request
        try:
            self.to.request(method, f"/api/v1{path}", raw, headers)
            answer = self.to.getresponse()
            said, status = answer.read(), answer.status
            self.used = time.perf_counter()
        except OSError as error:
            self.to.close()
            self.heard.note(step, time.perf_counter() - begun, type(error).__name__)
            raise Wrong from None
        self.heard.note(step, time.perf_counter() - begun, status)
        if status not in (200, 201):
            raise Wrong
        found: dict[str, Any] = json.loads(said)
        return found

    def order(self) -> dict[str, Any]:
        """What is handed in."""
        if not self.text or self.chance.random() >= SAID_BEFORE:
            self.text = trouble(self.chance)
        return {**self.plan["order"], "sealed": {"text": self.text}}

    def life(self) -> None:
        """From register to search; ends early at a wrong answer."""
        begun = time.perf_counter()
        try:
            made = self.ask("register", "POST", "/matters", "hotline", self.order())
            case = f"/matters/{made['case']}"
            self.ask("accept", "POST", f"{case}/accept", "intake", {})
            grade = {"scale": "minor", "demand": "help", "tier": "community"}
            self.ask("dispatch", "POST", f"{case}/triage", "dispatcher", grade)
            self.ask(
                "start",
                "POST",
                f"{case}/start",
                "officer",
                {"how": "self_handling", "sealed": {"note": "上门维修"}},
            )
            result = {"disposition": "solved", "sealed": {"reply": "电梯已修复", "evidence": ["1" * 64]}}
            self.ask("report", "POST", f"{case}/submit", "officer", result)
            said = {"requester": made["requesters"][0], "solved": True, "satisfaction": "satisfied"}
            self.ask("callback", "POST", f"{case}/callback", "caller", {**said, "sealed": {"wording": "好"}})
            self.ask("close", "POST", f"{case}/close", "supervisor", {})
            self.ask("search", "GET", f"/matters?number={made['number']}", "supervisor")
        except Wrong:
            return
        self.heard.ended(time.perf_counter() - begun)


def for_a_time(plan: dict[str, Any], heard: Heard) -> None:
    """So many clients, each playing life after life."""
    until = time.perf_counter() + plan["seconds"]

    def play() -> None:
        caller = Caller(plan, heard)
        while time.perf_counter() < until:
            caller.life()

    threads = [threading.Thread(target=play) for _ in range(plan["clients"])]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def moments(rates: list[float], seconds: float) -> list[float]:
    """When lives begin: `rates` (lives/s) are reached one after the other, in straight lines, over `seconds`."""
    found, part = list[float](), seconds / (len(rates) - 1)
    owed = 0.0
    for number, (low, high) in enumerate(pairwise(rates)):
        for step in range(int(part * 100)):
            owed += (low + (high - low) * step / (part * 100)) / 100
            if owed >= 1:
                owed -= 1
                found.append(number * part + step / 100)
    return found


def at_their_moments(plan: dict[str, Any], heard: Heard) -> None:
    """Lives that begin when they must."""
    kept = threading.local()

    def play() -> None:
        if not hasattr(kept, "caller"):
            kept.caller = Caller(plan, heard)
        kept.caller.life()

    begun = time.perf_counter()
    with ThreadPoolExecutor(plan["clients"]) as threads:
        for moment in moments(plan["rates"], plan["seconds"]):
            time.sleep(max(0.0, begun + moment - time.perf_counter()))
            threads.submit(play)


def main(path: str) -> None:
    """Play the plan and print what was heard."""
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - stands alone
        plan = json.load(file)
    heard, begun = Heard(), time.perf_counter()
    (at_their_moments if "rates" in plan else for_a_time)(plan, heard)
    seconds = time.perf_counter() - begun
    json.dump(
        {"seconds": seconds, "taken": heard.taken, "wrong": heard.wrong, "lives": heard.lives}, sys.stdout
    )


if __name__ == "__main__":
    main(sys.argv[1])
