"""Child processes of the contract tests; each test ends those that it started."""

import os
import subprocess
import sys
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
    output, errors = process.communicate(timeout=60)
    assert process.returncode == -9, f"not killed: {errors}"
    assert marker.read_text() == failpoint
    return output.splitlines()
