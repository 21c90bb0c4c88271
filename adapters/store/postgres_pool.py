"""Connections kept for the next caller, in the place of psycopg's pool.

That pool connects in threads of its own and waits between its tries, so that a server that is down is told of only
after a time-out, and one that is back is found late. Here the caller connects, learns at once what is wrong, and a
connection that has been idle is tried before it is used: a restart of the server costs nobody an error.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import BoundedSemaphore
from typing import Any
from weakref import WeakSet

import psycopg
from psycopg.pq import TransactionStatus

IDLE_SECONDS = 1.0
"""A connection that has been idle for longer is tried first."""
KEPT_SECONDS = 60.0
"""A connection that nobody has needed for so long is closed; so many there are as were lately in use at once."""
WAIT_SECONDS = 5.0
"""How long a caller waits for another one's connection when all are in use."""

Connection = psycopg.Connection[Any]


_POOLS: WeakSet[Connections] = WeakSet()


def pools() -> list[Connections]:
    """The pools of this process, for its figures."""
    return list(_POOLS)


class Connections:
    """At most so many connections, the last used first; has the methods that the library's datastore calls."""

    def __init__(self, make: Callable[[], Connection], most: int, kept: float = KEPT_SECONDS) -> None:
        self._make, self._kept = make, kept
        self._free = BoundedSemaphore(most)
        self._idle: deque[tuple[float, Connection]] = deque()
        self.in_use = 0
        _POOLS.add(self)

    @property
    def idle(self) -> int:
        """Connections kept for the next caller."""
        return len(self._idle)

    def open(self, *_: object) -> None:
        """Nothing to do: connections are made when they are needed."""

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A working connection, to be given back. Raises psycopg.OperationalError."""
        if not self._free.acquire(timeout=WAIT_SECONDS):
            raise psycopg.OperationalError(f"all connections were in use for {WAIT_SECONDS} s")
        try:
            connection = self._take()
            self.in_use += 1
            try:
                yield connection
            finally:
                self.in_use -= 1
                self._give(connection)
        finally:
            self._free.release()

    def close(self) -> None:
        """Close what is idle; what is in use is closed when it is given back."""
        while self._idle:
            self._idle.pop()[1].close()
        self._make = _closed

    def _take(self) -> Connection:
        while self._idle:
            try:
                since, connection = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if time.monotonic() - since < IDLE_SECONDS or alive(connection):
                return connection
        return self._make()

    def _give(self, connection: Connection) -> None:
        if connection.info.transaction_status != TransactionStatus.IDLE or self._make is _closed:
            connection.close()
        else:
            self._idle.append((time.monotonic(), connection))
            self._let_go()

    def _let_go(self) -> None:
        with suppress(IndexError):  # none is left, or another thread was faster
            while time.monotonic() - self._idle[0][0] > self._kept:
                self._idle.popleft()[1].close()


def alive(connection: Connection) -> bool:
    """Whether the server still answers on this connection; if not, it is closed."""
    try:
        connection.execute("SELECT 1")
    except psycopg.Error:
        connection.close()
        return False
    return True


def _closed() -> Connection:
    raise psycopg.OperationalError("the store was closed")
