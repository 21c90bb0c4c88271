"""What stands once a program has started is left out of the collector's rounds; what comes later is not."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from adapters.settled import settle


class Knot:
    """Holds itself: only the collector gets rid of it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_stands_by_then_is_looked_at_no_more() -> None:
    settle()

    assert gc.get_freeze_count() > 1000
    assert len(gc.get_objects()) < 1000


def test_what_is_left_over_from_starting_goes_first() -> None:
    left = weakref.ref(Knot())

    settle()

    assert left() is None


def test_what_was_let_go_goes_when_it_settles_again() -> None:
    held = Knot()
    settle()
    left = weakref.ref(held)

    del held
    settle()

    assert left() is None


def test_what_comes_later_is_collected_as_ever() -> None:
    settle()
    left = weakref.ref(Knot())

    gc.collect()

    assert left() is None
