"""Handing in by Open311: placed, sealed, once; and what an update from another client becomes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from adapters.open311.posting import AUTHORITY
from domain.matter import events as ev
from tests.acceptance.http_world import HOTLINE
from tests.acceptance.open311_world import SIDE, SOUTH, WEST, Open311, errors, middle
from tests.acceptance.world import DISTRICT

NAME, PHONE, WORDS = "欧阳某某", "13900000001", "桂花路88号门口井盖松动"


def registered(open311: Open311, number: str) -> tuple[Any, Any]:
    """The first event of a request: its envelope and what it says."""
    first = open311.api.engine.handle.history(open311.case(number))[0]
    return first, first.pub


def sealed(open311: Open311, number: str) -> dict[str, object]:
    """The sealed values of a request by name."""
    return {one.name: one.value for one in open311.api.engine.vault.open(open311.case(number))}


def test_a_request_becomes_a_matter_of_its_grid_and_community(open311: Open311) -> None:
    envelope, said = registered(open311, open311.posted(**middle(2), service_code="SL-03"))

    assert (said.kind, said.code, said.demand) == ("hazard", "SL-03", "report")
    assert (said.grid, said.host, said.subdistrict) == ("grid-003", "com-01", "sd-01")
    assert (said.source, envelope.capacity, envelope.post, envelope.authority) == (
        HOTLINE, "hotline", "intake_officer", AUTHORITY,
    )  # fmt: skip


def test_a_point_on_a_shared_edge_goes_to_the_smaller_grid(open311: Open311) -> None:
    edge = {"lat": str(SOUTH + SIDE / 2), "long": str(round(WEST + 2 * SIDE, 7))}

    _, said = registered(open311, open311.posted(**edge))

    assert said.grid == "grid-002"


@pytest.mark.parametrize(
    ("place", "grid", "host"),
    [
        ({"address_id": "grid-002"}, "grid-002", "com-02"),
        ({"address_id": "com-01"}, None, "com-01"),
        ({"address_string": "桂花路88号，第2社区，桂花街道"}, None, "com-02"),
        ({"address_string": "88 Guihua Road, Grid 3, Community 1"}, "grid-003", "com-01"),
        ({"lat": "25.275", "long": "110.315", "address_string": "第1社区"}, "grid-002", "com-02"),
    ],
)
def test_a_place_is_found_by_point_id_or_name(
    open311: Open311, place: dict[str, str], grid: str | None, host: str
) -> None:
    _, said = registered(open311, open311.posted(**({"lat": "", "long": ""} | place)))

    assert (said.grid, said.host) == (grid, host)


def test_who_asks_and_what_they_say_is_sealed_and_never_shown(open311: Open311) -> None:
    number = open311.posted(
        first_name="某某", last_name="欧阳", phone=PHONE, email="someone@example.org", description=WORDS,
        address_string="桂花路88号", device_id="tt222111", account_id="account 123456", media_url="http://example.org/1.jpg",
        **{"attribute[pole]": "GH-017", "attribute[fault]": "leans", "attribute[unasked]": "x"},
    )  # fmt: skip
    open311.api.caught_up()
    values, (_, said) = sealed(open311, number), registered(open311, number)
    public = open311.get("/v2/requests.json").text + open311.get(f"/v2/requests/{number}.xml").text

    assert values["name"] == NAME
    assert values["contact"] == f"{PHONE}, someone@example.org"
    assert values["place"] == "桂花路88号 (25.275000, 110.305000)"
    assert values["text"] == (
        f"{WORDS}\n灯杆编号 Number on the lamp post: GH-017\n故障 What is wrong: 灯杆倾斜 The post leans\n"
        "http://example.org/1.jpg"
    )
    assert (len(said.requesters), said.anonymous) == (1, False)
    stored = b"".join(row.body for row in open311.api.engine.store.load(open311.case(number))).decode()
    for word in (
        NAME,
        PHONE,
        "someone@",
        WORDS,
        "88号",
        "tt222111",
        "account 123456",
        "1.jpg",
        "GH-017",
        "(25.275000",
    ):
        assert word not in stored
        assert word not in public


def test_who_says_nothing_of_themselves_is_anonymous_and_an_empty_request_is_named_by_its_service(
    open311: Open311,
) -> None:
    number = open311.posted(description="")

    assert registered(open311, number)[1].anonymous
    assert sealed(open311, number)["text"] == "路灯不亮 Street light out"


def test_a_latin_name_is_written_first_name_first(open311: Open311) -> None:
    assert sealed(open311, open311.posted(first_name="John", last_name="Smith"))["name"] == "John Smith"


def test_the_answer_says_by_when_it_will_be_taken_up(open311: Open311) -> None:
    (made,) = open311.post().json()

    assert made.keys() == {"service_request_id", "service_notice", "account_id"}
    assert "+08:00 前受理 registered" in made["service_notice"]


# -- once ---------------------------------------------------------------------------------------------------------------


def test_two_equal_posts_without_a_reference_are_two_requests(open311: Open311) -> None:
    assert open311.posted() != open311.posted()


@pytest.mark.parametrize(
    "reference", [{"external_id": "one"}, {"fixmystreet_id": "two"}, {"attribute[fixmystreet_id]": "three"}]
)
def test_the_same_message_under_the_same_reference_is_one_request(
    open311: Open311, reference: dict[str, str]
) -> None:
    first = open311.post(first_name="某某", **reference)
    again = open311.post(first_name="某某", **reference)

    assert first.json() == again.json()
    assert len(open311.api.engine.handle.history(open311.case(first.json()[0]["service_request_id"]))) == 1


def test_the_same_idempotency_key_gets_the_same_answer_and_another_message_under_it_is_refused(
    open311: Open311,
) -> None:
    form = {"service_code": "SL-01", **middle(0), "description": WORDS, "phone": PHONE}
    first = open311.send("/v2/requests.json", form, **{"Idempotency-Key": "k-1"})
    again = open311.send("/v2/requests.json", form, **{"Idempotency-Key": "k-1"})
    other = open311.send("/v2/requests.json", form | {"description": "不同"}, **{"Idempotency-Key": "k-1"})

    assert first.json() == again.json()
    assert (other.status_code, errors(other)) == (400, [(400, "key_reused")])


def test_another_message_under_a_known_reference_is_a_supplement(open311: Open311) -> None:
    number = open311.posted(external_id="ref-9")
    (again,) = open311.post(external_id="ref-9", description="今天更暗了").json()
    history = open311.api.engine.handle.history(open311.case(number))

    assert again["service_request_id"] == number
    assert "supplement" in again["service_notice"]
    assert [type(one.pub) for one in history] == [ev.MatterRegistered, ev.MatterSupplemented]


def test_one_message_sent_many_times_at_once_is_one_request(open311: Open311) -> None:
    def post(_: int) -> str:
        return open311.posted(external_id="at-once")

    with ThreadPoolExecutor(8) as pool:
        numbers = set(pool.map(post, range(16)))

    assert len(numbers) == 1
    assert len(open311.api.engine.handle.history(open311.case(numbers.pop()))) == 1


def test_two_messages_under_one_new_reference_at_once_are_one_request_and_a_supplement(
    open311: Open311,
) -> None:
    def post(words: str) -> str:
        return open311.posted(external_id="two-at-once", description=words)

    with ThreadPoolExecutor(8) as pool:
        numbers = set(pool.map(post, ["路灯不亮", "路灯闪烁"] * 4))

    (number,) = numbers
    assert len(open311.api.engine.handle.history(open311.case(number))) == 2


def test_the_time_the_client_took_it_in_is_kept(open311: Open311) -> None:
    number = open311.posted(requested_datetime="2026-11-20T09:30:00+08:00")

    assert open311.one(number)["requested_datetime"] == "2026-11-20T09:30:00+08:00"


# -- updates --------------------------------------------------------------------------------------------------------------


def updated(open311: Open311, number: str, **fields: str) -> Any:
    answer = open311.send("/v2/servicerequestupdates.json", {"service_request_id": number, **fields})
    assert answer.status_code == 200, answer.text
    (made,) = answer.json()
    return made["update_id"]


def last(open311: Open311, number: str) -> Any:
    return open311.api.engine.handle.history(open311.case(number))[-1].pub


def test_words_to_an_open_request_are_a_supplement_and_found_among_the_updates(open311: Open311) -> None:
    number = open311.posted()

    made = updated(open311, number, description=WORDS, update_id="1", media_url="https://example.org/2.jpg")

    open311.api.caught_up()
    listed = open311.get("/v2/servicerequestupdates.json", service_request_id=number).json()
    assert last(open311, number).what == "supplement"
    assert sealed(open311, number)["text"] in (
        f"{WORDS}\nhttps://example.org/2.jpg",
        "桂花路12号门口路灯不亮",
    )
    assert made in [one["update_id"] for one in listed]
    assert WORDS not in str(listed)


def test_an_empty_update_urges(open311: Open311) -> None:
    number = open311.posted()

    updated(open311, number, status="open")

    assert last(open311, number).what == "urging"


def test_the_same_update_again_is_one_and_another_text_is_another(open311: Open311) -> None:
    number = open311.posted()
    first = updated(open311, number, description=WORDS, update_id="7")

    assert updated(open311, number, description=WORDS, update_id="7") == first
    assert updated(open311, number, description="又来了", update_id="7") != first
    assert len(open311.api.engine.handle.history(open311.case(number))) == 3


def test_an_answered_request_is_asked_to_be_reopened_or_the_words_are_kept(open311: Open311) -> None:
    number = open311.api.called_back(solved=False)["number"]

    updated(open311, number, description=WORDS, status="OPEN")

    kept = open311.api.engine.handle.history(open311.case(number))
    assert isinstance(kept[-1].pub, ev.MatterReopened | ev.MatterSupplemented)


def test_an_update_that_calls_it_closed_reopens_nothing(open311: Open311) -> None:
    number = open311.api.called_back(solved=False)["number"]

    updated(open311, number, status="closed")

    assert (type(last(open311, number)), last(open311, number).what) == (ev.MatterSupplemented, "supplement")


# -- who may ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v2/requests.json", "/v2/servicerequestupdates.json"])
@pytest.mark.parametrize("key", ["", "hy_0000000000000000_" + "0" * 64, "钥匙", "hy_x"])
def test_without_a_working_key_nothing_is_handed_in(open311: Open311, path: str, key: str) -> None:
    answer = open311.send(path, {"service_code": "SL-01", **middle(0), "service_request_id": "x"}, key=key)

    assert (answer.status_code, errors(answer)) == (403, [(403, "sign_in")])


def test_a_key_without_a_source_or_a_post_that_registers_hands_nothing_in(open311: Open311) -> None:
    officer = open311.api.token("dept-water", DISTRICT.staff["dept-water", "officer"])
    sourced = open311.api.token("panel", DISTRICT.staff["panel", "adjudicator"], "patrol")
    form = {"service_code": "SL-01", **middle(0)}

    without = open311.api.client.post("/open311/v2/requests.json", data=form | {"api_key": officer})
    wrong = open311.api.client.post("/open311/v2/requests.json", data=form | {"api_key": sourced})

    assert errors(without) == [(403, "out_of_scope")]
    assert errors(wrong) == [(403, "not_your_post")]


def test_an_update_to_a_request_that_the_key_may_not_see_is_one_to_none(open311: Open311) -> None:
    other = open311.api.token("com-02", DISTRICT.staff["com-02", "intake_officer"], "window")
    number = open311.posted(**middle(0))
    form = {"api_key": other, "description": WORDS}

    hidden, none = (
        open311.api.client.post("/open311/v2/servicerequestupdates.json", data=form | {"service_request_id": one},
                                headers={"Huiyin-Acting-As": "com-02/intake_officer"})
        for one in (number, "450305-20261123-0000000")
    )  # fmt: skip

    assert (hidden.status_code, hidden.content) == (404, none.content)
    assert len(open311.api.engine.handle.history(open311.case(number))) == 1


def test_the_key_may_come_in_the_query(open311: Open311) -> None:
    answer = open311.api.client.post(
        "/open311/v2/requests.json", params={"api_key": open311.key}, data={"service_code": "SL-01", **middle(0)},
        headers={"Huiyin-Acting-As": "hotline/intake_officer"},
    )  # fmt: skip

    assert answer.status_code == 200
