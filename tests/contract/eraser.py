"""A process that erases a case through `handle`, or locks it where a term runs: `python -m tests.contract.eraser DATA
CASE PERSON [STORE]`; with `--lift` before these it lifts the lock.

A failpoint may kill it between the event and the keys, or have it stall there.
"""

import sys
from pathlib import Path

from adapters.engine import open_engine
from adapters.settings import Settings
from domain.matter.commands import EraseData, LiftLock
from tests.story import DISTRICT
from workflows.submission import Submission


def main() -> None:
    words = [word for word in sys.argv[1:] if word != "--lift"]
    lift, (data, case, person) = len(words) < len(sys.argv) - 1, words[:3]
    store = words[3] if len(words) > 3 else None
    about = person or None
    act = (
        LiftLock(about=about, ground="locked_in_error")
        if lift
        else EraseData(about=about, ground="consent_withdrawn")
    )
    engine = open_engine(Settings(data=Path(data), store=store, district=DISTRICT.code))
    answer = engine.handle(
        Submission(
            client="eraser", key=f"{act.NAME}:{case}", case=case, command=act,
            actor=DISTRICT.actor("archive", "archivist"), authority="law:personal-information-47",
        )
    )  # fmt: skip
    print(answer.outcome, answer.code, flush=True)
    engine.close()


if __name__ == "__main__":
    main()
