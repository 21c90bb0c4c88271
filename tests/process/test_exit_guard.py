"""A process that used Temporal ends by itself, with exit code 0, whatever it left pending."""

import subprocess
import sys

from tests.servers import TemporalServer

# A hundred calls are under way when the loop ends: without the guard such a process nearly always hangs.
LEAVES_CALLS_PENDING = """
from adapters import exit_guard
exit_guard.install()
import asyncio, sys
from temporalio.client import Client

async def main():
    client = await Client.connect(sys.argv[1])
    assert exit_guard._default_core_runtime() is not None
    calls = [asyncio.create_task(client.count_workflows()) for _ in range(100)]
    await asyncio.wait(calls, timeout=0.01)

asyncio.run(main())
print("ended")
"""

NEVER_USES_TEMPORAL = """
from adapters import exit_guard
exit_guard.install()
exit_guard.install()
print("ended")
"""


def end_of(program: str, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False, timeout=100
    )
    return done.returncode, done.stdout, done.stderr


def test_a_process_with_calls_pending_ends_by_itself(temporal_server: TemporalServer) -> None:
    ends = [end_of(LEAVES_CALLS_PENDING, temporal_server.address) for _ in range(3)]

    assert ends == [(0, "ended\n", "")] * 3


def test_a_process_that_never_used_temporal_is_left_alone() -> None:
    assert end_of(NEVER_USES_TEMPORAL) == (0, "ended\n", "")
