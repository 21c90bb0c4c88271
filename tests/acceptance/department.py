"""A department's own system: it is called by webhooks and answers through the HTTP API under its own key.

`python -m tests.acceptance.department CONFIG.json` is one in a process of its own. CONFIG says where it listens
(`port`), its `secret`, the API's `api` and its `token`, its `body`, where it writes what it did (`diary`, a JSON line
each), and its `habit`:

    plain           takes every call once and answers once
    drops_thirds    of every three calls it takes one and then hangs up without an answer
    answers_twice   forgets what it has seen, and gives every answer again: under the same key, and under a new one
"""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.receiver import TAKEN, Answer, Arrival, Receiver, _server

GROUND = "law:department-duty"


class HungUp(Exception):
    """The call is dropped: whoever called hears nothing."""


@dataclass
class Department:
    """One department's system."""

    body: str
    token: str
    api: str
    diary: Path
    habit: str
    seen: set[str] = field(default_factory=set)
    calls: int = 0
    turn: threading.Lock = field(default_factory=threading.Lock)

    def called(self, arrival: Arrival) -> Answer:
        """One webhook whose signature is right."""
        with self.turn:
            self.calls += 1
            dropped = self.habit == "drops_thirds" and self.calls % 3 == 0
            new = arrival.id not in self.seen or self.habit == "answers_twice"
            self.seen.add(arrival.id)
        self._note(call=arrival.id, type=arrival.event["type"], dropped=dropped)
        if new and arrival.event["type"] in ("order_issued.v1", "leg_added.v1"):
            for leg in arrival.event["data"]["legs"]:
                self.answer(arrival.id, leg)
        if dropped:
            raise HungUp
        return TAKEN

    def answer(self, event: str, leg: dict[str, Any]) -> None:
        """Sign for it, be there, work, report."""
        proof = {"place": "com-01", "proof": "code", "sealed": {"proof": "现场码"}}
        report = {"outcome": "done", "sealed": {"result": "已修复", "evidence": ["0" * 64]}}
        self.act(event, leg, "acknowledge", "duty_officer", {})
        if "check_in" in leg["due"]:
            self.act(event, leg, "check-in", "officer", proof)
        self.act(event, leg, "note", "officer", {"sealed": {"note": "已排查"}})
        self.act(event, leg, "report", "leader", report)

    def act(self, event: str, leg: dict[str, Any], what: str, post: str, body: dict[str, Any]) -> None:
        """One act through the API; its key derives from the call, so that a call that comes again is the same act."""
        key = f"{event}-{leg['leg']}-{what}"
        keys = [key, key, uuid4().hex] if self.habit == "answers_twice" else [key]
        for one in keys:
            headers = {
                "Authorization": f"Bearer {self.token}", "Huiyin-Acting-As": f"{self.body}/{post}", "Idempotency-Key": one,
            }  # fmt: skip
            answer = httpx.post(
                f"{leg['link']}/{what}", json={"authority": GROUND, **body}, headers=headers, timeout=100
            )
            code = answer.json().get("code") if answer.status_code >= 400 else None
            self._note(leg=leg["leg"], act=what, key=one, status=answer.status_code, code=code)

    def _note(self, **said: Any) -> None:
        with self.diary.open("ab") as file:
            file.write(json.dumps(said).encode() + b"\n")


def main() -> None:
    """Listen until killed."""
    config = json.loads(Path(sys.argv[1]).read_text())
    department = Department(
        config["body"], config["token"], config["api"], Path(config["diary"]), config["habit"]
    )
    receiver = Receiver(config["secret"], department.called)
    server = _server(receiver, config["port"])
    Path(config["diary"]).touch()
    server.serve_forever()


if __name__ == "__main__":
    main()
