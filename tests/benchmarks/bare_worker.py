"""`python -m tests.benchmarks.bare_worker ADDRESS`: the bare server's worker, a process of its own, until it is ended."""

import asyncio
import sys

from temporalio.client import Client

from adapters import exit_guard
from tests.benchmarks import bare


async def main() -> None:
    """Work at the address given."""
    await bare.worker(await Client.connect(sys.argv[1]))


if __name__ == "__main__":
    exit_guard.install()
    asyncio.run(main())
