"""Failpoints: each is listed, each is in the code, an unknown one is refused."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from adapters.failpoint import FAILPOINTS

ROOT = Path(__file__).resolve().parents[2]
CALL = re.compile(r"failpoint\(\"([a-z_.]+)\"\)")


def run(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_the_list_names_exactly_the_failpoints_of_the_code() -> None:
    sources = [*(ROOT / "adapters").rglob("*.py"), *(ROOT / "workflows").rglob("*.py"), ROOT / "worker.py"]
    called = {name for path in sources for name in CALL.findall(path.read_text())}
    assert called == set(FAILPOINTS)
    assert len(set(FAILPOINTS)) == len(FAILPOINTS)


def test_an_armed_failpoint_kills_at_the_passage_asked_for_and_leaves_its_mark(tmp_path: Path) -> None:
    script = "from adapters.failpoint import failpoint\nfor n in range(5): print(n); failpoint('store.after_begin')"
    marker = tmp_path / "marker"
    done = run(
        f"import sys; sys.stdout.reconfigure(line_buffering=True)\n{script}",
        HUIYIN_FAILPOINT="store.after_begin:3",
        HUIYIN_FAILPOINT_MARKER=str(marker),
    )
    assert (done.returncode, done.stdout) == (-9, "0\n1\n2\n")
    assert marker.read_text() == "store.after_begin"


def test_with_another_signal_it_stalls_there_once_and_goes_on_when_told() -> None:
    script = "from adapters.failpoint import failpoint\nfor n in range(5): print(n); failpoint('store.after_begin')"
    environment = {"HUIYIN_FAILPOINT": "store.after_begin:3", "HUIYIN_FAILPOINT_SIGNAL": "SIGSTOP"}
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", script], env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(3)] == ["0\n", "1\n", "2\n"]

    process.send_signal(signal.SIGCONT)

    assert process.communicate(timeout=100) == ("3\n4\n", None)
    assert process.returncode == 0


def test_unarmed_nothing_happens() -> None:
    assert run("from adapters.failpoint import failpoint; failpoint('store.after_begin')").returncode == 0


def test_a_name_that_is_no_failpoint_stops_the_process_at_its_start() -> None:
    done = run("import adapters.failpoint", HUIYIN_FAILPOINT="store.nowhere")
    assert done.returncode == 1
    assert "no failpoint" in done.stderr
