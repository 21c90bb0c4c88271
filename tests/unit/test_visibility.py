"""Who sees how much of a case: a table of viewers, and what the accused, the requester and the stranger are shown."""

from datetime import timedelta

import pytest

from domain.acting import CLOCK, Actor, When
from domain.matter.events import MatterDiverted, MatterSupplemented, RequesterJoined
from domain.matter.state import Leg, Matter, Order, Requester
from domain.register import Register
from domain.visibility import DIVERTED, NOTHING, PUBLIC, Sight, sees, surely_sees
from tests.unit.matter_world import envelope
from tests.unit.register_world import DAY, World, district, person

ANNA, BEN = person(101), person(102)
POSTS = {
    "community": (4, "mch-1", "officer"),
    "neighbour": (5, "mch-2", "officer"),
    "subdistrict": (6, "mch", "officer"),
    "other_subdistrict": (7, "hn", "officer"),
    "district": (8, "gl", "supervisor"),
    "department": (9, "cg", "leader"),
    "squad": (10, "cg-squad", "officer"),
    "board": (11, "board", "board_member"),
    "discipline": (12, "jw", "discipline_officer"),
    "system": (2, "system", "system_admin"),
    "security": (1, "system", "security_admin"),
    "audit": (3, "system", "audit_admin"),
}  # fmt: skip


def built() -> World:
    world = district()
    for number, body, post in POSTS.values():
        if body != "system":
            world.fill(number, body, post)
    world.later(timedelta(hours=1))
    return world


WORLD = built()
REGISTER: Register = WORLD.register
NOW = WORLD.now


def viewer(name: str) -> Actor:
    number, body, post = POSTS[name]
    return Actor(person=person(number), body=body, post=post)


def a_matter(leg: str | None = "working", **more: object) -> Matter:
    """Anna's and Ben's matter in mch-1, with a whistle to the squad unless `leg` is None."""
    matter = Matter("case", communities=("mch-1",), host="mch-1", subdistrict="mch", status="in_handling")
    matter.requesters = {ANNA: Requester(ANNA), BEN: Requester(BEN)}
    if leg is not None:
        order = Order("order", "whistle", "service", "mch", (), None, None, status="issued")
        order.legs["leg"] = Leg("leg", "order", "cg-squad", "lead", True, status=leg)
        matter.orders["order"] = order
    for name, value in more.items():
        setattr(matter, name, value)
    return matter


WITHHELD = Sight("sealed", frozenset({ANNA, BEN}))
WHOLE = Sight("sealed")


@pytest.mark.parametrize(
    ("name", "sight"),
    [
        ("community", WHOLE), ("neighbour", NOTHING), ("subdistrict", WHOLE), ("other_subdistrict", NOTHING),
        ("district", WHOLE), ("department", PUBLIC), ("squad", WHOLE), ("board", WITHHELD), ("discipline", PUBLIC),
        ("system", NOTHING), ("security", NOTHING), ("audit", PUBLIC),
    ],
)  # fmt: skip
def test_an_ordinary_matter_is_seen_by_need(name: str, sight: Sight) -> None:
    assert sees(a_matter(), viewer(name), REGISTER, NOW) == sight


@pytest.mark.parametrize("name", [name for name in POSTS if name != "discipline"])
def test_a_confidential_matter_exists_for_discipline_inspection_alone(name: str) -> None:
    accusation = a_matter(confidential=True)

    assert sees(accusation, viewer(name), REGISTER, NOW) == NOTHING
    assert sees(accusation, viewer("discipline"), REGISTER, NOW) == WHOLE


def test_the_operator_at_the_machine_sees_public_fields_and_no_accusation() -> None:
    assert sees(a_matter(), None, REGISTER, NOW) == PUBLIC
    assert sees(a_matter(confidential=True), None, REGISTER, NOW) == NOTHING
    assert sees(a_matter(confidential=True), CLOCK, REGISTER, NOW) == NOTHING


def test_a_diverted_matter_is_seen_by_the_body_it_went_to_alone() -> None:
    diverted = a_matter(confidential=True, diverted_to="another-jw")

    assert sees(diverted, viewer("discipline"), REGISTER, NOW) == NOTHING


@pytest.mark.parametrize("name", ["squad", "department"])
def test_the_accused_unit_and_those_below_it_never_see_the_requesters(name: str) -> None:
    complaint = a_matter(subject="cg")
    complaint.orders["order"].legs["other"] = Leg("other", "order", "cg", "assist", True, status="working")

    sight = sees(complaint, viewer(name), REGISTER, NOW)

    assert sight.level == "sealed"
    assert not any(
        sight.opens(requester, field) for requester in (ANNA, BEN) for field in ("name", "text", "wording")
    )


def test_the_accused_unit_sees_nothing_of_a_matter_it_has_no_part_in() -> None:
    assert sees(a_matter(leg=None, subject="hn"), viewer("other_subdistrict"), REGISTER, NOW) == NOTHING


def test_somebody_with_a_second_post_in_the_accused_unit_is_the_accused_too() -> None:
    world = built()
    world.fill(6, "cg", "officer")
    world.later(timedelta(hours=1))

    sight = sees(a_matter(subject="cg"), viewer("subdistrict"), world.register, world.now)

    assert sight == WITHHELD


def test_discipline_inspection_does_not_see_an_accusation_against_itself() -> None:
    assert sees(a_matter(confidential=True, subject="jw"), viewer("discipline"), REGISTER, NOW) == NOTHING


@pytest.mark.parametrize("status", ["returned", "excused", "rejected", "cancelled"])
def test_a_body_that_is_out_of_the_matter_sees_public_fields_only(status: str) -> None:
    assert sees(a_matter(leg=status), viewer("squad"), REGISTER, NOW) == PUBLIC


@pytest.mark.parametrize("status", ["issued", "reported", "return_requested", "disputed", "discharged"])
def test_a_summoned_body_sees_what_it_is_to_do(status: str) -> None:
    assert sees(a_matter(leg=status), viewer("squad"), REGISTER, NOW) == WHOLE


def test_a_requester_sees_their_own_and_the_answer_and_nothing_of_the_others() -> None:
    sight = sees(a_matter(), Actor(person=ANNA, body="resident"), REGISTER, NOW)

    assert sight.opens(ANNA, "name")
    assert sight.opens(person(6), "reply")
    assert not sight.opens(BEN, "name")
    assert not sight.opens(BEN, "reply")
    assert not sight.opens(person(6), "note")


@pytest.mark.parametrize("to", [None, "jw"])
def test_a_requester_sees_what_they_said_in_their_own_accusation(to: str | None) -> None:
    sight = sees(
        a_matter(confidential=True, diverted_to=to), Actor(person=ANNA, body="resident"), REGISTER, NOW
    )

    assert sight.opens(ANNA, "text")
    assert not sight.opens(BEN, "text")
    assert sight.handed_over == (to is not None)


def test_another_resident_sees_nothing_of_what_was_diverted() -> None:
    stranger = Actor(person=person(103), body="resident")

    assert sees(a_matter(confidential=True, diverted_to="jw"), stranger, REGISTER, NOW) == NOTHING


def test_after_the_diversion_a_requester_sees_what_they_say_themselves_and_nothing_else() -> None:
    anna, officer = Actor(person=ANNA, body="resident"), viewer("discipline")
    when = When(occurred_at=NOW, recorded_at=NOW)
    said, noted = (
        MatterSupplemented(what="supplement", source="phone", requester=ANNA), RequesterJoined(requester=BEN, source="phone"),
    )  # fmt: skip
    history = [
        envelope(event, actor, when, "case")
        for event, actor in (
            (noted, officer),
            (MatterDiverted(to="jw"), officer),
            (noted, officer),
            (said, anna),
        )
    ]

    sight = sees(a_matter(confidential=True, diverted_to="jw"), anna, REGISTER, NOW)

    assert MatterDiverted.TYPE == DIVERTED
    assert [*sight.shows(history)] == [True, True, False, True]
    assert [*WHOLE.shows(history)] == [True] * 4
    assert [*NOTHING.shows(history)] == [False] * 4


def test_a_resident_who_asked_for_nothing_sees_nothing() -> None:
    assert sees(a_matter(), Actor(person=person(103), body="resident"), REGISTER, NOW) == NOTHING


def test_a_lapsed_post_sees_nothing() -> None:
    assert sees(a_matter(), viewer("subdistrict"), REGISTER, NOW - 30 * DAY) == NOTHING


def test_a_post_of_another_body_sees_nothing() -> None:
    pretended = Actor(person=person(7), body="mch", post="officer")

    assert sees(a_matter(), pretended, REGISTER, NOW) == NOTHING


def test_nobody_without_a_post_acts_for_an_office() -> None:
    assert sees(a_matter(), Actor(person=person(6), body="mch"), REGISTER, NOW) == NOTHING


def test_a_grid_sees_the_public_fields_of_its_communitys_matters() -> None:
    world = built()
    world.fill(5, "mch-1-g1", "grid_officer")
    world.later(timedelta(hours=1))
    grid = Actor(person=person(5), body="mch-1-g1", post="grid_officer")

    assert sees(a_matter(), grid, world.register, world.now) == PUBLIC


def test_a_call_to_the_sub_district_tells_its_other_communities_nothing() -> None:
    called = a_matter()
    called.orders["call"] = Order("call", "call", None, "mch-1", (), None, None, status="issued")
    called.orders["call"].legs["answer"] = Leg("answer", "call", "mch", "lead", True)

    assert sees(called, viewer("neighbour"), REGISTER, NOW) == NOTHING


def test_the_panel_sees_a_dispute_and_otherwise_public_fields() -> None:
    world = built()
    world.fill(5, "panel", "adjudicator")
    world.later(timedelta(hours=1))
    panel = Actor(person=person(5), body="panel", post="adjudicator")

    assert sees(a_matter(leg="disputed"), panel, world.register, world.now) == WITHHELD
    assert sees(a_matter(), panel, world.register, world.now) == PUBLIC


def test_the_archive_sees_ended_matters_without_who_asked() -> None:
    world = built()
    world.body("da", "archive", "gl")
    world.later(timedelta(hours=1))
    world.fill(5, "da", "archivist")
    world.later(timedelta(hours=1))
    archivist = Actor(person=person(5), body="da", post="archivist")

    assert sees(a_matter(), archivist, world.register, world.now) == NOTHING
    assert sees(a_matter(status="closed"), archivist, world.register, world.now) == WITHHELD


@pytest.mark.parametrize("leg", [None, "working", "returned", "disputed"])
@pytest.mark.parametrize("status", ["registered", "in_handling", "closed", "merged"])
@pytest.mark.parametrize("accused", [None, "mch-1", "mch"])
def test_who_surely_sees_a_matter_sees_it(leg: str | None, status: str, accused: str | None) -> None:
    matter = a_matter(leg, status=status, subject=accused)

    for name in POSTS:
        if surely_sees(("mch-1", "mch"), viewer(name), REGISTER, NOW):
            assert sees(matter, viewer(name), REGISTER, NOW) != NOTHING, name


def test_host_sub_district_and_the_centres_surely_see_a_matter_and_nobody_else() -> None:
    sure = {name for name in POSTS if surely_sees(("mch-1", "mch"), viewer(name), REGISTER, NOW)}

    assert sure == {"community", "subdistrict", "district"}


def test_who_holds_the_post_no_more_is_sure_of_nothing() -> None:
    gone = Actor(person=person(99), body="mch", post="officer")

    assert not surely_sees(("mch-1", "mch"), gone, REGISTER, NOW)
