"""A desk: hands commands in as staff and residents of a planned district would, with fresh ids and keys."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from datetime import date, datetime
from typing import Protocol

from adapters.demo.district import CALL_OUT_POWER, SUBDISTRICT, WHISTLE_POWER, District
from adapters.numbers import fresh_number
from domain.acting import Actor, Command
from domain.matter import Matter
from domain.matter import commands as do
from domain.matter import order_commands as odo
from domain.matter.order_events import Receiver
from domain.matter.words import WhistleKind
from workflows.ports import Sealable
from workflows.submission import Answer, Sealing, Submission

GROUND = "law:subdistrict-office-ordinance"


class Hands(Protocol):
    """What a desk hands in to: `handle`, or something that stands before it."""

    def __call__(self, submission: Submission) -> Answer:
        """Decide and store."""
        ...

    @property
    def clock(self) -> Callable[[], datetime]:
        """The present moment."""
        ...

    @property
    def load(self) -> Callable[[str], Matter | None]:
        """A case's present state."""
        ...


class Desk:
    """Acts in a district through `handle`; `chance` gives the ids, so that a seed gives the same ones again."""

    def __init__(
        self, handle: Hands, district: District, chance: random.Random, client: str = "desk"
    ) -> None:
        self.handle, self.district, self.chance, self.client = handle, district, chance, client

    def id(self) -> str:
        """A fresh random id."""
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def number(self, day: date) -> str:
        """A fresh number for a matter, by the same chance as the ids."""
        return fresh_number(self.district.code, day, self.chance.getrandbits)

    def do(
        self, case: str, actor: Actor, command: Command, authority: str | None = GROUND, *,
        about: str | None = None, key: str | None = None, occurred_at: datetime | None = None, **sealed: Sealable,
    ) -> Answer:  # fmt: skip
        """Hand one command in; `sealed` values are about the person `about`, or about the actor."""
        subject = about or actor.person
        return self.handle(
            Submission(
                client=self.client, key=key or self.id(), case=case, command=command, actor=actor, authority=authority,
                occurred_at=occurred_at, sealed=tuple(Sealing(n, subject, v) for n, v in sealed.items()),
            )
        )  # fmt: skip

    def must(self, *args: object, **kwargs: object) -> Answer:
        """The same, for acts that the rules allow. Raises RuntimeError with the refusal's code otherwise."""
        answer = self.do(*args, **kwargs)  # type: ignore[arg-type]
        if not answer.accepted:
            raise RuntimeError(f"{answer.code}: {answer.advice}")
        return answer

    def resident(self) -> Actor:
        """A resident under a fresh id, as every requester is in every matter."""
        return Actor(person=self.id(), body="resident")

    # -- the acts of a common life --------------------------------------------------------------------------------

    def registers(
        self, resident: Actor, code: str = "FW-01", host: str | None = None, key: str | None = None
    ) -> str:
        """A resident's request by the app; returns the case."""
        case, now = self.id(), self.handle.clock()
        command = do.RegisterMatter(
            number=self.number(now.date()), source="resident_app", seen_at=now, kind="hazard",
            code=code, demand="help", host=host or self.district.communities[0], requesters=(resident.person,),
        )  # fmt: skip
        words = {"text": "楼道墙体开裂，雨天渗水", "name": "居民甲", "contact": "13800000000"}
        self.must(case, resident, command, None, key=key, **words)
        return case

    def accepted_and_triaged(self, case: str, host: str | None = None, *, urgent: bool = False) -> None:
        """The community's intake officer accepts and grades it."""
        intake = self.district.actor(host or self.district.communities[0], "intake_officer")
        self.must(case, intake, do.AcceptMatter())
        self.must(case, intake, do.TriageMatter(scale="hard", urgent=urgent, demand="help", tier="community"))

    def whistles(self, case: str, bodies: tuple[str, ...], kind: WhistleKind = "service") -> dict[str, str]:
        """The sub-district blows a whistle; the first body leads. Returns the legs by body."""
        order, legs = self.id(), {body: self.id() for body in bodies}
        receivers = tuple(
            Receiver(leg=leg, body=body, role="assist" if n else "lead")
            for n, (body, leg) in enumerate(legs.items())
        )
        officer = self.district.actor(SUBDISTRICT, "officer")
        draft = odo.DraftOrder(order=order, kind="whistle", whistle=kind, receivers=receivers)
        self.must(case, officer, draft, reason="街道无力单独处置")
        leader = self.district.actor(SUBDISTRICT, "leadership_member")
        self.must(case, leader, odo.AuthoriseOrder(order=order), WHISTLE_POWER)
        self.must(case, officer, odo.IssueOrder(order=order), WHISTLE_POWER)
        return legs

    def calls_out(self, case: str, organ: str) -> dict[str, str]:
        """The sub-district calls a stationed squad out, by its own power (A11)."""
        order, leg = self.id(), self.id()
        officer = self.district.actor(SUBDISTRICT, "officer")
        receivers = (Receiver(leg=leg, body=organ, role="lead"),)
        self.must(
            case,
            officer,
            odo.DraftOrder(order=order, kind="call_out", receivers=receivers),
            reason="占道经营",
        )
        leader = self.district.actor(SUBDISTRICT, "leadership_member")
        self.must(case, leader, odo.AuthoriseOrder(order=order), CALL_OUT_POWER)
        self.must(case, officer, odo.IssueOrder(order=order), CALL_OUT_POWER)
        return {organ: leg}

    def arrives(self, case: str, body: str, leg: str) -> None:
        """A department acknowledges, reaches the sub-district and checks in."""
        duty, officer = self.district.actor(body, "duty_officer"), self.district.actor(body, "officer")
        self.must(case, duty, odo.AcknowledgeLeg(leg=leg))
        self.must(case, officer, odo.ContactLeg(leg=leg))
        place = self.district.communities[0]
        self.must(case, officer, odo.CheckIn(leg=leg, place=place, proof="code"), proof="现场码")

    def reports(self, case: str, body: str, leg: str) -> None:
        """A department works and reports its result."""
        officer, leader = self.district.actor(body, "officer"), self.district.actor(body, "leader")
        self.must(case, officer, odo.NoteWork(leg=leg), note="已排查")
        self.must(
            case,
            leader,
            odo.ReportLeg(leg=leg, outcome="done", evidence=1),
            result="已修复",
            evidence="照片一",
        )

    def releases(self, case: str, leg: str) -> None:
        """The sub-district takes the report and lets the department go."""
        leader = self.district.actor(SUBDISTRICT, "leadership_member")
        self.must(case, leader, odo.AcceptLeg(leg=leg), WHISTLE_POWER)

    def submits(self, case: str) -> None:
        """The sub-district claims that it is done."""
        officer = self.district.actor(SUBDISTRICT, "officer")
        result = do.SubmitResult(disposition="solved", evidence=1)
        self.must(case, officer, result, reply="墙体已加固，请放心居住", evidence="验收单")

    def calls_back(self, case: str, requester: str, *, solved: bool = True) -> None:
        """An independent callback."""
        caller = self.district.actor(SUBDISTRICT, "callback_officer")
        said = do.RecordCallback(
            requester=requester, solved=solved, satisfaction="satisfied" if solved else "dissatisfied"
        )
        self.must(case, caller, said, about=requester, wording="已解决" if solved else "没有解决")

    def closes(self, case: str) -> None:
        """A supervisor closes."""
        self.must(case, self.district.actor(SUBDISTRICT, "supervisor"), do.CloseMatter())


def one_life(desk: Desk, bodies: tuple[str, ...], key: str | None = None) -> str:
    """Register, accept, triage, whistle, check in, report, release, result, callback, close. Returns the case."""
    resident = desk.resident()
    case = desk.registers(resident, key=key)
    desk.accepted_and_triaged(case)
    legs = desk.whistles(case, bodies)
    for body, leg in legs.items():
        desk.arrives(case, body, leg)
        desk.reports(case, body, leg)
        desk.releases(case, leg)
    desk.submits(case)
    desk.calls_back(case, resident.person)
    desk.closes(case)
    return case
