"""The edge: what is too long, too slow, too much at once or no text is turned away by a problem of its own."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from starlette.responses import StreamingResponse

from adapters.access import SystemKeys, open_access
from adapters.http import connection
from adapters.http.connection import Connection
from adapters.http.edge.bodies import Bodies
from adapters.http.edge.bounds import ONCE
from adapters.http.edge.crowd import Crowd
from adapters.http.edge.rates import MOST_KNOWN, Allowance, Bucket, Rates
from adapters.http.limits import DEEPEST, MOST_BYTES
from adapters.http.serve import listener, serve
from adapters.settings import Settings
from tests.acceptance.http_world import Api, api_over, told

HOTLINE = ("hotline", "intake_officer")
REGISTER = "/api/v1/matters"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was refused is heard out for longer than this machine may keep it from reading why."""
    monkeypatch.setattr(connection, "LINGER_SECONDS", 60.0)


# -- what JSON is taken -----------------------------------------------------------------------------------------------

JSON = {
    "a depth bomb": (b"[" * 200_000, 400, "json_too_deep"),
    "objects in objects": (b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1), 400, "json_too_deep"),
    "a depth bomb behind quotes": (b"[" * 70 + b'"' + b'\\"' * 200_000, 400, "json_too_deep"),
    "a number of a million digits": (b'{"version":' + b"9" * 1_000_000 + b"}", 422, "json_number"),
    "a number beyond 2**53": (b'{"version": 9007199254740992}', 422, "json_number"),
    "a number beyond all": (b'{"version": 1e999}', 422, "json_number"),
    "a word for no number": (b'{"version": NaN}', 422, "json_number"),
    "a field twice": (b'{"authority": "law:a", "authority": "law:b"}', 400, "json_twice"),
    "a field twice, deep inside": (b'{"sealed": {"text": "a", "text": "b"}}', 400, "json_twice"),
    "a field twice, once escaped": (b'{"kind": "a", "\\u006bind": "b"}', 400, "json_twice"),
    "NUL in a text": (b'{"sealed": {"text": "a\\u0000b"}}', 400, "nul_character"),
    "NUL in a list": (b'{"requesters": [["\\u0000"]]}', 400, "nul_character"),
    "NUL in a name": (b'{"a\\u0000": 1}', 400, "nul_character"),
    "another encoding": ('{"sealed": {"text": "电梯坏了"}}'.encode("gb18030"), 400, "not_utf_8"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), 400, "not_utf_8"),
    "half a text": (b'{"a": "', 422, "malformed"),
    "two texts": (b"{}{}", 422, "malformed"),
    "a byte order mark": (b"\xef\xbb\xbf{}", 422, "malformed"),
}  # fmt: skip


@pytest.mark.parametrize("what", JSON)
def test_json_that_programs_read_differently_is_refused_by_name(api: Api, what: str) -> None:
    raw, status, code = JSON[what]
    api.headers(HOTLINE)
    head = api.engine.store.head()

    answer = api.client.post(
        REGISTER, content=raw,
        headers=api.headers(HOTLINE, **{"Content-Type": "application/json", "Idempotency-Key": uuid4().hex}),
    )  # fmt: skip

    assert told(answer) == (status, code)
    assert api.engine.store.head() == head


def test_brackets_in_a_text_are_no_depth(api: Api) -> None:
    order = api.order(sealed={"text": "[" * 500 + '{"' * 200})

    assert api.post("/matters", order, by=HOTLINE).status_code == 201


# -- what stands before a body ----------------------------------------------------------------------------------------

ADDRESSES = {
    "NUL": ("/api/v1/matters/%00", 400, "nul_character"),
    "NUL in a question": ("/api/v1/matters?status=%00", 400, "nul_character"),
    "no UTF-8": ("/api/v1/matters/%ff%fe", 400, "not_utf_8"),
    "no UTF-8 in a question": ("/api/v1/matters?kind=%c3%28", 400, "not_utf_8"),
    "too long": ("/api/v1/matters/" + "a" * 9_000, 414, "uri_too_long"),
    "a question too long": ("/api/v1/matters?kind=" + "a" * 9_000, 414, "uri_too_long"),
}  # fmt: skip


@pytest.mark.parametrize("what", ADDRESSES)
def test_an_address_that_is_no_text_or_endless_is_refused(api: Api, what: str) -> None:
    path, status, code = ADDRESSES[what]

    assert told(api.client.get(path, headers=api.headers(HOTLINE))) == (status, code)


@pytest.mark.parametrize(
    "headers", [{f"X-{n}": "a" for n in range(120)}, {"X-Long": "a" * 25_000}], ids=["many", "long"]
)
def test_too_much_of_a_header_is_refused(api: Api, headers: dict[str, str]) -> None:
    assert told(api.client.get("/healthz", headers=headers)) == (431, "header_too_large")


@pytest.mark.parametrize("path", ["/api/v1/matters", "/auth/logout", "/nowhere", "/healthz"])
def test_a_body_announced_too_long_is_refused_by_every_route_before_it_is_sent(api: Api, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {MOST_BYTES + 1}\r\n\r\n"

    assert spoken(api.url, head.encode()) == (413, "too_large_a_body")


@pytest.mark.parametrize("name", sorted(one.decode().title() for one in ONCE - {b"content-length"}))
@pytest.mark.parametrize("path", [REGISTER, "/nowhere", "/healthz"])
def test_a_header_of_one_value_that_comes_twice_is_refused(api: Api, name: str, path: str) -> None:
    headers = api.headers(HOTLINE, **{"Content-Type": "application/json", "Idempotency-Key": uuid4().hex})
    once = {name: "identity", **headers}
    head = api.engine.store.head()

    for value in (once[name], "another"):
        answer = api.client.post(path, json=api.order(), headers=[*once.items(), (name.lower(), value)])
        assert told(answer) == (400, "header_twice")
        assert name in answer.json()["detail"]
    assert api.engine.store.head() == head


def test_headers_that_may_come_twice_do(api: Api) -> None:
    headers = [
        *api.headers(HOTLINE).items(),
        ("X-Any", "a"),
        ("X-Any", "b"),
        ("Accept", "*/*"),
        ("Cookie", "a=b"),
    ]

    assert api.client.get("/api/v1/me", headers=[*headers, ("Cookie", "c=d")]).status_code == 200


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "deflate, gzip", "identity, gzip", "x"])
@pytest.mark.parametrize("path", [REGISTER, "/api/v1/imports", "/nowhere"])
def test_a_packed_body_is_refused_by_name(api: Api, path: str, coding: str) -> None:
    headers = api.headers(HOTLINE, **{"Content-Type": "application/json", "Idempotency-Key": uuid4().hex})

    packed = gzip.compress(json.dumps(api.order()).encode())
    answer = api.client.post(path, content=packed, headers={**headers, "Content-Encoding": coding})

    assert told(answer) == (415, "wrong_content_coding")
    assert answer.headers["accept-encoding"] == "identity"


def test_open311_says_so_in_its_own_form(api: Api) -> None:
    packed = {"Content-Encoding": "gzip", "Content-Type": "application/x-www-form-urlencoded"}

    answer = api.client.post("/open311/v2/requests.json", content=b"", headers=packed)

    assert (answer.status_code, answer.json()[0]["code"]) == (400, 400)
    assert answer.json()[0]["description"].startswith("wrong_content_coding: ")
    assert answer.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("coding", ["identity", "Identity", ""])
def test_a_body_as_it_is_is_taken(api: Api, coding: str) -> None:
    assert api.post("/matters", api.order(), by=HOTLINE, **{"Content-Encoding": coding}).status_code == 201


def test_a_body_that_grows_too_long_without_saying_so_is_cut_off(api: Api) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(MOST_BYTES // 65_536 + 2):
            yield b" " * 65_536

    headers = api.headers(HOTLINE, **{"Content-Type": "application/json", "Idempotency-Key": uuid4().hex})

    assert told(api.client.post(REGISTER, content=endless(), headers=headers)) == (413, "too_large_a_body")


@pytest.mark.parametrize(
    "raw",
    [b"\x16\x03\x01\x02\x00 no HTTP\r\n\r\n", b"GET / HTTP/1.1\r\nA: " + b"a" * 40_000],
    ids=["TLS", "endless"],
)
def test_what_is_no_http_is_answered_as_a_problem(api: Api, raw: bytes) -> None:
    assert spoken(api.url, raw) == (400, "no_http")


def test_a_body_that_turns_out_to_be_no_http_is_told_so_at_once(api: Api) -> None:
    head = "POST /api/v1/matters HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"

    raw = f"{head}{lines(api.headers(HOTLINE))}\r\nzz\r\n"

    assert spoken(api.url, raw.encode()) == (400, "no_http")


@pytest.mark.parametrize("hosts", ["", "Host: a\r\nHost: b\r\n"], ids=["none", "two"])
def test_a_request_names_one_host(api: Api, hosts: str) -> None:
    assert spoken(api.url, f"GET /healthz HTTP/1.1\r\n{hosts}\r\n".encode()) == (400, "no_http")


@pytest.mark.parametrize(
    "length",
    [
        "Content-Length: 2\r\nContent-Length: 3",
        "Content-Length: 2\r\nContent-Length: 2",
        "Content-Length: 2, 2",
        "Content-Length: 2\r\nTransfer-Encoding: chunked",
    ],
)
def test_a_body_of_two_lengths_is_no_http(api: Api, length: str) -> None:
    head = f"POST /api/v1/matters HTTP/1.1\r\nHost: a\r\n{length}\r\n\r\n{{}}"

    assert spoken(api.url, head.encode()) == (400, "no_http")


def test_a_trailer_is_no_header(api: Api) -> None:
    head = (
        "POST /api/v1/matters HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )

    raw = f"{head}2\r\n{{}}\r\n0\r\n{lines(api.headers(HOTLINE))}\r\n"

    with connected(api.url) as client:
        client.sendall(raw.encode())

        assert answered(client) == (401, "sign_in")


def test_trailers_without_end_are_cut_off(api: Api) -> None:
    head = "POST /api/v1/matters HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    with connected(api.url) as client:
        client.sendall(f"{head}{lines(api.headers(HOTLINE))}\r\n2\r\n{{}}\r\n0\r\n".encode())
        client.sendall(b"A: ")
        drip(client, b"a" * 10_000)

        assert answered(client) == (400, "no_http")


def test_what_follows_a_whole_request_and_is_no_http_does_not_spoil_its_answer(api: Api) -> None:
    with connected(api.url) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n\x16\x03\x01 no HTTP\r\n\r\n")
        raw = b"".join(iter(lambda: client.recv(10_000), b""))

    assert raw.startswith(b"HTTP/1.1 200")
    assert raw.count(b"HTTP/1.1") == 1


def test_what_breaks_off_behind_a_request_is_not_its_answer(api: Api) -> None:
    broken = "POST /api/v1/matters HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    with connected(api.url) as client:
        client.sendall(f"GET /docs HTTP/1.1\r\nHost: a\r\n\r\n{broken}".encode())
        raw = b"".join(iter(lambda: client.recv(100_000), b""))

    assert raw.startswith(b"HTTP/1.1 200")
    assert raw.count(b"HTTP/1.1 ") == 1


def test_requests_in_one_packet_are_answered_in_their_order_whatever_they_offer(api: Api) -> None:
    offering = "Connection: Upgrade\r\nUpgrade: h2c\r\n"
    with connected(api.url) as client:
        client.sendall(
            f"GET /healthz HTTP/1.1\r\nHost: a\r\n{offering}\r\nGET /nowhere HTTP/1.1\r\nHost: a\r\n{offering}\r\n"
            "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
        )
        raw = b"".join(iter(lambda: client.recv(100_000), b""))

    assert [part[:3] for part in raw.split(b"HTTP/1.1 ")[1:]] == [b"200", b"404", b"200"]


@pytest.mark.parametrize(
    "after", [b"\r\n", b"{"], ids=["an empty line", "the rest of a body that nobody reads"]
)
def test_a_connection_that_brings_no_further_request_is_let_go_of(
    api: Api, monkeypatch: pytest.MonkeyPatch, after: bytes
) -> None:
    monkeypatch.setattr(Connection, "head_seconds", 2.0)
    length = b"Content-Length: 999\r\n" if after == b"{" else b""
    with connected(api.url) as client:
        client.sendall(b"POST /nowhere HTTP/1.1\r\nHost: a\r\n" + length + b"\r\n")
        assert client.recv(10_000).startswith(b"HTTP/1.1 404")
        drip(client, after)

        assert b"HTTP/1.1 408" in b"".join(iter(lambda: client.recv(10_000), b""))


def test_a_client_that_sends_on_after_its_refusal_still_reads_it_whole(api: Api) -> None:
    with connected(api.url) as client:
        client.sendall(b"no HTTP\r\n\r\n")
        for _ in range(5):
            time.sleep(0.05)
            client.sendall(b"and more of it")
        raw = b"".join(iter(lambda: client.recv(10_000), b""))

    assert raw.startswith(b"HTTP/1.1 400")
    assert json.loads(raw.partition(b"\r\n\r\n")[2])["code"] == "no_http"


def test_a_refused_client_that_never_falls_silent_is_let_go_of(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "LINGER_SECONDS", 1.0)
    with connected(api.url) as client:
        client.sendall(b"no HTTP\r\n\r\n")

        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            sent_on_and_on(client)


def test_a_stream_ends_with_its_client_though_a_request_waits_behind_it() -> None:
    begun, over = threading.Event(), threading.Event()

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await receive()
        begun.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        over.set()

    async def asked() -> None:
        with listener(Settings(api_port=0)) as at:
            stop, told = asyncio.Event(), asyncio.Event()
            serving = asyncio.create_task(serve(stream, at, stop, lambda _: told.set()))
            await told.wait()
            _, writer = await asyncio.open_connection(*at.getsockname()[:2])
            writer.write(b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n" * 2)
            assert await asyncio.to_thread(begun.wait, 100)
            writer.close()
            ended = await asyncio.to_thread(over.wait, 100)
            stop.set()
            await serving
            assert ended

    asyncio.run(asked())


def test_a_client_that_offers_another_protocol_is_answered_in_this_one(api: Api) -> None:
    head = (
        "POST /api/v1/matters HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
        f"Idempotency-Key: {uuid4().hex}\r\n"
    )

    with connected(api.url) as client:
        client.sendall(f"{head}{lines(api.headers(HOTLINE))}\r\n{{}}".encode())

        assert answered(client) == (422, "malformed")  # its body was read: an empty object


# -- what comes too slowly --------------------------------------------------------------------------------------------


def test_a_body_of_a_byte_at_a_time_is_cut_off(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bodies.__init__, "__defaults__", (0.5,))
    with api_over(api.engine.settings.data) as slow, connected(slow.url) as client:
        head = (
            "POST /api/v1/matters HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: {uuid4().hex}\r\nContent-Length: 1000\r\n"
        )
        client.sendall(f"{head}{lines(slow.headers(HOTLINE))}\r\n".encode())

        drip(client)

        assert answered(client) == (408, "body_too_slow")


def test_a_head_of_a_byte_at_a_time_is_cut_off(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "head_seconds", 0.5)
    with connected(api.url) as silent, connected(api.url) as dripping:
        dripping.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
        drip(dripping)

        assert answered(silent) == answered(dripping) == (408, "body_too_slow")


def test_a_second_request_on_a_connection_has_its_own_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "head_seconds", 2.0)
    with connected(api.url) as client:
        for _ in range(4):
            time.sleep(0.6)
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            raw = b""
            while not raw.endswith(b"}"):
                raw += client.recv(10_000)
            assert raw.startswith(b"HTTP/1.1 200")


# -- how many at once -------------------------------------------------------------------------------------------------


def test_one_connection_too_many_is_told_to_come_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "most", 1)
    with connected(api.url), connected(api.url) as second:
        assert answered(second) == (503, "too_busy")


def test_one_request_too_many_is_a_problem_and_the_next_is_answered() -> None:
    held = asyncio.Event()

    async def busy(scope: Any, receive: Any, send: Any) -> None:
        await held.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def asked() -> list[tuple[int, Any]]:
        crowd = Crowd(busy, 2)
        waiting = [asyncio.create_task(call(crowd)) for _ in range(2)]
        await asyncio.sleep(0)
        refused, alive = await call(crowd), asyncio.create_task(call(crowd, "/healthz"))
        held.set()
        return [refused, *[await one for one in (*waiting, alive)], await call(crowd)]

    (status, headers, body), *others = asyncio.run(asked())

    assert (status, json.loads(body)["code"], headers["retry-after"]) == (503, "too_busy", "5")
    assert [one[0] for one in others] == [200] * 4


def test_a_stream_of_events_gives_its_place_back_at_once() -> None:
    async def forever() -> Any:
        yield b"data: 1\n\n"
        await asyncio.Event().wait()

    async def stream(*asgi: Any) -> None:
        await StreamingResponse(forever(), media_type="text/event-stream")(*asgi)

    async def asked() -> int:
        crowd = Crowd(stream, 1)
        streams = []
        for _ in range(3):
            streams.append(asyncio.create_task(call(crowd)))
            await asyncio.sleep(0.05)  # it has begun
        alive = sum(not one.done() for one in streams)
        for one in streams:
            one.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
        return alive

    assert asyncio.run(asked()) == 3


# -- how many of one caller -------------------------------------------------------------------------------------------


@pytest.fixture
def limited(founded: Path, tmp_path: Path) -> Iterator[Api]:
    """The API of an operator who lets nobody hurry."""
    import shutil

    shutil.copytree(founded, tmp_path / "data")
    rates = {"rate": 0.01, "rate_burst": 5, "rate_strangers": 0.01, "rate_strangers_burst": 12}
    with api_over(tmp_path / "data", **rates) as found:
        yield found


def test_a_caller_who_hurries_is_told_how_long_to_wait(limited: Api) -> None:
    limited.get("/me", by=HOTLINE)  # known from now on
    answers = [limited.get("/me", by=HOTLINE) for _ in range(6)]

    assert [one.status_code for one in answers] == [200] * 5 + [429]
    assert told(answers[-1]) == (429, "too_many_requests")
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert answers[0].headers["ratelimit-policy"] == '"default";q=5;w=500'
    assert [one.headers["ratelimit"].split(";")[1] for one in answers] == [
        "r=4",
        "r=3",
        "r=2",
        "r=1",
        "r=0",
        "r=0",
    ]


def test_one_caller_uses_up_nobody_elses_requests(limited: Api) -> None:
    other = ("sd-01", "officer")
    for by in (HOTLINE, other):
        limited.get("/me", by=by)
    for _ in range(7):
        limited.get("/me", by=HOTLINE)

    assert limited.get("/me", by=other).status_code == 200


def test_who_guesses_at_keys_is_soon_told_to_wait_and_who_has_one_is_not(limited: Api) -> None:
    limited.get("/me", by=HOTLINE)
    guesses = [
        limited.client.get("/api/v1/me", headers={"Authorization": f"Bearer hy_{'0' * 16}_{uuid4().hex * 2}"})
        for _ in range(6)
    ]

    assert [one.status_code for one in guesses] == [401, 401, 429, 429, 429, 429]
    assert limited.get("/me", by=HOTLINE).status_code == 200


def test_a_caller_stays_known_after_requests_that_nobody_looked_at_its_key_for(limited: Api) -> None:
    limited.get("/me", by=HOTLINE)
    for _ in range(12):
        limited.client.get("/docs")
    assert limited.client.get("/docs").status_code == 429, "strangers of this address have nothing left"
    broken = {"Content-Type": "application/json", "Idempotency-Key": "k"}

    answers = [
        limited.client.get("/docs", headers=limited.headers(HOTLINE)),
        limited.client.get("/api/v1/nothing", headers=limited.headers(HOTLINE)),
        limited.client.post("/api/v1/matters", content=b"\xff", headers=limited.headers(HOTLINE, **broken)),
        limited.get("/me", by=HOTLINE),
    ]

    assert [one.status_code for one in answers] == [200, 404, 400, 200]


def test_a_key_that_works_no_longer_is_a_strangers(limited: Api) -> None:
    limited.get("/me", by=HOTLINE)
    with closing(open_access(limited.engine.settings.access_url)) as access:
        keys = SystemKeys(access, limited.engine.handle)
        (key,) = keys.known()
        keys.revoke(limited.giver, key.id)

    answers = [limited.get("/me", by=HOTLINE) for _ in range(5)]

    assert [one.status_code for one in answers] == [401, 401, 401, 429, 429]


def test_signing_in_is_counted_by_the_address_it_comes_from(limited: Api) -> None:
    answers = [limited.client.get("/auth/login").status_code for _ in range(13)]

    assert answers[:12] == [501] * 12
    assert answers[12] == 429


def test_whether_it_is_alive_may_be_asked_without_end(limited: Api) -> None:
    assert {limited.client.get("/healthz").status_code for _ in range(30)} == {200}


def test_a_bucket_fills_again_as_time_goes_by() -> None:
    bucket = Bucket(Allowance(rate=2.0, burst=4), 0.0)
    assert [bucket.take(1, 0.0) for _ in range(5)] == [True] * 4 + [False]

    assert not bucket.take(1, 0.4)
    assert bucket.take(1, 0.5)
    assert [bucket.take(1, 100.0) for _ in range(5)] == [True] * 4 + [False]


def test_a_caller_with_a_new_token_is_the_same_caller() -> None:
    def app(caller: str) -> Any:
        async def answer(scope: Any, receive: Any, send: Any) -> None:
            scope["state"]["caller"] = caller
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        return answer

    async def asked() -> list[int]:
        settings = Settings(rate=0.01, rate_burst=3, rate_strangers=0.01, rate_strangers_burst=50)
        rates = Rates(app("person 1"), settings)
        tokens = [f"Bearer {n}" for n in range(4)]
        for token in tokens:
            await call(rates, authorization=token)
        return [(await call(rates, authorization=token))[0] for token in tokens]

    assert asyncio.run(asked()) == [200, 200, 200, 429]


def test_many_addresses_do_not_fill_the_memory() -> None:
    async def nobody(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def asked() -> tuple[int, int]:
        rates = Rates(nobody, Settings())
        for n in range(MOST_KNOWN + 200):
            await call(rates, client=(f"2001:db8:{n:x}::1", 1), authorization=f"Bearer {n}")
        same = Rates(nobody, Settings(rate_strangers=0.01, rate_strangers_burst=6))
        answers = [(await call(same, client=(f"2001:db8::{n:x}", 1)))[0] for n in range(1, 3)]
        return len(rates._buckets._rows), answers[1]

    assert asyncio.run(asked()) == (MOST_KNOWN, 429)


# -- helpers ----------------------------------------------------------------------------------------------------------


async def call(
    app: Any, path: str = "/", client: Any = ("127.0.0.1", 1), **headers: str
) -> tuple[int, Any, bytes]:
    """One request without a socket."""
    sent: list[Any] = []
    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "state": {},
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()], "client": client,
    }  # fmt: skip

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    said = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], said, b"".join(one.get("body", b"") for one in sent[1:])


@contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    at = urlsplit(url)
    assert at.hostname is not None
    with closing(socket.create_connection((at.hostname, at.port), timeout=100)) as client:
        yield client


def lines(headers: dict[str, str]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())


def drip(client: socket.socket, drop: bytes = b"a") -> None:
    """A byte (or so) now and then, until the other side has had enough."""

    def on_and_on() -> None:
        try:
            for _ in range(1_000):
                client.sendall(drop)
                time.sleep(0.1)
        except OSError:
            return

    threading.Thread(target=on_and_on, daemon=True).start()


def sent_on_and_on(client: socket.socket) -> None:
    for _ in range(2_000):
        time.sleep(0.05)
        client.sendall(b"and more of it")


def answered(client: socket.socket) -> tuple[int, str]:
    """Status and code of the problem that comes before the connection is closed."""
    raw = b""
    try:
        while part := client.recv(65_536):
            raw += part
    except ConnectionResetError:
        pass
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head, raw
    return int(head.split()[1]), json.loads(body)["code"]


def spoken(url: str, raw: bytes) -> tuple[int, str]:
    with connected(url) as client:
        client.sendall(raw)
        client.shutdown(socket.SHUT_WR)
        return answered(client)


def test_a_crowd_of_clients_is_answered_one_and_all(api: Api) -> None:
    with ThreadPoolExecutor(32) as pool:
        found = list(pool.map(lambda _: api.client.get("/healthz").status_code, range(400)))

    assert set(found) == {200}
