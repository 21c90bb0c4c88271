"""One look: who calls and the first decision on what they ask stand on the same moment, and every later one on its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.demo.district import District, found, plan
from adapters.engine import Engine, now, open_engine
from adapters.rulebooks import template
from adapters.settings import Settings
from domain.acting import Actor
from domain.register.commands import EnterPerson
from workflows.rooms import REGISTER
from workflows.submission import Sealing, Submission

DISTRICT: District = plan(1)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_engine(Settings(data=tmp_path / "data"))
    assert found(DISTRICT, opened.handle, now(), template("demo")) == []
    yield opened
    opened.close()


def entering() -> Submission:
    """A change of the register."""
    person = str(uuid4())
    return Submission(
        client="here", key=uuid4().hex, case=REGISTER, command=EnterPerson(person=person), authority="law:x",
        actor=Actor(person=DISTRICT.security, body="system", post="security_admin"), sealed=(Sealing("name", person, "王某"),),
    )  # fmt: skip


def elsewhere(engine: Engine) -> None:
    """Another process changes the register."""
    other = open_engine(engine.settings)
    answer = other.handle(entering())
    other.close()
    assert answer.accepted, answer


def test_within_one_look_the_register_is_of_one_moment(engine: Engine) -> None:
    views = engine.handle.standing
    with views.one_look():
        before = views.caught_up()
        elsewhere(engine)

        assert views.caught_up() is before

    assert views.caught_up().register_version == before.register_version + 1


def test_after_a_look_again_every_question_is_asked_anew(engine: Engine) -> None:
    views = engine.handle.standing
    with views.one_look():
        before = views.caught_up()
        views.look_again()
        elsewhere(engine)

        assert views.caught_up().register_version == before.register_version + 1


def test_a_decision_ends_the_look(engine: Engine) -> None:
    views = engine.handle.standing
    with views.one_look():
        before = views.caught_up()
        assert engine.handle(entering()).accepted

        assert views.caught_up().register_version == before.register_version + 1
