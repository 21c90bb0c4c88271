"""A number of a hidden case, used again, is answered like a number that nobody has (law 10), and nothing is lost by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.demo.desk import GROUND
from adapters.rulebooks import template
from adapters.views import Views
from domain.acting import Actor, Command
from domain.event import decode
from domain.matter import commands as do
from domain.rulebook.releases import release_of
from tests.acceptance.world import DISTRICT
from tests.story import Story, story
from workflows.standing import RELEASES
from workflows.submission import OWN_NUMBER, Answer, OutsideNumber, Sealing, Submission

OUTSIDE = OutsideNumber("hotline_12345", "20261123-000017")


class Office:
    """The district's hotline, which hands orders in under its own numbers."""

    def __init__(self, tale: Story) -> None:
        self.tale = tale
        self.hotline = tale.scene.actor("hotline", "intake_officer")
        self.inspector = tale.scene.actor("discipline", "discipline_officer")

    def registration(self, number: str | None = None, **more: object) -> do.RegisterMatter:
        given = {"source": "hotline_12345", "host": "com-01", "requesters": (self.tale.desk.id(),)} | more
        now = self.tale.clock()
        return do.RegisterMatter(
            number=number or self.tale.desk.number(now.date()), seen_at=now, **given,  # type: ignore[arg-type]
        )  # fmt: skip

    def sends(
        self, command: Command, case: str | None = None, *, client: str = "hotline", key: str | None = None,
        actor: Actor | None = None, outside: tuple[OutsideNumber, ...] = (OUTSIDE,),
    ) -> Submission:  # fmt: skip
        return Submission(
            client=client, key=key or self.tale.desk.id(), case=case or self.tale.desk.id(), command=command,
            actor=actor or self.hotline, authority=GROUND, sealed=(Sealing("text", "case", "诉求原文"),), outside=outside,
        )  # fmt: skip

    def hand_in(self, submission: Submission) -> Answer:
        return self.tale.engine.handle(submission)

    def diverted(self) -> Submission:
        """A message whose matter was handed to discipline inspection."""
        first = self.sends(self.registration())
        assert self.hand_in(first).accepted
        window = self.tale.scene.actor("com-01", "intake_officer")
        self.tale.desk.must(first.case, window, do.DivertMatter(to="discipline"))
        return first

    def accused(self) -> Submission:
        """A message that was an accusation from the start."""
        first = self.sends(self.registration(host=None, accusation=True))
        assert self.hand_in(first).accepted
        return first


HIDING: dict[str, Callable[[Office], Submission]] = {"diverted": Office.diverted, "accused": Office.accused}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with story(tmp_path / "data") as tale:
        yield Office(tale)


def number_of(submission: Submission) -> str:
    assert isinstance(submission.command, do.RegisterMatter)
    return submission.command.number


@pytest.mark.parametrize("hide", HIDING)
def test_its_outside_number_sent_with_another_message_makes_a_matter_like_a_fresh_number(
    office: Office, hide: str
) -> None:
    first = HIDING[hide](office)

    again = office.hand_in(second := office.sends(office.registration()))
    fresh = office.hand_in(
        third := office.sends(office.registration(), outside=(OutsideNumber("hotline_12345", "new"),))
    )

    assert again.to_bytes().replace(second.case.encode(), b"") == fresh.to_bytes().replace(
        third.case.encode(), b""
    )
    assert office.tale.engine.handle.find("hotline_12345", OUTSIDE.number) == second.case
    assert second.case != first.case


@pytest.mark.parametrize("hide", HIDING)
def test_the_same_message_again_gets_its_own_first_answer(office: Office, hide: str) -> None:
    first = HIDING[hide](office)
    before = office.tale.engine.store.head()

    again = office.hand_in(first)

    assert again.repeated
    assert (again.outcome, again.case) == ("accepted", first.case)
    assert office.tale.engine.handle.answer(first.client, first.key) == again
    assert office.tale.engine.handle.answer(first.client, "another") is None
    assert office.tale.engine.store.head() == before


@pytest.mark.parametrize("hide", HIDING)
def test_its_numbers_are_found_by_discipline_inspection_and_by_nobody_else(office: Office, hide: str) -> None:
    first, find = HIDING[hide](office), office.tale.engine.handle.find

    for source, number in ((OUTSIDE.source, OUTSIDE.number), (OWN_NUMBER, number_of(first))):
        assert find(source, number) is None
        assert find(source, number, office.hotline) is None
        assert find(source, number, office.tale.desk.resident()) is None
        assert find(source, number, office.inspector) == first.case


@pytest.mark.parametrize("hide", HIDING)
def test_its_own_number_given_to_another_matter_is_not_taken(office: Office, hide: str) -> None:
    first = HIDING[hide](office)
    second = office.sends(office.registration(number_of(first)), outside=())

    assert office.hand_in(second).accepted
    assert office.tale.engine.handle.find(OWN_NUMBER, number_of(first)) == second.case
    assert office.tale.engine.handle.find(OWN_NUMBER, number_of(first), office.inspector) == first.case


def test_a_number_of_a_matter_that_is_there_stays_taken(office: Office) -> None:
    first = office.sends(office.registration())
    assert office.hand_in(first).accepted

    assert office.hand_in(office.sends(office.registration())).code == "known_number"
    own = office.sends(office.registration(number_of(first)), outside=())
    assert office.hand_in(own).code == "number_taken"


def test_a_number_of_a_hidden_case_is_taken_for_whom_it_exists(office: Office) -> None:
    first = office.diverted()
    assert isinstance(first.command, do.RegisterMatter)
    own = first.command.requesters
    again = office.registration(source="resident_app", requesters=own)

    answer = office.hand_in(office.sends(again, actor=Actor(person=own[0], body="resident")))

    assert answer.code == "known_number"


def test_when_the_second_is_hidden_as_well_the_number_is_free_again(office: Office) -> None:
    office.diverted()
    office.diverted()
    third = office.sends(office.registration())

    assert office.hand_in(third).accepted
    assert office.tale.engine.handle.find(OUTSIDE.source, OUTSIDE.number) == third.case


def test_a_supplement_may_bring_the_number_of_a_hidden_case(office: Office) -> None:
    office.diverted()
    mine = office.sends(office.registration(), outside=(OutsideNumber("hotline_12345", "other"),))
    assert office.hand_in(mine).accepted
    supplement = do.AddSupplement(what="supplement", source="hotline_12345", outside_number=True)

    assert office.hand_in(office.sends(supplement, mine.case)).accepted
    assert office.hand_in(office.sends(supplement, mine.case)).accepted  # its own number by now
    assert office.tale.engine.handle.find(OUTSIDE.source, OUTSIDE.number) == mine.case


def test_the_read_models_show_the_second_matter_of_a_number_alone(office: Office, tmp_path: Path) -> None:
    first = office.diverted()
    second = office.sends(office.registration(number_of(first)))
    assert office.hand_in(second).accepted
    views = Views(str(tmp_path / "views.db"), office.tale.engine.store)

    views.catch_up()
    live = views.reader.case_of(number_of(first))
    views.rebuild()

    assert (live, views.reader.case_of(number_of(first))) == (second.case, second.case)
    views.close()


def test_history_imported_under_the_number_of_a_hidden_case_is_history_of_its_own(office: Office) -> None:
    first = office.diverted()
    book, handle = template("backfill"), office.tale.engine.handle
    security = Actor(person=DISTRICT.security, body="system", post="security_admin")
    released = Submission("t", "r", RELEASES, release_of(book), security, authority=GROUND, texts=(book,))
    assert handle(released).accepted
    now = office.tale.clock()
    row = Submission(
        client="import", key="1", case=office.tale.desk.id(), actor=office.hotline, authority=GROUND, outside=(OUTSIDE,),
        rulebook=release_of(book).name,
        command=do.BackfillMatter(
            number=office.tale.desk.number(now.date()), source="import", opened_at=now, status="in_handling"
        ),
    )  # fmt: skip

    (answer,) = handle.backfill([row])

    assert answer.accepted
    assert handle.find(OUTSIDE.source, OUTSIDE.number) == row.case
    assert [decode(one.type, one.body).type for one in office.tale.engine.store.load(first.case)][-1] == (
        "matter_diverted.v1"
    )
