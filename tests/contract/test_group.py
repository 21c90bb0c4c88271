"""Group commit: everybody gets his own outcome, and nobody waits for one who is gone."""

import threading
import time
from collections.abc import Sequence

import pytest

from adapters.store.group import MOST, Entry, GroupCommit
from domain.refusal import Unavailable


def doubled(group: Sequence[Entry[int, int]]) -> None:
    for entry in group:
        if entry.item < 0:
            entry.fail(ValueError(str(entry.item)))
        else:
            entry.settle(entry.item * 2)


def run(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    joined(threads)


def joined(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.join(timeout=100)
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"


class Held:
    """Writes; the first who comes is being written until all the others wait behind him, in order."""

    def __init__(self, most: int = MOST) -> None:
        self.groups: list[list[int]] = []
        self.group: GroupCommit[int, int] = GroupCommit(self._write, most)
        self._writing, self._go_on = threading.Event(), threading.Event()

    def _write(self, entries: Sequence[Entry[int, int]]) -> None:
        self.groups.append([entry.item for entry in entries])
        self._writing.set()
        assert self._go_on.wait(60)
        doubled(entries)

    def run(self, threads: Sequence[threading.Thread]) -> None:
        for before, thread in enumerate(threads):
            thread.start()
            if before:
                self._waits_for(before)
            else:
                assert self._writing.wait(60)
        self._go_on.set()
        joined(threads)

    def _waits_for(self, count: int) -> None:
        deadline = time.monotonic() + 60
        while len(self.group._queue) < count:
            assert time.monotonic() < deadline
            time.sleep(0.001)


def test_a_lone_caller_gets_his_result_or_his_error() -> None:
    group: GroupCommit[int, int] = GroupCommit(doubled)
    assert group.submit(21) == 42
    with pytest.raises(ValueError, match="-1"):
        group.submit(-1)


def test_callers_who_come_together_are_written_together_and_get_their_own() -> None:
    held, results = Held(), list[tuple[int, int]]()
    held.run(
        [threading.Thread(target=lambda n=n: results.append((n, held.group.submit(n)))) for n in range(32)]
    )
    assert sorted(results) == [(n, 2 * n) for n in range(32)]
    assert [len(group) for group in held.groups] == [1, 31]


def test_a_group_is_no_larger_than_it_may_be() -> None:
    held = Held(most=3)
    held.run([threading.Thread(target=held.group.submit, args=(n,)) for n in range(20)])
    assert [len(group) for group in held.groups] == [1, 3, 3, 3, 3, 3, 3, 1]


def test_callers_are_written_in_the_order_in_which_they_came() -> None:
    held = Held(most=4)
    held.run([threading.Thread(target=held.group.submit, args=(n,)) for n in range(10)])
    assert [item for group in held.groups for item in group] == list(range(10))


def test_a_writer_that_breaks_down_leaves_nobody_waiting() -> None:
    calls = 0

    def breaks_once(entries: Sequence[Entry[int, int]]) -> None:
        nonlocal calls
        calls += 1
        time.sleep(0.02)
        if calls == 1:
            raise KeyboardInterrupt
        doubled(entries)

    group: GroupCommit[int, int] = GroupCommit(breaks_once)
    outcomes: list[object] = []

    def work(number: int) -> None:
        try:
            outcomes.append(group.submit(number))
        except (Unavailable, KeyboardInterrupt) as error:
            outcomes.append(type(error))

    run([threading.Thread(target=work, args=(n,)) for n in range(8)])
    assert len(outcomes) == 8
    assert group.submit(4) == 8


def test_what_the_writer_forgets_is_unavailable() -> None:
    group: GroupCommit[int, int] = GroupCommit(lambda entries: None)
    with pytest.raises(Unavailable):
        group.submit(1)
