"""A receipt as a QR code, so that a printed slip or a screen carries the whole file.

The code holds the file's own bytes: any reader gives the text back, and `huiyin receipt verify` takes it.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import segno

from adapters.put import put
from domain.refusal import Refused

MOST_BYTES: Final = 2953
"""What a QR code of the largest size (version 40) holds at error correction level L."""

KINDS: Final = ("png", "svg")
_DOTS = 4
_QUIET = 4
"""Modules of white around the code, as ISO/IEC 18004 asks for."""


def kind_of(file: Path) -> str:
    """Which picture a file name asks for. Raises Refused "malformed"."""
    kind = file.suffix.lower().removeprefix(".")
    if kind not in KINDS:
        raise Refused("malformed", "Name the picture FILE.png or FILE.svg.")
    return kind


def picture(text: str, kind: str) -> bytes:
    """The code as a PNG or SVG file. Raises Refused "too_large_for_qr" above 2,953 bytes."""
    data = text.encode("utf-8")
    if len(data) > MOST_BYTES:
        raise Refused(
            "too_large_for_qr",
            f"Hand out the file itself: a QR code holds {MOST_BYTES} bytes, this one has {len(data)}.",
        )
    # Marked as UTF-8 nowhere: an ECI header would cost room, and readers take these bytes for UTF-8 by themselves.
    code = segno.make(data, error="l", mode="byte", micro=False)
    written = io.BytesIO()
    code.save(written, kind=kind, scale=_DOTS, border=_QUIET, light="#fff")
    return written.getvalue()


def save_picture(text: str, file: Path) -> None:
    """Write the code into the file that its name asks for. Raises Refused, Unavailable."""
    put(file, picture(text, kind_of(file)))
