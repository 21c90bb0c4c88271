"""Rulebooks: every number, post and list that the reports leave open (domain.md A.3), as data with a version.

A rulebook is a TOML text, checked when it is read, never edited after its release (DESIGN.md law 8).
`parse` gives it or says all that is wrong with it; `domain.rulebook.releases` says which is in force when.
"""

from domain.rulebook.parse import parse
from domain.rulebook.problems import BadRulebook, Problem
from domain.rulebook.rulebook import ClockRule, Rulebook
from domain.rulebook.sections import (
    CallbackSection,
    CatalogueItem,
    ReopenSection,
    RetentionSection,
    ReturnsSection,
    Step,
    Wording,
)

__all__ = [
    "BadRulebook",
    "CallbackSection",
    "CatalogueItem",
    "ClockRule",
    "Problem",
    "ReopenSection",
    "RetentionSection",
    "ReturnsSection",
    "Rulebook",
    "Step",
    "Wording",
    "parse",
]
