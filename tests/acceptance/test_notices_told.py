"""Residents and staff are told by message: what, to whom, once in effect, with the contact opened only to send it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from adapters.doctor import examine
from adapters.history.lines import line
from adapters.history.trail import as_of
from adapters.notices.role import channels_of
from adapters.reading import look
from adapters.settings import Settings
from domain.matter import commands as do
from domain.refusal import Refused
from domain.register.commands import ChangeContact
from tests.acceptance.notice_world import Told, telling
from tests.acceptance.staffing import enter
from workflows.rooms import REGISTER
from workflows.submission import Sealing

MAIL, PHONE = "someone@mail.example", "13811112222"


@pytest.fixture(params=("sqlite", "postgres"))
def told(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Told]:
    dsn = request.getfixturevalue("pg_database") if request.param == "postgres" else None
    with telling(tmp_path, dsn) as made:
        yield made


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Told]:
    with telling(tmp_path) as made:
        yield made


def test_a_life_is_told_to_its_requester_and_is_on_record_with_its_times(told: Told) -> None:
    desk = told.tale.desk
    case, (asker,) = told.register(MAIL)
    desk.accepted_and_triaged(case)
    handler = desk.district.actor("com-01", "officer")
    desk.must(case, handler, do.StartHandling(how="self_handling"), note="已上门")
    desk.submits(case)
    desk.calls_back(case, asker.person)
    desk.closes(case)
    told.tell()

    subjects = [mail["Subject"].split(" ")[0] for mail in told.box.to(MAIL)]
    assert subjects == ["已登记", "已受理", "已有答复", "已结案"]
    record = told.on_record(case)
    assert [one.type for one in record] == ["notice_delivered.v1"] * 4
    assert [one.pub.moment for one in record] == ["registered", "accepted", "answered", "closed"]
    assert {(one.pub.to, one.pub.channel, one.pub.case) for one in record} == {(asker.person, "smtp", case)}
    assert all(one.recorded_at.utcoffset() is not None for one in record)


def test_each_requester_is_told_over_the_way_that_leads_to_them(told: Told) -> None:
    told.register(MAIL, PHONE)
    told.tell()

    assert (len(told.box.to(MAIL)), len(told.hub.to(PHONE))) == (1, 1)
    assert len(told.box.taken) == len(told.hub.taken) == 1


def test_a_message_is_sent_once_however_often_the_outbox_is_read(told: Told) -> None:
    case, _ = told.register(MAIL)
    told.tell()
    told.consumer._at = 0
    told.outbox.move(0, told.engine.store.epoch())  # as after a restored outbox
    told.tell()
    told.tell()

    assert len(told.box.taken) == 1
    assert len(told.on_record(case)) == 1


def test_a_crash_between_sending_and_recording_repeats_it_under_the_same_id(
    here: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, _ = here.register(MAIL)
    here.follow()

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("adapters.notices.sending._delivered", crash)
    with pytest.raises(KeyboardInterrupt):
        here.deliver()
    monkeypatch.undo()
    here.tale.clock.turn(60)
    here.deliver()

    first, second = here.box.to(MAIL)
    assert first["Message-ID"] == second["Message-ID"]
    assert len(here.on_record(case)) == 1
    assert len(here.read(case)) == 1


def test_the_reading_of_a_contact_is_on_record_once_and_before_it_is_used(here: Told) -> None:
    case, _ = here.register(MAIL)
    here.box.to_data = lambda: "451 later"
    here.tell()
    before = [one.pub for one in here.read(case)]
    here.box.to_data = lambda: None
    here.tale.clock.turn(4000)
    here.deliver()

    reads = here.read(case)
    assert [one.pub for one in reads] == before
    assert [(one.pub.fields, one.pub.purpose, one.person) for one in reads] == [
        (("contact",), "notice:registered", "system:clock")
    ]
    assert len(here.box.to(MAIL)) == 1


def test_without_a_contact_nothing_is_sent_and_nothing_is_read(here: Told) -> None:
    case, _ = here.register(None)
    here.tell()

    assert (here.box.taken, here.hub.taken, here.read(case), here.on_record(case), here.waiting()) == (
        [],
        [],
        [],
        [],
        0,
    )


def test_who_declined_before_it_is_sent_is_told_nothing_more(here: Told) -> None:
    case, (asker,) = here.register(MAIL)
    here.follow()
    here.tale.desk.must(case, asker, do.StateNoticeWish(requester=asker.person, wanted=False), None)
    here.tell()

    assert (here.box.taken, here.read(case), here.waiting()) == ([], [], 0)


def test_whose_data_were_erased_before_it_is_sent_is_told_nothing(here: Told) -> None:
    case, (asker, other) = here.register(MAIL, PHONE)
    desk = here.tale.desk
    desk.accepted_and_triaged(case)
    here.follow()
    desk.must(case, asker, do.RequestWithdrawal(requester=asker.person), None)
    desk.must(
        case, desk.district.actor("sd-01", "callback_officer"), do.ConfirmWithdrawal(requester=asker.person)
    )
    archivist = desk.district.actor("archive", "archivist")
    desk.must(case, archivist, do.EraseData(ground="consent_withdrawn", about=asker.person))
    here.tell()

    assert here.box.taken == []
    assert {said["moment"] for said in here.hub.to(PHONE)} == {"registered", "accepted"}
    assert all(one.pub.to == other.person for one in here.on_record(case))


def test_of_an_accusation_no_message_ever_goes_out(here: Told) -> None:
    case, (asker,) = here.register(MAIL, accusation=True, kind=None, code=None, demand=None, host=None)
    here.tell()

    assert (here.box.taken, here.read(case), here.on_record(case)) == ([], [], [])
    assert asker.person


def test_what_waits_when_a_case_is_handed_to_discipline_inspection_is_withheld(here: Told) -> None:
    case, _ = here.register(MAIL)
    here.follow()
    desk = here.tale.desk
    desk.must(case, desk.district.actor("com-01", "intake_officer"), do.DivertMatter(to="discipline"))
    here.tell()

    assert (here.box.taken, here.on_record(case), here.waiting()) == ([], [], 0)


def test_a_mailbox_that_is_refused_for_good_is_on_record_as_not_told(here: Told) -> None:
    case, _ = here.register(MAIL)
    here.box.to_recipient = lambda address: f"550 <{address}> unknown"
    here.tell()

    (failed,) = here.on_record(case)
    assert (failed.type, failed.pub.code, failed.pub.channel) == (
        "notice_failed.v1",
        "recipient_refused",
        "smtp",
    )
    assert here.waiting() == 0


@pytest.mark.parametrize(
    "contact", ["微信 wang", "a@x.example\r\nBcc: b@x.example", "13800000000, 13900000000"]
)
def test_a_contact_that_is_no_address_reaches_nobody_and_is_on_record(here: Told, contact: str) -> None:
    case, _ = here.register(contact)
    here.tell()

    (failed,) = here.on_record(case)
    assert (failed.pub.code, failed.pub.channel) == ("no_way_there", "none")
    assert (here.box.taken, here.hub.taken) == ([], [])


def test_a_gateway_that_is_down_holds_up_no_mail_and_gets_everything_later(told: Told) -> None:
    case, _ = told.register(PHONE, MAIL)
    told.hub.answer = lambda _: 503
    told.tell()
    mails = len(told.box.to(MAIL))
    told.tale.desk.accepted_and_triaged(case)
    told.hub.answer = lambda _: 204
    told.tale.clock.turn(4000)
    told.tell()
    told.tale.clock.turn(4000)
    told.deliver()

    assert mails == 1
    assert [said["moment"] for said in told.hub.to(PHONE)] == ["registered", "accepted"]
    assert told.waiting() == 0


def test_staff_are_told_of_a_task_of_a_due_moment_and_of_its_lateness(told: Told) -> None:
    duty = told.staff("dept-housing", "duty_officer", "duty@housing.example")
    case, _ = told.register(None)
    told.tale.desk.accepted_and_triaged(case)
    told.tale.desk.whistles(case, ("dept-housing",))
    for _ in range(30):
        told.tale.clock.turn(1)
        told.tale.steps(case)
    told.tell()

    moments = [one.pub.moment for one in told.on_record(case) if one.pub.to == duty.person]
    assert moments[0] == "task_arrived"
    assert {"due_soon", "due_missed", "urged"} <= set(moments)
    assert len(told.box.to("duty@housing.example")) == len(moments)
    assert {one.pub.fields for one in told.read(REGISTER)} == {("contact",)}


def test_an_officer_whose_contact_was_changed_is_told_at_the_newest_one_alone(told: Told) -> None:
    duty = told.staff("dept-housing", "duty_officer", "first@housing.example")
    for contact in ("second@housing.example", "third@housing.example"):
        enter(
            told.engine, told.tale.desk.district, ChangeContact(person=duty.person),
            Sealing("contact", duty.person, contact),
        )  # fmt: skip
    case, _ = told.register(None)
    told.tale.desk.accepted_and_triaged(case)
    told.tale.desk.whistles(case, ("dept-housing",))
    told.tell()

    assert [one.pub.moment for one in told.on_record(case) if one.pub.to == duty.person] == ["task_arrived"]
    assert [len(told.box.to(f"{who}@housing.example")) for who in ("first", "second", "third")] == [0, 0, 1]


def test_nothing_happens_where_no_way_out_is_named(tmp_path: Path) -> None:
    with telling(tmp_path) as here:
        here.begin(smtp_host=None, notice_url=None)
        case, _ = here.register(MAIL)
        here.follow()

        assert (here.waiting(), here.on_record(case)) == (0, [])


def test_what_happened_before_the_office_had_a_way_out_is_not_told_afterwards(tmp_path: Path) -> None:
    with telling(tmp_path) as here:
        since = here.subscriptions.get("notices").since
        assert since > 0  # the district had been founded
        here.tell()

        assert here.box.taken == []


def test_an_auditor_reads_when_the_resident_was_told_and_by_which_way(here: Told) -> None:
    case, (asker,) = here.register(MAIL)
    here.tell()
    viewer = here.tale.desk.district.actor("sd-01", "officer")

    trail = as_of(here.engine, look(here.engine, case, viewer))
    (fact,) = trail.notices

    assert (fact.pub.to, fact.pub.moment, fact.pub.about) == (asker.person, "registered", 1)
    said = line(trail, fact)
    assert said["what"] == "通知送达 notice_delivered"
    assert "channel=smtp" in said["about"]


def test_the_requester_of_a_merged_matter_is_told_under_the_number_they_know(here: Told) -> None:
    master, _ = here.register(PHONE)
    merged, _ = here.register(MAIL)
    desk = here.tale.desk
    desk.accepted_and_triaged(master)
    intake = desk.district.actor("com-01", "intake_officer")
    desk.must(merged, intake, do.MergeMatter(master=master, reason="same_lift"))
    desk.must(
        master, desk.district.actor("com-01", "officer"), do.StartHandling(how="self_handling"), note="已上门"
    )
    desk.submits(master)
    here.tell()

    known = here.engine.handle.load(merged)
    assert known is not None
    subjects = [mail["Subject"] for mail in here.box.to(MAIL)]
    assert [one.split(" ")[0] for one in subjects] == ["已登记", "合并办理", "已有答复"]
    assert all(known.number in one for one in subjects)
    assert {one.pub.to for one in here.on_record(master) if one.pub.channel == "smtp"} == set(
        known.requesters
    )
    assert [one.pub.purpose for one in here.read(merged)] == [
        "notice:registered",
        "notice:merged",
        "notice:answered",
    ]


def test_who_declined_in_the_merged_matter_is_told_nothing_by_its_master(here: Told) -> None:
    master, _ = here.register(PHONE)
    merged, (asker,) = here.register(MAIL)
    desk = here.tale.desk
    desk.accepted_and_triaged(master)
    intake = desk.district.actor("com-01", "intake_officer")
    desk.must(merged, asker, do.StateNoticeWish(requester=asker.person, wanted=False), None)
    desk.must(merged, intake, do.MergeMatter(master=master, reason="same_lift"))
    desk.must(
        master, desk.district.actor("com-01", "officer"), do.StartHandling(how="self_handling"), note="已上门"
    )
    here.tell()

    assert here.box.to(MAIL) == []


def test_a_fault_in_one_way_out_holds_up_its_own_messages_alone(
    here: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("quotes 13811112222")

    here.register(MAIL, PHONE)
    monkeypatch.setattr("adapters.notices.gateway.signed", broken)
    here.tell()

    assert (len(here.box.to(MAIL)), here.hub.taken, here.waiting()) == (1, [], 1)


@pytest.mark.parametrize(
    "secret", ["", "secret", "whsec_", "whsec_!!", "whsec_QUJD", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"]
)
def test_a_gateway_without_a_proper_secret_is_refused(secret: str) -> None:
    with pytest.raises(Refused, match="HUIYIN_NOTICE_SECRET"):
        channels_of(Settings(notice_url="http://127.0.0.1/notices", notice_secret=SecretStr(secret)))


@pytest.mark.parametrize(
    ("settings", "ok", "said"),
    [
        ({}, True, "by smtp, gateway"),
        ({"smtp_host": None, "notice_url": None}, None, "nobody is told by message"),
        ({"notice_secret": None}, False, "HUIYIN_NOTICE_SECRET"),
        ({"smtp_from": "王 <a@b.example>"}, False, "HUIYIN_SMTP_FROM"),
        ({"smtp_user": "u"}, False, "No password goes out in clear"),
        ({"notice_url": "ftp://x"}, False, "http"),
        ({"notice_texts": Path("/nowhere/at/all")}, False, "no folder"),
        ({"smtp_port": 1}, False, "nobody answers at smtp"),
    ],
)  # fmt: skip
def test_the_doctor_says_how_notices_go_out_and_what_is_wrong(
    here: Told, settings: dict[str, Any], ok: bool | None, said: str
) -> None:
    engine = replace(here.engine, settings=here.engine.settings.model_copy(update=settings))

    (check,) = [one for one in examine(engine) if one.name == "notices"]

    assert (check.ok, said in check.said) == (ok, True), check
