"""Group commit: one transaction for all who wait.

The first caller to come writes at once; those who come meanwhile queue, and the first of them writes for the
whole queue. A lone writer thus pays nothing for it, and sixteen share one flush to disk. There is no thread
to start, stop or lose.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

from domain.refusal import Unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST = 256
"""How many items one transaction holds at most."""


class Entry(Generic[Item, Result]):
    """One caller's item and, once `settle` or `fail` was called, its outcome."""

    __slots__ = ("_result", "done", "error", "item", "leads", "wake")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.done = False
        self.leads = False
        self.error: Exception | None = None
        self._result: Result | None = None
        self.wake = Lock()
        self.wake.acquire()

    def settle(self, result: Result) -> None:
        """The item was written."""
        self._result, self.done = result, True

    def fail(self, error: Exception) -> None:
        """The item was not written; its caller gets `error`."""
        self.error, self.done = error, True

    def outcome(self) -> Result:
        """The result, or the error raised."""
        if self.error is not None:
            raise self.error
        return self._result  # type: ignore[return-value]  # settled, or failed above


class GroupCommit(Generic[Item, Result]):
    """Runs `write` for groups of queued items, by one caller at a time.

    `write` gets the entries and settles or fails each. What it leaves unsettled, or all if it raises, fails
    with Unavailable.
    """

    def __init__(self, write: Callable[[Sequence[Entry[Item, Result]]], None], most: int = MOST) -> None:
        self._write = write
        self._most = most
        self._gate = Lock()
        self._queue: deque[Entry[Item, Result]] = deque()
        self._busy = False

    def submit(self, item: Item) -> Result:
        """Have the item written and return its result; blocks until it is decided."""
        entry: Entry[Item, Result] = Entry(item)
        with self._gate:
            self._queue.append(entry)
            entry.leads = not self._busy
            self._busy = True
        try:
            if not entry.leads:
                entry.wake.acquire()
        except BaseException:  # an interrupt must not leave the others waiting for this caller
            self._leave(entry)
            raise
        if entry.leads:
            self._lead()
        return entry.outcome()

    def _lead(self) -> None:
        with self._gate:
            group = [self._queue.popleft() for _ in range(min(self._most, len(self._queue)))]
        try:
            self._write(group)
        finally:
            self._hand_over()
            for entry in group:
                if not entry.done:
                    entry.fail(
                        Unavailable("the writer was interrupted; look the answer up before trying again")
                    )
                entry.wake.release()

    def _hand_over(self) -> None:
        with self._gate:
            if not self._queue:
                self._busy = False
                return
            self._queue[0].leads = True
            self._queue[0].wake.release()

    def _leave(self, entry: Entry[Item, Result]) -> None:
        with self._gate:
            if entry not in self._queue:
                return
            self._queue.remove(entry)
        if entry.leads:
            self._hand_over()
