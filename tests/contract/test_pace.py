"""The pace of imports: what they leave to others, over a real store in which others write while they rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from adapters.imports.pace import Pace
from adapters.store.positions import StoredPositions
from adapters.store.sqlite import SqliteStore
from domain.acting import CLOCK_PERSON
from tests.contract.store_world import batch, new_id
from workflows.ports import Append

PERSON = "0f9b6a8e-7c3d-4f5a-9b1c-2d3e4f5a6b7c"


@dataclass
class Resting:
    """A pace whose rests are counted, not slept; while it rests somebody makes so many events a second."""

    store: SqliteStore
    views: str
    share: float = 0.25
    person: str = PERSON
    a_second: float = 0.0
    rested: float = 0.0
    _made: float = 0.0
    pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        self.pace = Pace(self.share, self.store, self.views, self._pause)

    def after(self, worked: float, *, live: bool = True) -> float:
        """The seconds of the rest after so many seconds of work."""
        before = self.rested
        self.pace.rest(worked, lambda: None, live=live)
        return self.rested - before

    def used_to(self, *, live: bool = True) -> float:
        """The same, once it knows the others."""
        for _ in range(200):
            self.after(0.05, live=live)
        return self.after(0.1, live=live)

    def _pause(self, seconds: float) -> None:
        self.rested += seconds
        self._made += seconds * self.a_second
        while self._made >= 1:
            body = f'{{"nonce":"{new_id()}","person":"{self.person}","post":null}}'.encode()
            self.store.append(batch(Append(new_id(), 0, (("matter_noted.v1", body),))))
            self._made -= 1


@pytest.fixture
def resting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Resting]:
    store, views = SqliteStore(tmp_path / "cases.db"), str(tmp_path / "views.db")
    StoredPositions(views).close()
    found = Resting(store, views)
    # No time passes but in rests: what a look at the followers takes is this machine's.
    monkeypatch.setattr("adapters.imports.pace.time", SimpleNamespace(monotonic=lambda: found.rested))
    yield found
    found.pace.close()
    store.close()


@pytest.mark.parametrize("live", [True, False])
def test_an_import_that_is_alone_rests_as_its_share_says(resting: Resting, live: bool) -> None:
    assert resting.used_to(live=live) == pytest.approx(0.3, rel=0.05)


def test_rows_that_open_live_matters_rest_the_longer_the_more_others_do(resting: Resting) -> None:
    resting.a_second = 0.25
    a_little = resting.used_to()
    resting.a_second = 1.25
    much = resting.used_to()

    assert a_little == pytest.approx(0.7, rel=0.15)  # half of a quarter
    assert much == pytest.approx(2.3, rel=0.15)  # a sixth of it


def test_what_the_clock_does_makes_nobody_wait(resting: Resting) -> None:
    resting.person, resting.a_second = CLOCK_PERSON, 1.25

    assert resting.used_to() == pytest.approx(0.3, rel=0.05)


def test_history_gives_way_too_and_less(resting: Resting) -> None:
    resting.a_second = 2.5

    assert resting.used_to(live=False) == pytest.approx(0.7, rel=0.15)  # half of a quarter


def test_once_the_others_have_gone_home_it_has_its_share_again(resting: Resting) -> None:
    resting.a_second = 1.25
    resting.used_to()
    resting.a_second = 0.0
    for _ in range(5):  # some minutes
        resting.used_to()

    assert resting.used_to() == pytest.approx(0.3, rel=0.05)


def test_no_rest_for_the_sake_of_others_is_long(resting: Resting) -> None:
    resting.a_second = 20.0
    resting.used_to()

    assert resting.after(0.5) == 5.0
    assert resting.after(10.0) == pytest.approx(30.0, rel=0.05)


def test_the_whole_share_rests_never(resting: Resting) -> None:
    resting.pace = Pace(1.0, resting.store, resting.views, resting._pause)

    assert resting.used_to() == 0.0
