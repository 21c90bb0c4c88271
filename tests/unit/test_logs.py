"""Log lines: one JSON object each, ours and the libraries' alike."""

from __future__ import annotations

import json
import subprocess
import sys

SAID = """
import logging, structlog
from adapters import logs

logs.to_json(logging.INFO)
structlog.contextvars.bind_contextvars(correlation="c1")
ours, theirs = structlog.get_logger("here"), logging.getLogger("there")
ours.debug("left_out")
theirs.debug("left out")
ours.info("taken_in", case="电梯", odd=object)
theirs.warning("about %s", "this", extra={"n": 1})
try:
    1 / 0
except ZeroDivisionError:
    ours.exception("broken")
"""


def test_our_lines_and_the_libraries_say_the_same_things_in_the_same_form() -> None:
    said = subprocess.run([sys.executable, "-c", SAID], capture_output=True, text=True, check=True)

    ours, theirs, broken = (json.loads(line) for line in said.stderr.splitlines())

    assert said.stdout == ""
    assert (ours["event"], ours["logger"], ours["level"], ours["case"]) == (
        "taken_in",
        "here",
        "info",
        "电梯",
    )
    assert (theirs["event"], theirs["logger"], theirs["level"], theirs["n"]) == (
        "about this",
        "there",
        "warning",
        1,
    )
    assert broken["level"] == "error"
    assert "ZeroDivisionError" in broken["exception"]
    assert {one["correlation"] for one in (ours, theirs, broken)} == {"c1"}
    assert all(one["timestamp"].endswith("Z") for one in (ours, theirs, broken))
