"""A process that makes three keys and destroys the first: `python -m tests.contract.key_writer URL MASTERS`."""

import sys
from pathlib import Path

from adapters.vault import open_keys


def main() -> None:
    url, masters = sys.argv[1:]
    keys = open_keys(url, Path(masters))
    for number in range(3):
        key = keys.key(f"case-{number}", "person", create=True)
        assert key is not None
        print(key.hex(), flush=True)
    keys.destroy("case-0", "person")
    keys.close()


if __name__ == "__main__":
    main()
