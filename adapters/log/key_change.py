"""Another key for the log: the newest head under the old key and the new one, on record before the new one signs alone."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from adapters.engine import Engine
from adapters.log.genesis import key_in_force
from adapters.log.keys import LOG_KEY, Signer, make_key, open_signer
from adapters.log.mark import roots_of
from adapters.log.role import mark_of
from adapters.log.store import LogStore
from domain.acting import Actor
from domain.log.commands import ChangeLogKey
from domain.log.notes import Note, format_note, parse_note, sign_note
from domain.log.words import LOG
from domain.refusal import Refused
from workflows.submission import Answer, Submission

FRESH = "log.key.new"
"""The new key, until the change is on record; a change that broke off goes on with it."""


def change_key(engine: Engine, log: LogStore, actor: Actor, authority: str) -> Answer | None:
    """Change it; the old file is kept beside the new one, under its key id. None where only the files were left to do.

    The sealer must not run meanwhile: it would go on signing with the old key. Raises Refused "sealer_running",
    "no_head", "signed_more_already" for a log that is behind its mark, and what `open_signer` does.
    """
    folder = engine.settings.log_keys_folder
    with log.leader("sealer") as mine:
        if not mine:
            raise Refused("sealer_running", "Stop the role seal first; start it again afterwards.")
        mark_of(engine.settings).check(log.state(), roots_of(log))
        fresh = _fresh(folder, log)
        answer = None
        if key_in_force(log, engine.store) != str(fresh.vkey):
            old = open_signer(folder / LOG_KEY)
            command = ChangeLogKey(old=str(old.vkey), new=str(fresh.vkey), head=_head(log, old, fresh))
            answer = engine.handle(Submission("cli", uuid4().hex, LOG, command, actor, authority=authority))
        if answer is None or answer.accepted:
            _put_in_place(folder, fresh)
        return answer


def _fresh(folder: Path, log: LogStore) -> Signer:
    if not (folder / FRESH).exists():
        make_key(folder / FRESH, log.state().origin)
    return open_signer(folder / FRESH)


def _head(log: LogStore, old: Signer, new: Signer) -> str:
    head = log.head()
    if head is None:
        raise Refused("no_head", "Start the role seal once: there is no head yet that both keys could sign.")
    text = parse_note(head.note).text
    lines = (sign_note(text, signer.vkey, signer.sign).signatures for signer in (old, new))
    return format_note(Note(text, tuple(line for signed in lines for line in signed)))


def _put_in_place(folder: Path, fresh: Signer) -> None:
    """The old key aside, then the new one in its place; a crash between the two is mended by the next run."""
    present = folder / LOG_KEY
    if present.exists():
        old = open_signer(present).vkey
        present.rename(folder / f"{LOG_KEY}.{old.key_id:08x}")
    (folder / FRESH).rename(present)
    (folder / FRESH).with_suffix(".pub").rename(present.with_suffix(".pub"))
