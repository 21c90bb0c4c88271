"""Opened, locked and erased cases in the bundles that boards check: every old one stays valid, every gap is lawful."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.bundle import verify as verifier
from adapters.disclosure import disclosed, written_for_the_board
from domain.matter import commands as do
from tests.acceptance.archivist import Office, simple
from tests.acceptance.bundle_world import Audited, audited
from tests.unit.verify_world import Report, run
from workflows.submission import Submission

GROUND = "law:personal-information-47"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Audited]:
    with audited(tmp_path) as made:
        made.seal(cosigned=False)
        made.adopt()
        yield made


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verifier runs years from now: the story's clock is turned ahead of ours."""
    monkeypatch.setattr(verifier.time, "time", lambda: datetime(2040, 1, 1, tzinfo=UTC).timestamp())


def checked(world: Audited, path: Path, *arguments: object) -> Report:
    return run(path, "--policy", world.policy, *arguments)


def closed(world: Audited) -> tuple[str, str, str]:
    """A closed case with two requesters."""
    second = world.tale.desk.resident()
    case = simple(Office(world.tale, None), second)
    state = world.tale.engine.handle.load(case)
    assert state is not None
    first = next(iter(state.requesters))
    return case, first, second.person


def opened(world: Audited, case: str) -> Path:
    """The case opened for the board: the file that it is handed."""
    submission = Submission(
        client="test", key=world.tale.desk.id(), case=case, command=do.DiscloseCase(to="board", ground="sample:1"),
        actor=world.actor("archive", "archivist"), authority=GROUND,
    )  # fmt: skip
    handle = world.tale.engine.handle
    assert handle(submission).accepted
    path = world.folder / f"{submission.key}.json"
    path.write_bytes(written_for_the_board(disclosed(world.tale.engine, case, handle.command_id(submission))))
    return path


def erased(world: Audited, case: str, about: str | None = None) -> str:
    archivist = world.actor("archive", "archivist")
    command = do.EraseData(about=about, ground="consent_withdrawn")
    return world.tale.desk.must(case, archivist, command, GROUND).events[0]


def test_the_verifier_finds_every_value_of_an_opened_case_in_its_leaves(world: Audited) -> None:
    case, _, _ = closed(world)
    file = opened(world, case)
    world.seal()

    report = checked(world, world.take()[0], "--disclosures", file)

    assert (report.result, report.faults) == ("pass", set())


def test_a_value_that_was_changed_on_the_way_stands_in_no_leaf(world: Audited) -> None:
    case, _, _ = closed(world)
    file = opened(world, case)
    world.seal()
    handed = json.loads(file.read_text(encoding="utf-8"))
    handed["disclosures"][0] = handed["disclosures"][0][::-1]
    file.write_text(json.dumps(handed), encoding="utf-8")

    report = checked(world, world.take()[0], "--disclosures", file)

    assert report.result == "fail"
    assert {"disclosure_unknown", "disclosure_missing"} <= report.faults


def test_an_erasure_leaves_old_bundles_and_old_disclosures_valid_and_is_a_lawful_gap(world: Audited) -> None:
    case, first, second = closed(world)
    before = opened(world, case)
    world.seal()
    old, _ = world.take("old.zip")
    world.tale.clock.turn(60)
    assert erased(world, case, second) == "data_erased.v1"
    after = opened(world, case)
    world.seal()
    new, _ = world.take("new.zip")

    reports = [
        checked(world, old, "--disclosures", before), checked(world, new, "--disclosures", after),
        checked(world, new, "--disclosures", before),
    ]  # fmt: skip

    assert [(report.result, report.faults) for report in reports] == [("pass", set())] * 3
    left = json.loads(after.read_text(encoding="utf-8"))
    assert {one["subject"] for one in left["values"]} >= {first}
    assert {(one["subject"], one["why"]) for one in left["closed"]} == {(second, "erased")}


def test_a_value_that_is_gone_without_an_erasure_on_record_is_a_finding(world: Audited) -> None:
    case, _, second = closed(world)
    world.tale.engine.keys.destroy(case, second)  # somebody at the key store, without a ground
    file = opened(world, case)
    world.seal()

    report = checked(world, world.take()[0], "--disclosures", file)

    assert (report.result, report.faults) == ("fail", {"disclosure_missing"})


def test_a_lock_and_the_clock_s_erasure_pass_with_their_grounds(world: Audited) -> None:
    case, _, _ = closed(world)
    assert erased(world, case) == "data_locked.v1"
    world.tale.clock.turn(20)
    world.tale.steps(case)
    world.seal()

    report = checked(world, world.take()[0])

    assert (report.result, report.faults) == ("pass", set())
    assert {"data_locked", "data_erased"} <= {one["code"] for one in report.said["findings"]}
