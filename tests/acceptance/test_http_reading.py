"""Reading over HTTP: as it stands, as it was, page by page, and nothing at all of what the viewer may not see."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from tests.acceptance.http_world import HOTLINE, WORDS, Api, told

BY = ("hotline", "intake_officer")
OFFICER = ("sd-01", "officer")
STRANGER = ("dept-traffic", "officer")


def test_a_case_shows_its_public_fields_and_its_version_as_etag(api: Api) -> None:
    made = api.registered("GL-1")

    answer = api.get(f"/matters/{made['case']}", by=OFFICER)

    body = answer.json()
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["cache-control"] == "no-store"
    assert (body["number"], body["status"], body["host"], body["sight"]) == (
        made["number"],
        "registered",
        "com-01",
        "sealed",
    )
    assert [clock["stage"] for clock in body["clocks"]] == ["accept"]
    for word in (WORDS, "王某某", "13800000000", "GL-1"):
        assert word not in answer.text


def test_sealed_values_are_shown_for_a_purpose_and_that_is_on_record(api: Api) -> None:
    case = api.registered()["case"]

    without = api.get(f"/matters/{case}/sealed", by=OFFICER)
    shown = api.get(f"/matters/{case}/sealed", by=OFFICER, purpose="handling").json()
    reads = api.get(f"/matters/{case}/reads", by=OFFICER).json()["items"]

    assert told(without) == (422, "malformed")
    assert {value["name"]: value["value"] for value in shown["values"]} == {
        "text": WORDS, "name": "王某某", "contact": "13800000000",
    }  # fmt: skip
    assert [read["pub"]["purpose"] for read in reads] == ["handling"]
    assert reads[0]["person"] == api.district.staff[OFFICER]


def test_a_case_as_of_a_version_and_as_known_at_a_time_is_the_one_of_then(api: Api) -> None:
    case = api.graded()["case"]
    events = api.get(f"/matters/{case}/history", by=OFFICER).json()["items"]

    first = api.get(f"/matters/{case}", by=OFFICER, version=1)
    second = api.get(f"/matters/{case}", by=OFFICER, known_at=events[1]["recorded_at"])
    happened = api.get(f"/matters/{case}", by=OFFICER, happened_by=events[1]["occurred_at"])
    before = api.get(f"/matters/{case}", by=OFFICER, known_at="2020-01-01T00:00:00+08:00")
    later = api.get(f"/matters/{case}", by=OFFICER, version=9)

    assert (first.json()["status"], first.headers["etag"]) == ("registered", '"1"')
    assert (second.json()["status"], second.json()["version"]) == ("accepted", 2)
    assert happened.json()["status"] == "accepted"
    assert told(before) == told(later) == (404, "not_found")


def test_a_time_without_offset_is_refused(api: Api) -> None:
    case = api.registered()["case"]

    assert told(api.get(f"/matters/{case}", by=OFFICER, known_at="2026-11-23T10:00:00")) == (422, "malformed")


def test_the_history_is_read_page_by_page_to_its_end(api: Api) -> None:
    case = api.worked_off()["case"]
    whole = api.get(f"/matters/{case}/history", by=OFFICER).json()["items"]
    pages, cursor = [], None

    while True:
        page = api.get(
            f"/matters/{case}/history", by=OFFICER, limit=4, **({"cursor": cursor} if cursor else {})
        ).json()
        pages += page["items"]
        assert len(page["items"]) <= 4
        if (cursor := page.get("next")) is None:
            break

    assert pages == whole
    assert [event["version"] for event in whole] == list(range(1, len(whole) + 1))
    assert whole[0]["what"] == "登记 matter_registered"


def test_refusals_stand_beside_the_history(api: Api) -> None:
    case = api.registered()["case"]
    api.post(f"/matters/{case}/close", by=("sd-01", "supervisor"))

    found = api.get(f"/matters/{case}/refusals", by=OFFICER).json()["items"]

    assert [(one["pub"]["command_name"], one["pub"]["code"]) for one in found] == [
        ("close_matter", "wrong_state")
    ]


def test_an_auditors_questions_are_answered_with_the_events_that_prove_it(api: Api) -> None:
    case = api.worked_off()["case"]

    answers = api.get(f"/matters/{case}/questions", by=("450305", "supervisor"), question=[12]).json()

    assert [one["question"] for one in answers] == [12]
    assert answers[0]["rows"][0]["events"]
    assert told(api.get(f"/matters/{case}/questions", by=OFFICER, question=[99])) == (422, "malformed")


def test_lists_are_paged_without_a_gap_or_a_repetition(api: Api) -> None:
    made = {api.registered()["case"] for _ in range(7)}
    api.caught_up()
    for path in ("/matters", "/clocks"):
        found, cursor = list[str](), None
        while True:
            page = api.get(path, by=OFFICER, limit=3, **({"cursor": cursor} if cursor else {})).json()
            found += [row["case_id"] for row in page["items"]]
            if (cursor := page.get("next")) is None:
                break
        assert len(found) == len(set(found)), path
        assert made <= set(found), path


def test_a_work_list_is_the_callers_own(api: Api) -> None:
    made, leg = api.whistled("dept-housing")
    api.caught_up()

    housing = api.get("/work", by=("dept-housing", "duty_officer")).json()["items"]
    water = api.get("/work", by=("dept-water", "duty_officer")).json()["items"]

    assert (made["case"], "acknowledge", leg) in {(row["case_id"], row["act"], row["leg"]) for row in housing}
    assert made["case"] not in {row["case_id"] for row in water}


def test_the_work_of_another_body_shows_only_what_the_viewer_may_see(api: Api) -> None:
    made, _ = api.whistled("dept-housing")
    api.caught_up()

    by_office = api.get("/work", by=OFFICER, body="dept-housing").json()["items"]
    by_stranger = api.get("/work", by=STRANGER, body="dept-housing").json()["items"]

    assert made["case"] in {row["case_id"] for row in by_office}
    assert made["case"] not in {row["case_id"] for row in by_stranger}


def test_a_cursor_of_somebody_elses_list_is_refused(api: Api) -> None:
    for _ in range(3):
        api.registered()
    api.caught_up()
    cursor = api.get("/matters", by=OFFICER, limit=1).json()["next"]

    for sent in (cursor[:-8] + "AAAAAAA=", "x", "名"):
        assert told(api.get("/matters", by=OFFICER, limit=1, cursor=sent)) == (422, "malformed")
    assert told(api.get("/matters", by=BY, limit=1, cursor=cursor)) == (422, "malformed")
    assert told(api.get("/clocks", by=OFFICER, limit=1, cursor=cursor)) == (422, "malformed")


def test_the_receipt_is_the_one_of_the_intake(api: Api) -> None:
    made = api.registered()

    again = api.get(f"/matters/{made['case']}/receipt", by=BY)

    assert again.text == made["receipt"]
    assert told(api.get(f"/matters/{made['case']}/receipt/proof", by=BY)) == (409, "not_yet_cosigned")


# -- what the viewer may not see -----------------------------------------------------------------------------------------


COUNTED = ("date", "x-request-id", "ratelimit")


def same(one: httpx.Response, other: httpx.Response) -> None:
    """Not a byte apart, but for the clock in the headers, and what counts requests."""
    assert one.status_code == other.status_code == 404
    assert one.content == other.content
    headers = [{k: v for k, v in r.headers.items() if k not in COUNTED} for r in (one, other)]
    assert headers[0] == headers[1]


READINGS = (
    "",
    "/history",
    "/refusals",
    "/reads",
    "/notices",
    "/sealed?purpose=audit",
    "/questions",
    "/receipt",
    "/receipt/proof",
)


@pytest.mark.parametrize("reading", READINGS)
def test_a_case_that_the_viewer_may_not_see_is_one_that_does_not_exist(api: Api, reading: str) -> None:
    hidden = api.registered()
    accusation = _accusation(api)
    nothing = api.client.get(f"/api/v1/matters/{uuid4()}{reading}", headers=api.headers(STRANGER))

    for case in (hidden["case"], hidden["number"], accusation["case"], accusation["number"]):
        same(api.client.get(f"/api/v1/matters/{case}{reading}", headers=api.headers(STRANGER)), nothing)


@pytest.mark.parametrize("act", ["accept", "close", "supplement", "erase", "merge"])
def test_an_act_on_a_hidden_case_is_answered_like_one_on_none(api: Api, act: str) -> None:
    body = {
        "supplement": {"what": "urging", "source": "window"}, "erase": {"ground": "term_over"},
        "merge": {"master": str(uuid4()), "reason": "same"},
    }.get(act, {})  # fmt: skip
    hidden, accusation = api.registered()["case"], _accusation(api)["case"]
    api.get("/me", by=STRANGER)  # known from here on: the first request of a key counts as a stranger's
    nothing = api.post(f"/matters/{uuid4()}/{act}", body, by=STRANGER)

    for case in (hidden, accusation):
        before = api.engine.store.load(case)
        same(api.post(f"/matters/{case}/{act}", body, by=STRANGER), nothing)
        assert api.engine.store.load(case) == before


def test_an_accusation_is_hidden_from_the_hotline_that_wrote_it_down_and_open_to_discipline(api: Api) -> None:
    case = _accusation(api)["case"]

    assert told(api.get(f"/matters/{case}", by=BY)) == (404, "not_found")
    assert api.get(f"/matters/{case}", by=("discipline", "discipline_officer")).status_code == 200


def test_hidden_cases_are_in_no_list_and_under_no_number(api: Api) -> None:
    hidden = api.registered("GL-71")
    accusation = _accusation(api, outside=[{"source": HOTLINE, "number": "GL-72"}])
    api.caught_up()

    for path in ("/matters", "/clocks", "/work"):
        assert api.get(path, by=STRANGER).json()["items"] == []
        everything = {row["case_id"] for row in api.get(path, by=("centre", "dispatcher")).json()["items"]}
        assert accusation["case"] not in everything
    assert api.get("/matters", by=STRANGER, source=HOTLINE, number="GL-71").json()["items"] == []
    assert told(api.get(f"/matters/{HOTLINE}:GL-72", by=STRANGER)) == (404, "not_found")
    assert hidden["case"] in {row["case_id"] for row in api.get("/matters", by=BY).json()["items"]}


def test_a_case_handed_to_discipline_is_in_no_list_from_that_moment_however_far_the_lists_have_come(
    api: Api,
) -> None:
    case = api.registered()["case"]
    api.must(f"/matters/{case}/accept", by=("com-01", "intake_officer"))
    api.caught_up()
    listed = {row["case_id"] for row in api.get("/matters", by=OFFICER).json()["items"]}

    api.must(f"/matters/{case}/divert", {"to": "discipline"}, by=("com-01", "intake_officer"))

    assert case in listed
    assert case not in {row["case_id"] for row in api.get("/matters", by=OFFICER).json()["items"]}


def test_a_matter_is_found_by_its_own_number(api: Api) -> None:
    made = api.registered()
    api.registered()
    api.caught_up()

    found = api.get("/matters", by=BY, number=made["number"].lower()).json()["items"]

    assert [row["case_id"] for row in found] == [made["case"]]


def test_a_list_says_up_to_which_event_it_was_told(api: Api) -> None:
    api.registered()
    before = int(api.get("/matters", by=OFFICER).headers["huiyin-position"])
    api.caught_up()

    after = int(api.get("/matters", by=OFFICER).headers["huiyin-position"])

    assert before < after == api.engine.store.head()


def test_who_calls_is_told_to_the_caller(api: Api) -> None:
    me = api.get("/me", by=OFFICER).json()

    assert me["person"] == api.district.staff[OFFICER]
    assert me["posts"] == ["sd-01/officer"]


def _accusation(api: Api, **more: object) -> dict[str, str]:
    said = {
        "source": HOTLINE, "seen_at": "2026-11-20T09:30:00+08:00", "accusation": True, "anonymous": True,
        "sealed": {"text": "某干部收受礼金", "kind": "受贿"}, **more,
    }  # fmt: skip
    return api.must("/matters", said, by=BY)


def test_moments_are_written_in_utc_with_offset(api: Api) -> None:
    made = api.registered()

    shown = api.get(f"/matters/{made['case']}", by=OFFICER).json()

    assert shown["opened_at"].endswith("Z")
