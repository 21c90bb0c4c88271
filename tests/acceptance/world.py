"""A founded district in a data folder, and the command line over it."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import Result
from typer.testing import CliRunner

from adapters.cli.main import app
from adapters.demo.district import SUBDISTRICT, District, found, plan
from adapters.engine import Engine, now, open_engine
from adapters.rulebooks import template
from adapters.settings import Settings
from domain.acting import Actor
from domain.rulebook.releases import release_of
from workflows.standing import RELEASES
from workflows.submission import Submission

DISTRICT = plan(1)
GROUND = "law:subdistrict-office-ordinance"


def found_in(folder: Path) -> None:
    """Found the district there, under the demo rulebook, with the one for backfill beside it; its duty leader is on duty."""
    engine = open_engine(Settings(data=folder))
    try:
        assert found(DISTRICT, engine.handle, now(), template("demo")) == []
        security = Actor(person=DISTRICT.security, body="system", post="security_admin")
        text = template("backfill")
        answer = engine.handle(
            Submission(
                "founding",
                str(uuid.uuid4()),
                RELEASES,
                release_of(text),
                security,
                authority=GROUND,
                texts=(text,),
            )
        )
        assert answer.accepted
        while not engine.handle.standing.caught_up().register.on_duty(SUBDISTRICT, now(), "duty_leader"):
            time.sleep(0.05)  # a shift is entered before it begins
    finally:
        engine.close()


@dataclass(frozen=True, slots=True)
class Desk:
    """A shell at a desk of the district: each call is one `huiyin`."""

    data: Path
    district: District

    def who(self, body: str, post: str) -> str:
        """The value of --as for whoever holds that post."""
        return f"{self.district.staff[body, post]}/{body}/{post}"

    def run(self, *arguments: str) -> Result:
        """One command, as typed."""
        return CliRunner().invoke(app, [*arguments], env={"HUIYIN_DATA": str(self.data), "COLUMNS": "200"})

    def act(self, *arguments: str, by: str, authority: str | None = GROUND) -> dict[str, Any]:
        """One act with `--json`: what was printed, with `exit` as its exit code."""
        ground = ("--authority", authority) if authority else ()
        result = self.run(*arguments, "--as", by, *ground, "--json")
        assert result.stdout, result.stderr
        return json.loads(result.stdout) | {"exit": result.exit_code}

    def must(self, *arguments: str, by: str, authority: str | None = GROUND) -> dict[str, Any]:
        """The same, for an act that the rules allow."""
        answer = self.act(*arguments, by=by, authority=authority)
        assert (answer["outcome"], answer["exit"]) == ("accepted", 0), answer
        return answer

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """The engine over the same folder, to look what is there."""
        engine = open_engine(Settings(data=self.data))
        try:
            yield engine
        finally:
            engine.close()
