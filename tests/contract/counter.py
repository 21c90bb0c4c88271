"""A process that takes the censuses that are due: `python -m tests.contract.counter DATA MOMENT [STORE]`.

Its clock stands at the moment; it prints the months taken.
A failpoint may kill it before and after any of them.
"""

import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path

from adapters.engine import open_engine
from adapters.log.counting import take_censuses
from adapters.settings import Settings


def main() -> None:
    data, moment, *store = sys.argv[1:]
    settings = Settings(data=Path(data), store=store[0] if store else None)
    with closing(open_engine(settings, lambda: datetime.fromisoformat(moment))) as engine:
        print(*take_censuses(engine.handle).taken, flush=True)


if __name__ == "__main__":
    main()
