"""Files on their way in: each belongs to the process that takes it in until it is kept, and is let go of with it.

While a file arrives, a piece "holder" beside its own pieces names that process. Keeping the file takes that piece away,
letting go of it turns it into "over", each in one transaction: of the two, one has its way and the other learns it. Only
what is over for good loses its key and its pieces, and takes no further one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from adapters.holding import Holding
from adapters.store.tables import Tables, Work
from domain.refusal import NotFound, Unavailable

HOLDER, OVER = "holder", "over"
LOST = "the upload was let go of; send it again"
_log = structlog.get_logger("arriving")


def still_arriving(work: Work, upload: str) -> None:
    """It is not let go of before this transaction ends. Raises Unavailable where it was."""
    # Written, not only read: whoever lets go of it waits for this transaction, and finds what it has kept.
    if not work.run("UPDATE pieces SET made_at = made_at WHERE upload = ? AND what = ?", upload, HOLDER):
        raise Unavailable(LOST)


class Arriving:
    """The files that arrive in some tables. Every method but `settle` and `tidy` may raise domain.refusal.Unavailable."""

    def __init__(
        self, tables: Tables, processes: Holding, dropping: Callable[[str], None] = lambda upload: None
    ) -> None:
        """`dropping` is called with an upload before its pieces go; it may be called for one of them again."""
        self._tables, self._processes, self._dropping = tables, processes, dropping
        self._over: set[str] = set()

    def close(self) -> None:
        """No file arrives here any more."""
        self._processes.close()

    def begin(self, upload: str, at: int) -> None:
        """A file begins to arrive in this process; `settle` it in the end, whatever became of it."""
        self._let_go()
        holder = self._processes.mine().encode()
        self._tables.run("INSERT INTO pieces VALUES (?, ?, 0, ?, ?)", upload, HOLDER, at, holder)

    @contextmanager
    def looked_at(self) -> Iterator[None]:
        """Reading what has come, before it is kept: where it was let go of meanwhile, that is Unavailable."""
        try:
            yield
        except NotFound:
            raise Unavailable(LOST) from None

    def keep(self, work: Work, upload: str) -> None:
        """It is kept, with all else that this transaction writes. Raises Unavailable where it was let go of meanwhile."""
        if not work.run("DELETE FROM pieces WHERE upload = ? AND what = ?", upload, HOLDER):
            raise Unavailable(LOST)

    def settle(self, upload: str) -> None:
        """Let go of what came, unless it was kept: now, or before the next file comes in where the disk is full."""
        self._over.add(upload)
        self._try(self._let_go)

    def tidy(self) -> None:
        """Let go of what processes that are gone have left, as far as that can be done now."""
        self._try(self._after_the_gone)

    def _after_the_gone(self) -> None:
        # The uploads are found in the key's own index: the rows themselves hold whole pieces, and may be very many.
        found = self._tables.rows(
            "SELECT upload, what, data FROM pieces WHERE what IN (?, ?) AND n = 0"
            " AND upload IN (SELECT upload FROM pieces WHERE what IN (?, ?))", HOLDER, OVER, HOLDER, OVER,
        )  # fmt: skip
        holders = {upload: bytes(data).decode() for upload, what, data in found if what == HOLDER}
        gone = self._processes.gone({*holders.values()})
        self._over |= {upload for upload, holder in holders.items() if holder in gone}
        self._over |= {upload for upload, what, _ in found if what == OVER}
        self._let_go()

    def _let_go(self) -> None:
        for upload in [*self._over]:
            with self._tables.transaction() as work:
                over = work.run(
                    "UPDATE pieces SET what = ? WHERE upload = ? AND what IN (?, ?)",
                    OVER,
                    upload,
                    HOLDER,
                    OVER,
                )
            if over:
                self._dropping(upload)
                self._tables.run("DELETE FROM pieces WHERE upload = ?", upload)
            self._over.discard(upload)

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Unavailable as error:
            _log.warning("pieces_not_dropped", why=str(error))
