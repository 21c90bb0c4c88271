#!/usr/bin/env python3
"""Check an audit bundle of a Huiyin evidence log, without Huiyin.

    python3 -I verify.py BUNDLE --state board.json [--policy FILE] [--receipt FILE ...] [--disclosures FILE ...]
                         [--json] [--cosign KEYFILE]

One file, the standard library of Python 3.9 or newer, nothing else.
"""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

# ======================================================================================================================
# 1. Findings
# ======================================================================================================================


class Finding(NamedTuple):
    """One thing that the board has to know.

    `code` is stable; `zh` and `en` are one sentence each. `index` (leaf), `case` (stream) and `version` say where.
    `note` marks what is to be known but breaks no rule (an extension, a lawful erasure, lateness that is on record):
    any other finding makes the verdict FAIL.
    """

    code: str
    zh: str
    en: str
    index: int | None = None
    case: str | None = None
    version: int | None = None
    note: bool = False


# ==== the law again ====


class Law:
    """The published process law (rules.json), run again over the leaves.

    `rules` is the parsed rules.json; `state` what `state()` returned after the bundle before, None since genesis.
    """

    def __init__(self, rules: dict[str, Any], state: dict[str, Any] | None) -> None:
        self.rules = rules

    def take(self, index: int, leaf: dict[str, Any]) -> None:
        """The next leaf, in log order; its envelope has been checked, its `pub` has not."""

    def finish(self, now: str) -> list[Finding]:
        """What broke the law, as of `now` (RFC 3339, UTC, `Z`: when the new head was cosigned). Never raises."""
        return []

    def state(self) -> dict[str, Any]:
        """What the next bundle needs to know, as JSON."""
        return {}


# ==== end of the law ====


def main(arguments: list[str]) -> int:
    """Run; the exit code."""
    del arguments
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
