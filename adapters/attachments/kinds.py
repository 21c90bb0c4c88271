"""What a file is, told by its own bytes; what its sender calls it is not asked."""

from __future__ import annotations

import zipfile
from typing import IO, NamedTuple

from domain.refusal import Refused


class Kind(NamedTuple):
    """A kind of file: its media type and how its name ends."""

    media_type: str
    ending: str


_DOCUMENT = "application/vnd.openxmlformats-officedocument."
KINDS = {
    "jpeg": Kind("image/jpeg", "jpg"),
    "png": Kind("image/png", "png"),
    "pdf": Kind("application/pdf", "pdf"),
    "docx": Kind(f"{_DOCUMENT}wordprocessingml.document", "docx"),
    "xlsx": Kind(f"{_DOCUMENT}spreadsheetml.sheet", "xlsx"),
    "mp4": Kind("video/mp4", "mp4"),
    "mp3": Kind("audio/mpeg", "mp3"),
    "amr": Kind("audio/amr", "amr"),
}
"""What may be attached: photographs, papers, recordings. Nothing that a reader's machine would run."""

_BEGINNINGS = (
    (b"\xff\xd8\xff", "jpeg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"%PDF-", "pdf"), (b"ID3", "mp3"), (b"\xff\xfb", "mp3"),
    (b"\xff\xf3", "mp3"), (b"\xff\xf2", "mp3"), (b"#!AMR", "amr"),
)  # fmt: skip
_BODIES = {"word/document.xml": "docx", "xl/workbook.xml": "xlsx"}
_MOST_PARTS = 5_000


def kind_of(file: IO[bytes]) -> str:
    """The kind of a file, by its name in KINDS. Raises Refused "wrong_file_type" for every other."""
    begins = file.read(16)
    for mark, kind in _BEGINNINGS:
        if begins.startswith(mark):
            return kind
    if begins[4:8] == b"ftyp":
        return "mp4"
    if begins.startswith(b"PK\x03\x04"):
        return _packed(file)
    raise _wrong()


def _packed(file: IO[bytes]) -> str:
    """An office document without programs in it."""
    try:
        with zipfile.ZipFile(file) as packed:
            names = packed.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise _wrong() from None
    found = {_BODIES[name] for name in names if name in _BODIES}
    if len(found) != 1 or len(names) > _MOST_PARTS or any("vbaproject" in name.lower() for name in names):
        raise _wrong()
    return found.pop()


def _wrong() -> Refused:
    return Refused(
        "wrong_file_type",
        f"Attach one of {', '.join(sorted(KINDS))}; the file's own bytes say that it is none.",
    )
