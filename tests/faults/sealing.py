"""A sealer as a process that a fault test kills: `python -m tests.faults.sealing STORE_URL KEYS [BATCH]`.

Seals everything that the store holds, in batches of BATCH events, and ends.
"""

import itertools
import sys
from pathlib import Path

from adapters.log import open_log
from tests.contract.log_world import LogWorld, log_url, seal_all
from tests.contract.store_world import opened


def main() -> None:
    url, keys, batch = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    store, log = opened(url), open_log(log_url(url))
    seal_all(store, LogWorld(url, keys, store, log).sealer(), itertools.repeat(batch))
    log.close()
    store.close()


if __name__ == "__main__":
    main()
