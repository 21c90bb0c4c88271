"""Acts that are not allowed, each with the code of its refusal, and the case that they are tried on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from adapters.demo.desk import GROUND
from adapters.demo.district import SUBDISTRICT, WHISTLE_POWER
from domain.acting import Actor, Command
from domain.matter import commands as do
from domain.matter import order_commands as odo
from domain.matter.order_events import Receiver
from domain.register import commands as reg
from tests.story import Story
from workflows.ports import Stored
from workflows.standing import REGISTER
from workflows.submission import Answer, Sealing, Submission

FAR = datetime.max.replace(tzinfo=UTC)
HOUR = timedelta(hours=1)


class Dance(Command, name="dance"):
    """An act that nobody knows."""


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

    def triaged(self) -> Case:
        self.desk.accepted_and_triaged(self.id, self.community)
        return self

    def whistled(self, *bodies: str) -> Case:
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


def registration(case: Case, seen_at: datetime, **more: object) -> do.RegisterMatter:
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
    command = registration(case, case.tale.clock() + HOUR)
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
    command = registration(case, case.tale.clock(), requesters=crowd)
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
            registration(c, c.tale.clock()),
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
