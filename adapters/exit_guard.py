"""Lets a process that used Temporal end cleanly.

The Temporal SDK runs its network in threads of its own (a Rust runtime). When CPython before 3.14 finalises
while such a thread asks for the interpreter, the process aborts (exit code 134) or waits for it for ever
(temporalio/sdk-python #300 and #834). A worker that is told to stop must neither leave a core dump nor need a
kill.

Call `install()` before anything else in every entry point. Exit functions run last in, first out, so what is
registered first runs last, when all other clean-up is through.
"""

import atexit
import ctypes
import sys
import time

GRACE_SECONDS = 0.1
"""How long the runtime's threads may take to leave the interpreter: 0 failures in all cases tried."""


def install() -> None:
    """Register the guard. Calling it again moves nothing and registers nothing twice."""
    atexit.unregister(_let_go)
    atexit.register(_let_go)


def _let_go() -> None:
    """Keep the SDK's default runtime alive past the interpreter's end, then give its threads a moment."""
    runtime = _default_core_runtime()
    if runtime is None:
        return
    # One reference too many: the runtime is never dropped, so its threads are never joined; the system ends
    # them with the process.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(runtime))
    time.sleep(GRACE_SECONDS)


def _default_core_runtime() -> object | None:
    """The Rust side of the SDK's default runtime, or None where this process never made one.

    There is no public way to it: these are private names of the SDK line that pyproject.toml pins, and the
    guard's test fails if they move.
    """
    module = sys.modules.get("temporalio.runtime")
    if module is None:
        return None
    runtime = module._runtime_ref._default_runtime
    return None if runtime is None else runtime._core_runtime._ref
