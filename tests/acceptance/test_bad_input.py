"""Bad input: what is not allowed is refused with a stable code and a sentence of advice, recorded, and changes nothing.

What is not even well-formed (an unknown kind, a malformed id) cannot become a command: it never reaches the store.
"""

import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from adapters.demo.desk import GROUND
from adapters.demo.district import SUBDISTRICT, WHISTLE_POWER
from adapters.rulebooks import template
from domain.acting import CLOCK, Actor, Command
from domain.event import decode
from domain.matter import commands as do
from domain.matter import order_commands as odo
from domain.matter.order_events import Receiver
from domain.refusal import Refused
from domain.register import commands as reg
from domain.rulebook.releases import release_of
from tests.story import Story, story
from workflows.ports import Stored
from workflows.records import refusals_of
from workflows.standing import REGISTER, RELEASES
from workflows.submission import Answer, OutsideNumber, Sealing, Submission

FAR = datetime.max.replace(tzinfo=UTC)
HOUR = timedelta(hours=1)


class Dance(Command, name="dance"):
    """An act that nobody knows."""


@pytest.fixture(scope="module")
def tale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with story(tmp_path_factory.mktemp("bad-input") / "data") as told:
        yield told


class Case:
    """A case and those who act in it. `bring` moves it on; `hand_in` says anything at all about it."""

    def __init__(self, tale: Story) -> None:
        self.tale, self.desk = tale, tale.desk
        self.resident = self.desk.resident()
        self.community = tale.scene.community
        self.window = tale.scene.actor(self.community, "intake_officer")
        self.officer = tale.scene.actor(SUBDISTRICT, "officer")
        self.leader = tale.scene.actor(SUBDISTRICT, "leadership_member")
        self.id = self.desk.registers(self.resident, "FW-01", self.community)
        self.legs: dict[str, str] = {}
        self.before: list[Stored] = []
        self.head = 0
        self.key = self.name = ""

    def triaged(self) -> "Case":
        self.desk.accepted_and_triaged(self.id, self.community)
        return self

    def whistled(self, *bodies: str) -> "Case":
        self.triaged()
        self.legs = self.desk.whistles(self.id, bodies or ("dept-housing", "dept-fire"))
        return self

    @property
    def leg(self) -> str:
        return self.legs["dept-housing"]

    def department(self, post: str) -> Actor:
        return self.tale.scene.actor("dept-housing", post)

    def hand_in(
        self, actor: Actor, command: Command, authority: str | None = GROUND, **more: object
    ) -> Answer:
        """Say it; `before` and `head` are how the case and the store stood just then."""
        store = self.tale.engine.store
        self.before, self.head = store.load(self.id), store.head()
        self.key, self.name = self.desk.id(), command.NAME
        given = {"client": "desk", "key": self.key, "case": self.id, **more}
        self.sent = Submission(actor=actor, command=command, authority=authority, **given)  # type: ignore[arg-type]
        return self.tale.engine.handle(self.sent)


# -- the acts ---------------------------------------------------------------------------------------------------------


def sealed(name: str, actor: Actor, value: object) -> tuple[Sealing, ...]:
    return (Sealing(name, actor.person, value),)  # type: ignore[arg-type]


def receivers(*bodies: str, tale: Story) -> tuple[Receiver, ...]:
    return tuple(
        Receiver(leg=tale.desk.id(), body=body, role="assist" if n else "lead")
        for n, body in enumerate(bodies)
    )


def whistle(case: Case, *bodies: str) -> odo.DraftOrder:
    made = receivers(*bodies, tale=case.tale)
    return odo.DraftOrder(order=case.desk.id(), kind="whistle", whistle="service", receivers=made)


def _issued_unsigned(case: Case) -> Answer:
    draft = whistle(case, "dept-housing")
    case.desk.must(case.id, case.officer, draft, reason="街道无力单独处置")
    return case.hand_in(case.officer, odo.IssueOrder(order=draft.order), WHISTLE_POWER)


def _registration(case: Case, seen_at: datetime, **more: object) -> do.RegisterMatter:
    given = {"source": "resident_app", "host": case.community, "requesters": (case.resident.person,), **more}
    return do.RegisterMatter(
        number=case.desk.number(seen_at.date()), seen_at=seen_at, **given  # type: ignore[arg-type]
    )  # fmt: skip


def _issued_without_power(case: Case) -> Answer:
    draft = whistle(case, "dept-housing")
    case.desk.must(case.id, case.officer, draft, reason="街道无力单独处置")
    case.desk.must(case.id, case.leader, odo.AuthoriseOrder(order=draft.order), WHISTLE_POWER)
    return case.hand_in(case.officer, odo.IssueOrder(order=draft.order), "law:any-other")


def _before_registration(case: Case) -> Answer:
    opened = case.tale.engine.handle.history(case.id)[0].occurred_at
    return case.hand_in(case.window, do.AcceptMatter(), occurred_at=opened - timedelta(milliseconds=1))


def _before_the_summons(case: Case) -> Answer:
    issued = case.whistled().tale.engine.handle.history(case.id)[-1].occurred_at
    duty, act = case.department("duty_officer"), odo.AcknowledgeLeg(leg=case.leg)
    return case.hand_in(duty, act, occurred_at=issued - timedelta(milliseconds=1))


def _seen_later(case: Case) -> Answer:
    case.id = case.desk.id()
    command = _registration(case, case.tale.clock() + HOUR)
    return case.hand_in(case.resident, command, None, sealed=sealed("text", case.resident, "漏水"))


def _supervised(case: Case, due: datetime) -> Answer:
    supervisor = case.tale.scene.actor("centre", "supervisor")
    return case.hand_in(supervisor, odo.SuperviseLeg(leg=case.leg, number="db-1", level="district", due=due))


def _arrived_at(case: Case, arrived: datetime) -> Answer:
    case.desk.must(case.id, case.department("duty_officer"), odo.AcknowledgeLeg(leg=case.leg))
    officer = case.department("officer")
    here = odo.CheckIn(leg=case.leg, place=case.community, proof="code", arrived_at=arrived)
    return case.hand_in(officer, here, sealed=sealed("proof", officer, "现场码"))


def _drafted(case: Case, *bodies: str) -> Answer:
    draft = whistle(case.triaged(), *bodies)
    return case.hand_in(case.officer, draft, sealed=sealed("reason", case.officer, "无力处置"))


def _said(case: Case, words: object) -> Answer:
    said = do.AddSupplement(what="supplement", source="phone")
    return case.hand_in(case.resident, said, None, sealed=sealed("text", case.resident, words))


def _crowd(case: Case) -> Answer:
    case.id = case.desk.id()
    crowd = (case.resident.person, *(case.desk.id() for _ in range(2000)))
    command = _registration(case, case.tale.clock(), requesters=crowd)
    return case.hand_in(case.resident, command, None, sealed=sealed("text", case.resident, "漏水"))


Act = Callable[[Case], Answer]

WRONG_ORDER: dict[str, tuple[str, Act]] = {
    "graded before it was accepted": (
        "wrong_state",
        lambda c: c.hand_in(c.window, do.TriageMatter(scale="hard", demand="help", tier="community")),
    ),
    "closed before it was called back": (
        "wrong_state",
        lambda c: c.triaged().hand_in(c.tale.scene.actor(SUBDISTRICT, "supervisor"), do.CloseMatter()),
    ),
    "accepted twice": ("wrong_state", lambda c: c.triaged().hand_in(c.window, do.AcceptMatter())),
    "checked in before it was signed for": (
        "wrong_state",
        lambda c: c.whistled().hand_in(
            c.department("officer"), odo.CheckIn(leg=c.leg, place=c.community, proof="code")
        ),
    ),
    "done while a department is still summoned": (
        "leg_open",
        lambda c: c.whistled().hand_in(
            c.officer,
            do.SubmitResult(disposition="solved", evidence=1),
            sealed=(*sealed("reply", c.officer, "已办结"), *sealed("evidence", c.officer, "验收单")),
        ),
    ),
    "issued before it was authorised": ("wrong_state", lambda c: _issued_unsigned(c.triaged())),
    "registered under an id that has a case": (
        "exists_already",
        lambda c: c.hand_in(
            c.resident,
            _registration(c, c.tale.clock()),
            None,
            sealed=sealed("text", c.resident, "又来一次"),
        ),
    ),
}


WRONG_PERSON: dict[str, tuple[str, Act]] = {
    "no ground is stated": ("authority_missing", lambda c: c.hand_in(c.window, do.AcceptMatter(), None)),
    "the power item is not cited": ("power_not_cited", lambda c: _issued_without_power(c.triaged())),
    "a resident does an officer's act": (
        "not_an_officer",
        lambda c: c.hand_in(c.resident, do.AcceptMatter(), None),
    ),
    "the post may not do it": (
        "not_your_post",
        lambda c: c.hand_in(c.tale.scene.actor(c.community, "officer"), do.AcceptMatter()),
    ),
    "the body is another one's": (
        "not_your_body",
        lambda c: c.hand_in(c.tale.scene.actor("com-02", "intake_officer"), do.AcceptMatter()),
    ),
    "the post is claimed and not held": (
        "post_lapsed",
        lambda c: c.hand_in(c.window.model_copy(update={"person": c.desk.id()}), do.AcceptMatter()),
    ),
    "somebody else's request is withdrawn": (
        "not_the_requester",
        lambda c: c.hand_in(c.desk.resident(), do.RequestWithdrawal(requester=c.resident.person), None),
    ),
    "the clock's act is done by hand": (
        "not_the_clock",
        lambda c: c.hand_in(c.window, do.TakeDueSteps(items=("/accept/1/0/miss",) * 5000)),
    ),
    "a department lets itself go": (
        "self_release",
        lambda c: c.whistled().hand_in(c.department("leader"), odo.ExcuseLeg(leg=c.leg, ground="busy")),
    ),
}


WRONG_TIME: dict[str, tuple[str, Act]] = {
    "it lies in the future": (
        "future",
        lambda c: c.hand_in(c.window, do.AcceptMatter(), occurred_at=c.tale.clock() + HOUR),
    ),
    "it lies before any rulebook": (
        "no_rulebook_in_force",
        lambda c: c.hand_in(c.window, do.AcceptMatter(), occurred_at=c.tale.clock() - HOUR * 24 * 365),
    ),
    "it lies before the matter's own": ("before_its_cause", _before_registration),
    "it lies before its cause": ("before_its_cause", _before_the_summons),
    "it was seen after it was registered": ("seen_after", _seen_later),
    "a supervision is due in the past": (
        "due_past",
        lambda c: _supervised(c.whistled(), c.tale.clock() - HOUR),
    ),
    "a supervision is due at the end of time": ("due_too_far", lambda c: _supervised(c.whistled(), FAR)),
    "an arrival is timed after its record": (
        "future",
        lambda c: _arrived_at(c.whistled(), c.tale.clock() + HOUR),
    ),
    "an arrival is timed before the summons": (
        "before_its_cause",
        lambda c: _arrived_at(c.whistled(), c.tale.clock() - HOUR),
    ),
}


WRONG_WORDS: dict[str, tuple[str, Act]] = {
    "an act that nobody knows": ("unknown_command", lambda c: c.hand_in(c.window, Dance())),
    "the register's act in a case": (
        "wrong_stream",
        lambda c: c.hand_in(
            Actor(person=c.tale.desk.district.system, body="system", post="system_admin"),
            reg.EnterBody(
                body="com-99",
                kind="community",
                parent=SUBDISTRICT,
                name_zh="九",
                name_en="9",
                district="450305",
            ),
        ),
    ),
    "a body that nobody knows": ("unknown_body", lambda c: _drafted(c, "dept-magic")),
    "a body of the wrong kind": ("wrong_body", lambda c: _drafted(c, "com-02")),
    "a body summoned twice": ("receiver_twice", lambda c: _drafted(c, "dept-fire", "dept-fire")),
    "a whistle to nobody": ("no_receiver", _drafted),
    "a leg of another matter": (
        "unknown_leg",
        lambda c: c.whistled().hand_in(c.department("duty_officer"), odo.AcknowledgeLeg(leg=c.desk.id())),
    ),
    "an order of another matter": (
        "unknown_order",
        lambda c: c.triaged().hand_in(c.leader, odo.AuthoriseOrder(order=c.desk.id()), WHISTLE_POWER),
    ),
    "a text that is too long": ("text_too_long", lambda c: _said(c, "长" * 20_001)),
    "a list that is too long": ("text_too_long", lambda c: _said(c, ["长" * 10_000, "长" * 10_000, "长"])),
    "half a character": ("invalid_text", lambda c: _said(c, "水管\ud83d")),
    "no text at all": (
        "text_missing",
        lambda c: c.triaged().hand_in(c.officer, whistle(c, "dept-housing")),
    ),
    "more requesters than an event holds": ("too_large", _crowd),
    "a version that has moved on": (
        "version_moved",
        lambda c: c.hand_in(c.window, do.AcceptMatter(), expected=7),
    ),
    "a rulebook that nobody released": (
        "no_rulebook_in_force",
        lambda c: c.hand_in(c.window, do.AcceptMatter(), rulebook="demo/1999.1"),
    ),
    "a matter merged into the register": (
        "not_found",
        lambda c: c.triaged().hand_in(c.window, do.MergeMatter(master=REGISTER, reason="same")),
    ),
}


EVERY = {**WRONG_ORDER, **WRONG_PERSON, **WRONG_TIME, **WRONG_WORDS}


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


@pytest.mark.parametrize("stream", ["the register", "the releases", "no stream"])
@pytest.mark.parametrize(
    "act", [do.AcceptMatter(), do.DivertMatter(to="discipline")], ids=lambda one: one.NAME
)
def test_what_is_no_case_looks_like_one_that_does_not_exist(tale: Story, stream: str, act: Command) -> None:
    case = Case(tale)
    refusal = case.triaged().hand_in(case.window, do.AcceptMatter())
    case.id = {
        "the register": REGISTER, "the releases": RELEASES, "no stream": case.desk.id(),
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
        case.resident, _registration(case, tale.clock()), None, sealed=sealed("text", case.resident, "漏水")
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
