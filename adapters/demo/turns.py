"""The turns a matter can take: refused, withdrawn, merged, split, deferred, escalated, reopened, confidential."""

from __future__ import annotations

from datetime import timedelta

from adapters.demo.district import SUBDISTRICT
from adapters.demo.scene import CODES, Scene, blown, done
from domain.matter import commands as do


def refused(scene: Scene) -> None:
    """不予受理: one officer proposes, a second confirms, the requester is told of another channel."""
    desk, resident = scene.desk, scene.desk.resident()
    case = desk.registers(resident, "FW-01", scene.community)
    scene.cases.append(case)
    proposal = do.ProposeRefusal(ground="in_court", other_channel="court")
    desk.must(case, scene.actor(scene.community, "intake_officer"), proposal)
    desk.must(case, scene.actor(scene.community, "community_secretary"), do.ConfirmRefusal())


def withdrawn(scene: Scene) -> None:
    """The requester withdraws, and somebody independent hears it from them."""
    desk, resident = scene.desk, scene.desk.resident()
    case, now = desk.id(), desk.handle.clock()
    scene.cases.append(case)
    register = do.RegisterMatter(
        number=desk.number(now.date()), source="resident_app", seen_at=now, code="MS-02",
        demand="consultation", host=scene.community, requesters=(resident.person,),
    )  # fmt: skip
    desk.must(case, resident, register, None, text="咨询社保转移", name="居民丁", contact="13600000000")
    desk.must(case, scene.actor(scene.community, "intake_officer"), do.AcceptMatter())
    desk.must(case, resident, do.RequestWithdrawal(requester=resident.person), None)
    desk.must(
        case, scene.actor(SUBDISTRICT, "callback_officer"), do.ConfirmWithdrawal(), wording="已自行解决"
    )


def merged(scene: Scene) -> None:
    """并案: two requests about one thing; each requester is called back."""
    first, second = scene.desk.resident(), scene.desk.resident()
    master, other = scene.opened("SL-01", first), scene.opened("SL-01", second)
    desk, window = scene.desk, scene.actor(scene.community, "intake_officer")
    desk.must(other, window, do.MergeMatter(master=master, reason="same_lamp"))
    done(scene, master, blown(scene, master, ("dept-traffic",)))
    desk.submits(master)
    for one in (first, second):
        desk.calls_back(master, one.person)
    desk.closes(master)


def split(scene: Scene) -> None:
    """Part of it becomes a matter of its own; the parent waits for it."""
    desk, resident = scene.desk, scene.desk.resident()
    case = scene.opened("FW-01", resident)
    legs = blown(scene, case, ("dept-housing",))
    child, today = desk.id(), desk.handle.clock().date()
    scene.cases.append(child)
    part = do.SplitMatter(child=child, number=desk.number(today), code="MS-01")
    desk.must(case, scene.actor(scene.community, "intake_officer"), part, text="临时安置")
    window, officer = scene.actor(scene.community, "intake_officer"), scene.actor(scene.community, "officer")
    desk.must(child, window, do.AcceptMatter())
    desk.must(child, window, do.TriageMatter(scale="minor", demand="help", tier="community"))
    desk.must(child, officer, do.StartHandling(how="self_handling"), note="已安置")
    desk.must(child, officer, do.SubmitResult(disposition="aided"), reply="已安排临时住处")
    caller = scene.actor(SUBDISTRICT, "callback_officer")
    desk.must(child, caller, do.RecordCallback(how="site_check", solved=True), wording="已入住")
    desk.closes(child)
    done(scene, case, legs)
    scene.ended(case, resident)


def deferred(scene: Scene) -> None:
    """挂账, reviewed, and taken up again; the clock gets that time back."""
    desk, resident = scene.desk, scene.desk.resident()
    case = scene.opened("XM-02", resident)
    legs = blown(scene, case, ("dept-housing",))
    leader = scene.actor(SUBDISTRICT, "leadership_member")
    review = desk.handle.clock() + timedelta(seconds=6)
    plan = do.DeferMatter(ground="needs_funds", review_by=review, requester_told=True)
    desk.must(case, leader, plan, plan="纳入明年计划")
    scene.wait(3)
    desk.must(case, leader, do.HoldReview(review_by=desk.handle.clock() + timedelta(seconds=6)))
    scene.wait(2)
    desk.must(case, leader, do.ResumeMatter())
    done(scene, case, legs)
    scene.ended(case, resident)


def escalated(scene: Scene) -> None:
    """上交: after an attempt at the community it goes up to the sub-district."""
    desk, resident, body = scene.desk, scene.desk.resident(), scene.department()
    case = scene.opened(CODES[body], resident)
    secretary = scene.actor(scene.community, "community_secretary")
    desk.must(case, secretary, do.RecordAttempt(settled=False), text="社区协调未果")
    desk.must(case, secretary, do.EscalateMatter(tier="subdistrict", ground="attempt"))
    done(scene, case, blown(scene, case, (body,)))
    scene.ended(case, resident)


def reopened(scene: Scene) -> None:
    """重办: the requester says that it is not solved; it is handled again."""
    desk, resident, body = scene.desk, scene.desk.resident(), scene.department()
    case = scene.opened(CODES[body], resident)
    done(scene, case, blown(scene, case, (body,)))
    desk.submits(case)
    desk.calls_back(case, resident.person, solved=False)
    desk.must(case, scene.actor(SUBDISTRICT, "callback_officer"), do.ReopenMatter(ground="not_solved"))
    done(scene, case, blown(scene, case, (body,)))
    desk.submits(case)
    reviewer = scene.actor(SUBDISTRICT, "reviewer")
    desk.must(case, reviewer, do.SendBackResult(reason="reply_unclear"))
    desk.submits(case)
    desk.must(case, reviewer, do.ReviewResult())
    desk.calls_back(case, resident.person)
    desk.closes(case)


def accusation(scene: Scene) -> None:
    """检举控告: confidential from the start; only discipline inspection knows that it exists."""
    desk, resident = scene.desk, scene.desk.resident()
    case, now = desk.id(), desk.handle.clock()
    scene.cases.append(case)
    register = do.RegisterMatter(
        number=desk.number(now.date()), source="resident_app", seen_at=now,
        requesters=(resident.person,), accusation=True,
    )  # fmt: skip
    desk.must(case, resident, register, None, text="反映违纪线索", name="居民戊", contact="13500000000")


def nobody_reached(scene: Scene) -> None:
    """回访 tried as often as the rulebook says and nobody answered: never counted as satisfied."""
    desk, resident, body = scene.desk, scene.desk.resident(), scene.department()
    case = scene.opened(CODES[body], resident)
    done(scene, case, blown(scene, case, (body,)))
    desk.submits(case)
    caller = scene.actor(SUBDISTRICT, "callback_officer")
    while (state := desk.handle.load(case)) is not None and state.status == "completed":
        desk.must(case, caller, do.RecordCallback(requester=resident.person, reached=False))
        scene.wait(0.5)
    desk.closes(case)


def urged(scene: Scene) -> None:
    """A second message under a known matter: a supplement, then an urging."""
    desk, resident, body = scene.desk, scene.desk.resident(), scene.department()
    case = scene.opened(CODES[body], resident)
    legs = blown(scene, case, (body,))
    desk.must(
        case, resident, do.AddSupplement(what="supplement", source="resident_app"), None, text="补充照片"
    )
    desk.must(case, resident, do.AddSupplement(what="urging", source="phone"), None, text="请尽快")
    done(scene, case, legs)
    scene.ended(case, resident)
