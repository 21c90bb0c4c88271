"""A process that moves a consumer from 1 to 2: `python -m tests.contract.position_writer URL`."""

import sys

from adapters.store.positions import StoredPositions


def main() -> None:
    StoredPositions(sys.argv[1]).save("views", 1, 2)


if __name__ == "__main__":
    main()
