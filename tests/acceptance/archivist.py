"""An office with an archivist at a shell, over either store: closed cases to open, to lock and to erase."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from click.testing import Result
from typer.testing import CliRunner

from adapters.cli.main import app
from adapters.demo.desk import Desk
from adapters.demo.district import found
from adapters.engine import open_engine
from adapters.rulebooks import template
from adapters.settings import Settings
from domain.acting import Actor
from domain.matter import commands as do
from tests.story import DISTRICT, MORNING, Played, Story, Turned, story

GROUND = "law:personal-information-47"


@contextmanager
def told_in(folder: Path, dsn: str | None) -> Iterator[Story]:
    """A founded district on SQLite, or on PostgreSQL where a database is given; its morning is yesterday's."""
    if dsn is None:
        with story(folder) as tale:
            yield tale
        return
    clock = Turned(MORNING)
    engine = open_engine(Settings(data=folder, store=dsn, district=DISTRICT.code), clock)
    try:
        assert found(DISTRICT, engine.handle, clock(), template("demo")) == []
        clock.turn(5)
        chance = random.Random(7)
        desk = Desk(engine.handle, DISTRICT, chance)
        yield Story(engine, clock, Played(desk, DISTRICT.communities[0], chance, clock=clock))
    finally:
        engine.close()


@dataclass
class Office:
    """A district, and a shell beside it."""

    tale: Story
    dsn: str | None

    def run(self, *arguments: str) -> Result:
        env = {"HUIYIN_DATA": str(self.tale.engine.settings.data), "COLUMNS": "250"}
        return CliRunner().invoke(
            app, [*arguments], env=env | ({"HUIYIN_STORE": self.dsn} if self.dsn else {})
        )

    def act(self, *arguments: str, by: tuple[str, str] = ("archive", "archivist")) -> dict[str, Any]:
        result = self.run(*arguments, "--as", self.who(*by), "--authority", GROUND, "--json")
        assert result.stdout, result.output
        return json.loads(result.stdout) | {"exit": result.exit_code}

    def must(self, *arguments: str, by: tuple[str, str] = ("archive", "archivist")) -> dict[str, Any]:
        answer = self.act(*arguments, by=by)
        assert (answer["outcome"], answer["exit"]) == ("accepted", 0), answer
        return answer

    def who(self, body: str, post: str) -> str:
        return f"{DISTRICT.staff[body, post]}/{body}/{post}"

    def disclose(self, case: str, file: Path, *more: str) -> dict[str, Any]:
        given = ("disclose", case, "--to", "board", "--ground", "sample:2026-11", "-o", str(file))
        return self.must(*given, *more)

    def erase(self, case: str, *more: str) -> dict[str, Any]:
        return self.act("erase", case, "--ground", "purpose_achieved", *more)

    def states(self, case: str) -> dict[str, set[str]]:
        """How the values of each person open: by subject."""
        found: dict[str, set[str]] = {}
        for value in self.tale.engine.vault.open(case):
            found.setdefault(value.subject, set()).add(value.state)
        return found

    def requesters(self, case: str) -> list[str]:
        state = self.tale.engine.handle.load(case)
        assert state is not None
        return list(state.requesters)

    def leaf_digests(self, case: str) -> set[str]:
        return {digest for one in self.tale.engine.handle.history(case) for digest in one.sd}

    def keys_left(self, case: str) -> int:
        """How many keys of the case are left in the key store."""
        statement = "SELECT count(*) FROM {} WHERE stream = {} AND wrapped IS NOT NULL"
        if self.dsn is None:
            with sqlite3.connect(self.tale.engine.settings.keys_url) as file:
                (count,) = file.execute(statement.format("data_keys", "?"), (case,)).fetchone()
            file.close()
        else:
            with psycopg.connect(self.dsn) as server:
                row = server.execute(statement.format("keys.data_keys", "%s"), (case,)).fetchone()
                assert row is not None
                (count,) = row
        return int(count)


def simple(office: Office, *more: Actor) -> str:
    """A case from its call to its close, yesterday; `more` requesters join it."""
    tale, desk = office.tale, office.tale.desk
    resident = desk.resident()
    case = tale.scene.opened("CG-02", resident)
    for one in more:
        joining = do.JoinRequester(requester=one.person, source="phone")
        desk.must(case, one, joining, None, name="居民乙", contact="13900000000", text="我家也是")
    handler = tale.scene.actor("sd-01", "officer")
    desk.must(case, handler, do.StartHandling(how="self_handling"), note="自行处理")
    desk.submits(case)
    for one in (resident, *more):
        desk.calls_back(case, one.person)
    desk.closes(case)
    return case


def kept_for_ever(office: Office, *more: Actor) -> str:
    """The same, archived in a class whose term never ends."""
    case = simple(office, *more)
    checked = {"authentic": True, "complete": True, "usable": True, "safe": True}
    archivist = office.tale.scene.actor("archive", "archivist")
    office.tale.desk.must(case, archivist, do.ArchiveMatter(retention="permanent", **checked))
    return case
