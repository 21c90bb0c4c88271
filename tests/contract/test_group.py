"""Group commit: everybody gets his own outcome, and nobody waits for one who is gone."""

import threading
import time
from collections.abc import Sequence

import pytest

from adapters.store.group import Entry, GroupCommit
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
    for thread in threads:
        thread.join(timeout=10)
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"


def waits_for(group: GroupCommit[int, int], count: int) -> None:
    """Wait until so many callers wait for the one who writes."""
    deadline = time.monotonic() + 60
    while len(group._queue) < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_lone_caller_gets_his_result_or_his_error() -> None:
    group: GroupCommit[int, int] = GroupCommit(doubled)
    assert group.submit(21) == 42
    with pytest.raises(ValueError, match="-1"):
        group.submit(-1)


def test_callers_who_come_together_are_written_together_and_get_their_own() -> None:
    sizes: list[int] = []

    def slow(entries: Sequence[Entry[int, int]]) -> None:
        sizes.append(len(entries))
        time.sleep(0.01)
        doubled(entries)

    group: GroupCommit[int, int] = GroupCommit(slow)
    results: list[tuple[int, int]] = []
    run([threading.Thread(target=lambda n=n: results.append((n, group.submit(n)))) for n in range(32)])
    assert sorted(results) == [(n, 2 * n) for n in range(32)]
    assert sum(sizes) == 32
    assert max(sizes) > 1


def test_a_group_is_no_larger_than_it_may_be() -> None:
    sizes: list[int] = []
    started = threading.Event()

    def slow(entries: Sequence[Entry[int, int]]) -> None:
        sizes.append(len(entries))
        started.wait(0.05)
        doubled(entries)

    group: GroupCommit[int, int] = GroupCommit(slow, most=3)
    run([threading.Thread(target=group.submit, args=(n,)) for n in range(20)])
    assert sum(sizes) == 20
    assert max(sizes) <= 3


def test_callers_are_written_in_the_order_in_which_they_came() -> None:
    order: list[int] = []
    writing, hold = threading.Event(), threading.Event()

    def held(entries: Sequence[Entry[int, int]]) -> None:
        writing.set()
        hold.wait(60)
        order.extend(entry.item for entry in entries)
        doubled(entries)

    group: GroupCommit[int, int] = GroupCommit(held)
    threads = [threading.Thread(target=group.submit, args=(n,)) for n in range(10)]
    for came, thread in enumerate(threads):
        thread.start()
        if came:  # the first is being written
            waits_for(group, came)
        else:
            assert writing.wait(60)
    hold.set()
    for thread in threads:
        thread.join(5)
    assert order == list(range(10))


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
