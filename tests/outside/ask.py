"""Put a question to a judge in an environment of its own."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
JUDGES = tuple(sorted(path.stem for path in HERE.glob("*.lock")))


def ask(judge: str, **question: Any) -> dict[str, Any]:
    """The judge's answer: `ok`, `said`, and what else it found. Bytes travel as base64."""
    python = ROOT / ".venv" / "outside" / judge / "bin" / "python"
    if not python.exists():
        pytest.fail(f"the environment of {judge} is missing: run `make setup`")
    script = HERE / f"by_{judge.replace('-', '_')}.py"
    done = subprocess.run(
        [python, "-I", "-W", "ignore", script],
        input=json.dumps(question, default=_as_text),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _as_text(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no part of a question")
