"""How numbers and bytes stand in the text formats of C2SP: each in its one form, so that no text has a twin."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode

from domain.log.tree import HASH_BYTES, MOST_LEAVES

_DECIMAL = re.compile("0|[1-9][0-9]{0,18}", re.ASCII)


def to_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648 section 4)."""
    return b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """What `to_base64` has written; ValueError for any other spelling, such as spare bits that are not zero."""
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64") from error
    if to_base64(data) != text:
        raise ValueError("not the one base64 form")
    return data


def hash_from_base64(text: str) -> bytes:
    """A hash of exactly 32 bytes; ValueError for anything else."""
    data = from_base64(text)
    if len(data) != HASH_BYTES:
        raise ValueError("not 32 bytes")
    return data


def from_decimal(text: str) -> int:
    """A size or an index: ASCII decimal without leading zeroes, at most 2**63 - 1; ValueError for anything else."""
    if _DECIMAL.fullmatch(text) is None or int(text) > MOST_LEAVES:
        raise ValueError("not a decimal number below 2**63")
    return int(text)
