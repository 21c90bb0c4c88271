"""A made-up district: bodies, posts, powers, duties and rosters, drawn from a seed.

Persons are random ids; the names beside them are made up from the same seed and sealed like real ones.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.acting import Actor, Command
from domain.register import commands as c
from domain.register.first_link import digest_of
from domain.register.words import Kind, Post, PowerKind
from domain.rulebook.releases import release_of
from workflows.handle import Handle
from workflows.standing import REGISTER, RELEASES
from workflows.submission import Answer, Sealing, Submission

DISTRICT = "450305"
SUBDISTRICT = "sd-01"
DEPARTMENTS = ("dept-housing", "dept-water", "dept-fire", "dept-civil", "dept-labour", "dept-traffic")
ORGAN = "organ-urban"
WHISTLE_POWER, CALL_OUT_POWER = "power-whistle", "power-call-out"

_STAFF: dict[Kind, tuple[Post, ...]] = {
    "district": ("district_leader", "supervisor"),
    "hotline": ("intake_officer", "dispatcher", "callback_officer"),
    "dispatch_centre": ("intake_officer", "dispatcher", "callback_officer", "supervisor"),
    "panel": ("adjudicator",),
    "discipline_inspection": ("discipline_officer", "intake_officer"),
    "archive": ("archivist",),
    "supervisory_board": ("board_member",),
    "subdistrict": (
        "intake_officer", "duty_officer", "duty_leader", "leadership_member", "secretary", "director", "officer",
        "reviewer", "callback_officer", "supervisor",
    ),
    "community": ("community_secretary", "intake_officer", "officer"),
    "department": ("duty_officer", "officer", "leader"),
    "organ": ("duty_officer", "officer", "leader"),
    "grid": ("grid_officer",),
}  # fmt: skip

_DUTIES = {
    "dept-housing": ("FW", "CG-02", "WY", "XM", "SL-02"), "dept-water": ("GS", "SL-03"), "dept-fire": ("XF-01", "WY-03"),
    "dept-civil": ("MS",), "dept-labour": ("JF-02", "MS-02"), "dept-traffic": ("SL-01", "CG-01"),
    ORGAN: ("HJ", "CG"),
}  # fmt: skip

_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨"
_GIVEN = "安邦成德恩芳光海慧佳静康兰明宁平清瑞思亭文欣雅泽"


@dataclass(frozen=True, slots=True)
class BodyPlan:
    """One body of the plan."""

    id: str
    kind: Kind
    parent: str | None
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class District:
    """The plan of a district: its bodies and who holds which post. The same seed gives the same plan."""

    bodies: tuple[BodyPlan, ...]
    staff: dict[tuple[str, str], str]
    names: dict[str, str]
    security: str
    system: str
    communities: tuple[str, ...]
    grids: tuple[str, ...]
    code: str = DISTRICT
    keys: list[int] = field(default_factory=lambda: [0])

    def actor(self, body: str, post: str) -> Actor:
        """The person in that post. Raises KeyError where the plan has none."""
        return Actor(person=self.staff[body, post], body=body, post=post)


def plan(seed: int, communities: int = 2, grids: int = 4) -> District:
    """A district with one sub-district, six departments, a squad and the central bodies."""
    chance = random.Random(seed)
    names = {}

    def person() -> str:
        made = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        names[made] = chance.choice(_SURNAMES) + chance.choice(_GIVEN) + chance.choice(_GIVEN)
        return made

    places = tuple(f"com-{n:02d}" for n in range(1, communities + 1))
    cells = tuple(f"grid-{n:03d}" for n in range(1, grids + 1))
    bodies = (*_central(), *_communities(places), *_grids(cells, places))
    staff: dict[tuple[str, str], str] = {
        (body.id, post): person() for body in bodies for post in _STAFF.get(body.kind, ())
    }
    return District(bodies, staff, names, person(), person(), places, cells)


def _central() -> tuple[BodyPlan, ...]:
    rows: tuple[tuple[str, Kind, str | None, str, str], ...] = (
        (DISTRICT, "district", None, "示范区", "Demonstration District"),
        ("hotline", "hotline", DISTRICT, "12345热线", "12345 hotline"),
        ("centre", "dispatch_centre", DISTRICT, "区派单中心", "Dispatch centre"),
        ("panel", "panel", DISTRICT, "派单会商组", "Adjudication panel"),
        ("discipline", "discipline_inspection", DISTRICT, "区纪检监察", "Discipline inspection"),
        ("archive", "archive", DISTRICT, "区档案馆", "Archive"),
        ("board", "supervisory_board", DISTRICT, "监事会", "Supervisory board"),
        (SUBDISTRICT, "subdistrict", DISTRICT, "桂花街道", "Guihua sub-district"),
        ("dept-housing", "department", DISTRICT, "住建局", "Housing"),
        ("dept-water", "department", DISTRICT, "水务局", "Water"),
        ("dept-fire", "department", DISTRICT, "消防救援大队", "Fire rescue"),
        ("dept-civil", "department", DISTRICT, "民政局", "Civil affairs"),
        ("dept-labour", "department", DISTRICT, "人社局", "Labour and social security"),
        ("dept-traffic", "department", DISTRICT, "交管大队", "Traffic"),
        (ORGAN, "organ", "dept-housing", "派驻城管执法中队", "City management squad"),
    )
    return tuple(BodyPlan(*row) for row in rows)


def _communities(places: tuple[str, ...]) -> tuple[BodyPlan, ...]:
    return tuple(
        BodyPlan(place, "community", SUBDISTRICT, f"第{n}社区", f"Community {n}")
        for n, place in enumerate(places, 1)
    )


def _grids(cells: tuple[str, ...], places: tuple[str, ...]) -> tuple[BodyPlan, ...]:
    return tuple(
        BodyPlan(cell, "grid", places[n % len(places)], f"第{n + 1}网格", f"Grid {n + 1}")
        for n, cell in enumerate(cells)
    )


def found(district: District, handle: Handle, now: datetime, rulebook: str | None = None) -> list[Answer]:
    """Enter the whole plan into an empty register, and release a rulebook text. Returns the answers that refused."""
    founding = _Founding(district, handle)
    secret = uuid.UUID(int=random.Random(district.security).getrandbits(128)).hex
    operator = Actor(
        person=str(uuid.UUID(int=random.Random(district.system).getrandbits(128), version=4)), body="system"
    )
    security = Actor(person=district.security, body="system", post="security_admin")
    system = Actor(person=district.system, body="system", post="system_admin")
    founding.do(operator, c.IssueFirstLink(digest=digest_of(secret), expires_at=now + timedelta(days=1)))
    founding.do(Actor(person=district.security, body="system"), c.ClaimFirstLink(secret=secret))
    founding.enter(security, district.system)
    founding.do(security, c.FillPost(person=district.system, body="system", post="system_admin"))
    for body in district.bodies:
        founding.do(
            system,
            c.EnterBody(
                body=body.id, kind=body.kind, parent=body.parent, name_zh=body.name_zh, name_en=body.name_en,
                district=district.code,
            ),
        )  # fmt: skip
    for (body_id, post), person in district.staff.items():
        founding.enter(security, person)
        founding.do(security, c.FillPost(person=person, body=body_id, post=post))  # type: ignore[arg-type]
    founding.lists(security, now)
    if rulebook is not None:
        founding.release(security, rulebook)
    return [answer for answer in founding.answers if not answer.accepted]


class _Founding:
    """The steps of `found`, each under a key of its own, so that a second run repeats and adds nothing."""

    def __init__(self, district: District, handle: Handle) -> None:
        self.district, self.handle, self.answers = district, handle, list[Answer]()
        self.count = 0

    def do(
        self,
        actor: Actor,
        command: Command,
        *sealed: Sealing,
        stream: str = REGISTER,
        texts: tuple[str, ...] = (),
    ) -> None:
        self.count += 1
        self.answers.append(
            self.handle(
                Submission(
                    client="founding", key=f"{self.district.security}:{self.count}", case=stream, command=command,
                    actor=actor, authority="resolution:founding", sealed=sealed, texts=texts,
                )
            )
        )  # fmt: skip

    def enter(self, security: Actor, person: str) -> None:
        name = Sealing("name", person, self.district.names[person])
        self.do(security, c.EnterPerson(person=person), name)

    def lists(self, security: Actor, now: datetime) -> None:
        """Powers, the duty list and the duty roster."""
        powers: tuple[tuple[str, PowerKind, tuple[str, ...]], ...] = (
            (WHISTLE_POWER, "whistle", ()), (CALL_OUT_POWER, "call_out", (ORGAN,)),
        )  # fmt: skip
        for item, kind, over in powers:
            self.do(
                security,
                c.EnterPower(
                    item=item,
                    kind=kind,
                    holder=SUBDISTRICT,
                    over=over,
                    basis="街道办事处条例",
                    approved_by=(DISTRICT,),
                ),
            )
        for body, codes in _DUTIES.items():
            for code in codes:
                self.do(security, c.EnterDuty(item=f"duty-{body}-{code}", body=body, code=code))
        leader = self.district.actor(SUBDISTRICT, "duty_leader")
        for seconds in (1, 10, 60):  # on a busy machine a moment ahead may be over before it is entered
            begins = self.handle.clock() + timedelta(seconds=seconds)
            self.do(
                leader,
                c.AssignShift(
                    body=SUBDISTRICT, post="duty_leader", person=leader.person, begins=begins, ends=now + timedelta(days=7)
                ),
            )  # fmt: skip
            if self.answers[-1].code != "back_dated":
                break
            self.answers.pop()

    def release(self, security: Actor, text: str) -> None:
        self.do(security, release_of(text), stream=RELEASES, texts=(text,))
