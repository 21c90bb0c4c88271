"""A process that erases a case through `handle`: `python -m tests.contract.eraser DATA CASE PERSON [STORE]`.

A failpoint may kill it between the event and the keys.
"""

import sys
from pathlib import Path

from adapters.engine import open_engine
from adapters.settings import Settings
from domain.matter.commands import EraseData
from tests.story import DISTRICT
from workflows.submission import Submission


def main() -> None:
    data, case, person = sys.argv[1:4]
    store = sys.argv[4] if len(sys.argv) > 4 else None
    engine = open_engine(Settings(data=Path(data), store=store, district=DISTRICT.code))
    answer = engine.handle(
        Submission(
            client="eraser", key=case, case=case, command=EraseData(about=person or None, ground="consent_withdrawn"),
            actor=DISTRICT.actor("archive", "archivist"), authority="law:personal-information-47",
        )
    )  # fmt: skip
    print(answer.outcome, answer.code, flush=True)
    engine.close()


if __name__ == "__main__":
    main()
