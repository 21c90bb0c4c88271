"""A small value in a file of its own, written in two places by turns: a write that is cut off leaves the one before.

Putting a new file in place takes two flushes of the disk and a change of the folder; writing over what is there takes one
flush, which is what a head that is signed for every event can afford.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from adapters.put import put
from domain.refusal import Unavailable

LEAST = 4096
"""Bytes of a place at the least; a value that has outgrown its place gets a file with places twice as large as it."""
_NUMBER = 20


class Slots:
    """The file, by its path, for its owner alone. One writes at a time; a reader needs no lock."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> bytes | None:
        """The value that was written last; None where there is no file. Raises ValueError if it is damaged, Unavailable."""
        _, line = _newest(self._places())
        return line[_NUMBER + 1 :] if line else None

    def write(self, value: bytes) -> None:
        """Put this value, a line without its end, in the older one's place, durably. Raises as `read`."""
        places = self._places()
        at, known = _newest(places)
        number = int(known[:_NUMBER]) + 1 if known else 0
        line = _line(b"%0*d %s" % (_NUMBER, number, value))
        size = len(places[0])
        if len(line) > size:
            put(self._path, line.ljust(2 * max(LEAST, 2 * len(line))), mode=0o600)
        else:
            self._overwrite(line, (1 - at) * size)

    def _places(self) -> tuple[bytes, bytes]:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return b"", b""
        except OSError as error:
            raise Unavailable(f"{self._path.name} cannot be read: {error.strerror}.") from error
        if not data:
            raise ValueError("there is nothing in it")
        return data[: len(data) // 2], data[len(data) // 2 :]

    def _overwrite(self, line: bytes, at: int) -> None:
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.pwrite(descriptor, line, at)
                os.fdatasync(descriptor)  # its size stays: there is nothing else to flush
            finally:
                os.close(descriptor)
        except OSError as error:
            raise Unavailable(f"{self._path.name} cannot be written: {error.strerror}.") from error


def _newest(places: tuple[bytes, bytes]) -> tuple[int, bytes]:
    """Which place holds the newest whole value, and what stands there; nothing where there is no file."""
    whole = [_whole(place.partition(b"\n")[0]) for place in places]
    if places[0] and not any(whole):
        raise ValueError("neither place holds a whole value")
    at = whole.index(max(whole))
    return at, whole[at]


def _line(said: bytes) -> bytes:
    return sha256(said).hexdigest().encode() + b" " + said + b"\n"


def _whole(line: bytes) -> bytes:
    """What the line says, nothing where it is not as it was written."""
    said = line[65:]
    return said if _line(said) == line + b"\n" else b""
