"""What can only be judged across the sections of a rulebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.rulebook.lines import Path
from domain.rulebook.sections import Book

Found = tuple[Path, str]

_NEEDED = {
    "cases": (
        "tiers", "clock", "posts", "authorise", "triage", "channel",
        "callback", "reopen", "returns", "limits", "catalogue",
    ),
    "backfill": ("tiers", "limits", "catalogue"),
    "tables": ("due_type",),
}  # fmt: skip


def problems_across(book: Book) -> list[Found]:
    """Every problem between sections, each with the path of its key and a sentence."""
    return [*_absent(book), *_twice(book), *_levels(book), *_unordered(book), *_misplaced(book)]


def _absent(book: Book) -> Iterator[Found]:
    for name in _NEEDED[book.use]:
        if not getattr(book, name):
            yield (name,), f"Add this section: a rulebook for {book.use} needs it."


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
