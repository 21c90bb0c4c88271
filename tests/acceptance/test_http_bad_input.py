"""Whatever is sent: never a 500, never a trace, and nothing changed by what was not accepted."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.http.bodies import body_of
from adapters.http.document import example_of
from adapters.http.limits import MOST_BYTES
from adapters.http.operations import operations
from tests.acceptance.http_world import Api, told

BY = ("hotline", "intake_officer")
FUZZ = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ACTS = [(one, body_of(one)) for one in operations()]
TEXT = st.text(max_size=60) | st.sampled_from(
    ["", "\x00", "\ud800", "名", "../..", "' OR 1=1 --", "<script>", "\u202e", "a" * 300]
)
VALUE: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)


def sent(body: object) -> bytes:
    """JSON as some clients write it: lone surrogates escaped, NaN as a word."""
    return json.dumps(body).encode("ascii")


def harmless(answer: httpx.Response) -> None:
    """A documented answer that tells nothing of our inside."""
    assert answer.status_code in (200, 201, 400, 401, 403, 404, 405, 409, 412, 413, 415, 422), answer.text
    for word in ("Traceback", 'File "', "sqlite", "pydantic", "psycopg"):
        assert word not in answer.text
    if answer.status_code >= 400:
        told(answer)


def act(api: Api, path: str, raw: bytes, by: tuple[str, str] = BY, **headers: Any) -> httpx.Response:
    sending = {
        "Content-Type": "application/json",
        "Idempotency-Key": uuid4().hex,
        **api.headers(by),
        **headers,
    }
    return api.client.post(f"/api/v1{path}", content=raw, headers=sending)


@FUZZ
@given(data=st.data())
def test_no_body_of_any_act_breaks_anything(api: Api, data: st.DataObject) -> None:
    operation, model = data.draw(st.sampled_from(ACTS))
    body = dict(example_of(operation, model))
    for name in data.draw(st.lists(st.sampled_from([*model.model_fields, "名", "extra"]), max_size=3)):
        body[name] = data.draw(VALUE)
    path = operation.path.format(case=api.registered()["case"], leg=uuid4(), order=uuid4())
    by = data.draw(st.sampled_from([BY, ("sd-01", "leadership_member"), ("dept-fire", "officer")]))
    api.headers(by)  # a key that is made only now would be on record

    before = api.engine.store.head()
    answer = act(api, path, sent(body), by)

    harmless(answer)
    if answer.status_code >= 400:
        news = {row.type for row in api.engine.store.read(before, 100)}
        assert news <= {"command_refused.v1"}


@FUZZ
@given(raw=st.binary(max_size=200) | st.sampled_from([
    b"[" * 100_000, b'{"a":' * 5_000, b"null", b"[]", b'"x"', b"1e999", b"\xff\xfe", b"\xef\xbb\xbf{}", b"{}{}", b"NaN",
    b'{"authority":"a","authority":"b"}', "名".encode("gb18030"), b'{"source":"\\ud800"}',
]))  # fmt: skip
def test_no_bytes_break_anything(api: Api, raw: bytes) -> None:
    harmless(act(api, "/matters", raw))


@FUZZ
@given(text=TEXT, reading=st.sampled_from(["", "/history", "/sealed?purpose=x", "/receipt", "/questions"]))
def test_no_name_of_a_case_breaks_anything(api: Api, text: str, reading: str) -> None:
    name = quote(text.encode("utf-8", "surrogatepass"), safe="")
    for path in (name, f"hotline_12345:{name}", f"{name}:1"):
        harmless(api.client.get(f"/api/v1/matters/{path}{reading}", headers=api.headers(BY)))
        harmless(act(api, f"/matters/{path}/accept", b"{}"))


@FUZZ
@given(
    path=st.sampled_from(["/matters", "/work", "/clocks", "/bodies", "/me", "/matters/{case}", "/matters/{case}/history"]),
    given_=st.dictionaries(
        st.sampled_from([
            "cursor", "limit", "status", "subdistrict", "late", "source", "number", "body", "post", "kind", "known_at",
            "happened_by", "version", "purpose", "question",
        ]),
        TEXT | st.integers(-(2**70), 2**70).map(str), max_size=3,
    ),
)  # fmt: skip
def test_no_question_breaks_anything(api: Api, path: str, given_: dict[str, str]) -> None:
    parts = "&".join(
        f"{name}={quote(value.encode('utf-8', 'surrogatepass'), safe='')}" for name, value in given_.items()
    )
    case = "0e1f4a3c-6a55-4a51-9d3e-0a6a0f9a1c52"

    harmless(
        api.client.get(f"/api/v1{path.format(case=case)}?{parts}", headers=api.headers(("sd-01", "officer")))
    )


@FUZZ
@given(
    name=st.sampled_from(
        ["Idempotency-Key", "If-Match", "Huiyin-Acting-As", "Authorization", "Cookie", "Content-Type"]
    ),
    value=st.binary(max_size=80).filter(lambda raw: not set(raw) & {0, 10, 13}),
)
def test_no_header_breaks_anything(api: Api, name: str, value: bytes) -> None:
    headers = [(k, v) for k, v in api.headers(BY).items() if k != name]
    headers += [("Idempotency-Key", uuid4().hex)] if name != "Idempotency-Key" else []
    raw = [(k.encode(), v.encode()) for k, v in headers] + [(name.encode(), value.strip())]
    try:
        answer = api.client.post("/api/v1/matters", content=b"{}", headers=raw)
    except (httpx.LocalProtocolError, httpx.RemoteProtocolError):
        return  # no header at all by the protocol

    if answer.headers.get("content-type") == "application/problem+json":
        harmless(answer)
    else:
        assert (answer.status_code, answer.text) == (400, "Invalid HTTP request received.")


def test_a_body_that_is_too_long_is_refused_before_it_is_read_whole(api: Api) -> None:
    answer = act(api, "/matters", b'{"authority":"' + b"x" * (MOST_BYTES + 1) + b'"}')

    assert told(answer) == (413, "too_large_a_body")


def test_a_text_that_is_too_long_is_refused_by_the_rulebook(api: Api) -> None:
    order = api.order(sealed={"text": "长" * 150_000})

    assert told(api.post("/matters", order, by=BY)) == (422, "text_too_long")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data", ""])
def test_a_body_of_another_kind_is_refused(api: Api, kind: str) -> None:
    assert told(act(api, "/matters", b"{}", **{"Content-Type": kind})) == (415, "wrong_media_type")


def test_a_time_without_offset_or_out_of_any_calendar_is_refused(api: Api) -> None:
    for at in (
        "2026-11-20T09:30:00",
        "20.11.2026",
        "2026-13-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59",
        10**20,
    ):
        answer = api.post("/matters", api.order(seen_at=at), by=BY)
        assert answer.status_code == 422, at
        harmless(answer)


def test_what_was_wrong_is_named_and_what_was_sent_is_not_repeated(api: Api) -> None:
    secret = "王某某13800000000"
    answer = api.post("/matters", api.order(demand=secret, **{secret: 1}), by=BY)

    assert told(answer) == (422, "malformed")
    assert "demand" in {fault["at"] for fault in answer.json()["errors"]}
    assert secret not in answer.text
    assert "13800000000" not in answer.text


def test_a_command_may_not_carry_what_the_edge_derives(api: Api) -> None:
    for name in ("number", "case", "actor", "requester_ids"):
        assert told(api.post("/matters", api.order() | {name: "x"}, by=BY)) == (422, "malformed")


def test_a_client_that_hangs_up_in_the_middle_leaves_nothing(api: Api) -> None:
    before = api.engine.store.head()
    host, port = api.url.removeprefix("http://").split(":")
    headers = "".join(f"{k}: {v}\r\n" for k, v in api.headers(BY).items())
    head = f"POST /api/v1/matters HTTP/1.1\r\nHost: x\r\n{headers}Idempotency-Key: cut\r\nContent-Type: application/json\r\n"
    with socket.create_connection((host, int(port))) as line:
        line.sendall(f'{head}Content-Length: 5000\r\n\r\n{{"source":'.encode())

    assert api.post("/matters", api.order(), by=BY, key="cut").status_code == 201
    assert {row.version for row in api.engine.store.read(before, 10)} == {1}
