"""Bad input to Open311: each gets its refusal in the standard's form, and nothing is half done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.open311.fields import MOST_BYTES
from tests.acceptance.open311_world import Open311, errors, map_text, released
from tests.acceptance.test_http_faults import on_postgres
from tests.servers import PostgresServer, free_port

FORM = "application/x-www-form-urlencoded"
BOMB = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY file SYSTEM "file:///etc/passwd">]><request>&c;&file;</request>"""


def raw(open311: Open311, body: bytes, kind: str = FORM, path: str = "/v2/requests.xml") -> httpx.Response:
    """A body as it is; the hotline acts."""
    headers = {"Content-Type": kind, "Huiyin-Acting-As": "hotline/intake_officer"}
    return open311.api.client.post(f"/open311{path}", content=body, headers=headers)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"start_date": "2026-10-01T00:00:00"}, "bad_datetime"), ({"start_date": "2026-10-01"}, "bad_datetime"),
        ({"end_date": "yesterday"}, "bad_datetime"), ({"end_date": "2026-13-01T00:00:00Z"}, "bad_datetime"),
        ({"start_date": "0001-01-01T00:00:00+08:00"}, "bad_datetime"),
        ({"start_date": "9999-12-31T23:59:59Z"}, "bad_datetime"),
        ({"start_date": "2026-10-02T00:00:00Z", "end_date": "2026-10-01T00:00:00Z"}, "bad_window"),
        ({"start_date": "2026-06-01T00:00:00Z", "end_date": "2026-10-01T00:00:00Z"}, "bad_window"),
        ({"status": "pending"}, "bad_status"), ({"page": "0"}, "bad_number"), ({"page_size": "1001"}, "bad_number"),
        ({"page": "-1"}, "bad_number"), ({"page": "１"}, "bad_number"), ({"page": "9" * 12}, "bad_number"),
        ({"page": "99999"}, "bad_page"), ({"page": ["1", "2"]}, "given_twice"),
        ({"service_request_id": ",".join(str(n) for n in range(51))}, "too_many_ids"),
        ({"status": "open\x07"}, "invalid_text"), ({"status": "open\x00"}, "nul_character"),
        ({"status": "x" * 2000}, "text_too_long"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["xml", "json"])
def test_a_reading_that_cannot_be_made_out_is_refused(
    open311: Open311, fields: dict[str, Any], code: str, form: str
) -> None:
    answer = open311.get(f"/v2/requests.{form}", **fields)

    assert (answer.status_code, errors(answer)) == (400, [(400, code)])


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v2/requests.json?service_code=NONE", "unknown_service"), ("/v2/services/NONE.json", "unknown_service"),
        ("/v2/services/JF-01.xml", "unknown_service"), ("/v2/requests/none.xml", "not_found"),
        ("/v2/tokens/none.json", "not_found"), ("/v2/services.html", "no_such_page"), ("/v2/none.json", "no_such_page"),
        ("/v2/requests", "no_such_page"), ("/v1/services.xml", "no_such_page"), ("/v2/requests/.xml", "no_such_page"),
        ("/v2/requests/%2e%2e%2f.json", "no_such_page"),
        ("/v2/services.json?jurisdiction_id=elsewhere", "unknown_jurisdiction"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_found(open311: Open311, path: str, code: str) -> None:
    answer = open311.get(path.partition("?")[0], **dict(part.split("=") for part in path.split("?")[1:]))

    assert (answer.status_code, errors(answer)) == (404, [(404, code)])


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_another_method_is_told_which_there_are(open311: Open311, method: str) -> None:
    answer = open311.api.client.request(method, "/open311/v2/requests.xml")

    assert (answer.status_code, errors(answer)) == (405, [(405, "wrong_method")])
    assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))


@pytest.mark.parametrize("query", ["start_date=%FF%FE", "service_code=%C3%28", "%FF=1"])
def test_what_is_no_utf8_is_refused_and_not_guessed(open311: Open311, query: str) -> None:
    answer = open311.api.client.get(f"/open311/v2/requests.json?{query}")

    assert (answer.status_code, errors(answer)) == (400, [(400, "not_utf_8")])


@pytest.mark.parametrize(
    ("fields", "code", "status"),
    [
        ({"service_code": ""}, "service_code_missing", 400), ({"service_code": "NONE"}, "unknown_service", 404),
        ({"service_code": "JF-01"}, "unknown_service", 404), ({"service_code": "路灯"}, "unknown_service", 404),
        ({"lat": ""}, "bad_point", 400), ({"long": ""}, "bad_point", 400), ({"lat": "x"}, "bad_point", 400),
        ({"lat": "91"}, "bad_point", 400), ({"long": "-180.5"}, "bad_point", 400), ({"lat": "NaN"}, "bad_point", 400),
        ({"lat": "1e1"}, "bad_point", 400), ({"lat": "٢٥"}, "bad_point", 400),
        ({"lat": "0", "long": "0"}, "outside_the_map", 400), ({"lat": "25.28001"}, "outside_the_map", 400),
        ({"lat": "", "long": ""}, "place_missing", 400),
        ({"lat": "", "long": "", "address_id": "nowhere"}, "unknown_place", 400),
        ({"lat": "", "long": "", "address_id": "sd-01"}, "unknown_place", 400),
        ({"lat": "", "long": "", "address_string": "某处"}, "address_unknown", 400),
        ({"lat": "", "long": "", "address_string": "第1社区与第2社区之间"}, "address_unknown", 400),
        ({"description": "长" * 4001}, "text_too_long", 400), ({"description": "a\x07b"}, "invalid_text", 400),
        ({"media_url": "javascript:alert(1)"}, "bad_media_url", 400), ({"media_url": "file:///etc"}, "bad_media_url", 400),
        ({"attribute[fault]": "none"}, "attribute_wrong", 400),
        ({"attribute[fault]": ["out", "leans"]}, "attribute_wrong", 400),
        ({"requested_datetime": "2026-11-20T09:30:00"}, "bad_datetime", 400),
        ({"requested_datetime": "2030-11-20T09:30:00Z"}, "seen_after", 400),
        ({"external_id": "a", "fixmystreet_id": "b"}, "given_twice", 400), ({"first_name": "x" * 101}, "text_too_long", 400),
        ({"service_code": ["SL-01", "SL-02"]}, "given_twice", 400),
    ],
)  # fmt: skip
def test_a_post_that_cannot_be_taken_says_why_and_leaves_nothing(
    open311: Open311, fields: dict[str, Any], code: str, status: int
) -> None:
    open311.api.caught_up()
    before = open311.get("/v2/requests.json").json()
    answer = open311.post(**fields)
    open311.api.caught_up()

    assert (answer.status_code, errors(answer)) == (status, [(status, code)])
    assert open311.get("/v2/requests.json").json() == before


def test_all_that_is_wrong_with_the_answers_is_said_at_once(open311: Open311) -> None:
    answer = open311.post(**{"attribute[fault]": ["none", "other"], "attribute[pole]": ["1", "2"]})

    assert answer.status_code == 400
    assert [code for _, code in errors(answer)] == ["attribute_wrong"] * 3


@pytest.mark.parametrize(
    "kind", ["text/xml", "application/xml", "application/json", "multipart/form-data; boundary=x", ""]
)
def test_a_body_that_is_no_form_is_refused_unread(open311: Open311, kind: str) -> None:
    answer = raw(open311, BOMB, kind)

    assert (answer.status_code, errors(answer)) == (400, [(400, "wrong_media_type")])


def test_a_bomb_sent_as_a_form_is_a_form_without_a_key(open311: Open311) -> None:
    assert errors(raw(open311, BOMB)) == [(403, "sign_in")]


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"api_key=\xff", FORM, "wrong_charset"), (b"api_key=%FF", FORM, "wrong_charset"),
        ("api_key=路灯".encode("gb18030"), FORM, "wrong_charset"),
        (b"a=1", f"{FORM}; charset=gb18030", "wrong_charset"), (b"a=1&" * 300, FORM, "too_many_fields"),
        (b"description=" + b"x" * 10_000_000, FORM, "too_large_a_body"),
        (b"x" * (MOST_BYTES + 1), FORM, "too_large_a_body"),
    ],
)  # fmt: skip
def test_bad_encodings_and_ten_megabytes_are_refused(
    open311: Open311, body: bytes, kind: str, code: str
) -> None:
    answer = raw(open311, body, kind)

    assert (answer.status_code, errors(answer)) == (400, [(400, code)])


@pytest.mark.parametrize(
    ("fields", "code", "status"),
    [
        ({}, "request_missing", 400), ({"service_request_id": "none"}, "not_found", 404),
        ({"service_request_id": "x", "updated_datetime": "2026-11-20T09:30:00"}, "bad_datetime", 400),
    ],
)  # fmt: skip
def test_a_bad_update_is_refused(open311: Open311, fields: dict[str, str], code: str, status: int) -> None:
    answer = open311.send("/v2/servicerequestupdates.xml", {"description": "x"} | fields)

    assert (answer.status_code, errors(answer)) == (status, [(status, code)])


def test_what_was_sent_is_not_repeated_in_a_refusal(open311: Open311) -> None:
    secret = "13900000001"
    answers = [
        open311.post(lat=secret), open311.post(**{"attribute[fault]": secret}), open311.post(service_code=secret),
        open311.get("/v2/requests.json", start_date=secret), open311.get(f"/v2/requests/{secret}.xml"),
    ]  # fmt: skip

    assert all(one.status_code >= 400 and secret not in one.text for one in answers)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.sampled_from(
    ["service_code", "lat", "long", "address_string", "address_id", "description", "attribute[fault]", "media_url", "email",
     "jurisdiction_id", "external_id", "requested_datetime", "attribute[]", "attribute["]), st.text(max_size=20)))  # fmt: skip
def test_no_form_breaks_anything(open311: Open311, fields: dict[str, str]) -> None:
    body = "&".join(f"{quote(name)}={quote(value, errors='replace')}" for name, value in fields.items())
    answer = raw(open311, f"api_key={open311.key}&{body}".encode())

    assert answer.status_code in (200, 400, 404)
    if answer.status_code != 200:
        assert errors(answer)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=60))
def test_no_bytes_break_anything(open311: Open311, body: bytes) -> None:
    answer = raw(open311, body)

    assert answer.status_code in (400, 403)
    assert errors(answer)


@pytest.mark.faults
def test_while_the_store_is_down_the_answer_is_in_the_standards_form(tmp_path: Path) -> None:
    with PostgresServer(port=free_port()) as server, founded_on(server.dsn, tmp_path) as found:
        number = found.posted()
        server.stop()

        answers = [
            found.get("/v2/requests.xml"), found.get(f"/v2/requests/{number}.json"), found.get("/v2/services.json"),
            found.post(), found.send("/v2/servicerequestupdates.xml", {"service_request_id": number}),
        ]  # fmt: skip

        for answer in answers:
            assert (answer.status_code, errors(answer)) == (503, [(503, "unavailable")])
            assert int(answer.headers["retry-after"]) > 0
            assert "postgres" not in answer.text


@contextmanager
def founded_on(dsn: str, folder: Path) -> Iterator[Open311]:
    """Open311 over a district founded on a PostgreSQL server."""
    with on_postgres(dsn, folder) as api:
        assert released(api.engine, map_text()).accepted
        yield Open311(api)
