"""Which kinds of events somebody asks for: type constants, patterns such as `leg_*`, or the name of a group."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

from domain.matter.evolve import FOLDS
from domain.refusal import Refused

GROUPS: dict[str, tuple[str, ...]] = {
    "all": ("*",),
    "progress": (
        "matter_registered", "matter_backfilled", "matter_accepted", "matter_refused", "matter_triaged",
        "matter_retriaged", "handling_started", "matter_deferred", "matter_resumed", "result_submitted",
        "result_sent_back", "matter_reopened", "matter_closed", "matter_archived", "matter_withdrawn", "matter_merged",
        "merge_reversed",
    ),
    "orders": ("order_*", "call_answered", "lead_changed", "summons_time_changed", "authority_*"),
    "legs": ("leg_*", "return_*", "dispute_*", "help_requested", "result_accepted", "result_rejected", "work_noted"),
    "clocks": ("reminded", "due_missed", "breach_escalated", "clock_reset", "extension_*", "*_by_clock"),
    "callback": ("callback_*", "leg_rated"),
}  # fmt: skip
"""Named groups of kinds; a kind is a type constant without its version."""

OF_MATTERS = frozenset(event.TYPE for event in FOLDS)
"""Every type that an event of a matter may have."""

_PATTERN = re.compile(r"[a-z_*]{1,80}(\.v[0-9]{1,3})?")
MOST_KINDS = 50


def check_kinds(kinds: Sequence[str]) -> tuple[str, ...]:
    """The kinds as they were given, none twice. Raises Refused "malformed" for one that matches no event there is."""
    asked = tuple(dict.fromkeys(kinds))
    if not 0 < len(asked) <= MOST_KINDS:
        raise Refused("malformed", f"Name between one and {MOST_KINDS} kinds of events.")
    for kind in asked:
        if not _PATTERN.fullmatch(kind) or not any(matches((kind,), type_) for type_ in OF_MATTERS):
            raise Refused(
                "malformed",
                f"Name a type such as matter_closed.v1, a pattern such as leg_*, or one of {', '.join(GROUPS)}.",
            )
    return asked


@lru_cache(maxsize=4096)
def matches(kinds: tuple[str, ...], type_: str) -> bool:
    """Whether an event of this type is asked for. A kind without a version means every version of it."""
    bare = type_.partition(".")[0]
    return any(fnmatchcase(type_ if "." in one else bare, one) for one in _spelt_out(kinds))


def _spelt_out(kinds: Iterable[str]) -> list[str]:
    return [one for kind in kinds for one in GROUPS.get(kind, (kind,))]
