"""Canaries: marks that are put into every sealed value, and a search for them in whatever form they might have."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import product
from pathlib import Path

from domain.matter import Matter
from domain.matter.commands import RegisterMatter
from workflows.handle import Handle
from workflows.ports import Sealable
from workflows.submission import NOBODYS, Answer, OutsideNumber, Sealing, Submission

_SIGNS = "绛珠黛钗湘迎探惜巧纨袭晴麝鹃莺茗焙钏"


def fresh_mark() -> str:
    """Letters and Chinese signs that stand nowhere else: each half is found by itself."""
    return f"canary{secrets.token_hex(10)}"


def fresh_signs() -> str:
    """The same in Chinese, which JSON may escape and UTF-16 writes in two bytes."""
    return "".join(secrets.choice(_SIGNS) for _ in range(14))


def forms(mark: str) -> dict[str, bytes]:
    """The mark as bytes, in every form in which it might have been written."""
    utf8, escaped = mark.encode(), json.dumps(mark)[1:-1]
    found = {
        "utf-8": utf8, "utf-16-le": mark.encode("utf-16-le"), "utf-16-be": mark.encode("utf-16-be"),
        "hex": utf8.hex().encode(), "HEX": utf8.hex().upper().encode(), "escaped": escaped.encode(),
        "escaped twice": json.dumps(escaped)[1:-1].encode(), "percent": "".join(f"%{b:02X}" for b in utf8).encode(),
    }  # fmt: skip
    for before, alphabet in product(range(3), ("std", "url")):
        encode = base64.b64encode if alphabet == "std" else base64.urlsafe_b64encode
        found[f"base64 {alphabet} after {before}"] = _aligned(utf8, before, encode)
    return found


def _aligned(data: bytes, before: int, encode: Callable[[bytes], bytes]) -> bytes:
    """What base64 makes of the data behind so many other bytes, without the signs that its neighbours touch."""
    spoilt_first = 0 if before == 0 else before + 1
    whole = (before + len(data)) // 3 * 4
    return encode(b"\0" * before + data)[spoilt_first:whole]


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a mark was found, and in which form."""

    file: str
    form: str


def search(marks: Iterable[str], files: Iterable[Path]) -> set[Hit]:
    """Look for every form of the marks in the files; one that has just gone is passed over."""
    wanted = [(name, form) for mark in marks for name, form in forms(mark).items()]
    return {hit for file in files for hit in _in_file(file, wanted)}


def _in_file(file: Path, wanted: list[tuple[str, bytes]]) -> Iterator[Hit]:
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return
    yield from (Hit(file.name, name) for name, form in wanted if form in content)


def files_in(folder: Path) -> list[Path]:
    """All files below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


@dataclass
class Marking:
    """`handle` for people who say something that nobody may read: every sealed text gets both marks.

    A command that brings no sealed value gets one more, and a registration an outside number that holds the mark.
    """

    handle: Handle
    mark: str = field(default_factory=fresh_mark)
    signs: str = field(default_factory=fresh_signs)
    marked: set[tuple[str, str]] = field(default_factory=set)

    @property
    def clock(self) -> Callable[[], datetime]:
        """The present moment."""
        return self.handle.clock

    @property
    def load(self) -> Callable[[str], Matter | None]:
        """A case's present state."""
        return self.handle.load

    @property
    def marks(self) -> tuple[str, str]:
        """Both marks."""
        return self.mark, self.signs

    def spoken(self, value: Sealable) -> Sealable:
        """The value with the marks in it."""
        return f"{value}{self.mark}{self.signs}" if isinstance(value, str) else value

    def __call__(self, submission: Submission) -> Answer:
        """Mark what is sealed, and hand it in."""
        name = submission.command.NAME
        said = submission.sealed or (Sealing("note", NOBODYS, "另记"),)
        sealed = tuple(replace(one, value=self.spoken(one.value)) for one in said)
        self.marked.update((name, one.name) for one in sealed)
        outside = submission.outside
        if isinstance(submission.command, RegisterMatter):
            outside = (*outside, OutsideNumber("hotline_12345", f"{self.mark}{submission.key}"))
        return self.handle(replace(submission, sealed=sealed, outside=outside))
