"""The evidence log of a district at a desk: sealed as the role does it, cosigned by boards that sign on paper."""

from __future__ import annotations

import itertools
from pathlib import Path

from adapters.engine import now
from adapters.log import open_log
from adapters.log.role import opening_of, sealer_of
from domain.log.cosignature import cosign
from domain.log.notes import VerifierKey, format_note, parse_note
from tests.acceptance.world import GROUND, Desk
from tests.contract.log_world import seal_all
from tests.made_log import BOARD_KEYS, policy


def keys(shell: Desk) -> tuple[str, str]:
    """The verifier keys of the log and of the receipts, as they are posted on the notice board."""
    log, receipts = shell.run("log", "key").stdout.split()
    return log, receipts


def adopt(shell: Desk, folder: Path, *boards: int, least: int) -> Path:
    """The policy of these boards, adopted by resolution; every board and every stranger has a copy of the file."""
    file = folder / "policy"
    file.write_text(policy(*boards, least=least, log=VerifierKey.parse(keys(shell)[0])), encoding="utf-8")
    who = f"{shell.district.security}/system/security_admin"
    done = shell.run("log", "policy", "adopt", str(file), "--as", who, "--authority", GROUND)
    assert done.exit_code == 0, done.output
    return file


def seal(shell: Desk) -> None:
    """Seal all that there is, as the role `seal` does."""
    with shell.engine() as engine:
        log = open_log(engine.settings.log_url)
        try:
            sealer = sealer_of(engine.settings, engine.store, log, opening_of(engine.settings, "test"), now)
            seal_all(engine.store, sealer, itertools.repeat(4096))
        finally:
            log.close()


def cosigned(shell: Desk, folder: Path, *boards: int) -> None:
    """The boards cosign the newest head and send their lines by hand."""
    note = parse_note(shell.run("log", "head").stdout)
    at = int(now().timestamp())
    lines = [cosign(note.text, BOARD_KEYS[b].public, at, BOARD_KEYS[b].sign) for b in boards]
    file = folder / "cosigned"
    file.write_text(format_note(note.plus(*lines)), encoding="utf-8")
    done = shell.run("log", "cosignature", "add", str(file))
    assert done.exit_code == 0, done.output
