"""The head of the log: a signed note with three lines (C2SP tlog-checkpoint v1.0.0).

    <origin>
    <size, decimal>
    <root, base64>

Others may add extension lines, which are kept and never understood; we write none.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.log.notes import NoteError
from domain.log.texts import from_decimal, hash_from_base64, to_base64
from domain.log.tree import HASH_BYTES, MOST_LEAVES


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's origin, the number of its leaves and the root of the tree they make (RFC 6962 section 2.1)."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not all(line and not any(one < " " for one in line) for line in (self.origin, *self.extensions)):
            raise NoteError("checkpoint_form", "Write origin and extensions as lines that are not empty.")
        if not 0 <= self.size <= MOST_LEAVES or len(self.root) != HASH_BYTES:
            raise NoteError("checkpoint_form", "Give a size from 0 to 2**63 - 1 and a root of 32 bytes.")

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """The checkpoint of a note's text (`Note.text`); `NoteError` for anything else."""
        origin, size, root, *extensions = [*text.split("\n"), "", ""]
        try:
            found = cls(origin, from_decimal(size), hash_from_base64(root), tuple(extensions[:-3]))
        except ValueError as error:
            raise NoteError(
                "checkpoint_form", "Write a checkpoint as origin, size and root, a line each."
            ) from error
        if found.text != text:
            raise NoteError("checkpoint_form", "End every line of a checkpoint with a newline.")
        return found

    @property
    def text(self) -> str:
        """The text to sign."""
        lines = (self.origin, str(self.size), to_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)
