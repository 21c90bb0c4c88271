"""The resetter: when a holiday notice is entered, open cases set their provisional due moments again (law 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from adapters.saving import Saving
from domain.acting import CLOCK
from domain.matter import Matter
from domain.matter.commands import ResetClocks
from domain.refusal import Unavailable
from domain.rulebook.releases import NoticeEntered
from workflows.handle import Handle
from workflows.ports import Positions, Stored
from workflows.submission import Submission

CLIENT = "clock"


class Resetter(Saving):
    """The consumer `resetter`. One command per notice and case, under a key of both: repeated, it does nothing more."""

    name = "resetter"

    def __init__(self, handle: Handle, positions: Positions, open_cases: Callable[[], Iterable[str]]) -> None:
        super().__init__(positions)
        self._handle, self._open_cases = handle, open_cases

    def do(self, batch: Sequence[Stored]) -> None:
        """Reset the clocks of the open cases for each notice of the batch. Raises Conflict, Unavailable."""
        notices = [stored.position for stored in batch if stored.type == NoticeEntered.TYPE]
        for case in self._open_cases() if notices else ():
            if _provisional(self._handle.load(case)):
                self._reset(case, notices[-1])

    def _reset(self, case: str, notice: int) -> None:
        answer = self._handle(
            Submission(
                client=CLIENT, key=f"reset:{notice}:{case}", case=case, command=ResetClocks(), actor=CLOCK,
                causation=f"notice:{notice}",
            )
        )  # fmt: skip
        if not answer.accepted:
            # Nothing is lost: the position is not saved, and the whole batch is taken again.
            raise Unavailable(f"The clocks could not be set again: {answer.code}.")


def _provisional(state: Matter | None) -> bool:
    return state is not None and any(
        clock.provisional and clock.stopped is None for clock in state.clocks.values()
    )
