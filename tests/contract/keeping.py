"""A process that is the keeper for one round: `python -m tests.contract.keeping DATA CASE PERSON [STORE]`."""

import asyncio
import sys
from pathlib import Path

from adapters.engine import open_engine
from adapters.keeper import Keeper
from adapters.settings import Settings
from adapters.store.positions import StoredPositions


def main() -> None:
    engine = open_engine(Settings(data=Path(sys.argv[1]), store=sys.argv[4] if len(sys.argv) > 4 else None))
    keeper = Keeper(engine.store, engine.keys, StoredPositions(engine.settings.views_url))
    keeper.position()
    asyncio.run(keeper.take(engine.store.read(0, 5000)))


if __name__ == "__main__":
    main()
