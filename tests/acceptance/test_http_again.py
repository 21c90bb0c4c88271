"""A 12345 order that is sent again under a known number: never swallowed, never doubled, and the answer says what it became."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.acceptance.http_world import HOTLINE, Api, told

BY = ("hotline", "intake_officer")


def numbered(api: Api, made: dict[str, Any], number: str) -> None:
    """Give a matter the hotline's number."""
    said = {"what": "urging", "source": HOTLINE, "outside": [{"source": HOTLINE, "number": number}]}
    api.must(f"/matters/{made['case']}/supplement", said, by=BY)


def types(api: Api, case: str) -> list[str]:
    return [row.type for row in api.engine.store.load(case)]


def test_more_words_under_a_known_number_become_a_supplement(api: Api) -> None:
    first = api.registered("GL-101")

    again = api.post("/matters", api.order("GL-101", sealed={"text": "今天又停了"}), by=BY)

    body = again.json()
    assert again.status_code == 200
    assert (body["case"], body["number"], body["became"]) == (first["case"], first["number"], "supplement")
    assert types(api, first["case"]) == ["matter_registered.v1", "matter_supplemented.v1"]


def test_a_message_without_words_is_an_urging(api: Api) -> None:
    first = api.registered("GL-201")

    again = api.must("/matters", api.order("GL-201", sealed=None, requesters=[]), by=BY)

    assert (again["case"], again["became"]) == (first["case"], "urging")


def test_a_message_says_itself_what_it_is(api: Api) -> None:
    first = api.registered("GL-301")

    again = api.must("/matters", api.order("GL-301", message="urging"), by=BY)

    assert (again["case"], again["became"]) == (first["case"], "urging")


def test_each_message_is_kept_once_however_often_it_is_sent(api: Api) -> None:
    first = api.registered("GL-401")
    message = api.order("GL-401", sealed={"text": "今天又停了"})
    answers = [api.post("/matters", message, by=BY, key="message-2-3") for _ in range(3)]

    assert {answer.content for answer in answers} == {answers[0].content}
    assert [answer.headers.get("idempotency-replayed") for answer in answers] == [None, "true", "true"]
    assert types(api, first["case"]) == ["matter_registered.v1", "matter_supplemented.v1"]


def test_a_message_after_a_callback_that_found_it_unsolved_reopens(api: Api) -> None:
    made = api.called_back(solved=False)
    numbered(api, made, "GL-501")

    again = api.post("/matters", api.order("GL-501"), by=("centre", "callback_officer"), key="m4")

    assert again.status_code == 403  # the centre's key is no key of the hotline
    answer = api.post("/matters", api.order("GL-501"), by=("hotline", "callback_officer"), key="m4")
    assert (answer.status_code, answer.json()["became"]) == (200, "reopening")
    assert types(api, made["case"])[-1] == "matter_reopened.v1"
    repeated = api.post("/matters", api.order("GL-501"), by=("hotline", "callback_officer"), key="m4")
    assert repeated.content == answer.content


def test_a_reopening_whose_words_were_erased_does_not_come_back_as_a_supplement(api: Api) -> None:
    made = api.called_back(solved=False)
    numbered(api, made, "GL-551")
    by = ("hotline", "callback_officer")
    assert api.must("/matters", api.order("GL-551"), by=by, key="m4b")["became"] == "reopening"
    before = types(api, made["case"])

    api.engine.store.blind([made["case"]])  # as the erasure of somebody in the case does
    again = api.post("/matters", api.order("GL-551"), by=by, key="m4b")

    assert told(again)[1] == "erased"
    assert types(api, made["case"]) == before


def test_a_message_on_a_closed_matter_is_kept_and_told_why_it_does_not_reopen(api: Api) -> None:
    made = api.closed()
    numbered(api, made, "GL-601")

    again = api.post("/matters", api.order("GL-601"), by=BY, key="m5")

    body = again.json()
    assert (again.status_code, body["became"]) == (200, "supplement")
    assert body["reopening_refused"]["code"]
    assert types(api, made["case"])[-1] == "matter_supplemented.v1"
    assert api.post("/matters", api.order("GL-601"), by=BY, key="m5").content == again.content


def test_a_message_sent_again_after_the_matter_moved_on_is_still_the_same(api: Api) -> None:
    made = api.called_back(solved=False)
    numbered(api, made, "GL-701")
    first = api.post("/matters", api.order("GL-701"), by=BY, key="m6")
    api.post("/matters", api.order("GL-701"), by=("hotline", "callback_officer"), key="n6")

    assert api.post("/matters", api.order("GL-701"), by=BY, key="m6").content == first.content


def test_other_words_under_the_key_of_a_message_are_refused(api: Api) -> None:
    api.registered("GL-801")
    api.must("/matters", api.order("GL-801", sealed={"text": "一"}), by=BY, key="m7")

    other = api.post("/matters", api.order("GL-801", sealed={"text": "二"}), by=BY, key="m7")

    assert told(other) == (422, "key_reused")


def test_twenty_messages_of_one_number_at_once_are_one_matter_and_nineteen_supplements(api: Api) -> None:
    def send(n: int) -> dict[str, Any]:
        order = api.order("GL-9", sealed={"text": f"第{n}次来电"})
        return api.post("/matters", order, by=BY, key=f"message-{n}").json()

    api.headers(BY)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(20)))

    assert {answer["outcome"] for answer in answers} == {"accepted"}
    assert len({answer["case"] for answer in answers}) == 1
    assert sorted(answer["became"] for answer in answers) == ["registered"] + ["supplement"] * 19
    assert len(types(api, answers[0]["case"])) == 20


def test_the_number_finds_the_matter_and_a_strange_one_nothing(api: Api) -> None:
    made = api.registered("GL-1001")
    api.caught_up()

    found = api.get("/matters", by=BY, source=HOTLINE, number="GL-1001").json()["items"]
    nothing = api.get("/matters", by=BY, source=HOTLINE, number="GL-1002").json()["items"]

    assert [row["case_id"] for row in found] == [made["case"]]
    assert nothing == []
    assert api.get(f"/matters/{HOTLINE}:GL-1001", by=BY).json()["case"] == made["case"]
