"""Aside: what blocks runs in threads of its own, so that the event loop goes on answering."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import ParamSpec, TypeVar

MOST_THREADS = 8
"""Half of their time they wait for the store; more of them would wait for each other."""
_threads = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="act")

P = ParamSpec("P")
T = TypeVar("T")


async def aside(function: Callable[P, T], *arguments: P.args, **more: P.kwargs) -> T:
    """Call it in a thread, within the caller's context. A thread that has begun ends its work, whoever still waits."""
    run = copy_context().run
    return await asyncio.get_running_loop().run_in_executor(
        _threads, lambda: run(function, *arguments, **more)
    )
