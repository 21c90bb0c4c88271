"""A board's witness: what it answers a log that asks for its cosignature, and what it shows to monitors.

The state machine is `domain.log.witness`; here it is given a key, a clock and a memory that is written down before
anything is answered. Safe to share between threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import structlog

from adapters.log.keys import ML_DSA_44, Signer, ed25519_verify
from adapters.witness.state import Known, StateFile
from domain.log.cosignature import cosign
from domain.log.notes import Note, NoteError, Signature, VerifierKey, format_note
from domain.log.witness import (
    TEXT_TYPE,
    AddCheckpoint,
    Cosign,
    Refusal,
    State,
    judge,
    origin_hash,
    parse_request,
)
from domain.refusal import Unavailable

_log = structlog.get_logger("witness")


class Said(NamedTuple):
    """An answer over HTTP."""

    status: int
    body: str
    content_type: str = TEXT_TYPE


class Board:
    """The witness. The state file must be held by this process for as long as it lives."""

    def __init__(
        self,
        file: StateFile,
        logs: Mapping[str, Sequence[VerifierKey]],
        signer: Signer,
        clock: Callable[[], datetime],
    ) -> None:
        """`logs` are the trusted keys by origin. Raises Refused `bad_state`."""
        self._file, self._logs, self._signer, self._clock = file, logs, signer, clock
        self._known = file.load()
        self._lock = threading.Lock()

    def add_checkpoint(self, body: bytes) -> Said:
        """The answer to a request (C2SP tlog-witness, add-checkpoint): 200 only with the new state on the disk."""
        try:
            request = parse_request(body)
        except NoteError as error:
            return Said(400, f"{error.advice}\n")
        with self._lock:
            answer = self.judged(request)
            if isinstance(answer, Refusal):
                _log.warning("refused", origin=request.checkpoint.origin, status=answer.status)
                return Said(answer.status, answer.body, answer.content_type)
            try:
                line = self.cosigned(request, answer)
            except Unavailable as error:
                # Without the state on the disk there is no cosignature: after a restart it would be forgotten.
                _log.error("not_saved", why=str(error))
                return Said(503, "This witness cannot write its state down; try again later.\n")
        _log.info("cosigned", origin=request.checkpoint.origin, size=answer.state.size)
        return Said(200, str(line))

    def judged(self, request: AddCheckpoint) -> Cosign | Refusal:
        """What is to be done with a request; a head of the log's that contradicts the known one is kept."""
        origin = request.checkpoint.origin
        known = self._known.get(origin)
        latest = None if known is None else State(known.size, known.root)
        answer = judge(latest, request, self._logs, ed25519_verify, ML_DSA_44)
        if isinstance(answer, Refusal) and answer.status == 422 and known is not None:
            self._keep(known, request)
        return answer

    def cosigned(self, request: AddCheckpoint, decided: Cosign) -> Signature:
        """The line, with the state saved first. Raises Unavailable: then nothing has changed."""
        origin, key = request.checkpoint.origin, self._signer.vkey
        line = cosign(decided.text, key, int(self._clock().timestamp()), self._signer.sign)
        by_log = tuple(s for s in request.note.signatures if any(k.made(s) for k in self._logs[origin]))
        note = format_note(Note(decided.text, (*by_log, line)))
        known = {**self._known, origin: Known(decided.state.size, decided.state.root, note)}
        self._file.save(known)
        self._known = known
        return line

    def known(self, origin: str) -> Known | None:
        """The newest head that this witness has cosigned of a log."""
        return self._known.get(origin)

    def checkpoint(self, hashed: str) -> Said:
        """The newest cosigned head of the log whose origin has this hash (tlog-witness, monitor retrieval)."""
        for origin, known in self._known.items():
            if origin_hash(origin) == hashed:
                return Said(200, known.note)
        return Said(404, "This witness has cosigned no head of such a log.\n")

    def _keep(self, known: Known, request: AddCheckpoint) -> None:
        """Both notes, side by side: of one size they convict the log by themselves, whoever reads them."""
        head = request.checkpoint
        if head.size == known.size and head.root == known.root:
            return
        what = "conflict" if head.size == known.size else "unproved"
        try:
            kept = self._file.keep(what, head.size, (known.note, format_note(request.note)))
        except Unavailable as error:
            _log.error("evidence_not_saved", why=str(error))
            return
        if kept is not None:
            _log.error("evidence", what=what, origin=head.origin, size=head.size, file=kept.name)
