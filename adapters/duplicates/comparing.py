"""Comparing a request with others: its words and its address apart, weighed by how rare they are among those others.

What everybody writes (尊敬的领导, the name of the community) says nothing about two requests being one matter; so a pair
of signs, or a name, weighs as much as it is rare among the requests that are compared. Nothing is kept for that.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import chain
from typing import NamedTuple

from rapidfuzz import fuzz

from adapters.duplicates.features import Features

THRESHOLD = 0.18
"""From which score on a matter is offered: the highest at which, on one half of the messages, nine in ten of those that
repeat an earlier one are offered it. What it does on the other half stands in tests/benchmarks/RESULTS.md."""
OF_ADDRESS = 0.1
"""What the same rare address adds to a score."""
ENOUGH_TEXT = 0.1
"""Below this likeness of the words the same address adds only a part: one estate has many matters."""
HOPELESS = 0.04
"""Below this likeness of the words no address makes a score that matters, and none is looked at."""
FEWEST_SHARED = 4
"""Fewer pairs of signs in common than these are chance."""
SAME_NAME = 80.0
"""From which likeness on (rapidfuzz's ratio, per cent) two names are one, perhaps misspelt."""
APART = 0.5
"""What is left of a score when the addresses contradict each other: other buildings, or other places given."""
OTHER_PLACE = 50.0
"""Below which likeness two places that were given by themselves are two."""
FEW = 60
"""Up to so many texts are searched for each pair by itself."""
FEWEST = 50
"""Rareness is judged as if at least so many were compared."""


class Likeness(NamedTuple):
    """How alike two requests are, from 0 to 1: `score` from `text` and `address`; `apart`: the addresses contradict."""

    score: float
    text: float
    address: float
    apart: bool = False


def compare(new: Features, others: Sequence[Features]) -> list[Likeness]:
    """How alike the new request is to each of the others, in their order."""
    grams = new.grams
    shared = _shared(grams, [other.text for other in others])
    held = Counter(chain.from_iterable(shared))
    known = max(len(others), FEWEST)
    weights = {gram: _rareness(held[gram], known) ** 2 for gram in grams}
    mine = math.sqrt(sum(weights.values()))
    addresses = _Addresses(new, others, known)
    found = []
    for other, some in zip(others, shared, strict=True):
        text = _cosine(weights, mine, some, other) if len(some) >= FEWEST_SHARED else 0.0
        found.append(addresses.joined(text, other) if text >= HOPELESS else Likeness(text, text, 0.0))
    return found


def _shared(grams: Sequence[str], texts: Sequence[str]) -> list[frozenset[str]]:
    """Which of the pairs of signs stand in each of the texts.

    One scan finds the places where two of their signs meet; to look for each pair by itself took four times as long, but
    where there are few texts the pattern is longer in the making. It is a set of sorted signs, which `re` may keep a
    while, and says none of the words.
    """
    wanted = frozenset(grams)
    if not wanted or len(texts) <= FEW:
        return [frozenset([gram for gram in wanted if gram in text]) for text in texts]
    first, second = (re.escape("".join(sorted({gram[at] for gram in grams}))) for at in (0, 1))
    meet = re.compile(f"(?=([{first}][{second}]))").findall
    return [wanted.intersection(meet(text)) for text in texts]


def _rareness(held: int, known: int) -> float:
    """The weight of what `held` of `known` requests have as well: 1 for what nobody has, 0 for what everybody has."""
    return max(0.0, math.log((known + 1) / (held + 1)) / math.log(known + 1))


def _cosine(weights: dict[str, float], mine: float, grams: Collection[str], other: Features) -> float:
    """The cosine of both; of the other's own pairs of signs, that the new one lacks, each counts as rare as most are."""
    common = math.fsum(map(weights.__getitem__, grams))  # the same in whatever order a set gives them
    if not common or not mine:
        return 0.0
    theirs = math.sqrt(common + _OWN * (max(0, len(other.text) - 1 - len(grams))))
    return common / (mine * theirs)


_OWN = 0.6
"""The squared weight of a pair of signs that only the other one has."""


class _Addresses:
    """The addresses of the others against the new one's."""

    def __init__(self, new: Features, others: Sequence[Features], known: int) -> None:
        self._new, self._known, self._buildings = new, known, new.buildings
        self._held = Counter(chain.from_iterable([other.names for other in others]))
        self._ratios: dict[str, float] = {}

    def joined(self, text: float, other: Features) -> Likeness:
        """Both likenesses in one."""
        address = max((self._name(one) for one in other.names), default=0.0)
        score = min(1.0, text + OF_ADDRESS * address * min(1.0, text / ENOUGH_TEXT))
        apart = self._apart(other)
        return Likeness(score * APART if apart else score, text, address, apart)

    def _name(self, theirs: str) -> float:
        known = self._ratios.get(theirs)
        if known is None:
            same = any(fuzz.ratio(mine, theirs) >= SAME_NAME for mine in self._new.names)
            known = self._ratios[theirs] = _rareness(self._held[theirs], self._known) if same else 0.0
        return known

    def _apart(self, other: Features) -> bool:
        """Whether both cannot be one: both name buildings and none in common, or both give unlike places."""
        if self._buildings and (theirs := other.buildings) and self._buildings.isdisjoint(theirs):
            return True
        place = self._new.place
        return bool(place and other.place) and fuzz.ratio(place, other.place) < OTHER_PLACE
