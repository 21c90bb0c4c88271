"""HEAD is answered wherever GET is, as GET is, and brings no content (RFC 9110, sections 9.1 and 9.3.2)."""

from __future__ import annotations

import re
from uuid import uuid4

import httpx
import pytest

from adapters.http.events import MOST_STREAMS
from tests.acceptance.http_world import Api, told
from tests.acceptance.test_http_edge import connected, lines

OFFICER = ("sd-01", "officer")
EACH_ANSWERS_OWN = {"date", "x-request-id", "ratelimit", "ratelimit-policy", "transfer-encoding"}


def by_both(
    api: Api, path: str, by: tuple[str, str] | None = OFFICER
) -> tuple[httpx.Response, httpx.Response]:
    """The answers to a HEAD and to a GET."""
    asked = {"params": {"purpose": "handling"}, "headers": api.headers(by)}
    return api.client.head(path, **asked), api.client.get(path, **asked)


def said_by(answer: httpx.Response) -> tuple[int, dict[str, str]]:
    return answer.status_code, {k: v for k, v in answer.headers.items() if k not in EACH_ANSWERS_OWN}


def readings(api: Api, case: str) -> list[str]:
    """All that the document lets one GET, about a case, but for the stream, which has no end."""
    paths = api.client.get("/api/v1/openapi.json").json()["paths"]
    given = {"case": case, "digest": "0" * 64, "import_id": str(uuid4()), "format": "json"}
    shapes = [path for path, methods in paths.items() if "get" in methods and not path.endswith("/stream")]
    return [re.sub(r"\{(\w+)\}", lambda name: given.get(name[1], "x"), shape) for shape in shapes]


def test_whatever_is_read_by_get_is_asked_after_by_head(api: Api) -> None:
    api.caught_up()
    paths = ["/docs", "/api/v1/openapi.json", "/nowhere", *readings(api, api.registered()["number"])]

    for path in paths:
        head, get = by_both(api, path)
        if path == "/readyz":  # it tells for how long it has been behind
            head.headers.pop("content-length")
            get.headers.pop("content-length")

        assert said_by(head) == said_by(get), path
        assert head.content == b""
        assert get.content != b""
    assert len(paths) > 30


@pytest.mark.parametrize(
    "path", ["/api/v1/matters", "/api/v1/matters/{}", "/api/v1/matters/{}/sealed", "/api/v1/events/stream"]
)
def test_whoever_may_not_get_it_may_not_ask_after_it_either(api: Api, path: str) -> None:
    path = path.format(api.registered()["case"])

    nobody, _ = by_both(api, path, by=None)

    assert (nobody.status_code, nobody.content) == (401, b"")
    assert nobody.headers["www-authenticate"] == 'Bearer realm="huiyin"'


def test_a_case_that_the_caller_may_not_see_is_asked_after_like_none(api: Api) -> None:
    made = api.registered()
    api.must(f"/matters/{made['case']}/divert", {"to": "discipline"}, by=("com-01", "intake_officer"))

    hidden, _ = by_both(api, f"/api/v1/matters/{made['case']}")
    missing, _ = by_both(api, f"/api/v1/matters/{uuid4()}")

    assert said_by(hidden) == said_by(missing)
    assert hidden.status_code == 404


def test_sealed_values_that_are_asked_after_count_as_read(api: Api) -> None:
    made = api.registered()
    reads = f"/matters/{made['case']}/reads"
    before = len(api.get(reads, by=OFFICER).json()["items"])

    head = api.client.head(
        f"/api/v1/matters/{made['case']}/sealed", params={"purpose": "handling"}, headers=api.headers(OFFICER)
    )

    assert (head.status_code, head.content) == (200, b"")
    assert len(api.get(reads, by=OFFICER).json()["items"]) == before + 1


def test_the_stream_of_events_ends_with_its_head_and_takes_nobodys_place(api: Api) -> None:
    for _ in range(MOST_STREAMS + 1):
        head = api.client.head("/api/v1/events/stream", headers=api.headers(OFFICER))
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"].startswith("text/event-stream")

    with api.client.stream("GET", "/api/v1/events/stream", headers=api.headers(OFFICER)) as stream:
        assert stream.status_code == 200
        assert next(stream.iter_lines()).startswith(": ")


def test_a_connection_stays_in_step(api: Api) -> None:
    sent = lines(api.headers(OFFICER))
    with connected(api.url) as client:
        client.sendall(
            f"HEAD /docs HTTP/1.1\r\nHost: a\r\n\r\nHEAD /api/v1/events/stream HTTP/1.1\r\nHost: a\r\n{sent}\r\n"
            "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
        )
        raw = b"".join(iter(lambda: client.recv(100_000), b""))

    page, stream, alive = raw.split(b"HTTP/1.1 ")[1:]
    assert [part[:3] for part in (page, stream, alive)] == [b"200"] * 3
    assert [part.partition(b"\r\n\r\n")[2] for part in (page, stream)] == [b"", b""]
    assert alive.endswith(b'{"alive":true}')


@pytest.mark.parametrize("path", ["/api/v1/matters/x/accept", "/api/v1/imports", "/auth/logout"])
def test_what_is_only_written_to_is_asked_after_by_no_head(api: Api, path: str) -> None:
    head = api.client.head(path)

    assert (head.status_code, head.headers["allow"], head.content) == (405, "POST", b"")


def test_the_access_line_says_head_and_the_route(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    case = api.registered()["case"]
    caplog.set_level("INFO")

    by_both(api, f"/api/v1/matters/{case}")

    assert "method='HEAD' route='/api/v1/matters/{case}' status=200" in caplog.text


def test_what_the_edge_turns_away_is_turned_away_without_content(api: Api) -> None:
    head, get = by_both(api, "/api/v1/matters/%00")

    assert (head.status_code, head.content) == (400, b"")
    assert told(get) == (400, "nul_character")
