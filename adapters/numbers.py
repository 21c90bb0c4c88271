"""The numbers that people use: district code, date, six random characters, a check character (DESIGN.md §9).

No counter: a number says nothing about how many matters there are. The alphabet leaves out letters and digits
that are mistaken for one another; the check character finds every single wrong character and every swap of
neighbours (weights are powers of two modulo 31, the number of signs and a prime).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date

ALPHABET = "0123456789ABCDEFGHJKMNPQRTUVWXY"
RANDOM = 6
_PLACE = {sign: place for place, sign in enumerate(ALPHABET)}


def fresh_number(district: str, day: date, bits: Callable[[int], int] = secrets.randbits) -> str:
    """A new number such as `110101-20261123-7KQ2MWX`; `day` is the local date of intake.

    `bits` gives so many random bits as an integer; only a story that must repeat itself brings its own.
    """
    return number_from(district, day, bits(256))


def number_from(district: str, day: date, chance: int) -> str:
    """The number that `chance` gives, an integer of so many random bits that its remainders are even."""
    body, chance = "", chance % len(ALPHABET) ** RANDOM
    for _ in range(RANDOM):
        chance, place = divmod(chance, len(ALPHABET))
        body += ALPHABET[place]
    stem = f"{district}-{day:%Y%m%d}-{body}"
    return stem + check_character(stem)


def begins_numbers(code: str) -> bool:
    """Whether a district's code can begin numbers: 2 to 12 of the signs that they are made of."""
    return 2 <= len(code) <= 12 and set(code) <= set(ALPHABET)


def check_character(stem: str) -> str:
    """The character that makes the weighted sum of all characters divisible by 31."""
    total = 0
    for sign in stem.replace("-", ""):
        total = (total + _PLACE[sign]) * 2 % len(ALPHABET)
    return ALPHABET[-total % len(ALPHABET)]


def is_number(text: str) -> bool:
    """Whether a text is a well-formed number with the right check character."""
    stem, last = text[:-1], text[-1:]
    parts = text.split("-")
    if len(parts) != 3 or len(parts[2]) != RANDOM + 1 or not set(text) <= set(ALPHABET) | {"-"}:
        return False
    return check_character(stem) == last
