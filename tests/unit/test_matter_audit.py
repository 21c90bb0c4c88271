"""Ways round the rules of a matter, each tried: intake, confidential matters, handling, callback, families, words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter import order_commands as odo
from domain.matter import order_events as oev
from domain.matter.closing import sampled
from tests.unit.matter_lives import (
    ASKER,
    CALLER,
    CENTRE,
    CENTRE_SUPERVISOR,
    DISCIPLINE,
    HANDLER,
    INTAKE,
    KINDS,
    LEADER,
    LEGS,
    MASTER,
    REVIEWER,
    SD_OFFICER,
    SECRETARY,
    SUPERVISOR,
    TO_CALLED_BACK,
    TO_CLOSED,
    TO_COMPLETED,
    TO_HANDLING,
    TO_TRIAGED,
    accepted,
    accusation,
    acknowledged,
    blown,
    called_back,
    checked_in,
    closed,
    deferred,
    deferring,
    drafted,
    drafting,
    handled,
    merged,
    registered,
    registration,
    released,
    submitted,
    triaged,
    with_master,
)
from tests.unit.matter_world import WHISTLE, World, enter, law, officer, powered, resident, uid

SERVICE = KINDS["whistle.service"]
SPLIT = do.SplitMatter(child=uid(3), number="450305-20260302-0000003", host="com-01")
HOTLINE_INTAKE = officer("hotline", "intake_officer")
GRID = officer("grid-01", "grid_officer")
SAID = do.RecordCallback(requester=ASKER.person, solved=True, satisfaction="satisfied")


def accused() -> World:
    world = World()
    world.do(ASKER, accusation())
    world.do(DISCIPLINE, do.AcceptMatter())
    return world


# -- what is confidential stays in its own stream


@pytest.mark.parametrize(
    "public",
    [
        {"code": "FW-01"}, {"demand": "report"}, {"kind": "petition"}, {"host": "com-01"},
        {"communities": ("com-01",)}, {"grid": "grid-01"}, {"subject": "dept-a"}, {"repeat_of": uid(7)},
    ],
    ids=lambda public: next(iter(public)),
)  # fmt: skip
def test_an_accusation_is_not_registered_with_anything_public_about_it(public: dict[str, Any]) -> None:
    World().when(ASKER, accusation().model_copy(update=public)).refused("confidential")


def test_an_accusation_is_graded_without_saying_what_it_is_about() -> None:
    world = accused()
    grade = do.TriageMatter(scale="hard", tier="district")

    world.when(DISCIPLINE, grade.model_copy(update={"demand": "report"})).refused("confidential")
    world.when(DISCIPLINE, grade.model_copy(update={"code": "XF-01"})).refused("confidential")
    world.when(DISCIPLINE, grade).then(ev.MatterTriaged)
    assert (world.story[-1].pub.demand, world.story[-1].pub.code) == (None, None)
    assert world.state.clock("", "finish") is not None

    again = do.RetriageMatter(scale="hard", urgent=True, demand="report", reason="worse")
    world.when(DISCIPLINE, again).refused("confidential")


def test_an_ordinary_matter_is_not_graded_without_its_class() -> None:
    world = World().given(registered, accepted)

    world.when(INTAKE, do.TriageMatter(scale="hard", tier="community")).refused("demand_missing")


def test_no_part_of_an_accusation_is_split_into_the_open() -> None:
    accused().when(DISCIPLINE, SPLIT).refused("confidential")


def test_an_accusation_is_not_merged_into_an_ordinary_matter() -> None:
    world = accused().given(with_master)

    world.when(DISCIPLINE, do.MergeMatter(master=MASTER, reason="same")).refused("confidential")


def test_a_closed_matter_is_handed_over_once_it_shows_to_be_an_accusation() -> None:
    world = World().given(*TO_CLOSED)

    world.when(INTAKE, do.DivertMatter(to="jw")).then(ev.MatterDiverted, status="refused")
    world.when(ASKER, do.ReopenMatter(ground="not_solved")).refused("wrong_state")


# -- nobody deals with a complaint about themselves


def about(subject: str) -> World:
    world = World()
    world.do(ASKER, registration(subject=subject))
    return world


def test_the_unit_complained_about_neither_refuses_nor_accepts() -> None:
    world = about("com-01")

    for actor in (INTAKE, GRID):
        world.when(world.also(actor, actor.body, "intake_officer"), do.AcceptMatter()).refused(
            "not_your_body"
        )
    world.when(INTAKE, do.ProposeRefusal(ground="x", other_channel="y")).refused("not_your_body")
    world.when(SECRETARY, do.ConfirmRefusal()).refused("not_your_body")
    world.when(officer("sd-01", "intake_officer"), do.AcceptMatter()).then(ev.MatterAccepted)


def test_whoever_also_sits_in_the_unit_complained_about_acts_in_no_other_post() -> None:
    world = about("com-01")
    elsewhere = world.also(INTAKE, "sd-01", "intake_officer")

    world.when(elsewhere, do.AcceptMatter()).refused("not_your_body")


def test_a_body_below_the_one_complained_about_is_left_out_too_and_a_centre_grades_instead() -> None:
    world = about("sd-01")
    world.when(INTAKE, do.AcceptMatter()).refused("not_your_body")
    world.do(officer("centre", "intake_officer"), do.AcceptMatter())

    grade = do.TriageMatter(scale="hard", demand="complaint", tier="community")
    world.when(CENTRE, grade).then(ev.MatterTriaged)


def test_a_centre_grades_nothing_else_that_belongs_to_a_community() -> None:
    world = World().given(registered, accepted)
    grade = do.TriageMatter(scale="hard", demand="complaint", tier="community")

    world.when(CENTRE, grade).refused("not_your_triage")


def test_the_unit_complained_about_is_not_summoned_and_summons_nobody() -> None:
    world = about("dept-a").given(accepted, triaged)
    world.when(SD_OFFICER, drafting(SERVICE)).refused("accused")
    world.given(blown(SERVICE, ("dept-b",)))
    add = odo.AddLeg(order=uid(100), leg=uid(150), body="dept-a", ground="needed")
    world.when(LEADER, add).refused("accused")

    own = about("sd-01")
    own.do(officer("centre", "intake_officer"), do.AcceptMatter())
    own.do(CENTRE, do.TriageMatter(scale="hard", demand="complaint", tier="community"))
    own.when(SD_OFFICER, drafting(SERVICE)).refused("accused")


# -- intake


def test_an_emergency_of_no_known_class_has_the_short_clock() -> None:
    world = World()
    world.do(ASKER, registration(emergency=True, demand=None))

    assert world.state.clocks["/accept"].of == "help.urgent"


@pytest.mark.parametrize(
    "number", ["13800000000", "450305-1", "450305-20260302-12345678", "450305-20260302-abcdefg", ""]
)
def test_a_number_is_a_matters_number_and_no_telephone(number: str) -> None:
    with pytest.raises(ValidationError):
        registration(number=number)


@pytest.mark.parametrize("word", ["13800000000", "call-1380000", "LiSi:450305199001011234"])
def test_a_code_holds_no_telephone_and_no_identity_number(word: str) -> None:
    with pytest.raises(ValidationError):
        do.ProposeRefusal(ground=word, other_channel="court")


def test_a_code_may_hold_a_random_id_and_a_year() -> None:
    assert do.StartHandling(how="order", ref="01234567-0123-4123-8123-012345678901").ref
    assert do.ProposeRefusal(ground="law:street-office-2026", other_channel="court").ground


@pytest.mark.parametrize(("grid", "code"), [("ZhangSan-502", "unknown_body"), ("dept-a", "wrong_body")])
def test_a_grid_is_one_of_the_register(grid: str, code: str) -> None:
    World().when(ASKER, registration(grid=grid)).refused(code)


def test_nobody_checks_in_at_a_place_that_the_register_does_not_know() -> None:
    world = World().given(*TO_TRIAGED, blown(SERVICE), acknowledged)
    there = odo.CheckIn(leg=LEGS[0], place="LiSi-Building7", proof="code")

    world.when(officer("dept-a", "officer"), there).refused("unknown_body")


@pytest.mark.parametrize("body", ["sd-02", "dept-a"])
def test_an_office_that_does_not_carry_the_matter_adds_no_words_and_no_requesters(body: str) -> None:
    world = World().given(*TO_TRIAGED)
    stranger = world.also(officer(body, "officer"), body, "intake_officer")

    world.when(stranger, do.AddSupplement(what="urging", source="phone")).refused("not_your_body")
    joining = do.JoinRequester(requester=resident(5).person, source="phone")
    world.when(stranger, joining).refused("not_your_body")
    world.when(HOTLINE_INTAKE, joining).then(ev.RequesterJoined)
    world.when(HOTLINE_INTAKE, do.AddSupplement(what="urging", source="phone")).then(ev.MatterSupplemented)


def test_a_grid_officer_of_the_host_tries_and_one_elsewhere_does_not() -> None:
    world = World().given(*TO_HANDLING)
    world.when(GRID, do.RecordAttempt(settled=False)).then(ev.AttemptRecorded)

    other = World()
    other.do(ASKER, registration(host="com-02"))
    window = officer("com-02", "intake_officer")
    other.do(window, do.AcceptMatter())
    other.do(window, do.TriageMatter(scale="hard", demand="help", tier="community"))
    other.when(GRID, do.RecordAttempt(settled=False)).refused("not_your_body")


def test_nobody_below_the_sub_district_defers() -> None:
    world = World().given(*TO_HANDLING)
    chief = world.also(GRID, "grid-01", "leader")

    world.when(chief, deferring(world)).refused("not_your_body")


# -- escalation, urgency


def test_a_power_above_is_cited_in_force_and_held_at_that_tier() -> None:
    world = World().given(*TO_HANDLING)
    to_district = do.EscalateMatter(tier="district", ground="power_above")
    to_subdistrict = do.EscalateMatter(tier="subdistrict", ground="power_above")

    world.when(SECRETARY, to_subdistrict, authority="because").refused("power_not_cited")
    world.when(SECRETARY, to_district, authority=WHISTLE).refused("power_elsewhere")
    world.register = enter(world.register, powered("power-district", "authorise", "gl", ()))
    world.copy().when(SECRETARY, to_district, authority="power-district").then(ev.MatterEscalated)
    world.when(SECRETARY, to_subdistrict, authority=WHISTLE).then(ev.MatterEscalated)


def test_only_the_present_tier_brings_a_matter_up() -> None:
    world = World().given(*TO_HANDLING)
    world.do(SECRETARY, do.RecordAttempt(settled=False))

    world.when(LEADER, do.EscalateMatter(tier="subdistrict", ground="attempt")).refused("not_your_tier")
    world.when(SECRETARY, do.EscalateMatter(tier="subdistrict", ground="attempt")).then(ev.MatterEscalated)


def test_a_tier_that_the_rulebook_no_longer_knows_is_refused_and_no_crash() -> None:
    world = World().given(*TO_HANDLING)
    world.state.tier = "neighbourhood"

    world.when(SECRETARY, do.EscalateMatter(tier="subdistrict", ground="attempt")).refused("unknown_tier")


def test_an_urgent_matter_is_not_met_by_a_note_at_the_desk() -> None:
    world = World().given(registered, accepted, lambda w: triaged(w, urgent=True), handled)

    world.when(SD_OFFICER, do.SubmitResult(disposition="explained")).refused("no_on_site_response")
    assert world.state.clocks["/onsite"].stopped is None


def test_an_urgent_matter_is_met_by_a_check_in() -> None:
    world = World().given(registered, accepted, lambda w: triaged(w, urgent=True), blown(SERVICE))

    assert not world.state.met
    assert world.given(acknowledged, checked_in).state.met


# -- more time


def asking(world: World) -> do.RequestMatterExtension:
    return do.RequestMatterExtension(
        until=world.state.clocks["/finish"].due + timedelta(seconds=5), reason="busy"
    )


GRANT = do.DecideMatterExtension(granted=True, requester_told=True)


def test_neither_the_body_that_asked_nor_one_below_it_extends_its_clock() -> None:
    world = World().given(*TO_HANDLING)
    world.do(SD_OFFICER, asking(world))

    world.when(LEADER, GRANT).refused("own_clock")
    world.when(world.also(INTAKE, "com-01", "leadership_member"), GRANT).refused("own_clock")
    world.when(officer("gl", "district_leader"), GRANT).then(oev.ExtensionDecided)


def test_whoever_handles_the_matter_does_not_extend_its_clock() -> None:
    world = World().given(*TO_HANDLING)
    world.do(SD_OFFICER, asking(world))

    world.when(world.also(HANDLER, "centre", "supervisor"), GRANT).refused("same_person")


def test_an_extension_is_not_granted_behind_the_requesters_back() -> None:
    world = World().given(*TO_HANDLING)
    world.do(SD_OFFICER, asking(world))

    world.when(CENTRE_SUPERVISOR, do.DecideMatterExtension(granted=True)).refused("requester_not_told")
    world.when(CENTRE_SUPERVISOR, do.DecideMatterExtension(granted=False)).then(oev.ExtensionDecided)


@pytest.mark.parametrize("end", [closed, lambda w: w.do(CALLER, do.ReopenMatter(ground="not_solved"))])
def test_a_wish_for_more_time_falls_when_the_matter_is_closed_or_reopened(end: Any) -> None:
    world = World().given(*TO_HANDLING)
    world.do(SD_OFFICER, asking(world))
    world.given(submitted, lambda w: called_back(w, solved=False), end)

    assert not world.state.extensions
    assert world.state.clocks["/decide_extension"].stopped is not None


def test_a_deferral_gives_working_time_back_after_an_extension() -> None:
    monday = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # 10:00 in the office
    world = World(book=law("gulou"), now=monday).given(*TO_HANDLING)
    clock = world.state.clocks["/finish"]
    until = clock.due + timedelta(days=1)
    world.do(SD_OFFICER, do.RequestMatterExtension(until=until, reason="busy"))
    world.do(CENTRE_SUPERVISOR, GRANT)
    calendar = world.book.calendar
    plan = do.DeferMatter(ground="x", review_by=world.now + timedelta(days=9), requester_told=True)
    world.now = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)  # Friday 17:00
    left = calendar.working_time_between(world.now, until)
    world.do(LEADER, plan.model_copy(update={"review_by": world.now + timedelta(days=9)}))
    world.now = datetime(2026, 3, 9, 1, 0, tzinfo=UTC)  # Monday 9:00
    world.do(LEADER, do.ResumeMatter())

    due = world.state.clocks["/finish"].due
    assert calendar.working_time_between(world.now, due) == left


# -- callback and closing


def test_what_was_heard_is_sealed_beside_what_was_ticked() -> None:
    world = World().given(*TO_COMPLETED)

    world.when(CALLER, SAID, sealed=()).refused("text_missing")
    nobody = do.RecordCallback(requester=ASKER.person, reached=False)
    world.when(CALLER, nobody, sealed=()).then(ev.CallbackTried)


def test_what_is_not_solved_is_closed_by_a_reviewer_alone() -> None:
    world = World().given(*TO_CALLED_BACK)

    world.when(CALLER, do.CloseMatter()).refused("not_solved")
    world.when(SUPERVISOR, do.CloseMatter()).then(ev.MatterClosed)


def test_what_is_solved_is_closed_by_the_callback_officer() -> None:
    world = World().given(*TO_COMPLETED, called_back)

    world.when(CALLER, do.CloseMatter()).then(ev.MatterClosed)


PARTS = {
    "attempt": (SECRETARY, lambda w: w.do(SECRETARY, do.RecordAttempt(settled=False))),
    "draft": (SD_OFFICER, drafted(SERVICE)),
    "signature and release": (LEADER, lambda w: w.given(blown(SERVICE), released)),
}


@pytest.mark.parametrize("part", PARTS)
def test_nobody_who_had_a_part_calls_back_closes_or_confirms_a_withdrawal(part: str) -> None:
    actor, step = PARTS[part]
    world = World().given(*TO_HANDLING, step)
    caller, closer = world.also(actor, "sd-01", "callback_officer"), world.also(actor, "sd-01", "supervisor")
    leaving = world.copy()
    leaving.do(ASKER, do.RequestWithdrawal(requester=ASKER.person))
    leaving.when(caller, do.ConfirmWithdrawal()).refused("same_person")

    other = world.also(REVIEWER, "sd-01", "officer")
    world.do(other, do.SubmitResult(disposition="solved", evidence=1))
    world.when(caller, SAID).refused("same_person")
    world.given(called_back).when(closer, do.CloseMatter()).refused("same_person")


def test_the_sample_is_drawn_by_chance_that_comes_with_the_registration() -> None:
    world = World().given(registered)
    book = world.book.book

    assert world.state.draw == f"{world.case}:{world.story[0].nonce}"
    assert sampled(world.state.draw, book, "hard")


# -- withdrawal


def test_a_withdrawal_that_an_officer_wrote_is_denied_by_the_requester() -> None:
    world = World().given(*TO_HANDLING)
    world.do(INTAKE, do.RequestWithdrawal(requester=ASKER.person))

    world.when(resident(2), do.DenyWithdrawal(requester=ASKER.person)).refused("not_the_requester")
    world.when(INTAKE, do.DenyWithdrawal()).refused("not_your_post")
    by_phone = world.copy()
    by_phone.when(CALLER, do.DenyWithdrawal()).then(ev.WithdrawalDenied, status="in_handling")
    world.when(ASKER, do.DenyWithdrawal()).then(ev.WithdrawalDenied, status="in_handling")
    world.when(CALLER, do.ConfirmWithdrawal()).refused("nothing_withdrawn")
    world.when(ASKER, do.DenyWithdrawal()).refused("nothing_withdrawn")


# -- families


def test_a_master_whose_merged_requesters_wait_is_not_refused() -> None:
    world = World()
    world.case = MASTER
    world.do(resident(2), registration(number="450305-20260302-0000002", requesters=(resident(2).person,)))
    world.case = uid(1)
    world.given(*TO_TRIAGED, merged)
    world.case = MASTER
    world.do(INTAKE, do.ProposeRefusal(ground="in_court", other_channel="court"))

    world.when(SECRETARY, do.ConfirmRefusal()).refused("absorbed_waits")
    world.case = uid(1)
    world.do(INTAKE, do.ReverseMerge(master=MASTER))
    world.case = MASTER
    world.when(SECRETARY, do.ConfirmRefusal()).then(ev.MatterRefused)


def test_what_is_said_about_a_merged_matter_reaches_its_master() -> None:
    world = World().given(with_master, *TO_TRIAGED, merged)
    world.do(ASKER, do.AddSupplement(what="supplement", source="resident_app"))

    told = world.stories[MASTER][-1].pub
    assert isinstance(told, ev.MatterSupplemented)
    assert (told.merged, told.requester) == (world.case, ASKER.person)


def test_a_deferred_matter_takes_its_requesters_clock_into_its_master() -> None:
    world = World().given(with_master, *TO_HANDLING)
    due = world.state.clocks["/finish"].due
    world.later(5).given(deferred).later(4).given(merged)

    clock = world.states[MASTER].clocks[f"{world.case}/finish"]
    assert (clock.due, clock.stopped) == (due + timedelta(seconds=4), None)


def test_a_matter_that_was_late_before_it_was_deferred_stays_late_in_its_master() -> None:
    world = World().given(with_master, *TO_HANDLING)
    due = world.state.clocks["/finish"].due
    world.later(60).given(deferred, merged)

    assert world.states[MASTER].clocks[f"{world.case}/finish"].due == due


def test_a_late_child_gives_its_parent_no_fresh_clock_before_the_requester_was_answered() -> None:
    world = World().given(*TO_HANDLING)
    due = world.state.clocks["/finish"].due
    world.later(5).given(submitted).later(5).do(INTAKE, SPLIT)

    clock = world.state.clocks["/finish"]
    assert (world.state.status, clock.due, clock.stopped) == ("in_handling", due, None)
