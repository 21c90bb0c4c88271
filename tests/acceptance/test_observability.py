"""What can be seen from outside: one id from request to process, figures, traces on demand, and nothing personal."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.correlation import correlation_of
from adapters.settings import Settings
from adapters.telemetry import traces
from adapters.up import ROLES, up
from tests.acceptance.canary import files_in, fresh_mark, fresh_signs, search
from tests.acceptance.collector import Collector, collecting, said
from tests.acceptance.http_world import Api
from tests.acceptance.test_http_faults import ROOT, holds, reachable
from tests.acceptance.world import DISTRICT, Desk
from tests.servers import PostgresServer, free_port

BY = ("hotline", "intake_officer")
PHONE = "13812345678"


# -- the id ---------------------------------------------------------------------------------------------------------------

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OURS = {
    "a UUID": ({"X-Request-ID": "7C9E6679-7425-40DE-944B-E07FC1F90AE7"}, "7c9e6679-7425-40de-944b-e07fc1f90ae7"),
    "a ULID": ({"X-Request-ID": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}, "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
    "32 digits": ({"X-Request-ID": TRACE}, TRACE),
    "a trace": ({"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}, TRACE),
    "both": ({"X-Request-ID": TRACE[::-1], "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}, TRACE[::-1]),
    "an odd one with a trace": ({"X-Request-ID": PHONE, "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}, TRACE),
}  # fmt: skip


@pytest.mark.parametrize("what", OURS)
def test_the_callers_own_id_is_answered_and_stands_in_the_event(api: Api, what: str) -> None:
    headers, mine = OURS[what]
    api.headers(BY)

    answer = api.post("/matters", api.order(), by=BY, **headers)

    (event,) = api.get(f"/matters/{answer.json()['case']}/history", by=("sd-01", "officer")).json()["items"]
    assert answer.headers["x-request-id"] == event["correlation"] == mine


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"X-Request-ID": PHONE}, {"X-Request-ID": "wang-xiaoming"}, {"X-Request-ID": "110101199003078888"},
        {"X-Request-ID": "a" * 33}, {"traceparent": f"00-{'0' * 32}-00f067aa0ba902b7-01"},
        {"traceparent": f"00-{TRACE}-{'0' * 16}-01"}, {"traceparent": f"ff-{TRACE}-00f067aa0ba902b7-01"},
        {"traceparent": TRACE},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_id_is_not_taken_and_one_is_made(api: Api, headers: dict[str, str]) -> None:
    given = api.client.get("/healthz", headers=headers).headers["x-request-id"]

    assert re.fullmatch(r"[0-9a-f]{32}", given)
    assert given not in headers.values()
    assert correlation_of(None, None) != correlation_of(None, None)


def test_the_same_key_under_another_id_gets_the_same_answer(api: Api) -> None:
    order = api.order()
    first, again = (api.post("/matters", order, by=BY, key="id-twice") for _ in range(2))

    assert first.json()["case"] == again.json()["case"]
    assert first.headers["x-request-id"] != again.headers["x-request-id"]


def test_every_refusal_names_its_request_too(api: Api) -> None:
    for path in ("/nowhere", "/api/v1/me", "/api/v1/matters/%00", "/api/v1/matters/" + "a" * 9_000):
        assert api.client.get(path, headers={"X-Request-ID": TRACE}).headers["x-request-id"] == TRACE


# -- an office that is watched ------------------------------------------------------------------------------------------------


class Watched:
    """An office under `up`, with a collector and figures; it logs all it can."""

    def __init__(self, shell: Desk, collector: Collector, api: int, figures: int) -> None:
        self.shell, self.collector, self.marks = shell, collector, (fresh_mark(), fresh_signs())
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{api}", timeout=100)
        self.ports = {role: figures + n for n, role in enumerate(ROLES)}

    def log(self, role: str) -> list[dict[str, Any]]:
        """The lines of a role's log."""
        whole, _, _ = (self.shell.data / "logs" / f"{role}.log").read_text(encoding="utf-8").rpartition("\n")
        return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]

    def page(self, role: str) -> str:
        """The figures as shown."""
        return httpx.get(f"http://127.0.0.1:{self.ports[role]}/metrics", timeout=100).text

    def figure(self, role: str, name: str, **labels: str) -> float:
        """One figure; 0 for one that is not there."""
        samples = (
            sample for family in text_string_to_metric_families(self.page(role)) for sample in family.samples
        )
        return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())


@pytest.fixture(scope="module")
def office(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    data = tmp_path_factory.mktemp("watched") / "data"
    shutil.copytree(founded, data)
    api, figures = free_port(), free_port(row=len(ROLES))
    with ExitStack() as running:
        collector = running.enter_context(collecting())
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HUIYIN_API_PORT", str(api))
            patch.setenv("HUIYIN_TRACES", collector.url)
            patch.setenv("HUIYIN_LOG_LEVEL", "debug")
            patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
            settings = Settings(data=data, metrics_port=figures, district=DISTRICT.code)
            running.enter_context(up(settings, ROLES))
        made = Watched(Desk(data, DISTRICT), collector, api, figures)
        running.callback(made.client.close)
        holds(lambda: reachable(made.client))
        yield made


@pytest.fixture(scope="module")
def handed_in(office: Watched) -> tuple[str, str]:
    """A matter that says something that nobody may read, and every way of saying it wrongly; gives case and id."""
    security = f"{office.shell.district.security}/system/security_admin"
    made = office.shell.run(
        "key", "create", office.shell.district.staff[BY], "--body", "hotline", "--source", "hotline_12345", "--json",
        "--as", security,
    )  # fmt: skip
    token, mark = json.loads(made.stdout)["token"], "".join(office.marks)
    mine = uuid.uuid4().hex
    headers = {"Authorization": f"Bearer {token}", "Huiyin-Acting-As": "hotline/intake_officer"}
    body: dict[str, Any] = {
        "authority": "law:x", "source": "hotline_12345", "seen_at": "2026-11-20T09:30:00+08:00", "host": "com-01",
        "code": "FW-01", "demand": "help", "sealed": {"text": f"{mark}{PHONE}"},
        "requesters": [{"name": mark, "contact": PHONE}], "outside": [{"source": "hotline_12345", "number": mark[:40]}],
    }  # fmt: skip
    client = office.client

    def post(what: Any, **more: str) -> httpx.Response:
        key = {"Idempotency-Key": uuid.uuid4().hex}
        return client.post("/api/v1/matters", json=what, headers={**headers, **key, **more})

    answer = post(body, **{"X-Request-ID": mine})
    assert answer.status_code == 201, answer.text
    assert post({**body, "host": "com-99", "outside": []}).status_code == 422
    latin = office.marks[0]
    for bad in ({**body, "demand": mark}, {**body, mark: mark}, {**body, "host": mark}, [mark], mark):
        assert post(bad).status_code >= 400
    client.get(f"/api/v1/{mark}?{mark}={PHONE}", headers={"Authorization": f"Bearer {latin}"})
    client.get(f"/api/v1/matters/hotline_12345:{mark[:40]}?known_at={mark}", headers=headers)
    client.get("/auth/callback", params={"code": mark, "state": mark})
    client.get(
        "/healthz", headers={"X-Request-ID": latin, "traceparent": latin, "Cookie": f"huiyin_session={latin}"}
    )
    client.request(latin[:12].upper(), "/healthz", headers={"User-Agent": latin, "Referer": latin})
    client.post("/api/v1/matters", content=mark.encode(), headers={**headers, "Content-Type": latin})
    with socket.create_connection(("127.0.0.1", client.base_url.port or 0), timeout=100) as raw:
        raw.sendall(f"{latin} no HTTP\r\n{latin}\r\n\r\n".encode())
        assert raw.recv(100).startswith(b"HTTP/1.1 400")
    return str(answer.json()["case"]), mine


def test_one_id_goes_from_the_request_to_the_process(office: Watched, handed_in: tuple[str, str]) -> None:
    case, mine = handed_in
    holds(lambda: any(line.get("case") == case for line in office.log("worker")))

    (asked,) = [
        line for line in office.log("api") if line.get("correlation") == mine and line["event"] == "request"
    ]
    looked = [line for line in office.log("worker") if line.get("case") == case and line["event"] == "looked"]

    assert (asked["method"], asked["route"], asked["status"]) == ("POST", "/api/v1/matters", 201)
    assert {line["correlation"] for line in looked} == {mine}
    with office.shell.engine() as engine:
        assert {one.correlation for one in engine.handle.history(case)} == {mine}


def test_traces_reach_the_collector_as_one_trace_for_each_request(
    office: Watched, handed_in: tuple[str, str]
) -> None:
    case, mine = handed_in
    named = office.collector.named
    for name in ("request", "command", "store.append"):
        holds(lambda name=name: any(one.trace_id.hex() == mine for one in named(name)))
    holds(lambda: named("follow"))
    holds(lambda: any(said(one).get("huiyin.case") == case for one in named("activity")))

    holds(lambda: any(one.name.startswith("RunWorkflow") for _, one in office.collector.spans))

    trace = {
        name: [one for one in named(name) if one.trace_id.hex() == mine] for name in ("request", "command")
    }
    appended = [one for one in named("store.append") if one.trace_id.hex() == mine]
    (request,), (command,) = (
        trace["request"],
        [one for one in trace["command"] if said(one)["huiyin.case"] == case][:1],
    )

    assert said(request) == {
        "http.request.method": "POST", "http.route": "/api/v1/matters", "http.response.status_code": 201,
        "huiyin.correlation": mine,
    }  # fmt: skip
    assert command.parent_span_id == request.span_id
    assert command.span_id in {one.parent_span_id for one in appended}
    assert {service for service, _ in office.collector.spans} >= {
        "huiyin-api",
        "huiyin-follow",
        "huiyin-worker",
    }


def test_each_role_shows_its_figures(office: Watched, handed_in: tuple[str, str]) -> None:
    holds(lambda: office.figure("follow", "huiyin_open_clocks") > 0)
    holds(lambda: office.figure("worker", "huiyin_activity_seconds_count") > 0)
    figure = office.figure

    assert figure("api", "huiyin_commands_total", act="register_matter", outcome="accepted") == 1
    assert figure("api", "huiyin_commands_total", act="register_matter", outcome="refused") >= 1
    assert figure("api", "huiyin_http_requests_total", route="/api/v1/matters", status="201") == 1
    assert figure("api", "huiyin_http_requests_total", route="none") >= 1
    assert (
        figure("api", "huiyin_http_turned_away_total", code="no_http") == 2
    )  # a method of nobody's, and no HTTP at all
    assert figure("api", "huiyin_store_append_seconds_count") >= 1
    for consumer in ("views", "processes", "keeper"):
        assert figure("follow", "huiyin_follower_events_total", consumer=consumer) > 0
    assert 'huiyin_follower_lag_positions{consumer="views"}' in office.page("follow")
    assert 'huiyin_follower_lag_seconds{consumer="sealer"}' in office.page("seal")
    assert figure("seal", "huiyin_log_leaves") > 0
    assert 0 <= figure("seal", "huiyin_log_head_age_seconds", head="signed") < 86_400


def test_a_missed_due_time_is_counted(office: Watched, handed_in: tuple[str, str]) -> None:
    holds(lambda: office.figure("follow", "huiyin_missed_due_times_total") > 0)


def test_figures_are_not_on_the_public_port(office: Watched) -> None:
    assert office.client.get("/metrics").status_code == 404


def test_nothing_personal_stands_in_logs_traces_or_figures(
    office: Watched, handed_in: tuple[str, str], tmp_path: Path
) -> None:
    case, _ = handed_in
    holds(lambda: any(said(one).get("huiyin.case") == case for one in office.collector.named("activity")))
    for role in ROLES:
        (tmp_path / f"{role}.metrics").write_text(office.page(role), encoding="utf-8")
    (tmp_path / "traces").write_bytes(b"\n".join(office.collector.raw))
    files = [*files_in(office.shell.data / "logs"), *files_in(tmp_path)]

    assert search([*office.marks, PHONE], files) == set()
    assert {hit.file for hit in search([case], files)} >= {"traces", "worker.log"}
    assert any(line.get("level") == "debug" for line in office.log("api"))


# -- nothing unless asked for -------------------------------------------------------------------------------------------------


def test_without_a_collector_nothing_is_loaded_and_a_span_says_nothing(api: Api) -> None:
    assert traces.collector(Settings()) is None
    with traces.span("request", method="GET") as made:
        assert made is None
    code = (
        "import sys, worker\nfrom adapters.settings import Settings\nfrom adapters.telemetry.traces import tracing\n"
        "with tracing(Settings(), 'api'):\n    print('opentelemetry.exporter' in sys.modules)\n"
    )
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    run = (sys.executable, "-c", code)
    done = subprocess.run(run, cwd=ROOT, env=quiet, capture_output=True, text=True, timeout=100, check=True)

    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("named", "goes_to"),
    [
        ({"HUIYIN_TRACES": "http://c.example/t"}, "http://c.example/t"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c.example:4318/"}, "http://c.example:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c.example/x"}, "http://c.example/x"),
    ],
    ids=["ours", "theirs", "theirs for traces"],
)
def test_a_collector_is_named_by_us_or_by_opentelemetrys_own_settings(
    monkeypatch: pytest.MonkeyPatch, named: dict[str, str], goes_to: str
) -> None:
    for name, value in named.items():
        monkeypatch.setenv(name, value)

    assert traces.collector(Settings()) == goes_to


# -- before the store is there ------------------------------------------------------------------------------------------------


@pytest.mark.faults
def test_an_api_that_is_up_before_its_store_says_so_and_serves_as_soon_as_it_can(shell: Desk) -> None:
    store, port = free_port(), free_port()
    settings = {
        "HUIYIN_DATA": str(shell.data), "HUIYIN_STORE": f"postgresql://huiyin@127.0.0.1:{store}/postgres",
        "HUIYIN_API_PORT": str(port), "HUIYIN_LOG_KEYS": str(shell.data / "log-keys"),
    }  # fmt: skip
    process = subprocess.Popen(
        (sys.executable, "-m", "worker", "api"),
        env={**os.environ, **settings},
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=100) as client:
            holds(lambda: reachable(client))
            me, ready = client.get("/api/v1/me"), client.get("/readyz")
            assert client.get("/healthz").json() == {"alive": True}
            assert (me.status_code, me.json()["code"], "retry-after" in me.headers) == (503, "starting", True)
            assert (ready.status_code, ready.json()["ready"]) == (503, False)

            with PostgresServer(port=store):
                holds(lambda: client.get("/readyz").status_code == 200)
                assert client.get("/api/v1/me").status_code == 401
                process.terminate()
                assert process.wait(100) == 0
    finally:
        process.kill()
        process.wait()
