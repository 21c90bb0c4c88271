"""The lives of the demonstration: one function per kind of matter, from its first word to its last.

Each acts through a `Desk` as the people concerned would and waits as long as they would (`pace` seconds are one
second of the story). What falls due meanwhile is seen to by the processes, not by these functions.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from adapters.demo.district import DEPARTMENTS, ORGAN, SUBDISTRICT, WHISTLE_POWER
from adapters.demo.scene import CODES, Scene, blown, done, rated
from domain.matter import commands as do
from domain.matter import order_commands as odo
from domain.matter.order_events import Receiver
from domain.matter.state import Order


def counter(scene: Scene) -> None:
    """窗口办理: handled at the counter; the resident's own word is the callback."""
    desk, resident = scene.desk, scene.desk.resident()
    window, officer = scene.actor(scene.community, "intake_officer"), scene.actor(scene.community, "officer")
    case, now = desk.id(), desk.handle.clock()
    scene.cases.append(case)
    register = do.RegisterMatter(
        number=desk.number(now.date()), source="window", seen_at=now, code="MS-03",
        demand="help", host=scene.community, requesters=(resident.person,),
    )  # fmt: skip
    desk.must(
        case,
        window,
        register,
        about=resident.person,
        text="办理高龄补贴",
        name="居民乙",
        contact="13900000000",
    )
    desk.must(case, window, do.AcceptMatter())
    desk.must(case, window, do.TriageMatter(scale="minor", demand="help", tier="community"))
    desk.must(case, officer, do.StartHandling(how="self_handling"), note="当场受理")
    scene.wait(scene.chance.uniform(1, 4))
    desk.must(
        case, officer, do.SubmitResult(disposition="solved", evidence=1), reply="已办结", evidence="受理回执"
    )
    said = do.RecordCallback(
        how="counter", requester=resident.person, solved=True, satisfaction="very_satisfied"
    )
    desk.must(case, resident, said, None)
    desk.must(case, scene.actor(SUBDISTRICT, "supervisor"), do.CloseMatter())


def grid_finding(scene: Scene) -> None:
    """网格发现: no requester; a check on site takes the place of the callback."""
    desk, now = scene.desk, scene.desk.handle.clock()
    grid = scene.chance.choice(desk.district.grids)
    case, officer = desk.id(), scene.actor(grid, "grid_officer")
    scene.cases.append(case)
    register = do.RegisterMatter(
        number=desk.number(now.date()), source="grid", seen_at=now - timedelta(seconds=5),
        kind="hazard", code="HJ-01", demand="report", host=scene.community, grid=grid, proactive=True,
    )  # fmt: skip
    desk.must(case, officer, register, text="楼后垃圾堆放")
    window, secretary = (
        scene.actor(scene.community, "intake_officer"),
        scene.actor(scene.community, "officer"),
    )
    desk.must(case, window, do.AcceptMatter())
    desk.must(case, window, do.TriageMatter(scale="minor", demand="report", tier="community"))
    desk.must(case, secretary, do.StartHandling(how="self_handling"), note="已联系保洁")
    scene.wait(scene.chance.uniform(2, 5))
    desk.must(
        case, secretary, do.SubmitResult(disposition="solved", evidence=1), reply="已清理", evidence="照片"
    )
    caller = scene.actor(SUBDISTRICT, "callback_officer")
    desk.must(case, caller, do.RecordCallback(how="site_check", solved=True), wording="现场已清理")
    desk.must(case, scene.actor(SUBDISTRICT, "supervisor"), do.CloseMatter())


def whistle(scene: Scene, bodies: tuple[str, ...] | None = None) -> None:
    """吹哨: the departments report in, all in time."""
    chosen = bodies or tuple(scene.chance.sample(DEPARTMENTS, scene.chance.randint(1, 3)))
    resident = scene.desk.resident()
    case = scene.opened(CODES[chosen[0]], resident)
    legs = blown(scene, case, chosen)
    done(scene, case, legs)
    rated(scene, case, legs)
    scene.ended(case, resident)


def late_whistle(scene: Scene) -> None:
    """迟到: one department acknowledges late and checks in late; the clocks say so, nobody has to."""
    desk, resident, body = scene.desk, scene.desk.resident(), scene.department()
    case = scene.opened(CODES[body], resident)
    legs = blown(scene, case, (body,))
    scene.wait(scene.chance.uniform(3.5, 5))
    desk.must(case, scene.actor(body, "duty_officer"), odo.AcknowledgeLeg(leg=legs[body]))
    scene.wait(scene.chance.uniform(9, 14))
    officer = scene.actor(body, "officer")
    desk.must(
        case, officer, odo.CheckIn(leg=legs[body], place=scene.community, proof="photo"), proof="现场照片"
    )
    desk.reports(case, body, legs[body])
    desk.releases(case, legs[body])
    rated(scene, case, legs)
    scene.ended(case, resident)


def never_came(scene: Scene) -> None:
    """不应哨: the department never comes; supervised, shown to the district, and let go with that on record."""
    desk, resident, body = scene.desk, scene.desk.resident(), scene.department()
    case = scene.opened(CODES[body], resident)
    leg = blown(scene, case, (body,))[body]
    scene.wait(13)
    supervisor = scene.actor("centre", "supervisor")
    due = desk.handle.clock() + timedelta(seconds=6 * scene.pace)
    desk.must(case, supervisor, odo.SuperviseLeg(leg=leg, number="db-001", level="district", due=due))
    scene.wait(14)
    leader = scene.actor(SUBDISTRICT, "leadership_member")
    desk.must(case, leader, odo.ExcuseLeg(leg=leg, ground="never_came"), WHISTLE_POWER)
    scene.ended(case, resident)


def returned(scene: Scene) -> None:
    """退单: the department returns its order, the centre agrees, and the whistle goes to another."""
    desk, resident = scene.desk, scene.desk.resident()
    case = scene.opened("CG-02", resident)
    leg = blown(scene, case, ("dept-housing",))["dept-housing"]
    ask = odo.RequestReturn(leg=leg, ground="not_our_duty", basis="law:duty-list-2026")
    desk.must(case, scene.actor("dept-housing", "leader"), ask)
    scene.wait(1)
    ruling = odo.DecideReturn(leg=leg, granted=True, ground="duty_elsewhere")
    desk.must(case, scene.actor("centre", "dispatcher"), ruling)
    legs = blown(scene, case, (ORGAN,), "enforcement")
    done(scene, case, legs)
    scene.ended(case, resident)


def return_denied(scene: Scene) -> None:
    """The centre denies the return, and the denial binds."""
    desk, resident, body = scene.desk, scene.desk.resident(), scene.department()
    case = scene.opened(CODES[body], resident)
    leg = blown(scene, case, (body,))[body]
    desk.must(
        case, scene.actor(body, "leader"), odo.RequestReturn(leg=leg, ground="too_busy", basis="law:none")
    )
    scene.wait(1)
    desk.must(
        case, scene.actor("centre", "dispatcher"), odo.DecideReturn(leg=leg, granted=False, ground="no_basis")
    )
    officer = scene.actor(body, "officer")
    desk.must(case, officer, odo.ContactLeg(leg=leg))
    desk.must(case, officer, odo.CheckIn(leg=leg, place=scene.community, proof="code"), proof="现场码")
    desk.reports(case, body, leg)
    desk.releases(case, leg)
    scene.ended(case, resident)


def disputed(scene: Scene) -> None:
    """争议: whose duty it is shows only on site; the first receiver goes on acting until the panel rules."""
    desk, resident, body = scene.desk, scene.desk.resident(), "dept-housing"
    case = scene.opened(CODES[body], resident)
    leg = blown(scene, case, (body,))[body]
    desk.arrives(case, body, leg)
    desk.must(case, scene.actor(body, "leader"), odo.OpenDispute(leg=leg, ground="pipe_not_wall"))
    desk.must(case, scene.actor(body, "officer"), odo.NoteWork(leg=leg), note="先行处置")
    scene.wait(2)
    ruling = odo.AdjudicateDispute(leg=leg, outcome="stays", basis="ruling:panel-001")
    desk.must(case, scene.actor("panel", "adjudicator"), ruling)
    desk.reports(case, body, leg)
    desk.releases(case, leg)
    scene.ended(case, resident)


def extended(scene: Scene) -> None:
    """延期: asked for and granted before the moment was due; and a report that was not taken at first."""
    desk, resident, body = scene.desk, scene.desk.resident(), scene.department()
    case = scene.opened(CODES[body], resident)
    leg = blown(scene, case, (body,))[body]
    desk.arrives(case, body, leg)
    until = desk.handle.clock() + timedelta(seconds=36)
    ask = odo.RequestExtension(leg=leg, until=until, reason="material_ordered")
    desk.must(case, scene.actor(body, "leader"), ask)
    desk.must(
        case,
        scene.actor("centre", "supervisor"),
        odo.DecideExtension(leg=leg, granted=True, requester_told=True),
    )
    scene.wait(3)
    desk.reports(case, body, leg)
    leader = scene.actor(SUBDISTRICT, "leadership_member")
    desk.must(case, leader, odo.RejectLeg(leg=leg, reason="photo_unclear"), WHISTLE_POWER)
    desk.reports(case, body, leg)
    desk.releases(case, leg)
    scene.ended(case, resident)


def project(scene: Scene) -> None:
    """攻坚哨: secretary and director sign, a leader of the district releases together with the blower."""
    desk, resident = scene.desk, scene.desk.resident()
    case = scene.opened("XM-01", resident)
    legs = blown(scene, case, ("dept-housing", "dept-fire"), "project")
    for body, leg in legs.items():
        desk.arrives(case, body, leg)
        scene.wait(2)
        desk.reports(case, body, leg)
        desk.releases(case, leg)
        desk.must(case, scene.actor("450305", "district_leader"), odo.AcceptLeg(leg=leg))
    scene.ended(case, resident)


def emergency(scene: Scene) -> None:
    """应急哨: blown by the duty leader on the spot, confirmed by the leadership afterwards."""
    desk, resident = scene.desk, scene.desk.resident()
    scene.wait(3)  # the duty roster of a district that was founded just now begins a moment later
    case = desk.registers(resident, "GS-01", scene.community)
    scene.cases.append(case)
    desk.accepted_and_triaged(case, scene.community, urgent=True)
    order, leg = desk.id(), desk.id()
    leader, body = scene.actor(SUBDISTRICT, "duty_leader"), "dept-water"
    receivers = (Receiver(leg=leg, body=body, role="lead"),)
    draft = odo.DraftOrder(order=order, kind="whistle", whistle="emergency", receivers=receivers)
    desk.must(case, leader, draft, reason="燃气泄漏")
    desk.must(case, leader, odo.IssueOrder(order=order), WHISTLE_POWER)
    officer = scene.actor(body, "officer")
    desk.must(case, officer, odo.CheckIn(leg=leg, place=scene.community, proof="position"), proof="定位")
    confirm = odo.ConfirmAuthority(order=order)
    desk.must(case, scene.actor(SUBDISTRICT, "leadership_member"), confirm, WHISTLE_POWER)
    scene.wait(2)
    desk.reports(case, body, leg)
    desk.releases(case, leg)
    scene.ended(case, resident)


def call(scene: Scene, answer: Literal["self_handling", "whistle"] = "whistle") -> None:
    """社区呼叫: the community calls; the sub-district handles it itself or blows the whistle."""
    desk, resident, body = scene.desk, scene.desk.resident(), scene.department()
    case = scene.opened(CODES[body], resident)
    order, leg = desk.id(), desk.id()
    caller, secretary = (
        scene.actor(scene.community, "intake_officer"),
        scene.actor(scene.community, "community_secretary"),
    )
    receivers = (Receiver(leg=leg, body=SUBDISTRICT, role="lead"),)
    desk.must(
        case, caller, odo.DraftOrder(order=order, kind="call", receivers=receivers), reason="社区无力处置"
    )
    desk.must(case, secretary, odo.AuthoriseOrder(order=order))
    desk.must(case, caller, odo.IssueOrder(order=order))
    duty = scene.actor(SUBDISTRICT, "duty_officer")
    desk.must(case, duty, odo.AcknowledgeLeg(leg=leg))
    if answer == "whistle":
        legs = blown(scene, case, (body,), call=order)
        whistle_order = next(o.id for o in _orders(scene, case) if o.call == order)
        desk.must(case, duty, odo.AnswerCall(order=order, how="whistle", whistle=whistle_order))
        done(scene, case, legs)
        rated(scene, case, legs)
    else:
        desk.must(case, duty, odo.AnswerCall(order=order, how="self_handling"))
        scene.wait(2)
    report = odo.ReportLeg(leg=leg, outcome="done", evidence=1)
    desk.must(case, scene.actor(SUBDISTRICT, "duty_leader"), report, result="已办", evidence="照片")
    desk.must(case, secretary, odo.AcceptLeg(leg=leg))
    scene.ended(case, resident)


def _orders(scene: Scene, case: str) -> list[Order]:
    state = scene.desk.handle.load(case)
    return list(state.orders.values()) if state else []


def self_handled_call(scene: Scene) -> None:
    """A call that the sub-district deals with itself."""
    call(scene, "self_handling")


def call_out(scene: Scene) -> None:
    """调用: the sub-district orders a stationed squad out, by its own power and without a whistle."""
    resident = scene.desk.resident()
    case = scene.opened("CG-01", resident)
    done(scene, case, scene.desk.calls_out(case, ORGAN))
    scene.ended(case, resident)


def dispatch(scene: Scene) -> None:
    """派单: a 12345 order is graded by the centre and dispatched to a department, by its catalogue."""
    desk, resident, body = scene.desk, scene.desk.resident(), scene.department()
    now, case = desk.handle.clock(), desk.id()
    scene.cases.append(case)
    register = do.RegisterMatter(
        number=desk.number(now.date()), source="hotline_12345", seen_at=now, code=CODES[body],
        demand="help", host=scene.community, requesters=(resident.person,),
    )  # fmt: skip
    hotline, centre = scene.actor("hotline", "intake_officer"), scene.actor("centre", "dispatcher")
    desk.must(
        case, hotline, register, about=resident.person, text="来电反映", name="居民丙", contact="13700000000"
    )
    desk.must(case, scene.actor("centre", "intake_officer"), do.AcceptMatter())
    desk.must(case, centre, do.TriageMatter(scale="hard", demand="help", tier="district"))
    order, leg = desk.id(), desk.id()
    receivers = (Receiver(leg=leg, body=body, role="lead"),)
    desk.must(
        case, centre, odo.DraftOrder(order=order, kind="dispatch", receivers=receivers), reason="按目录派单"
    )
    desk.must(case, centre, odo.IssueOrder(order=order))
    desk.must(case, scene.actor(body, "duty_officer"), odo.AcknowledgeLeg(leg=leg))
    scene.wait(2)
    desk.reports(case, body, leg)
    desk.must(case, centre, odo.AcceptLeg(leg=leg))
    scene.ended(case, resident)
