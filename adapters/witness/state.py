"""What a board's witness remembers: the newest head that it has cosigned of each log, in one file.

The file is the witness's conscience: a witness that forgets it may cosign a second history. It is written anew, flushed
and put in place whole before anything is answered; one process holds it at a time; it is never guessed.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.failpoint import failpoint
from adapters.put import put
from adapters.store.file_lock import FileLock
from domain.refusal import Refused

VERSION = 1
MOST_EVIDENCE = 1000
"""Files of evidence kept: more of it proves nothing more."""


@dataclass(frozen=True, slots=True)
class Known:
    """The newest cosigned head of a log: its size, root (32 bytes) and note, with the log's line and the witness's."""

    size: int
    root: bytes
    note: str


class StateFile:
    """The file, by its path. `held` before anything else."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.evidence = path.with_name(path.name + ".evidence")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the file against every other process. Raises Refused `state_in_use`, and Unavailable."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(self.path.with_name(self.path.name + ".lock")).tried() as mine:
            if not mine:
                raise Refused(
                    "state_in_use", f"Stop the other witness first: it holds {self.path.name}, and one must."
                )
            yield

    def load(self) -> dict[str, Known]:
        """The known heads by origin; none where there is no file yet. Raises Refused `bad_state` for a damaged one."""
        try:
            told = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise self._damaged() from error
        try:
            if told["version"] != VERSION:
                raise self._damaged()
            return {origin: _known(one) for origin, one in told["logs"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._damaged() from error

    def save(self, known: Mapping[str, Known]) -> None:
        """Put the file in place, whole and flushed. Raises Unavailable: then the one before stands."""
        logs = {
            origin: {"size": one.size, "root": base64.b64encode(one.root).decode(), "note": one.note}
            for origin, one in sorted(known.items())
        }
        text = json.dumps({"version": VERSION, "logs": logs}, ensure_ascii=False, indent=1) + "\n"
        failpoint("witness.before_save")
        put(self.path, text.encode())
        failpoint("witness.after_save")

    def keep(self, what: str, size: int, notes: tuple[str, ...]) -> Path | None:
        """Keep notes that, side by side, speak against the log; None where enough is kept. Raises Unavailable."""
        self.evidence.mkdir(mode=0o700, exist_ok=True)
        digest = hashlib.sha256("\n".join(notes).encode()).hexdigest()[:16]
        path = self.evidence / f"{what}-{size}-{digest}.txt"
        if path.exists() or sum(1 for _ in self.evidence.iterdir()) >= MOST_EVIDENCE:
            return None
        put(path, "\n".join(notes).encode())
        return path

    def _damaged(self) -> Refused:
        return Refused(
            "bad_state",
            f"Restore {self.path.name} from a copy, and start without it never: a witness that has forgotten what it "
            "cosigned may cosign a second history.",
        )


def _known(told: dict[str, object]) -> Known:
    size, root, note = told["size"], base64.b64decode(str(told["root"]), validate=True), told["note"]
    if type(size) is not int or size < 0 or len(root) != 32 or not isinstance(note, str):
        raise ValueError("a known head is a size, a root and a note")
    return Known(size, root, note)
