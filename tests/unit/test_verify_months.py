"""verify.py month after month: what the board's state keeps, when it moves, and what is cosigned."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.bundle import verify
from tests import bundle_maker as make
from tests.bundle_maker import BOARDS, Trail, case
from tests.unit.verify_world import Desk, run


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def grown(months: Sequence[int]) -> tuple[Trail, list[int]]:
    """A log that grew by so many rounds of three leaves each month, and the sizes at the ends of the months."""
    trail, sizes = Trail().open(), []
    for n, matters in enumerate(months):
        trail.matters(matters, begin=20 * n)  # cases of the month before go on
        trail.at += timedelta(hours=1)
        sizes.append(trail.size)
    return trail, sizes


def cut(trail: Trail, size: int) -> Trail:
    """The log as it stood at an earlier size."""
    entries = trail.entries[:size]
    return Trail(at=make.recorded(entries[-1]), entries=entries)


@given(st.lists(st.integers(0, 120), min_size=1, max_size=4))
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_month_after_month_the_state_is_that_of_one_bundle_since_genesis(
    desk: Desk, months: list[int]
) -> None:
    trail, sizes = grown(months)
    desk.state.unlink(missing_ok=True)
    before = 0

    for size in sizes:
        report = desk.month(make.files_of(cut(trail, size), before))
        assert (report.result, report.findings, report.said["state_saved"]) == ("pass", [], True)
        before = size

    walked = desk.seen()
    desk.state.unlink()
    desk.month(make.files_of(cut(trail, sizes[-1])))
    assert desk.seen() == walked


def test_a_bundle_since_genesis_is_held_against_the_state_as_well(desk: Desk) -> None:
    trail, sizes = grown([50, 50])
    desk.month(make.files_of(cut(trail, sizes[0])))

    assert desk.month(make.files_of(trail)).result == "pass"
    assert desk.seen()["size"] == sizes[1]


def test_the_same_bundle_again_changes_nothing(desk: Desk) -> None:
    trail, _ = grown([50])
    desk.month(make.files_of(trail))
    before = desk.seen()

    assert desk.month(make.files_of(trail)).result == "pass"
    assert desk.seen() == before


def test_a_month_without_an_event_passes(desk: Desk) -> None:
    trail, sizes = grown([50])
    desk.month(make.files_of(trail))

    report = desk.month(make.files_of(trail, sizes[0]))

    assert (report.result, report.said["leaves"]) == ("pass", 0)


def test_nothing_is_saved_after_a_fail(desk: Desk) -> None:
    trail, sizes = grown([50])
    desk.month(make.files_of(trail))
    trail.add(case(0), "matter_vanished.v1")
    before = desk.state.read_bytes()

    report = desk.month(make.files_of(trail, sizes[0]))

    assert (report.result, report.said["state_saved"]) == ("fail", False)
    assert desk.state.read_bytes() == before


def test_a_board_that_has_resolved_on_a_finding_goes_on_and_its_state_says_so(desk: Desk) -> None:
    trail, sizes = grown([50])
    desk.month(make.files_of(trail))
    trail.add(case(0), "matter_vanished.v1")

    report = desk.month(make.files_of(trail, sizes[0]), "--accept")

    assert (report.result, report.said["exit"], report.said["state_saved"]) == ("fail", 1, True)
    assert desk.seen()["accepted"] == [{"size": trail.size, "findings": {"event_unknown": 1}}]
    old = trail.size
    trail.add(case(0), "work_noted.v1", {"what": "x"})
    assert desk.month(make.files_of(trail, old)).result == "pass"
    assert len(desk.seen()["accepted"]) == 1


def test_nobody_can_resolve_on_a_log_that_forked(desk: Desk) -> None:
    desk.month(make.files_of(grown([50])[0]))
    before = desk.state.read_bytes()
    fork = Trail(at=make.BEGIN + timedelta(days=1)).open().matters(60)
    key = desk.file("key", BOARDS[0].private)

    report = desk.month(make.files_of(fork), "--accept", "--cosign", key)

    assert report.faults == {"split_view"}
    assert (report.said["state_saved"], report.said["cosignature"]) == (False, None)
    assert desk.state.read_bytes() == before


def test_after_a_pass_the_head_is_cosigned_and_the_signature_counts(desk: Desk) -> None:
    trail, _ = grown([50])
    key = desk.file("key", BOARDS[2].private)

    line = desk.month(make.files_of(trail), "--cosign", key).said["cosignature"]

    head = verify.read_head(make.signed(make.checkpoint(trail.hashes()), trail.at) + line + "\n")
    signed = verify.check_head(head, verify.Policy(make.policy()))
    assert (signed.bad, signed.log) == ([], True)
    assert line.startswith("— board3.example ")


def test_nothing_is_cosigned_without_a_state(desk: Desk) -> None:
    key = desk.file("key", BOARDS[0].private)

    report = run(desk.zip(make.files_of(grown([5])[0])), "--cosign", key)

    assert report.code == "cosign_without_state"


def test_a_policy_used_first_is_pinned_until_the_board_gives_another(desk: Desk) -> None:
    trail, _ = grown([5])
    files = make.files_of(trail)
    other = make.policy(k=3)

    assert run(desk.zip(files), "--state", desk.state).codes == {"policy_unpinned", "rules_unpinned"}
    assert not desk.seen()["policy_pinned"]
    assert run(desk.zip(files | {"policy": other.encode()}), "--state", desk.state).result == "fail"
    assert (
        desk.month(files | {"policy": other.encode()}, "--policy", desk.file("mine", other)).result == "pass"
    )
    assert desk.seen()["policy_pinned"]
    assert run(desk.zip(files | {"policy": other.encode()}), "--state", desk.state).findings == []


def test_a_state_that_another_run_moved_meanwhile_is_left_alone(desk: Desk) -> None:
    trail, _ = grown([5])
    desk.month(make.files_of(trail))

    with pytest.raises(verify.Unreadable, match="state_moved"):
        verify.save_state(desk.state, {}, b"what stood there before")

    assert desk.seen()["size"] == trail.size
    assert [path.name for path in desk.folder.iterdir() if path.name.startswith("board.json.")] == []


def test_a_state_that_cannot_be_written_is_said_so(desk: Desk) -> None:
    trail, _ = grown([5])

    report = run(desk.zip(make.files_of(trail)), "--state", desk.folder / "no such folder" / "board.json")

    assert report.code == "state_unwritable"
