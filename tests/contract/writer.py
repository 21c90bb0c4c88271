"""A process that appends commands and notes what it was answered.

`python -m tests.contract.writer URL NAME COUNT [THREADS]`, where several threads write their own streams only.

Each command writes its own stream and one that all writers share, a reference, a sealed value and a text, under the
key `NAME-n`. A line with that key goes to standard output once the command has been answered, and not before.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from domain.refusal import Conflict
from tests.contract.store_world import answered, events, one, opened, sealed_row, text
from workflows.ports import Append, Batch, EventStore, Reference

SHARED = "shared"


def own_stream(key: str) -> str:
    return f"stream-of-{key}"


def command(store: EventStore, key: str) -> Batch:
    own = own_stream(key)
    whole = answered(key)
    return Batch(
        appends=(Append(own, 0, events(2)), Append(SHARED, len(store.load(SHARED)), events(1, note=key))),
        recorded_at=whole.recorded_at,
        answered=whole,
        references=(Reference("12345", key, own),),
        sealed=(sealed_row(own),),
        texts=(text(key),),
    )


def write(store: EventStore, key: str) -> None:
    """Load, decide, append; on a conflict again."""
    while True:
        try:
            store.append(command(store, key))
        except Conflict:
            continue
        return


def traces(store: EventStore, key: str) -> list[bool]:
    """What of a command stands in the store, part by part: all or nothing of it must be true."""
    return [
        store.answered("window", key) is not None,
        len(store.load(own_stream(key))) == 2,
        any(f'"{key}"'.encode() in event.body for event in store.load(SHARED)),
        store.find("12345", key) is not None,
        len(store.sealed(own_stream(key))) == 1,
        store.text(text(key).digest) is not None,
    ]


def write_own(store: EventStore, name: str, count: int) -> None:
    """Commands that never meet another one: as many at once as can be."""
    for number in range(count):
        store.append(one(f"{name}-{number}", count=2))


def main() -> None:
    url, name, count, *threads = sys.argv[1:]
    store = opened(url)
    if threads:
        with ThreadPoolExecutor() as pool:
            names = [f"{name}-{number}" for number in range(int(threads[0]))]
            list(pool.map(lambda each: write_own(store, each, int(count)), names))
        store.close()
        return
    for number in range(int(count)):
        key = f"{name}-{number}"
        write(store, key)
        print(key, flush=True)
    store.close()


if __name__ == "__main__":
    main()
