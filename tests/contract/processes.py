"""Child processes of the contract tests; each test ends those that it started."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from adapters.failpoint import FAILPOINTS

ROOT = Path(__file__).resolve().parents[2]


def start(module: str, *words: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """Start `python -m module words…` with its output piped."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *words],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def killed_at(failpoint: str, passage: int, folder: Path, module: str, *words: str) -> list[str]:
    """Run a module that must die at a failpoint; returns the lines that it had written by then."""
    assert failpoint in FAILPOINTS
    marker = folder / f"{failpoint}.marker"
    environment = {"HUIYIN_FAILPOINT": f"{failpoint}:{passage}", "HUIYIN_FAILPOINT_MARKER": str(marker)}
    process = start(module, *words, environment=environment)
    output, errors = process.communicate(timeout=100)
    assert process.returncode == -9, f"not killed: {errors}"
    assert marker.read_text() == failpoint
    return output.splitlines()


def stalled_at(
    failpoint: str, folder: Path, meanwhile: Callable[[], object], module: str, *words: str
) -> list[str]:
    """Run a module that stalls at a failpoint until this has been done meanwhile; returns its lines when it has ended."""
    marker = folder / f"{failpoint}.marker"
    marker.unlink(missing_ok=True)
    armed = {"HUIYIN_FAILPOINT": failpoint, "HUIYIN_FAILPOINT_MARKER": str(marker)}
    process = start(module, *words, environment=armed | {"HUIYIN_FAILPOINT_SIGNAL": "SIGSTOP"})
    try:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), "it did not stall"
        assert marker.read_text() == failpoint
        meanwhile()
        process.send_signal(signal.SIGCONT)
        output, errors = process.communicate(timeout=100)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    return output.splitlines()
