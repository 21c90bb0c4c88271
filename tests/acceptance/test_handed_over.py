"""Whoever asked keeps the view of their own matter when it is handed to discipline inspection, and of nothing after it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.cli.main import app
from adapters.demo.desk import GROUND
from adapters.history.trail import as_of
from adapters.reading import look, open_case
from domain.acting import Actor, Command
from domain.matter import commands as do
from domain.refusal import NotFound
from tests.story import Story, story
from workflows.submission import Answer, Sealing, Submission

WORDS = "我还有一段录音"


class Handed:
    """A resident's matter that was handed over, and what was done with it since."""

    def __init__(self, tale: Story) -> None:
        self.tale, self.resident = tale, tale.desk.resident()
        self.case = tale.scene.opened("FW-01", self.resident)
        self.window = tale.scene.actor(tale.scene.community, "intake_officer")
        self.inspector = tale.scene.actor("discipline", "discipline_officer")
        open_case(tale.engine, self.case, self.window, "handling")
        tale.desk.must(self.case, self.window, do.DivertMatter(to="discipline"))
        self.until = tale.engine.store.head()

    def says(self, command: Command, *sealed: Sealing) -> Answer:
        return self.tale.engine.handle(
            Submission(
                client="desk", key=self.tale.desk.id(), case=self.case, command=command, actor=self.resident,
                sealed=sealed, authority=GROUND,
            )
        )  # fmt: skip


@pytest.fixture
def handed(tmp_path: Path) -> Iterator[Handed]:
    with story(tmp_path / "data") as tale:
        yield Handed(tale)


def test_they_see_what_they_said_and_that_it_was_handed_over(handed: Handed) -> None:
    seen = open_case(handed.tale.engine, handed.case, handed.resident, "own_request")

    assert [stored.type for stored in seen.seen.events][-1] == "matter_diverted.v1"
    assert seen.seen.matter.diverted_to == "discipline"
    assert {(one.subject, one.state) for one in seen.values} == {(handed.resident.person, "open")}
    assert {one.name for one in seen.values} >= {"text", "name", "contact"}


def test_they_see_who_read_it_until_then_and_nobody_who_reads_it_since(handed: Handed) -> None:
    engine = handed.tale.engine
    open_case(engine, handed.case, handed.inspector, "inspection:1")
    handed.tale.desk.do(handed.case, handed.inspector, do.CloseMatter())

    trail = as_of(engine, look(engine, handed.case, handed.resident))

    assert [fact.recorded.person for fact in trail.reads] == [handed.window.person]
    assert trail.refusals == ()
    whole = as_of(engine, look(engine, handed.case, handed.inspector))
    assert len(whole.reads) == 2
    assert len(whole.refusals) == 1


def test_they_may_say_more_and_see_that_they_said_it(handed: Handed) -> None:
    said = Sealing("text", handed.resident.person, WORDS)

    answer = handed.says(do.AddSupplement(what="supplement", source="resident_app"), said)

    assert answer.events == ("matter_supplemented.v1",)
    seen = open_case(handed.tale.engine, handed.case, handed.resident, "own_request")
    assert seen.seen.events[-1].type == "matter_supplemented.v1"
    assert WORDS in [one.value for one in seen.values]
    read = open_case(handed.tale.engine, handed.case, handed.inspector, "inspection:2")
    assert WORDS in [one.value for one in read.values]


def test_they_can_undo_nothing_of_it(handed: Handed) -> None:
    before = handed.tale.engine.store.load(handed.case)

    answer = handed.says(do.RequestWithdrawal(requester=handed.resident.person))

    assert answer.code == "wrong_state"
    assert handed.tale.engine.store.load(handed.case) == before


def test_another_resident_sees_nothing_of_it(handed: Handed) -> None:
    with pytest.raises(NotFound):
        look(handed.tale.engine, handed.case, Actor(person=handed.tale.desk.id(), body="resident"))


def test_at_the_command_line_they_see_it_under_their_number(handed: Handed) -> None:
    engine = handed.tale.engine
    state = engine.handle.load(handed.case)
    assert state is not None
    env = {"HUIYIN_DATA": str(engine.settings.data), "COLUMNS": "200"}

    shown = CliRunner().invoke(
        app, ["matter", "show", state.number, "--as", f"{handed.resident.person}/resident"], env=env
    )

    assert shown.exit_code == 0, shown.output
    assert "discipline" in shown.output
