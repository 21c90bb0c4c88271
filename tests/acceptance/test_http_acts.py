"""A life over HTTP: handed in, whistled, worked off, called back, closed; each write once, at the version meant."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from adapters.acts import ACTS
from adapters.http.operations import operations
from adapters.receipt.promise import promise_of
from domain.acting import known_commands
from tests.acceptance.http_world import WORDS, Api, told
from tests.acceptance.world import GROUND
from workflows.rooms import REGISTER

BY = ("hotline", "intake_officer")


def test_a_request_runs_from_the_hotline_to_its_close(api: Api) -> None:
    made = api.closed()

    shown = api.get(f"/matters/{made['number']}", by=("sd-01", "officer")).json()

    assert (shown["status"], shown["status_zh"]) == ("closed", "已结案")
    assert [order["kind"] for order in shown["orders"]] == ["whistle.service"]
    assert shown["orders"][0]["legs"][0]["status"] == "discharged"


def test_the_answer_to_a_new_matter_says_where_it_is_and_brings_its_receipt(api: Api) -> None:
    answer = api.post("/matters", api.order("GL-81"), by=BY)

    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/api/v1/matters/{body['case']}"
    assert answer.headers["etag"] == '"1"'
    assert (body["outcome"], body["became"], body["events"]) == (
        "accepted",
        "registered",
        ["matter_registered.v1"],
    )
    assert promise_of(body["receipt"])[0].number == body["number"]


def test_the_same_key_gets_the_same_answer_with_the_same_status(api: Api) -> None:
    order, key = api.order("GL-82"), "message-000017"
    first = api.post("/matters", order, by=BY, key=key)
    api.must(f"/matters/{first.json()['case']}/accept", by=("com-01", "intake_officer"))

    again = api.post("/matters", order, by=BY, key=key)

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert api.engine.handle.load(first.json()["case"]).version == 2  # type: ignore[union-attr]


def test_the_same_key_sent_many_times_at_once_is_one_matter_and_one_answer(api: Api) -> None:
    order = api.order("GL-83")
    api.headers(BY)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.post("/matters", order, by=BY, key="at-once"), range(16)))

    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert api.engine.handle.load(answers[0].json()["case"]).version == 1  # type: ignore[union-attr]


def test_a_refusal_is_repeated_under_its_key_even_when_it_would_be_allowed_by_now(api: Api) -> None:
    case, intake = api.registered()["case"], ("com-01", "intake_officer")
    grade = {"scale": "hard", "demand": "help", "tier": "community"}
    first = api.post(f"/matters/{case}/triage", grade, by=("centre", "dispatcher"), key="too-early")
    api.must(f"/matters/{case}/accept", by=intake)

    again = api.post(f"/matters/{case}/triage", grade, by=("centre", "dispatcher"), key="too-early")

    assert told(first) == told(again) == (409, "wrong_state")
    assert first.content == again.content


def test_another_act_under_a_used_key_is_refused_and_changes_nothing(api: Api) -> None:
    case = api.registered()["case"]
    api.must(f"/matters/{case}/accept", by=("com-01", "intake_officer"), key="once")

    other = api.post(
        f"/matters/{case}/accept", {"authority": "law:other"}, by=("com-01", "intake_officer"), key="once"
    )

    assert told(other) == (422, "key_reused")
    assert api.engine.handle.load(case).version == 2  # type: ignore[union-attr]


def test_a_write_without_a_key_is_refused(api: Api) -> None:
    case = api.registered()["case"]

    for key in ("", "with space", "名", "x" * 101):
        sent = {"Idempotency-Key": key.encode()} if key else {}
        answer = api.client.post(
            f"/api/v1/matters/{case}/accept", headers={**api.headers(("com-01", "intake_officer")), **sent}
        )
        assert told(answer) == (400, "idempotency_key_missing")


def test_an_act_counts_only_at_the_version_that_it_was_decided_on(api: Api) -> None:
    case, intake = api.registered()["case"], ("com-01", "intake_officer")
    tag = api.get(f"/matters/{case}", by=intake).headers["etag"]
    api.must(f"/matters/{case}/supplement", {"what": "urging", "source": "window"}, by=intake)

    stale = api.post(f"/matters/{case}/accept", by=intake, **{"If-Match": tag})
    fresh = api.post(f"/matters/{case}/accept", by=intake, **{"If-Match": '"2"'})

    assert told(stale) == (412, "version_moved")
    assert (fresh.status_code, fresh.headers["etag"]) == (200, '"3"')


def accepted_at(api: Api, case: str, *lines: str, key: str | None = None) -> httpx.Response:
    """An act that counts at the versions of these lines of If-Match."""
    by = api.headers(("com-01", "intake_officer"), **{"Idempotency-Key": key or uuid4().hex})
    headers = [*by.items(), *(("If-Match", line) for line in lines)]
    return api.client.post(f"/api/v1/matters/{case}/accept", json={"authority": GROUND}, headers=headers)


@pytest.mark.parametrize(
    "lines", [['"1"'], ['"0", "1"'], ['W/"1" ,"x",, "1"'], ['"7"', '"1"'], ["*"]], ids=" and ".join
)
def test_of_several_versions_one_must_be_the_cases(api: Api, lines: list[str]) -> None:
    assert accepted_at(api, api.registered()["case"], *lines).status_code == 200


@pytest.mark.parametrize(
    "lines", [['"2", "3"'], ['"2"', '"3"'], ['W/"1"'], ['"01"'], ['"x"'], ['""']], ids=" and ".join
)
def test_a_tag_that_is_weak_or_of_another_version_never_matches(api: Api, lines: list[str]) -> None:
    case = api.registered()["case"]

    assert told(accepted_at(api, case, *lines)) == (412, "version_moved")
    assert api.engine.handle.load(case).version == 1  # type: ignore[union-attr]


def test_a_list_of_versions_is_no_other_act_when_it_is_sent_again(api: Api) -> None:
    case = api.registered()["case"]

    first = accepted_at(api, case, '"1", "2"', key="a-list")
    again = accepted_at(api, case, '"2"', '"1"', key="a-list")

    assert (first.status_code, again.status_code) == (200, 200)
    assert (first.content, again.headers["idempotency-replayed"]) == (again.content, "true")


@pytest.mark.parametrize("tag", ["7", "W/7", '"7', '"7" "8"', '*, "1"', '"1", 2'])
def test_what_is_no_tag_at_all_is_refused(api: Api, tag: str) -> None:
    assert told(accepted_at(api, api.registered()["case"], tag)) == (400, "if_match_malformed")


def test_every_act_of_the_table_has_a_path_of_its_own() -> None:
    made = operations()

    assert {one.command for one in made} == {act.command for act in ACTS}
    assert len({one.path for one in made}) == len({one.name for one in made}) == len(made)


def test_no_command_of_people_is_missing_in_the_table() -> None:
    elsewhere = {
        "take_due_steps", "reset_clocks",  # the clock's own
        "backfill_matter",  # imports
        "issue_first_link", "claim_first_link",  # at the machine
        "issue_system_key", "end_system_key", "link_signin", "unlink_signin",  # with the secret that they are about
        "make_subscription", "change_subscription_secret", "pause_subscription", "resume_subscription", "end_subscription",
        "release_rulebook", "withdraw_rulebook", "enter_notice", "release_map",
        "adopt_policy", "change_log_key", "set_claim_aside", "note_silence", "note_return", "publish_rules", "take_census",
    }  # fmt: skip
    named = {name for name, one in known_commands().items() if not one.__module__.startswith("tests.")}

    assert named - {act.command.NAME for act in ACTS} - elsewhere == set()


def test_the_register_is_kept_over_http_too(api: Api) -> None:
    security, system = ("system", "security_admin"), ("system", "system_admin")
    staff = {security: api.district.security, system: api.district.system}
    api.district = api.district.__class__(
        **{**_fields(api.district), "staff": {**api.district.staff, **staff}}
    )

    body = {
        "body": "com-99",
        "kind": "community",
        "parent": "sd-01",
        "name_zh": "新社区",
        "name_en": "New",
        "district": "450305",
    }
    api.must("/register/enter-body", body, by=system)
    entered = api.must("/register/enter-person", {"sealed": {"name": "李某某"}}, by=security)
    post = {"person": entered["person"], "body": "com-99", "post": "officer"}
    filled = api.post("/register/fill-post", post, by=security)

    assert filled.status_code == 200
    bodies = api.get("/bodies", by=security, kind="community").json()["items"]
    assert [one["name_zh"] for one in bodies if one["id"] == "com-99"] == ["新社区"]


def test_a_contact_is_changed_over_http_and_the_same_message_is_the_same_act(api: Api) -> None:
    security = ("system", "security_admin")
    staff = {**api.district.staff, security: api.district.security}
    api.district = api.district.__class__(**{**_fields(api.district), "staff": staff})
    person = api.district.staff["com-01", "officer"]
    body = {"person": person, "sealed": {"contact": "zq8w-contact@mail.example"}}

    first, again = (api.post("/register/change-contact", body, by=security, key="one") for _ in range(2))
    nothing = api.post("/register/change-contact", {"person": person}, by=security)

    assert (first.status_code, first.json()["events"]) == (200, ["contact_changed.v1"])
    assert again.json()["version"] == first.json()["version"]
    assert told(nothing) == (409, "contact_missing")
    opened = [one.value for one in api.engine.vault.open(REGISTER, subject=person) if one.name == "contact"]
    assert opened == ["zq8w-contact@mail.example"]
    assert not any(b"zq8w-contact@" in one.body for one in api.engine.store.load(REGISTER))


def _fields(district: object) -> dict[str, object]:
    return {name: getattr(district, name) for name in district.__dataclass_fields__}  # type: ignore[attr-defined]


def test_a_case_is_split_and_the_same_key_on_another_day_gives_the_same_child(api: Api) -> None:
    case = api.graded()["case"]
    first = api.post(
        f"/matters/{case}/split", {"code": "FW-01"}, by=("sd-01", "leadership_member"), key="split"
    )

    again = api.post(
        f"/matters/{case}/split", {"code": "FW-01"}, by=("sd-01", "leadership_member"), key="split"
    )

    assert first.status_code == 200
    assert again.content == first.content


def test_what_was_written_by_people_never_stands_in_an_event(api: Api) -> None:
    case = api.registered("GL-87")["case"]

    stored = b"".join(row.body for row in api.engine.store.load(case))

    for word in (WORDS, "王某某", "13800000000", "GL-87"):
        assert word.encode() not in stored


def test_a_key_hands_in_under_its_own_source_alone(api: Api) -> None:
    foreign = api.post("/matters", api.order() | {"source": "grid"}, by=BY)
    numbered = api.post("/matters", api.order() | {"outside": [{"source": "grid_app", "number": "1"}]}, by=BY)

    assert told(foreign) == told(numbered) == (403, "out_of_scope")


def test_ids_of_the_same_key_of_two_callers_are_different(api: Api) -> None:
    key = uuid4().hex
    one = api.must("/matters", api.order(), by=BY, key=key)
    window = api.order() | {"source": "window"}
    two = api.must("/matters", window, by=("com-01", "intake_officer"), key=key)

    assert one["case"] != two["case"]


def test_who_is_recused_may_not_act_any_more_and_a_colleague_may(api: Api) -> None:
    case, intake = api.registered()["case"], ("com-01", "intake_officer")
    api.must(f"/matters/{case}/recuse", {"person": api.district.staff[intake], "ground": "kin"}, by=intake)

    own = api.post(f"/matters/{case}/accept", by=intake)
    other = api.post(f"/matters/{case}/accept", by=("com-01", "community_secretary"))

    assert told(own) == (403, "recused")
    assert other.status_code == 200
