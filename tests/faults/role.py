"""A process of ours that a fault test starts, kills by its pid, arms with a failpoint, and starts again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COULD_NOT_START = 1


class Role:
    """A process of ours that is killed and started again; its output goes to a file."""

    def __init__(self, name: str, command: Sequence[str], environment: dict[str, str], folder: Path) -> None:
        self.name, self.command, self.environment = name, command, environment
        self.folder, self.log = folder, folder / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.wanted = False

    def start(self, failpoint: str = "") -> None:
        """Start it; `failpoint` as `name:N` makes it kill itself there."""
        armed = (
            {"HUIYIN_FAILPOINT": failpoint, "HUIYIN_FAILPOINT_MARKER": str(self.marker)} if failpoint else {}
        )
        self.marker.unlink(missing_ok=True)
        self.wanted = not failpoint
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                (sys.executable, "-m", "adapters.tied", sys.executable, "-m", *self.command),
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT,
                env={**self.environment, **armed}, start_new_session=True,
            )  # fmt: skip

    @property
    def marker(self) -> Path:
        """Where a failpoint writes its name before it strikes."""
        return self.folder / f"{self.name}.failpoint"

    def running(self) -> subprocess.Popen[bytes]:
        """The process; it has been started."""
        assert self.process is not None, f"{self.name} was never started"
        return self.process

    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """SIGKILL, by its pid; it must have been alive until then."""
        process, self.wanted = self.running(), False
        assert process.poll() is None, f"{self.name} had ended by itself: {self.tail()}"
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL

    def died_at(self, failpoint: str) -> None:
        """It has killed itself at this failpoint, and nowhere else."""
        code = self.running().returncode
        assert code == -signal.SIGKILL, f"{self.name} ended with {code}: {self.tail()}"
        assert self.marker.read_text(encoding="utf-8") == failpoint

    def keep(self) -> None:
        """Start it again if it found its store out of reach when it started, as whoever supervises it would."""
        if self.wanted and not self.alive():
            assert self.running().returncode == COULD_NOT_START, f"{self.name} ended by itself: {self.tail()}"
            self.start()

    def end(self) -> None:
        """End it in good order, or in bad."""
        self.wanted = False
        if not self.alive():
            return
        process = self.running()
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def has_said(self, event: str) -> bool:
        """Whether a line of its log names this event."""
        return self.log.exists() and f'"event": "{event}"' in self.log.read_text(
            encoding="utf-8", errors="replace"
        )

    def tail(self) -> str:
        """The end of its output."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-2000:] if self.log.exists() else ""
