"""Bad input: what is not allowed is refused with a stable code and a sentence of advice, recorded, and changes nothing.

What is not even well-formed (an unknown kind, a malformed id) cannot become a command: it never reaches the store.
"""

import re
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from pydantic import ValidationError

from adapters.demo.desk import GROUND
from adapters.rulebooks import template
from domain.acting import CLOCK, Actor, Command
from domain.event import decode
from domain.log.words import LOG
from domain.matter import commands as do
from domain.matter import order_commands as odo
from domain.refusal import Refused
from domain.register import commands as reg
from domain.rulebook.releases import release_of
from tests.acceptance.bad_acts import EVERY, HOUR, Case, registration, sealed
from tests.story import Story, story
from workflows.records import refusals_of
from workflows.standing import REGISTER, RELEASES
from workflows.submission import OutsideNumber, Sealing, Submission


@pytest.fixture(scope="module")
def tale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with story(tmp_path_factory.mktemp("bad-input") / "data") as told:
        yield told


@pytest.mark.parametrize("what", EVERY)
def test_what_is_not_allowed_is_refused_on_record_and_changes_nothing(tale: Story, what: str) -> None:
    code, act = EVERY[what]
    case, store = Case(tale), tale.engine.store

    answer = act(case)

    assert (answer.outcome, answer.code) == ("refused", code)
    assert answer.advice is not None
    assert re.fullmatch(r"\S.{10,}\.", answer.advice)
    assert store.load(case.id) == case.before
    (row,) = store.read(case.head, 10)
    assert row.stream == refusals_of(case.id)
    on_record = decode(row.type, row.body)
    assert on_record.pub.model_dump() == {"case": case.id, "command_name": case.name, "code": code}
    assert on_record.command == tale.engine.handle.command_id(case.sent)


def test_a_post_that_has_lapsed_does_nothing_any_more(tale: Story) -> None:
    case, district = Case(tale), tale.desk.district
    gone = Actor(person=case.desk.id(), body=case.community, post="intake_officer")
    security = Actor(person=district.security, body="system", post="security_admin")
    registering = {"case": REGISTER, "authority": "resolution:staff"}
    entered = case.hand_in(
        security, reg.EnterPerson(person=gone.person), **registering, sealed=sealed("name", gone, "临时工")
    )
    post = {"person": gone.person, "body": gone.body, "post": "intake_officer"}
    filled = case.hand_in(security, reg.FillPost.model_validate(post), **registering)
    tale.clock.turn(5)
    in_post = case.hand_in(gone, do.AddSupplement(what="supplement", source="phone"))
    vacated = case.hand_in(security, reg.VacatePost.model_validate(post), **registering)
    tale.clock.turn(5)

    answer = case.hand_in(gone, do.AcceptMatter())

    assert [one.outcome for one in (entered, filled, in_post, vacated)] == ["accepted"] * 4
    assert (answer.outcome, answer.code) == ("refused", "post_lapsed")
    assert tale.engine.store.load(case.id) == case.before


def test_a_rulebook_that_is_not_in_force_yet_judges_nothing(tale: Story) -> None:
    case = Case(tale)
    security = Actor(person=case.desk.district.security, body="system", post="security_admin")
    text = template("demo").replace('name = "demo/2026.1"', 'name = "next/2027.1"')
    release = release_of(text, tale.clock() + HOUR)
    released = case.hand_in(security, release, "resolution:rules", case=RELEASES, texts=(text,))

    answer = case.hand_in(case.window, do.AcceptMatter(), rulebook="next/2027.1")

    assert released.accepted
    assert (answer.outcome, answer.code) == ("refused", "rulebook_not_in_force")
    assert tale.engine.store.load(case.id) == case.before


def test_a_key_that_was_used_for_another_command_is_refused_and_keeps_its_first_answer(tale: Story) -> None:
    case = Case(tale)
    first = case.hand_in(case.window, do.AcceptMatter(), key="counter-1")
    grade = do.TriageMatter(scale="hard", demand="help", tier="community")

    other = case.hand_in(case.window, grade, key="counter-1")
    again = case.hand_in(case.window, do.AcceptMatter(), key="counter-1")

    assert (other.outcome, other.code) == ("refused", "key_reused")
    assert tale.engine.store.load(case.id) == case.before
    assert tale.engine.store.head() == case.head
    assert again == first
    assert again.repeated


@pytest.mark.parametrize("changed", ["sealed", "actor", "authority", "occurred_at", "case"])
def test_the_same_key_is_the_same_command_only_to_its_last_word(tale: Story, changed: str) -> None:
    case, key = Case(tale), tale.desk.id()
    said = do.AddSupplement(what="supplement", source="phone")
    given = {"sealed": sealed("text", case.window, "甲"), "authority": GROUND, "key": key}
    assert case.hand_in(case.window, said, **given).accepted
    others = {
        "sealed": sealed("text", case.window, "乙"), "authority": "law:another", "occurred_at": tale.clock.at,
        "case": Case(tale).id,
    }  # fmt: skip
    actor = tale.scene.actor("hotline", "intake_officer") if changed == "actor" else case.window

    answer = case.hand_in(
        actor, said, **{**given, **({changed: others[changed]} if changed in others else {})}
    )

    assert (answer.outcome, answer.code) == ("refused", "key_reused")


def test_a_clock_that_is_behind_the_store_writes_nothing_until_it_is_set_right(tale: Story) -> None:
    case = Case(tale)
    tale.clock.turn(-3)

    behind = case.hand_in(case.window, do.AcceptMatter(), key="behind-1")
    refused_too = case.hand_in(case.window, do.CloseMatter(), key="behind-2")
    head = tale.engine.store.head()
    tale.clock.turn(+3)
    right = case.hand_in(case.window, do.AcceptMatter(), key="behind-1")

    assert [one.code for one in (behind, refused_too)] == ["clock_behind"] * 2
    assert behind.advice is not None
    assert head == case.head
    assert right.accepted


@pytest.mark.parametrize("stream", ["the register", "the releases", "the log", "no stream"])
@pytest.mark.parametrize(
    "act", [do.AcceptMatter(), do.DivertMatter(to="discipline")], ids=lambda one: one.NAME
)
def test_what_is_no_case_looks_like_one_that_does_not_exist(tale: Story, stream: str, act: Command) -> None:
    case = Case(tale)
    refusal = case.triaged().hand_in(case.window, do.AcceptMatter())
    case.id = {
        "the register": REGISTER, "the releases": RELEASES, "the log": LOG, "no stream": case.desk.id(),
    }[stream]  # fmt: skip

    answer = case.hand_in(case.window, act)

    assert refusal.code == "wrong_state"
    assert (answer.outcome, answer.code) == ("refused", "not_found")
    assert tale.engine.handle.load(case.id) is None
    assert tale.engine.store.load(case.id) == case.before


def test_the_stream_of_a_cases_refusals_can_never_be_named_as_a_case(tale: Story) -> None:
    case = Case(tale)
    case.id = refusals_of(case.id)

    with pytest.raises(Refused) as refusal:
        case.hand_in(case.window, do.AcceptMatter())

    assert refusal.value.code == "malformed"


def test_nothing_is_registered_into_a_stream_that_is_no_case(tale: Story) -> None:
    case = Case(tale)
    case.id = REGISTER

    answer = case.hand_in(
        case.resident, registration(case, tale.clock()), None, sealed=sealed("text", case.resident, "漏水")
    )

    assert (answer.outcome, answer.code) == ("refused", "not_found")
    assert tale.engine.store.load(REGISTER) == case.before


MALFORMED_BODIES: dict[str, Callable[[], object]] = {
    "a source that nobody knows": lambda: _body(source="rumour"),
    "a kind that nobody knows": lambda: _body(kind="serenade"),
    "a demand that nobody knows": lambda: _body(demand="wish"),
    "a number in free text": lambda: _body(number="张三 13800000000"),
    "a requester's name for an id": lambda: _body(requesters=("张三",)),
    "a time without offset": lambda: _body(seen_at=datetime(2026, 11, 23, 9, 0)),  # noqa: DTZ001 - that is the point
    "a field that nobody knows": lambda: _body(phone="13800000000"),
    "half a character in a code": lambda: _body(code="FW\ud83d"),
    "a person's name for an actor": lambda: Actor(person="张三", body="com-01", post="officer"),
    "an order kind that nobody knows": lambda: odo.DraftOrder(
        order=str(uuid.uuid4()),
        kind="serenade",
        receivers=(),  # type: ignore[arg-type]
    ),
    "evidence by the million": lambda: do.SubmitResult(disposition="solved", evidence=10**6),
}


def _body(**wrong: object) -> do.RegisterMatter:
    right = {
        "number": "450305-20261123-7KQ2MWX",
        "source": "phone",
        "seen_at": "2026-11-23T01:00:00Z",
        **wrong,
    }
    return do.RegisterMatter.model_validate(right)


@pytest.mark.parametrize("what", MALFORMED_BODIES)
def test_what_is_not_well_formed_cannot_become_a_command(what: str) -> None:
    with pytest.raises(ValidationError):
        MALFORMED_BODIES[what]()


MALFORMED_SUBMISSIONS: dict[str, dict[str, object]] = {
    "a case by its number": {"case": "450305-20261123-7KQ2MWX"},
    "a case in upper case": {"case": str(uuid.uuid4()).upper()},
    "a case with a line break": {"case": f"{uuid.uuid4()}\n"},
    "a key in free text": {"key": "张三的诉求"},
    "a key with a line break": {"key": "k-1\n"},
    "a key of a thousand letters": {"key": "k" * 1000},
    "an empty key": {"key": ""},
    "an authority in free text": {"authority": "局长口头同意"},
    "a client in free text": {"client": "一号 窗口"},
    "a correlation in free text": {"correlation": "同一件事"},
    "a time without offset": {"occurred_at": datetime(2026, 11, 23, 9, 0)},  # noqa: DTZ001 - that is the point
    "a sealed value about a name": {"sealed": (Sealing("text", "张三", "漏水"),)},
    "a sealed value with a name of its own": {"sealed": (Sealing("张三的话", str(uuid.uuid4()), "漏水"),)},
    "a sealed fraction": {"sealed": (Sealing("text", str(uuid.uuid4()), 0.5),)},  # type: ignore[arg-type]
    "an outside number of nobody": {"outside": (OutsideNumber("某系统", "1"),)},
    "an outside number of our own": {"outside": (OutsideNumber("number", "1"),)},
    "half a character in a published text": {"texts": ("规则\ud83d",)},
}


@pytest.mark.parametrize("what", MALFORMED_SUBMISSIONS)
def test_what_is_not_well_formed_is_told_so_and_never_handed_in(what: str) -> None:
    given = {
        "client": "desk", "key": "k-1", "case": str(uuid.uuid4()), "command": do.AcceptMatter(), "actor": CLOCK,
        **MALFORMED_SUBMISSIONS[what],
    }  # fmt: skip

    with pytest.raises(Refused) as refused:
        Submission(**given)

    assert refused.value.code in ("malformed", "invalid_text")
    assert re.fullmatch(r"[A-Z].{20,}\.", refused.value.advice)
