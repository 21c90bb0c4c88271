"""An office with a small real trail, its boards, and a forger in its cellar.

The office runs the product's own parts, on SQLite or on PostgreSQL; three boards run the witness, each a process of
its own, and judge bundles with their copy of `verify.py`. The forger holds the databases, as their superuser, and the
office's log key; a board's key never, unless a test says that the board is crooked.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
from click.testing import Result
from typer.testing import CliRunner

from adapters.bundle.remit import Remit
from adapters.bundle.rules import law_text
from adapters.bundle.span import Span
from adapters.bundle.writing import Source, counts, write_bundle
from adapters.cli.main import app
from adapters.demo.desk import Desk, one_life
from adapters.demo.district import District, found, plan
from adapters.engine import Engine, now, open_engine
from adapters.log import open_log
from adapters.log.counting import take_censuses
from adapters.log.keys import LOG_KEY, public_key
from adapters.log.proofs import Proofs
from adapters.log.role import opening_of, sealer_of
from adapters.log.sealer import Ahead, nobody
from adapters.log.store import Head, LogStore
from adapters.rulebooks import template
from adapters.settings import Settings
from adapters.witness.cosigner import Cosigner
from domain.acting import Actor, Command
from domain.log.commands import adoption_of
from domain.log.notes import VerifierKey, parse_note
from domain.log.witness import AddCheckpoint, format_request
from domain.log.words import LOG
from tests.contract.board_world import WitnessProcess, policy_of
from tests.contract.log_world import seal_all
from workflows.submission import Submission

ROOT = Path(__file__).resolve().parents[2]
VERIFIER = ROOT / "adapters" / "bundle" / "verify.py"
GROUND = "law:subdistrict-office-ordinance"
DISTRICT = plan(1)
LIVES = 8
PROMISED = 3
"""Matters that stay open behind the others; whoever registered one holds its promise."""
AGE = timedelta(minutes=100)
"""So long ago the trail was lived; the log was opened only now, and promises its heads within an hour."""
DELAY_HOURS = 1


# -- the office -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Office:
    """The office: a data folder, perhaps a PostgreSQL database, and the keys of one log."""

    data: Path
    keys: Path
    origin: str
    boards: tuple[WitnessProcess, ...]
    store: str | None = None
    slow: timedelta = timedelta(0)
    """How far the office's clock is behind."""
    district: District = DISTRICT

    @property
    def settings(self) -> Settings:
        return Settings(
            data=self.data,
            store=self.store,
            log_keys=self.keys,
            log_origin=self.origin,
            log_delay_hours=DELAY_HOURS,
        )

    def clock(self) -> datetime:
        return now() - self.slow

    @property
    def log_key(self) -> VerifierKey:
        return public_key(self.keys / LOG_KEY)

    def run(self, *words: str) -> Result:
        """One `huiyin`, as typed."""
        given: dict[str, object] = {
            "HUIYIN_DATA": self.data, "HUIYIN_LOG_KEYS": self.keys, "HUIYIN_LOG_ORIGIN": self.origin,
            "HUIYIN_LOG_DELAY_HOURS": DELAY_HOURS,
        }  # fmt: skip
        given |= {"HUIYIN_STORE": self.store} if self.store else {}
        environment = {name: str(value) for name, value in given.items()} | {"COLUMNS": "200"}
        return CliRunner().invoke(app, [*words], env=environment)

    def must(self, *words: str) -> str:
        """The same, for what is allowed; what was printed."""
        done = self.run(*words)
        assert done.exit_code == 0, done.output + repr(done.exception)
        return done.stdout

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        with closing(open_engine(self.settings, self.clock)) as engine:
            yield engine

    @contextmanager
    def log(self) -> Iterator[LogStore]:
        with closing(open_log(self.settings.log_url)) as log:
            yield log

    @contextmanager
    def desk(self) -> Iterator[Desk]:
        """A desk where staff and residents act."""
        with self.engine() as engine:
            yield Desk(engine.handle, self.district, random.Random(uuid4().int), client=f"desk-{uuid4()}")

    def registers(self, count: int = 1) -> list[str]:
        """So many requests more, by the app; the cases."""
        with self.desk() as desk:
            return [desk.registers(desk.resident()) for _ in range(count)]

    # -- the log ------------------------------------------------------------------------------------------------------

    def adopts(self, *boards: WitnessProcess, k: int | str = 2) -> str:
        """Adopt a policy of these boards, all of the office's where none is named; its text."""
        text = policy_of(self.log_key, *(boards or self.boards), k=k)
        (self.data / "policy").write_text(text, encoding="utf-8")
        self.orders(LOG, adoption_of(text, DELAY_HOURS), texts=(text,))
        return text

    def orders(self, stream: str, command: Command, texts: tuple[str, ...] = ()) -> None:
        """Something that is for the security administrator to order."""
        who = Actor(person=self.district.security, body="system", post="security_admin")
        order = Submission("attack", str(uuid4()), stream, command, who, authority=GROUND, texts=texts)
        with self.engine() as engine:
            answer = engine.handle(order)
        assert answer.accepted, answer

    def seals(self, ahead: Ahead = nobody) -> None:
        """Count the months that are over, seal everything and sign, as the role does. Raises Refused as it does."""
        with self.engine() as engine, self.log() as log:
            take_censuses(engine.handle)
            settings = self.settings
            sealer = sealer_of(settings, engine.store, log, opening_of(settings, "test"), self.clock, ahead)
            seal_all(engine.store, sealer, itertools.repeat(4096))

    def asks(self, lines: int = 4) -> Head:
        """Have the newest head cosigned by whichever boards do, as the role does, until it bears so many lines."""
        with self.engine() as engine, self.log() as log:
            asyncio.run(_cosigned(Cosigner(log, engine.handle), log, lines))
            head = log.head()
        assert head is not None
        return head

    def goes_on(self, matters: int = 1) -> Head:
        """Some more work, sealed and cosigned."""
        self.registers(matters)
        self.seals()
        return self.asks()

    def head(self) -> Head:
        with self.log() as log:
            found = log.head()
        assert found is not None
        return found

    def request(self, old: int, proof: Sequence[bytes] | None = None) -> AddCheckpoint:
        """What a witness is sent for the newest head, with the best proof that the tiles give."""
        head = self.head()
        with self.log() as log:
            given = (
                Proofs(log).consistency(old, head.size) if proof is None and old < head.size else proof or ()
            )
        text = parse_note(head.note)
        by_log = tuple(one for one in text.signatures if self.log_key.made(one))
        return AddCheckpoint(old, tuple(given), type(text)(text.text, by_log))

    def proof(self, case: str) -> str:
        """A resident's receipt: the promise, and its place under the newest cosigned head."""
        return self.must("receipt", "proof", case)

    def check(self) -> dict[str, Any]:
        """What `huiyin log check` says."""
        done = self.run("log", "check", "--json")
        told: dict[str, Any] = json.loads(done.stdout)
        assert done.exit_code == (1 if told["bad"] else 0)
        return told

    def bundle(self, to: Path) -> Path:
        """`huiyin bundle`, as a member of the district's board takes it: everything since genesis."""
        member = self.district.staff["board", "board_member"]
        self.must("bundle", "-o", str(to), "--as", f"{member}/board/board_member")
        return to

    def bundle_since(self, known: Head, to: Path) -> Path:
        """The same as of a month that began at this head."""
        with self.engine() as engine, self.log() as log:
            newest, standing = log.cosigned(), engine.handle.standing.caught_up()
            assert newest is not None
            remit = Remit(engine.store, standing.register, "board", self.clock(), whole=False)
            span = Span(known, newest)
            counted = counts(log, engine.store, span, remit.reads)
            write_bundle(Source(log, engine.store, standing, remit.reads, counted), span, to)
        return to

    # -- the cellar ---------------------------------------------------------------------------------------------------

    @property
    def events(self) -> str:
        """The table of events."""
        return "cases.stored_events" if self.store else "stored_events"

    @property
    def position(self) -> str:
        """Its column of positions."""
        return "notification_id" if self.store else "rowid"

    def sql(self, statement: str, *given: object, log: bool = False) -> list[Any]:
        """What a superuser types; `?` for what is given, {events}, {position} and {log} for the store's own names."""
        names = {"events": self.events, "position": self.position, "log": "log." if self.store else ""}
        typed = statement.format(**names)
        if self.store:
            with psycopg.connect(self.store) as connection:
                cursor = connection.execute(typed.replace("?", "%s").encode(), given)
                return cursor.fetchall() if cursor.description else []
        file = self.data / ("log.db" if log else "cases.db")
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            return connection.execute(typed, given).fetchall()

    def in_log(self, statement: str, *given: object) -> list[Any]:
        """The same in the log's tables."""
        return self.sql(statement, *given, log=True)

    def body_at(self, position: int) -> dict[str, Any]:
        """A stored event."""
        ((state,),) = self.sql("SELECT state FROM {events} WHERE {position} = ?", position)
        told: dict[str, Any] = json.loads(bytes(state))
        return told

    def rewrites(self, position: int, **changed: object) -> None:
        """Put another body in a row's place, as canonical as the one before."""
        told = self.body_at(position) | changed
        self.sql("UPDATE {events} SET state = ? WHERE {position} = ?", canonical(told), position)

    def appends(self, case: str, kind: str | None = None, **changed: object) -> None:
        """Put one event more behind a case's newest, like that one but for what is said."""
        newest = "SELECT {position}, originator_version, topic FROM {events} WHERE originator_id = ? ORDER BY 2 DESC LIMIT 1"
        ((position, version, topic),) = self.sql(newest, case)
        told = self.body_at(position) | {"nonce": uuid4().hex, "type": kind or topic} | changed
        self.sql(
            "INSERT INTO {events} (originator_id, originator_version, topic, state, known_at)"
            " SELECT ?, ?, ?, ?, max(known_at) FROM {events}", case, version + 1, kind or topic, canonical(told),
        )  # fmt: skip

    def discloses(self, case: str, to: Path) -> Path:
        """`huiyin disclose`: the sealed values of a sampled case, for the board."""
        archivist = f"{self.district.staff['archive', 'archivist']}/archive/archivist"
        words = (
            "--to",
            "board",
            "--ground",
            "sample:2026-11",
            "-o",
            str(to),
            "--as",
            archivist,
            "--authority",
            GROUND,
        )
        self.must("disclose", case, *words)
        return to

    def cases(self) -> list[str]:
        """The matters, in the order in which they came in."""
        asked = "SELECT originator_id FROM {events} WHERE topic = ? ORDER BY {position}"
        return [case for (case,) in self.sql(asked, "matter_registered.v1")]

    def first_of(self, case: str) -> int:
        """The position of a stream's first event."""
        statement = "SELECT min({position}) FROM {events} WHERE originator_id = ?"
        ((position,),) = self.sql(statement, case)
        return int(position)


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


async def _cosigned(cosigner: Cosigner, log: LogStore, lines: int) -> None:
    stop, deadline = asyncio.Event(), time.monotonic() + 100
    running = asyncio.create_task(cosigner.run(stop))
    try:
        while (head := log.head()) is None or len(parse_note(head.note).signatures) < lines:
            assert time.monotonic() < deadline, "the boards did not cosign"
            await asyncio.sleep(0.02)
    finally:
        stop.set()
        await running


def played(settings: Settings, age: timedelta = AGE, lives: int = LIVES, promised: int = PROMISED) -> None:
    """The trail: a district founded, eight matters from call to close, three that have just come in."""
    with closing(open_engine(settings, lambda: now() - age)) as engine:
        assert found(DISTRICT, engine.handle, now() - age, template("gulou")) == []
        desk = Desk(engine.handle, DISTRICT, random.Random(7))
        for _ in range(lives):
            one_life(desk, ("dept-housing",))
        for _ in range(promised):
            desk.registers(desk.resident())


# -- the boards -------------------------------------------------------------------------------------------------------


def evidence_of(board: WitnessProcess, origin: str) -> list[Path]:
    """The files in which a board's witness has kept what speaks against this log."""
    folder = board.state.with_name(f"{board.state.name}.evidence")
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return [file for file in files if file.read_text("utf-8").startswith(f"{origin}\n")]


def refused_by(board: WitnessProcess, request: AddCheckpoint) -> tuple[int, str]:
    """What the board's witness answers."""
    said: httpx.Response = board.ask(format_request(request))
    return said.status_code, said.text


@dataclass
class Report:
    """What `verify.py` said of a bundle."""

    exit: int
    said: dict[str, Any]

    @property
    def codes(self) -> set[str]:
        return set(self.said["counts"])

    @property
    def faults(self) -> set[str]:
        """The findings that break a rule."""
        return {one["code"] for one in self.said["findings"] if not one["note"]}

    @property
    def limits(self) -> set[str]:
        """What the report says that no log can show."""
        return {one["code"] for one in self.said["limits"]}

    def of(self, code: str) -> list[dict[str, Any]]:
        return [one for one in self.said["findings"] if one["code"] == code]


@dataclass
class Board:
    """A board's desk: its copy of the verifier, its policy, its law, its state from one bundle to the next."""

    folder: Path
    policy: str
    files: int = field(default=0)

    @cached_property
    def verifier(self) -> Path:
        copy = self.folder / "verify.py"
        copy.write_bytes(VERIFIER.read_bytes())
        return copy

    def file(self, text: str, name: str = "file") -> Path:
        self.files += 1
        path = self.folder / f"{name}-{self.files}"
        path.write_text(text, encoding="utf-8")
        return path

    def verify(self, bundle: Path, *words: object, state: bool = True) -> Report:
        """The report of the board's own program, which sees nothing of ours but the bundle."""
        done = self._run(bundle, "--json", *words, state=state)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        return Report(done.returncode, json.loads(done.stdout))

    def read(self, bundle: Path, *words: object) -> str:
        """The same report as people read it."""
        return self._run(bundle, *words, state=False).stdout

    def _run(self, bundle: Path, *words: object, state: bool) -> subprocess.CompletedProcess[str]:
        own = [
            "--policy",
            str(self.file(self.policy, "policy")),
            "--rules",
            str(self.file(law_text(), "rules")),
        ]
        own += ["--state", str(self.folder / "board.json")] if state else []
        command = [sys.executable, "-I", str(self.verifier), str(bundle), *own, *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
