"""The steps of a life, for the tests of matters: each function takes a world one step further.

`KINDS` says for every kind of order who acts in it in the small district.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from domain.acting import Actor
from domain.matter import Leg, Order
from domain.matter import commands as do
from domain.matter import order_commands as odo
from domain.matter.order_events import Receiver
from tests.unit.matter_world import CODE, NOON, World, officer, resident, uid

ASKER = resident(1)
INTAKE = officer("com-01", "intake_officer")
SECRETARY = officer("com-01", "community_secretary")
HANDLER = officer("com-01", "officer")
SD_OFFICER = officer("sd-01", "officer")
LEADER = officer("sd-01", "leadership_member")
DUTY_LEADER = officer("sd-01", "duty_leader")
REVIEWER = officer("sd-01", "reviewer")
CALLER = officer("sd-01", "callback_officer")
SUPERVISOR = officer("sd-01", "supervisor")
CENTRE = officer("centre", "dispatcher")
CENTRE_SUPERVISOR = officer("centre", "supervisor")
HOTLINE = officer("hotline", "dispatcher")
ADJUDICATOR = officer("panel", "adjudicator")
ARCHIVIST = officer("archive", "archivist")
DISCIPLINE = officer("jw", "intake_officer")

ORDER = uid(100)
LEGS = (uid(101), uid(102))


# -- the matter


def registration(**more: Any) -> do.RegisterMatter:
    """A resident's request by the app."""
    given: dict[str, Any] = {
        "number": "450305-20260302-0000001", "source": "resident_app", "code": CODE, "demand": "help", "host": "com-01",
        "requesters": (ASKER.person,),
    }  # fmt: skip
    return do.RegisterMatter(**given | {"seen_at": NOON} | more)


def accusation(number: int = 1) -> do.RegisterMatter:
    """检举控告: who speaks and nothing else is public."""
    return do.RegisterMatter(
        number=f"450305-20260302-A00000{number}", source="resident_app", seen_at=NOON,
        requesters=(resident(number).person,), accusation=True,
    )  # fmt: skip


def registered(world: World, **more: Any) -> None:
    """Written down."""
    world.do(ASKER, registration(seen_at=world.now, **more))


def accepted(world: World) -> None:
    """受理."""
    world.do(INTAKE, do.AcceptMatter())


def triaged(world: World, **more: Any) -> None:
    """Graded hard by the community."""
    world.do(INTAKE, do.TriageMatter(**{"scale": "hard", "demand": "help", "tier": "community"} | more))


def handled(world: World) -> None:
    """Somebody of the community handles it."""
    world.do(HANDLER, do.StartHandling(how="self_handling"))


def submitted(world: World) -> None:
    """办结."""
    world.do(SD_OFFICER, do.SubmitResult(disposition="solved", evidence=1))


def called_back(world: World, solved: bool = True) -> None:
    """回访 of everybody who is owed one."""
    for one in world.state.owed():
        said = "satisfied" if solved else "dissatisfied"
        world.do(CALLER, do.RecordCallback(requester=one.id, solved=solved, satisfaction=said))


def not_solved(world: World) -> None:
    """回访: it is not solved."""
    called_back(world, solved=False)


def closed(world: World) -> None:
    """结案."""
    world.do(SUPERVISOR, do.CloseMatter())


def archived(world: World) -> None:
    """归档."""
    world.do(ARCHIVIST, archiving())


def archiving(**more: bool) -> do.ArchiveMatter:
    """归档 after a check that was passed."""
    found = {"authentic": True, "complete": True, "usable": True, "safe": True} | more
    return do.ArchiveMatter(retention="30y", **found)  # type: ignore[arg-type]


def deferring(world: World) -> do.DeferMatter:
    """挂账 until a review."""
    return do.DeferMatter(
        ground="needs_funds", review_by=world.now + timedelta(seconds=10), requester_told=True
    )


def deferred(world: World) -> None:
    """挂账."""
    world.do(LEADER, deferring(world))


def refused(world: World) -> None:
    """不予受理 by two officers."""
    world.do(INTAKE, do.ProposeRefusal(ground="in_court", other_channel="court"))
    world.do(SECRETARY, do.ConfirmRefusal())


def withdrawn(world: World) -> None:
    """Withdrawn by its requester."""
    world.do(ASKER, do.RequestWithdrawal(requester=ASKER.person))
    world.do(CALLER, do.ConfirmWithdrawal())


MASTER = uid(2)


def with_master(world: World) -> None:
    """Another live matter about the same thing."""
    other, mine = resident(2), world.case
    world.case = MASTER
    world.do(
        other, registration(number="450305-20260302-0000002", requesters=(other.person,), seen_at=world.now)
    )
    world.given(accepted, triaged)
    world.case = mine


def merged(world: World) -> None:
    """并案 into that one."""
    if MASTER not in world.states:
        with_master(world)
    world.do(INTAKE, do.MergeMatter(master=MASTER, reason="same_lamp"))


TO_TRIAGED = (registered, accepted, triaged)
TO_HANDLING = (*TO_TRIAGED, handled)
TO_COMPLETED = (*TO_HANDLING, submitted)
TO_CALLED_BACK = (*TO_COMPLETED, not_solved)
TO_CLOSED = (*TO_CALLED_BACK, closed)


# -- orders


@dataclass(frozen=True)
class Role:
    """Who acts in a kind of order: at the issuer's side, at the receiver's, and who stands above."""

    kind: str
    whistle: str | None = None
    drafter: Actor = SD_OFFICER
    signers: tuple[Actor, ...] = (LEADER,)
    leader: Actor = LEADER
    receivers: tuple[str, ...] = ("dept-a", "dept-b")
    releasers: tuple[Actor, ...] = (LEADER,)
    raters: tuple[Actor, ...] = (LEADER, SECRETARY)
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """`whistle.service`, `call`, …"""
        return f"{self.kind}.{self.whistle}" if self.whistle else self.kind


GL = officer("gl", "secretary")
KINDS: dict[str, Role] = {
    role.name: role
    for role in (
        Role("call", drafter=INTAKE, signers=(SECRETARY,), leader=SECRETARY, receivers=("sd-01",),
             releasers=(SECRETARY,), raters=(SECRETARY,)),
        Role("whistle", "service"),
        Role("whistle", "enforcement"),
        Role("whistle", "project", signers=(officer("sd-01", "secretary"), officer("sd-01", "director")),
             releasers=(LEADER, officer("gl", "district_leader"))),
        Role("whistle", "emergency", signers=(DUTY_LEADER,)),
        Role("call_out", receivers=("organ-a", "organ-b")),
        Role("dispatch", drafter=CENTRE, signers=(), leader=CENTRE, releasers=(CENTRE,), raters=(ASKER,)),
        Role("service", drafter=HANDLER, signers=(SECRETARY,), leader=SECRETARY, receivers=("team-01", "team-02"),
             releasers=(SECRETARY,), raters=(ASKER,)),
        Role("visit", drafter=officer("com-01", "grid_chief"), signers=(SECRETARY,), leader=SECRETARY,
             receivers=("com-02", "team-01"), releasers=(SECRETARY,), raters=()),
        Role("agency", drafter=INTAKE, signers=(SECRETARY,), leader=SECRETARY, receivers=("com-02", "team-01"),
             releasers=(ASKER,), raters=(SECRETARY,)),
        Role("rectification", drafter=officer("gl", "supervisor"), signers=(officer("gl", "district_leader"),),
             leader=GL, releasers=(officer("gl", "district_leader"),),
             raters=(officer("gl", "district_leader"),)),
    )
}  # fmt: skip
"""The kinds of this issue, and those to come: the machine takes them all."""

_HANDS = {
    "dept": ("duty_officer", "officer", "leader"),
    "organ": ("duty_officer", "officer", "leader"),
    "sd": ("duty_officer", "duty_officer", "leadership_member"),
    "com": ("intake_officer", "officer", "community_secretary"),
    "team": ("officer", "officer", "leader"),
}


def hand(body: str, rank: int) -> Actor:
    """Somebody of a summoned body: 0 who acknowledges, 1 who works, 2 who leads."""
    return officer(body, _HANDS[body.split("-")[0]][rank])


def drafting(role: Role, bodies: tuple[str, ...] | None = None, **more: Any) -> odo.DraftOrder:
    """An order of this kind to these bodies; the first one leads."""
    named = role.receivers[:1] if bodies is None else bodies
    receivers = tuple(
        Receiver(leg=LEGS[n] if n < 2 else uid(110 + n), body=body, role="assist" if n else "lead")
        for n, body in enumerate(named)
    )
    given: dict[str, Any] = {
        "order": ORDER,
        "kind": role.kind,
        "whistle": role.whistle,
        "receivers": receivers,
    }
    return odo.DraftOrder(**given | more)


def drafted(role: Role, bodies: tuple[str, ...] | None = None, **more: Any) -> Callable[[World], None]:
    """拟单."""

    def step(world: World) -> None:
        world.do(role.drafter, drafting(role, bodies, **more))

    return step


def authorised(role: Role, order: str = ORDER) -> Callable[[World], None]:
    """Every signature that the rulebook asks for."""

    def step(world: World) -> None:
        for signer in role.signers:
            world.do(signer, odo.AuthoriseOrder(order=order))

    return step


def blown(role: Role, bodies: tuple[str, ...] | None = None, **more: Any) -> Callable[[World], None]:
    """Drafted, authorised, issued."""

    def step(world: World) -> None:
        command = drafting(role, bodies, **more)
        world.do(role.drafter, command)
        world.given(authorised(role, command.order))
        world.do(role.drafter, odo.IssueOrder(order=command.order))

    return step


def leg_of(world: World, leg: str = LEGS[0]) -> tuple[Order, Leg]:
    """A leg and its order."""
    found = world.state.leg(leg)
    assert found is not None, "the leg exists"
    return world.state.orders[found.order], found


def acknowledged(world: World, leg: str = LEGS[0]) -> None:
    """签收."""
    world.do(hand(leg_of(world, leg)[1].body, 0), odo.AcknowledgeLeg(leg=leg))


def checked_in(world: World, leg: str = LEGS[0]) -> None:
    """报到."""
    body = leg_of(world, leg)[1].body
    world.do(hand(body, 1), odo.CheckIn(leg=leg, place="com-01", proof="code"))


def working(world: World, leg: str = LEGS[0]) -> None:
    """A work note; whoever must be there first, is."""
    order, found = leg_of(world, leg)
    if found.status == "issued":
        acknowledged(world, leg)
    if order.shape.checks_in and not found.checked_in:
        checked_in(world, leg)
    world.do(hand(found.body, 1), odo.NoteWork(leg=leg))


def reported(world: World, leg: str = LEGS[0]) -> None:
    """The body's result, from wherever it stands."""
    if leg_of(world, leg)[1].status != "working":
        working(world, leg)
    world.do(hand(leg_of(world, leg)[1].body, 2), odo.ReportLeg(leg=leg, evidence=1))


def released(world: World, leg: str = LEGS[0]) -> None:
    """撤哨 by everybody who must sign."""
    if leg_of(world, leg)[1].status != "reported":
        reported(world, leg)
    for releaser in KINDS[leg_of(world, leg)[0].full_kind].releasers:
        world.do(releaser, odo.AcceptLeg(leg=leg))


def excused(world: World, leg: str = LEGS[0]) -> None:
    """Let go."""
    role = KINDS[leg_of(world, leg)[0].full_kind]
    world.do(role.leader, odo.ExcuseLeg(leg=leg, ground="not_needed"))


def return_asked(world: World, leg: str = LEGS[0]) -> None:
    """退单 asked for."""
    body = leg_of(world, leg)[1].body
    world.do(hand(body, 2), odo.RequestReturn(leg=leg, ground="not_our_duty", basis="law:1"))


def returned(world: World, leg: str = LEGS[0]) -> None:
    """退单 granted."""
    return_asked(world, leg)
    world.do(HOTLINE, odo.DecideReturn(leg=leg, granted=True, ground="elsewhere"))


def disputed(world: World, leg: str = LEGS[0]) -> None:
    """争议."""
    body = leg_of(world, leg)[1].body
    world.do(hand(body, 2), odo.OpenDispute(leg=leg, ground="pipe_not_wall"))
