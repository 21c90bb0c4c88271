"""Columns of values as PostgreSQL's binary arrays, made directly.

psycopg looks at every element of a list in Python to find its type; for the thirty arrays of a save that takes
several times as long as the server needs. Ours are of four known types. The format is that of `array_recv`:
dimensions, null flag, element type, length, lower bound, then each element with its length, all big-endian.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from struct import Struct, pack
from typing import Any

from psycopg import Connection
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEADER = Struct(">iiiii")
_LENGTH = Struct(">i")


class Texts(bytes):
    """A `text[]` in binary."""


class Binaries(bytes):
    """A `bytea[]` in binary."""


class Ints(bytes):
    """An `int[]` in binary."""


class BigInts(bytes):
    """A `bigint[]` in binary."""


def texts(values: Sequence[str]) -> Texts:
    """A column of text. Raises ValueError for lone surrogates."""
    return Texts(_sized(25, [value.encode() for value in values]))


def binaries(values: Sequence[bytes]) -> Binaries:
    """A column of bytes."""
    return Binaries(_sized(17, values))


def ints(values: Sequence[int]) -> Ints:
    """A column of integers below 2**31."""
    return Ints(_header(23, len(values)) + pack(">" + "ii" * len(values), *_with_size(4, values)))


def bigints(values: Sequence[int]) -> BigInts:
    """A column of integers below 2**63."""
    return BigInts(_header(20, len(values)) + pack(">" + "iq" * len(values), *_with_size(8, values)))


def understood_by(connection: Connection[Any]) -> None:
    """Let this connection take the four kinds of columns as parameters."""
    for kind, dumper in ((Texts, _Texts), (Binaries, _Binaries), (Ints, _Ints), (BigInts, _BigInts)):
        connection.adapters.register_dumper(kind, dumper)


class _Column(Dumper):
    format = Format.BINARY

    def dump(self, obj: bytes) -> bytes:
        return bytes(obj)


class _Texts(_Column):
    oid = 1009


class _Binaries(_Column):
    oid = 1001


class _Ints(_Column):
    oid = 1007


class _BigInts(_Column):
    oid = 1016


def _header(element: int, length: int) -> bytes:
    return _HEADER.pack(1, 0, element, length, 1) if length else pack(">iii", 0, 0, element)


def _sized(element: int, values: Sequence[bytes]) -> bytes:
    elements = chain.from_iterable((_LENGTH.pack(len(value)), value) for value in values)
    return b"".join((_header(element, len(values)), *elements))


def _with_size(size: int, values: Iterable[int]) -> Iterable[int]:
    return chain.from_iterable((size, value) for value in values)
