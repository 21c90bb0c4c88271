"""The boards' witnesses over HTTP (C2SP tlog-witness): ask one for its cosignature, or for how far it has come.

Whatever a witness answers is checked before it is used; whatever goes wrong on the way is `BoardFailed` and says so in
one word. An answer is never waited for longer, nor read further, than a cosignature can take.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from adapters.log.keys import ML_DSA_44, ed25519_verify
from domain.log.checkpoint import Checkpoint
from domain.log.cosignature import signers
from domain.log.notes import Note, NoteError, VerifierKey, parse_note, parse_signatures, verified
from domain.log.policy import Witness
from domain.log.texts import from_decimal
from domain.log.witness import AddCheckpoint, format_request, origin_hash

Prove = Callable[[int, int], Sequence[bytes]]
"""The consistency proof from one size to another (RFC 9162 section 2.1.4). May block."""

ANSWER_SECONDS, SILENCE_SECONDS = 10.0, 5.0
"""For a whole answer, and for a connection on which nothing comes."""
MOST_ANSWER = 65_536
"""Bytes of an answer: more than a note with sixteen cosignatures of the largest kind."""
MOST_ROUNDS = 3
"""How often a witness may name another size while it is asked about one head."""


class BoardFailed(Exception):
    """A witness gave nothing that can be used; `why` is one word: `unreachable`, `status_422`, `bad_signature`, …"""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class BoardAhead(BoardFailed):
    """A witness says that it has cosigned a larger head: this log was set back, or another one signs in its name."""

    def __init__(self, size: int) -> None:
        super().__init__("ahead")
        self.size = size


@dataclass(frozen=True, slots=True)
class Cosigned:
    """The verified lines ("— name base64") that a witness gave for the head of this size."""

    size: int
    lines: tuple[str, ...]


def http_client() -> httpx.AsyncClient:
    """A client that keeps its connections, follows no redirect and takes nothing from the environment."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(SILENCE_SECONDS), follow_redirects=False, trust_env=False,
        headers={"Accept-Encoding": "identity"},
    )  # fmt: skip


class WitnessClient:
    """One board's witness; `size` is the newest that it is known to have cosigned. Needs the board's URL."""

    def __init__(
        self, board: Witness, http: httpx.AsyncClient, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        if board.url is None:
            raise ValueError("a board without a URL cosigns by file")
        self.key, self.url, self.size = board.vkey, board.url.rstrip("/"), 0
        self._http, self._answer_seconds = http, answer_seconds

    async def cosign(self, note: Note, prove: Prove) -> Cosigned:
        """Submit a head, signed by the log. Raises BoardFailed; whatever `prove` raises."""
        head = Checkpoint.parse(note.text)
        if self.size > head.size:
            self.size = 0  # what it said of itself last time is asked about again
        for _ in range(MOST_ROUNDS):
            proof = await asyncio.to_thread(prove, self.size, head.size) if self.size else ()
            request = format_request(AddCheckpoint(self.size, tuple(proof), note))
            status, answer = await self._ask("POST", "/add-checkpoint", request)
            if status == httpx.codes.OK:
                found = Cosigned(head.size, self._lines(note.text, answer))
                self.size = head.size
                return found
            if status != httpx.codes.CONFLICT:
                raise BoardFailed(f"status_{status}")
            self._told(answer)
            if self.size > head.size:
                raise BoardAhead(self.size)
        raise BoardFailed("conflict")

    async def size_told(self, note: Note) -> int:
        """How far the witness says it has come, asked with a head of ours; one at zero cosigns it. Raises BoardFailed."""
        request = format_request(AddCheckpoint(0, (), note))
        status, answer = await self._ask("POST", "/add-checkpoint", request)
        if status == httpx.codes.OK:
            return Checkpoint.parse(note.text).size
        if status != httpx.codes.CONFLICT:
            raise BoardFailed(f"status_{status}")
        self._told(answer)
        return self.size

    async def latest(self, origin: str, log_keys: Sequence[VerifierKey]) -> Checkpoint | None:
        """The newest head that the witness shows as cosigned, None if it shows none. Raises BoardFailed.

        It bears the log's signature and the witness's: it is proof of what the log has signed.
        """
        status, answer = await self._ask("GET", f"/{origin_hash(origin)}/checkpoint")
        if status == httpx.codes.NOT_FOUND:
            return None
        if status != httpx.codes.OK:
            raise BoardFailed(f"status_{status}")
        try:
            note = parse_note(answer)
            verified(note, log_keys, ed25519_verify)
            signed = signers(note, (self.key,), ed25519_verify, ML_DSA_44)
            head = Checkpoint.parse(note.text)
        except NoteError as error:
            raise BoardFailed(error.code) from error
        if not signed or head.origin != origin:
            raise BoardFailed("not_cosigned")
        return head

    def _told(self, answer: bytes) -> None:
        """The size that a 409 names; the same one again would go on for ever."""
        try:
            told = from_decimal(answer.decode("ascii").removesuffix("\n"))
        except ValueError as error:
            raise BoardFailed("bad_answer") from error
        if told == self.size:
            raise BoardFailed("conflict")
        self.size = told

    def _lines(self, text: str, answer: bytes) -> tuple[str, ...]:
        """The board's own lines, each of which holds; lines of keys that nobody asked about are left out."""
        try:
            lines = parse_signatures(answer)
            signed = signers(Note(text, lines), (self.key,), ed25519_verify, ML_DSA_44)
        except NoteError as error:
            raise BoardFailed(error.code) from error
        if not signed:
            raise BoardFailed("not_cosigned")
        return tuple(str(one).rstrip("\n") for one in lines if self.key.made(one))

    async def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(self._answer_seconds):
                async with self._http.stream(method, self.url + path, content=body) as response:
                    answer = bytearray()
                    async for part in response.aiter_raw():
                        answer += part
                        if len(answer) > MOST_ANSWER:
                            raise BoardFailed("answer_too_long")
                    return response.status_code, bytes(answer)
        except TimeoutError as error:
            raise BoardFailed("silent") from error
        except httpx.TimeoutException as error:
            raise BoardFailed("silent") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise BoardFailed("unreachable") from error
