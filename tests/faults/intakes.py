"""Intakes over HTTP by clients who will not give up: each repeats what was not answered, under the same key."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from adapters.http.answers import REPLAYED
from tests.acceptance.http_world import HOTLINE
from tests.faults.import_office import Office

TAKES_IN, ACCEPTS, GRADES = (
    ("hotline", "intake_officer"),
    ("com-01", "intake_officer"),
    ("centre", "dispatcher"),
)
AWAY = (502, 503, 504)
SLOWLY, PATIENT_SECONDS, CLIENTS = 0.1, 120.0, 8

MADE = ("matter_registered.v1", "matter_accepted.v1", "matter_triaged.v1", "matter_supplemented.v1")
"""What an intake leaves in its case, each once."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    path: str
    body: dict[str, Any]
    by: tuple[str, str]
    key: str


@dataclass
class Intakes:
    """So many intakes, as they are let go; what each request was answered stands under its key."""

    at: Office
    many: int
    answers: dict[str, tuple[Asked, httpx.Response]] = field(default_factory=dict)
    hung_up: int = 0
    _given_up: bool = False
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _under_way: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        """They come in, as they are let go, while the context lasts; at its end each has come to its own."""
        for by in (TAKES_IN, ACCEPTS, GRADES):
            self.at.api.headers(by)  # so that the keys are made before anything is killed
        with ThreadPoolExecutor(CLIENTS, "client") as pool:
            playing = [pool.submit(self._one, n) for n in range(self.many)]
            try:
                yield
            except BaseException:
                self._given_up = True
                raise
            finally:
                self._gate.release(self.many)
            for one in playing:
                one.result()

    def let(self, count: int) -> None:
        """Let so many more begin."""
        self._under_way.clear()
        self._gate.release(count)

    def under_way(self) -> None:
        """Come back when one of those that were let go last has been registered."""
        assert self._under_way.wait(PATIENT_SECONDS), "nothing was registered"

    def again(self) -> list[httpx.Response]:
        """Send everything again, under the same keys."""
        return [self._send(asked) for asked, _ in self.answers.values()]

    def replayed(self) -> int:
        """How many first answers were those of an earlier try that had been lost on the way."""
        return sum(REPLAYED in answer.headers for _, answer in self.answers.values())

    def _one(self, n: int) -> None:
        self._gate.acquire()
        number = f"GL-{n:05}"
        made = self._must(Asked("/matters", self.at.api.order(number), TAKES_IN, f"intake-{n}"))
        self._under_way.set()
        case = f"/matters/{made['case']}"
        self._must(Asked(f"{case}/accept", {}, ACCEPTS, f"accept-{n}"))
        grade = {"scale": "hard", "demand": "help", "tier": "community"}
        self._must(Asked(f"{case}/triage", grade, GRADES, f"triage-{n}"))
        more = {"source": HOTLINE, "outside": [{"source": HOTLINE, "number": number}]}
        self._must(Asked("/matters", self.at.api.order(number) | more, TAKES_IN, f"intake-{n}-again"))

    def _must(self, asked: Asked) -> dict[str, Any]:
        """Ask until there is an answer; keep it. It must say that it was accepted."""
        until = time.monotonic() + PATIENT_SECONDS
        while True:
            try:
                answer = self._send(asked)
                if answer.status_code not in AWAY:
                    break
            except httpx.TransportError:
                with self._turn:
                    self.hung_up += 1
            assert not self._given_up, "the test has failed"
            assert time.monotonic() < until, f"{asked.path} was never answered"
            time.sleep(SLOWLY)
        assert answer.status_code in (200, 201), answer.text
        with self._turn:
            self.answers[asked.key] = (asked, answer)
        found: dict[str, Any] = answer.json()
        return found

    def _send(self, asked: Asked) -> httpx.Response:
        return self.at.api.post(asked.path, asked.body, by=asked.by, key=asked.key)
