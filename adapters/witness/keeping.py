"""What is kept of the boards' cosignatures: their lines under the heads, the quorum, and how far each board has come."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.log.genesis import opened
from adapters.log.keys import ML_DSA_44, ed25519_verify
from adapters.log.store import LogStore
from domain.log.checkpoint import Checkpoint
from domain.log.cosignature import signers
from domain.log.notes import Note, VerifierKey, parse_note, parse_signatures
from domain.log.policy import Policy, Witness
from domain.log.state import Cosigning
from domain.refusal import Refused
from workflows.ports import EventStore


@dataclass(frozen=True, slots=True)
class BoardNote:
    """What is remembered of a board between two starts: the largest head it has cosigned (0 for none), and the one
    word that says why the last try failed, None where it did not."""

    size: int = 0
    why: str | None = None


def policy_in_force(cosigning: Cosigning, store: EventStore) -> Policy | None:
    """The policy in force, read from its text; None before the first, or while its text is missing."""
    if cosigning.policy is None:
        return None
    text = store.text(cosigning.policy.digest)
    return None if text is None else Policy.parse(text)


def signing_key(cosigning: Cosigning, log: LogStore) -> str:
    """The verifier key that signs the log now. Raises IndexError before the genesis."""
    return cosigning.keys[-1].new if cosigning.keys else opened(log).log_key


def named_since(cosigning: Cosigning, key: str) -> datetime | None:
    """Since when the policies have named this key of the log without a break; None while the one in force does not.

    Boards know the log by the keys that their policy names: what another key has signed they refuse, without fault.
    """
    since = None
    for policy in reversed(cosigning.policies):
        if key not in policy.log_keys:
            break
        since = policy.at
    return since


def key_unnamed(cosigning: Cosigning, log: LogStore) -> str | None:
    """What to do where the policy in force does not name the key that signs now, as after a change of key; else None."""
    if (
        cosigning.policy is None
        or not log.state().size
        or named_since(cosigning, signing_key(cosigning, log))
    ):
        return None
    return (
        "the policy in force does not name the key that signs now, so that no board is asked: adopt a policy that names"
        " the new key (huiyin log key prints it, then huiyin log policy adopt)"
    )


def by_the_log(text: str, log_keys: Sequence[VerifierKey]) -> Note:
    """A head's note with the log's own lines alone, as witnesses are sent it."""
    note = parse_note(text)
    return Note(note.text, tuple(one for one in note.signatures if any(key.made(one) for key in log_keys)))


def cosigners(text: str, policy: Policy) -> frozenset[str]:
    """The boards of the policy, by name, that have cosigned this note. Raises NoteError for a line that fails."""
    signed = signers(parse_note(text), [one.vkey for one in policy.witnesses], ed25519_verify, ML_DSA_44)
    return frozenset(one.name for one in policy.witnesses if one.vkey in signed)


def keep(
    log: LogStore, policy: Policy, board: Witness, size: int, lines: Sequence[str], now: datetime
) -> bool:
    """Keep a board's verified lines under the head of this size; whether a quorum has now cosigned that head.

    The lines are written first and counted as they stand then, so that of two who keep at once one sees all.
    """
    log.add_cosignatures(size, lines)
    remember(log, board, BoardNote(max(size, remembered(log, board).size)))
    head = log.head_at(size)
    quorum = head is not None and policy.satisfied(cosigners(head.note, policy))
    if quorum:
        log.add_cosignatures(size, (), quorum_at=now)
    return quorum


def remembered(log: LogStore, board: Witness) -> BoardNote:
    """What is remembered of a board."""
    told = log.meta(f"board:{board.vkey}")
    return BoardNote(**json.loads(told)) if told else BoardNote()


def remember(log: LogStore, board: Witness, note: BoardNote) -> None:
    """Remember it, where it is news."""
    if remembered(log, board) != note:
        log.set_meta(f"board:{board.vkey}", json.dumps({"size": note.size, "why": note.why}))


@dataclass(frozen=True, slots=True)
class Kept:
    """What a note brought: the head's size, the boards whose lines hold, and whether a quorum has now cosigned it."""

    size: int
    boards: tuple[str, ...]
    quorum: bool


def keep_note(log: LogStore, policy: Policy, text: str, now: datetime, size: int | None = None) -> Kept:
    """Keep the lines of a note that came by hand, or bare lines under the head of this size.

    Raises NoteError and Refused for what is not of this log's heads, or of no board.
    """
    if text.startswith("—"):
        note = Note(_head_text(log, size), parse_signatures(text))
    else:
        note = parse_note(text)
        size = Checkpoint.parse(note.text).size
    if size is None or note.text != _head_text(log, size):
        raise _no_such_head()
    signed = signers(note, [one.vkey for one in policy.witnesses], ed25519_verify, ML_DSA_44)
    boards = [one for one in policy.witnesses if one.vkey in signed]
    if not boards:
        raise Refused(
            "no_board_line", "Bring a note with the line of a board that the policy in force names."
        )
    quorum = False
    for board in boards:
        lines = [str(one).rstrip("\n") for one in note.signatures if board.vkey.made(one)]
        quorum = keep(log, policy, board, size, lines, now)
    return Kept(size, tuple(one.name for one in boards), quorum)


def _head_text(log: LogStore, size: int | None) -> str:
    if size is None:
        raise Refused(
            "size_missing", "Say under which head the line stands: --size, as the board's report names it."
        )
    head = log.head_at(size)
    if head is None:
        raise _no_such_head()
    return parse_note(head.note).text


def _no_such_head() -> Refused:
    return Refused(
        "no_such_head", "Bring a head that this log has signed: huiyin log head prints the newest."
    )
