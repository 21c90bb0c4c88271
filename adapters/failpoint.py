"""Failpoints: named places at which a test may kill this process, as a power cut would, or stop it for a while.

Armed by the environment only: HUIYIN_FAILPOINT="name" or "name:N" (the Nth passage, from 1) kills at that
place, or sends itself the signal HUIYIN_FAILPOINT_SIGNAL names (SIGSTOP: it stalls until it is told to go on);
HUIYIN_FAILPOINT_MARKER names a file that is written first, so that a test can assert that it happened there.
Unarmed, a failpoint is one comparison.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

FAILPOINTS = (
    "store.before_transaction",
    "store.after_begin",
    "store.after_command",
    "store.after_references",
    "store.after_insert",
    "store.after_sealed",
    "store.before_commit",
    "store.after_commit",
    "keys.after_begin",
    "keys.after_insert",
    "keys.after_commit",
    "keys.after_destroy",
    "positions.after_save",
    "follower.after_take",
    "log.after_begin",
    "log.after_state",
    "log.after_bundles",
    "log.after_tail",
    "log.after_tiles",
    "log.before_commit",
    "log.after_commit",
    "log.after_head",
    "log.after_head_commit",
    "log.after_cosignatures",
    "sealer.before_genesis",
    "sealer.before_append",
    "sealer.before_mark",
    "sealer.before_sign",
    "sealer.after_sign",
    "starter.after_rebuild",
    "starter.after_told",
    "views.after_write",
    "witness.before_save",
    "witness.after_save",
    "keeper.after_duty",
    "imports.after_reading",
    "imports.after_batch",
    "imports.after_save",
    "outbox.before_commit",
    "outbox.after_commit",
    "deliver.after_sent",
    "deliver.before_settled",
    "notice.before_sent",
    "notice.after_sent",
)
"""Every failpoint of the code; the fault tests walk this list. On PostgreSQL a save is one call, so that the
steps from `store.after_begin` to `store.before_commit` are the server's: there the tests kill the server."""

_NAME, _, _COUNT = os.environ.get("HUIYIN_FAILPOINT", "").partition(":")
_MARKER = os.environ.get("HUIYIN_FAILPOINT_MARKER", "")
_SIGNAL = signal.Signals[os.environ.get("HUIYIN_FAILPOINT_SIGNAL", "SIGKILL")]
_left = int(_COUNT or 1)

if _NAME and _NAME not in FAILPOINTS:
    raise ValueError(f"HUIYIN_FAILPOINT names no failpoint: {_NAME}")


def failpoint(name: str) -> None:
    """Kill this process with SIGKILL, or send it the signal named, if `name` is armed and this is the passage."""
    if name == _NAME:
        _strike()


def _strike() -> None:
    global _left  # noqa: PLW0603 - one counter per process is the meaning of it
    _left -= 1
    if _left != 0:
        return
    if _MARKER:
        with Path(_MARKER).open("w", encoding="utf-8") as marker:
            marker.write(_NAME)
            marker.flush()
            os.fsync(marker.fileno())
    os.kill(os.getpid(), _SIGNAL)
