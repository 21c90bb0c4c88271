"""What can only be judged across the sections of a rulebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.codes import no_telephone
from domain.rulebook.lines import Path
from domain.rulebook.sections import Book
from domain.rulebook.words import ACTS, ANY, DEMANDS

Found = tuple[Path, str]

_NEEDED = {
    "cases": (
        "tiers", "clock", "posts", "authorise", "triage", "channel",
        "callback", "reopen", "returns", "limits", "catalogue",
    ),
    "backfill": ("tiers", "limits", "catalogue"),
    "tables": ("due_type",),
}  # fmt: skip


_STAGES = (
    "accept", "triage", "finish", "onsite", "callback", "close",
    "acknowledge", "check_in", "answer", "decide_return", "decide_extension", "adjudicate", "confirm_authority",
    "accept_result",
)  # fmt: skip
"""Without a clock of such a stage somebody would be owed an act that never falls due."""


def problems_across(book: Book) -> list[Found]:
    """Every problem between sections, each with the path of its key and a sentence."""
    return [
        *_telling(book),
        *_absent(book),
        *_nobody(book),
        *_never_due(book),
        *_twice(book),
        *_levels(book),
        *_unordered(book),
        *_misplaced(book),
    ]


def _telling(book: Book) -> Iterator[Found]:
    """The name stands in every envelope."""
    try:
        no_telephone(book.name)
    except ValueError as error:
        yield ("name",), f"Write the version with dots, such as 2026.03.01: {error}."


def _absent(book: Book) -> Iterator[Found]:
    for name in _NEEDED[book.use]:
        if not getattr(book, name):
            yield (name,), f"Add this section: a rulebook for {book.use} needs it."


def _nobody(book: Book) -> Iterator[Found]:
    """An act that nobody may perform stops every matter that comes to it."""
    if book.use != "cases" or not book.posts:
        return
    for act in sorted(ACTS):
        if not any(book.posts.get(act, {}).values()):
            yield ("posts", act), f"Name the posts that may perform {act}: nobody may."


def _never_due(book: Book) -> Iterator[Found]:
    if book.use != "cases" or not book.clock:
        return
    kinds: dict[str, set[str]] = {}
    for entry in book.clock:
        kinds.setdefault(entry.stage, set()).update(entry.of)
    for stage in _STAGES:
        if stage not in kinds:
            yield ("clock",), f"Add a clock of the stage {stage}: without one it never falls due."
    finish = kinds.get("finish", set())
    for demand in sorted(DEMANDS - finish if finish and ANY not in finish else ()):
        yield ("clock",), f"Add a clock of the stage finish for {demand}: without one it never falls due."


def _twice(book: Book) -> Iterator[Found]:
    lists: dict[str, Iterable[tuple[int, object]]] = {
        "clock": [(n, f"{entry.stage} of {of}") for n, entry in enumerate(book.clock) for of in entry.of],
        "authorise": [(n, of) for n, entry in enumerate(book.authorise) for of in entry.of],
        "catalogue": [(n, item.code) for n, item in enumerate(book.catalogue)],
        "due_type": [(n, entry.type) for n, entry in enumerate(book.due_type)],
        "holiday": [(n, notice.id) for n, notice in enumerate(book.holiday)],
        "tiers": list(enumerate(book.tiers)),
    }
    for name, entries in lists.items():
        seen: set[object] = set()
        for index, key in entries:
            if key in seen:
                yield (name, index), f"Keep one of these: {key} is stated twice."
            seen.add(key)


def _levels(book: Book) -> Iterator[Found]:
    for index, entry in enumerate(book.clock):
        for place, step in enumerate(entry.on_miss):
            if step.do == "escalate" and step.level not in book.tiers:
                tiers = ", ".join(book.tiers)
                yield ("clock", index, "on_miss", place, "level"), f"Escalate to one of the tiers: {tiers}."


def _unordered(book: Book) -> Iterator[Found]:
    for index, entry in enumerate(book.clock):
        known = [step.after.elapsed for step in entry.on_miss if step.after.elapsed is not None]
        if known != sorted(known):
            yield ("clock", index, "on_miss"), "Put the steps in order of time."


def _misplaced(book: Book) -> Iterator[Found]:
    if book.use != "cases" and book.clock:
        yield ("clock",), f"Remove the clocks: a rulebook for {book.use} starts none."
    if book.use != "cases" and book.retention:
        yield ("retention",), "Remove this section: files are kept by the rulebook for cases in force."
