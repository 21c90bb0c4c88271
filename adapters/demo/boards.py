"""Three demo boards: real witness processes with keys of their own, and a policy by which two of them must agree.

They stand for offices outside the sub-district. Here they run on one machine, which a real district must not let
happen: keys in one hand are one board.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.engine import Engine
from adapters.log.keys import LOG_KEY, make_key, public_key
from adapters.log.store import LogStore
from adapters.settings import Settings
from adapters.up import HOST, Child, command_beside, free_port, wait_for
from adapters.witness.keeping import policy_in_force, remembered
from domain.acting import Actor
from domain.log.commands import adoption_of
from domain.log.notes import ED25519_COSIGNATURE, VerifierKey
from domain.log.words import LOG
from workflows.submission import Answer, Submission

BOARDS = {"supervision": "区监委", "audit-office": "区审计局", "next-district": "邻区人大"}
NEEDED = 2
COSIGN_SECONDS = 20.0
"""How long to wait at the end until every board has cosigned the last head."""


@dataclass(frozen=True, slots=True)
class DemoBoard:
    """A board's witness: its name in the policy, its verifier key, its URL."""

    name: str
    vkey: VerifierKey
    url: str


@contextmanager
def boards(settings: Settings) -> Iterator[list[DemoBoard]]:
    """Run the boards, each in its folder `boards/<name>/` of the data folder, and end them. Raises Unavailable."""
    log = public_key(settings.log_keys_folder / LOG_KEY)
    children: list[Child] = []
    try:
        started = [_start(name, settings.data / "boards" / name, log, children) for name in BOARDS]
        for (_, port), child in zip(started, children, strict=True):
            wait_for(port, child)
        yield [board for board, _ in started]
    finally:
        for child in children:
            child.stop()


def _start(name: str, folder: Path, log: VerifierKey, children: list[Child]) -> tuple[DemoBoard, int]:
    folder.mkdir(mode=0o700, parents=True)
    port, key = free_port(), folder / "board.key"
    vkey = make_key(key, f"{name}.demo/witness", ED25519_COSIGNATURE)
    command = (
        command_beside("huiyin"), "witness", "serve", "--key", str(key), "--state", str(folder / "state.json"),
        "--log", str(log), "--host", HOST, "--port", str(port),
    )  # fmt: skip
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HUIYIN_", "TEMPORAL_"))}
    child = Child(name, command, environment, folder / "witness.log")
    child.start()
    children.append(child)
    return DemoBoard(name, vkey, f"http://{HOST}:{port}"), port


def policy_text(log: VerifierKey, known: Sequence[DemoBoard]) -> str:
    """The policy (C2SP tlog-policy): two of the three."""
    lines = ["# 桂花街道示范: three boards, two of which must agree", f"log {log}"]
    for one in known:
        lines += [f"# {BOARDS[one.name]}", f"witness {one.name} {one.vkey} {one.url}"]
    names = " ".join(one.name for one in known)
    return "\n".join([*lines, f"group boards {NEEDED} {names}", "quorum boards", ""])


def adopt(engine: Engine, keeper: str, known: Sequence[DemoBoard]) -> Answer:
    """Let the security administrator `keeper` adopt the policy."""
    settings = engine.settings
    text = policy_text(public_key(settings.log_keys_folder / LOG_KEY), known)
    command = adoption_of(text, settings.log_delay_hours)
    actor = Actor(person=keeper, body="system", post="security_admin")
    return engine.handle(
        Submission(
            "founding", f"policy:{command.digest}", LOG, command, actor, authority="resolution:founding", texts=(text,)
        )
    )  # fmt: skip


def cosigned_by(engine: Engine, log: LogStore, size: int) -> Mapping[str, int]:
    """How many leaves each board has cosigned, once all have come to `size` or the wait is over."""
    policy = policy_in_force(engine.handle.standing.caught_up().cosigning, engine.store)
    until = time.monotonic() + COSIGN_SECONDS
    while True:
        found = {one.name: remembered(log, one).size for one in policy.witnesses} if policy else {}
        if all(one >= size for one in found.values()) or time.monotonic() > until:
            return found
        time.sleep(0.1)
