"""The API when something is away: accepted is kept, refused is told, and nothing is half done."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from adapters.demo.district import found
from adapters.engine import now
from adapters.log.keys import make_log_keys
from adapters.rulebooks import template
from adapters.settings import Settings
from adapters.up import up
from adapters.vault.masters import create_masters
from tests.acceptance.canary import files_in, fresh_mark, search
from tests.acceptance.http_world import Api, api_over, told
from tests.acceptance.world import DISTRICT, Desk
from tests.servers import PostgresServer, free_port

BY = ("hotline", "intake_officer")
ROOT = Path(__file__).resolve().parents[2]


def holds(said: Callable[[], bool], seconds: float = 100) -> None:
    """Something comes true in time."""
    until = time.monotonic() + seconds
    while not said():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_without_temporal_everything_is_accepted_and_readiness_says_so(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{free_port()}")

    made = api.closed()
    ready = api.client.get("/readyz")

    assert made["outcome"] == "accepted"
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert ready.json()["checks"]["temporal"]["ok"] is False
    assert ready.json()["checks"]["store"]["ok"] is True


def test_readiness_tells_how_far_the_read_models_are_behind(api: Api) -> None:
    api.caught_up()
    assert api.client.get("/readyz").json()["checks"]["views"] == {
        "ok": True, "said": None, "behind": 0, "seconds": 0.0,
    }  # fmt: skip
    api.registered()

    views = api.client.get("/readyz").json()["checks"]["views"]

    assert views["behind"] > 0
    assert views["seconds"] > 0
    assert api.client.get("/healthz").json() == {"alive": True}


@pytest.mark.faults
def test_while_the_store_is_down_callers_are_told_and_afterwards_nothing_is_lost_or_doubled(
    tmp_path: Path,
) -> None:
    with PostgresServer(port=free_port()) as server, on_postgres(server.dsn, tmp_path) as api:
        before = api.registered()
        server.stop()

        refused = api.post("/matters", api.order(), by=BY, key="while-down")
        read = api.get(f"/matters/{before['case']}", by=BY)
        ready = api.client.get("/readyz")
        alive = api.client.get("/healthz")

        for answer in (refused, read):
            assert told(answer) == (503, "unavailable")
            assert int(answer.headers["retry-after"]) > 0
            assert "postgres" not in answer.text
        assert (ready.status_code, ready.json()["ready"]) == (503, False)
        assert ready.json()["checks"]["store"] == {
            "ok": False,
            "said": "out of reach",
            "behind": None,
            "seconds": None,
        }
        assert alive.status_code == 200

        server.start()
        holds(lambda: api.client.get("/readyz").status_code == 200)
        # Connections that were in use a moment ago are found dead one by one: sent again, as Retry-After says.
        holds(lambda: api.post("/matters", api.order(), by=BY, key="while-down").status_code == 201)
        first = api.post("/matters", api.order(), by=BY, key="while-down")
        again = api.post("/matters", api.order(), by=BY, key="while-down")
        assert (first.status_code, first.content) == (201, again.content)
        api.caught_up()
        rows = api.get("/matters", by=BY).json()["items"]
        assert {row["case_id"] for row in rows} == {before["case"], first.json()["case"]}
        assert len(rows) == 2


@contextmanager
def on_postgres(dsn: str, folder: Path) -> Iterator[Api]:
    """The API over a district founded on a PostgreSQL server."""
    create_masters(folder / "masters")
    make_log_keys(folder / "keys", "huiyin.local/test")
    with api_over(folder / "data", store=dsn, log_keys=folder / "keys", masters=folder / "masters") as api:
        assert found(DISTRICT, api.engine.handle, now(), template("demo")) == []
        yield api


def test_an_error_that_nobody_expected_is_a_problem_without_a_trace(
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("王某某 13800000000")

    case, headers = api.registered()["case"], api.headers(("com-01", "intake_officer"))
    monkeypatch.setattr(type(api.engine.handle), "__call__", broken)
    answer = api.client.post(f"/api/v1/matters/{case}/accept", headers={**headers, "Idempotency-Key": "y"})

    assert told(answer) == (500, "internal")
    said = capfd.readouterr()
    holds(lambda: "request_failed" in caplog.text)  # it is named after it was answered
    for text in (answer.text, said.out, said.err, caplog.text):
        assert "王某某" not in text
        assert "Traceback" not in text


@contextmanager
def process(
    desk: Desk, port: int, *, name: str = "api", of: int = 1
) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """`huiyin api` as a process of its own, one `of` so many on the port."""
    settings = {
        "HUIYIN_DATA": str(desk.data), "HUIYIN_API_PORT": str(port), "HUIYIN_DISTRICT": DISTRICT.code,
        "HUIYIN_API_SHARES_PORT": str(of > 1),
    }  # fmt: skip
    log = (desk.data / f"{name}.log").open("wb")
    started = subprocess.Popen(
        [sys.executable, "-m", "worker", "api"],
        env={**os.environ, **settings},
        cwd=ROOT,
        stdout=log,
        stderr=log,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=100) as client:
            yield started, client
    finally:
        started.kill()
        started.wait()
        log.close()


def reachable(client: httpx.Client, path: str = "/healthz") -> bool:
    try:
        return client.get(path).status_code == 200
    except httpx.TransportError:
        return False


def test_the_role_api_answers_and_ends_when_told(shell: Desk) -> None:
    with process(shell, free_port()) as (started, client):
        holds(lambda: reachable(client))

        started.send_signal(signal.SIGTERM)

        assert started.wait(100) == 0


def test_everything_is_up_together_and_ends_together(shell: Desk) -> None:
    port = free_port()
    settings = {
        "HUIYIN_DATA": str(shell.data),
        "HUIYIN_API_PORT": str(port),
        "HUIYIN_DISTRICT": DISTRICT.code,
    }
    command = str(Path(sys.executable).parent / "huiyin")
    with (shell.data / "up.log").open("wb") as log:
        started = subprocess.Popen(
            (command, "up"), env={**os.environ, **settings}, cwd=ROOT, stdout=log, stderr=log
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=100) as client:
            holds(lambda: reachable(client))
            holds(lambda: all(part["ok"] for part in client.get("/readyz").json()["checks"].values()))
            started.send_signal(signal.SIGTERM)
            assert started.wait(100) == 0
            assert not reachable(client)
    finally:
        started.kill()
        started.wait()
    assert f"http://127.0.0.1:{port}/docs" in (shell.data / "up.log").read_text(encoding="utf-8")


def answered(port: int) -> set[int]:
    """What several connections, each of its own, are answered with."""
    return {httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=100).status_code for _ in range(8)}


def test_of_two_processes_on_one_port_either_answers_alone(shell: Desk) -> None:
    port = free_port()
    with process(shell, port, of=2) as (first, client):
        holds(lambda: reachable(client))
        with process(shell, port, name="api-2", of=2) as (second, _):
            holds(lambda: b"listening" in (shell.data / "api-2.log").read_bytes())

            first.kill()
            first.wait()
            assert answered(port) == {200}
            with process(shell, port, of=2):
                holds(lambda: b"listening" in (shell.data / "api.log").read_bytes())
                second.kill()
                second.wait()
                assert answered(port) == {200}


def test_huiyin_up_starts_as_many_as_it_is_told(shell: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUIYIN_API_PORT", str(free_port()))
    with up(Settings(data=shell.data, api_processes=3), ("api",)) as tree:
        assert [child.name for child in tree.children] == ["temporal", "api", "api-2", "api-3"]


def test_any_free_port_is_one_port_for_all_of_them(shell: Desk) -> None:
    with up(Settings(data=shell.data, api_port=0, api_processes=2), ("api",)) as tree:
        logs = [shell.data / "logs" / f"{child.name}.log" for child in tree.children[1:]]
        holds(lambda: all(tree.api.encode() in log.read_bytes() for log in logs))

        with httpx.Client(base_url=tree.api, timeout=100) as client:
            assert reachable(client)


def test_processes_that_share_a_port_share_it_with_no_second_office(shell: Desk) -> None:
    port = free_port()
    with process(shell, port, of=2) as (_, client):
        holds(lambda: reachable(client))
        settings = {
            "HUIYIN_DATA": str(shell.data), "HUIYIN_API_PORT": str(port), "HUIYIN_API_PROCESSES": "2",
        }  # fmt: skip
        second = subprocess.run(
            (str(Path(sys.executable).parent / "huiyin"), "up"),
            env={**os.environ, **settings}, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip

        assert second.returncode == 1
        assert "port_taken" in second.stderr


def test_a_taken_port_is_refused_by_name(shell: Desk) -> None:
    port = free_port()
    with process(shell, port) as (_, client):
        holds(lambda: reachable(client))
        settings = {"HUIYIN_DATA": str(shell.data), "HUIYIN_API_PORT": str(port)}
        for command in (
            (sys.executable, "-m", "worker", "api"),
            (str(Path(sys.executable).parent / "huiyin"), "up"),
        ):
            second = subprocess.run(
                command, env={**os.environ, **settings}, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
            )  # fmt: skip

            assert second.returncode == 1
            assert "port_taken" in second.stderr
            assert "HUIYIN_API_PORT" in second.stderr


def test_nothing_that_people_wrote_stands_in_a_log_or_a_file(shell: Desk) -> None:
    mark, port = fresh_mark(), free_port()
    made = shell.run(
        "key",
        "create",
        shell.district.staff[BY],
        "--body",
        "hotline",
        "--source",
        "hotline_12345",
        "--json",
        "--as",
        f"{shell.district.security}/system/security_admin",
    )
    token = json.loads(made.stdout)["token"]
    body = {
        "authority": "law:x", "source": "hotline_12345", "seen_at": "2026-11-20T09:30:00+08:00", "host": "com-01",
        "sealed": {"text": mark}, "requesters": [{"name": mark, "contact": mark}],
        "outside": [{"source": "hotline_12345", "number": mark}],
    }  # fmt: skip
    bad = [
        {**body, "demand": mark},
        {**body, mark: mark},
        {**body, "host": mark},
        {**body, "authority": mark * 9},
    ]
    with process(shell, port) as (_, client):
        holds(lambda: reachable(client, "/readyz"))

        def send(path: str, what: object, key: str) -> httpx.Response:
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
            return client.post(f"/api/v1{path}", json=what, headers=headers)

        answers = [send("/matters", one, f"k{n}") for n, one in enumerate([body, body, *bad])]
        case = answers[0].json()["case"]
        seen = client.get(
            f"/api/v1/matters/hotline_12345:{mark}", headers={"Authorization": f"Bearer {token}"}
        )
        client.get(f"/api/v1/{mark}?{mark}={mark}", headers={"Authorization": f"Bearer {mark}"})
        assert answers[0].status_code == 201
        assert seen.json()["case"] == case

    assert all(mark not in answer.text for answer in answers)
    assert search([mark, token.rpartition("_")[2]], files_in(shell.data)) == set()
    assert search([case], files_in(shell.data)) != set()


@pytest.mark.faults
def test_killed_among_intakes_every_accepted_one_stands_once(founded: Path, tmp_path: Path) -> None:
    shutil.copytree(founded, tmp_path / "data")
    desk, port = Desk(tmp_path / "data", DISTRICT), free_port()
    person = desk.district.staff[BY]
    by = f"{desk.district.security}/system/security_admin"
    made = ("key", "create", person, "--body", "hotline", "--source", "hotline_12345", "--json", "--as", by)
    key = desk.run(*made).stdout
    headers = {"Authorization": f"Bearer {json.loads(key)['token']}"}
    answers: dict[str, dict[str, str]] = {}
    for round_ in range(3):
        with process(desk, port) as (started, client):
            holds(lambda client=client: reachable(client, "/readyz"))  # type: ignore[misc]
            for n in range(round_ * 10, round_ * 10 + 10):
                if n % 10 == 6:
                    started.kill()
                _send(client, headers, n, answers)
    with process(desk, port) as (_, client):
        holds(lambda: reachable(client, "/readyz"))
        for n in range(30):
            _send(client, headers, n, answers)

    assert len(answers) == 30
    assert len({answer["case"] for answer in answers.values()}) == 30
    with desk.engine() as engine:
        stored = [row for row in engine.store.read(0, 10_000) if row.type == "matter_registered.v1"]
        assert len(stored) == 30


def _send(client: httpx.Client, headers: dict[str, str], n: int, answers: dict[str, dict[str, str]]) -> None:
    body = {
        "authority": "law:x", "source": "hotline_12345", "seen_at": "2026-11-20T09:30:00+08:00", "host": "com-01",
        "sealed": {"text": f"第{n}件"}, "requesters": [{"name": "王某某"}],
        "outside": [{"source": "hotline_12345", "number": f"K-{n}"}],
    }  # fmt: skip
    try:
        answer = client.post("/api/v1/matters", json=body, headers={**headers, "Idempotency-Key": f"k-{n}"})
    except httpx.TransportError:
        return
    assert answer.status_code == 201, answer.text
    before = answers.setdefault(f"k-{n}", answer.json())
    assert before == answer.json()
