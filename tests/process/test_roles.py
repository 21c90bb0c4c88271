"""The roles as processes of their own: they follow a life together, log JSON, and end with 0 when told to."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.process.stories import followed_to_the_end, whistled, worked_off
from tests.process.world import World, copied, until, world_in
from tests.servers import PostgresServer, TemporalServer, free_port

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def role(name: str, world: World) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """`python -m worker NAME` with its log in a file; killed at the end if it is still there."""
    settings = {
        "HUIYIN_DATA": str(world.folder),
        "TEMPORAL_ADDRESS": world.address,
        "TEMPORAL_NAMESPACE": world.namespace,
    }
    log = world.folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "worker", name],
            env={**os.environ, **settings}, cwd=ROOT, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield process, log
    finally:
        process.kill()
        process.wait()


def test_worker_and_follower_follow_a_life_and_end_when_told(
    demo_folder: Path, tmp_path: Path, temporal_server: TemporalServer, temporal_namespace: str
) -> None:
    folder = copied(demo_folder, tmp_path / "data")
    with world_in(folder, temporal_server.address, temporal_namespace) as world:

        async def story() -> None:
            await world.open()
            matter = await whistled(world)
            await worked_off(world, matter)
            await followed_to_the_end(world, matter)

        with role("worker", world) as (worker, worker_log), role("follow", world) as (follower, follower_log):
            asyncio.run(story())
            for process in (worker, follower):
                process.send_signal(signal.SIGTERM)
            assert [worker.wait(100), follower.wait(100)] == [0, 0]

        for log in (worker_log, follower_log):
            lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
            assert lines[-1]["event"] == "stopped"
            assert all({"event", "level", "timestamp"} <= line.keys() for line in lines)


def test_a_worker_without_temporal_waits_for_it_and_still_ends_when_told(
    demo_folder: Path, tmp_path: Path
) -> None:
    folder = copied(demo_folder, tmp_path / "data")
    with world_in(folder, f"127.0.0.1:{free_port()}") as world, role("worker", world) as (process, log):
        asyncio.run(until(lambda: b"waiting_for_temporal" in log.read_bytes()))
        process.send_signal(signal.SIGTERM)

        assert process.wait(100) == 0


def test_a_role_that_does_not_exist_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "worker", "juggler"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )

    assert done.returncode == 2
    assert "follow" in done.stderr


def test_a_role_that_is_started_before_its_store_waits_for_it(tmp_path: Path) -> None:
    with PostgresServer(port=free_port()) as server:
        dsn, port = server.dsn, server.port
        server.stop()
        log = tmp_path / "follow.log"
        settings = {
            "HUIYIN_DATA": str(tmp_path),
            "HUIYIN_STORE": dsn,
            "TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}",
        }
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "worker", "follow"],
                env={**os.environ, **settings}, cwd=ROOT, stdout=output, stderr=output,
            )  # fmt: skip
        try:
            assert holds(lambda: "waiting_for_the_store" in log.read_text(encoding="utf-8"))
            server.start()
            assert server.port == port
            assert holds(lambda: '"following"' in log.read_text(encoding="utf-8"))
            process.send_signal(signal.SIGTERM)
            assert process.wait(100) == 0
        finally:
            process.kill()
            process.wait()


def holds(said: Callable[[], bool]) -> bool:
    """Whether something comes true within 100 seconds."""
    until = time.monotonic() + 100
    while not said() and time.monotonic() < until:
        time.sleep(0.1)
    return said()


def test_a_role_is_started_by_the_command_too(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    settings = {"HUIYIN_DATA": str(tmp_path / "data"), "TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", "from adapters.cli.main import main; main()", "worker"],
            env={**os.environ, **settings}, cwd=ROOT, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        assert holds(lambda: "waiting_for_temporal" in log.read_text(encoding="utf-8"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(100) == 0
    finally:
        process.kill()
        process.wait()
