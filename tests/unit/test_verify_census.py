"""verify.py: the census of every month that stands in the log, held against the leaves: altered, left out, or as it is."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests import bundle_maker as make
from tests.bundle_maker import LOG_STREAM, Trail, case
from tests.unit.test_verify_findings import withhold
from tests.unit.verify_world import Desk, Report

BURST = timedelta(hours=1)
CENSUS = {"census_month_differs", "census_month_missing"}
HEAD = timedelta(minutes=1)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def trail() -> Trail:
    """November, with a log that promises a census: ten matters, three events each."""
    return begun(census=True)


def begun(**promised: bool) -> Trail:
    return Trail(at=first_of(11) + timedelta(days=3)).open(**promised).matters(10)


def first_of(month: int) -> datetime:
    """A month of 2025, or of the year after."""
    return datetime(2025 + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=UTC)


def counted(trail: Trail, month: str, /, **changed: Any) -> dict[str, Any]:
    """The honest census of a month, by hand."""
    leaves = [json.loads(entry) for entry in trail.entries[1:]]
    mine = [one for one in leaves if one["recorded_at"].startswith(month)]
    kinds = Counter(one["type"] for one in mine)
    channels = Counter(one["pub"]["source"] for one in mine if one["type"] == "matter_registered.v1")
    told = {
        "month": month, "events": len(mine), "cases": kinds["matter_registered.v1"] + kinds["matter_backfilled.v1"],
        "registrations": [{"channel": name, "registered": n} for name, n in sorted(channels.items())],
    }  # fmt: skip
    return told | changed


def census(trail: Trail, month: str, /, **changed: Any) -> Trail:
    trail.add(LOG_STREAM, "census_taken.v1", counted(trail, month, **changed))
    return trail


def goes_on(trail: Trail, month: int, begin: int, matters: int = 5, day: int = 0) -> Trail:
    """Some matters of a later month, a moment after it began, or some days."""
    trail.at = first_of(month) + timedelta(days=day, seconds=2)
    return trail.matters(matters, begin=begin)


def files(trail: Trail, old: int = 0) -> dict[str, bytes]:
    """A bundle with a cosigned head behind each time of work."""
    made, hashes = make.files_of(trail, old), trail.hashes()
    for size in range(max(old, 1), trail.size):
        at, after = (make.recorded(entry) for entry in trail.entries[size - 1 : size + 1])
        if after - at > BURST:
            made[f"heads/{size}"] = make.signed(make.checkpoint(hashes[:size]), at + HEAD).encode()
    return made


def found(report: Report) -> set[str]:
    return report.codes & CENSUS


# -- honest -----------------------------------------------------------------------------------------------------------


def test_an_honest_census_passes_and_is_told_in_words(desk: Desk, trail: Trail) -> None:
    census(goes_on(trail, 12, 10), "2025-11")

    report = desk.check(files(trail))

    assert (report.result, report.codes) == ("pass", {"census_taken"})
    assert "2025-11 月度清点:事件 30、立案 10、登记 window 10" in report.of("census_taken")["zh"]


def test_imported_matters_are_cases_and_no_registrations(desk: Desk, trail: Trail) -> None:
    trail.add(case(50), "matter_backfilled.v1", {"number": "n-50"})
    census(goes_on(trail, 12, 10), "2025-11")

    assert counted(trail, "2025-11")["cases"] == 11
    assert desk.check(files(trail)).result == "pass"


def test_a_month_is_counted_over_two_bundles_of_a_board(desk: Desk, trail: Trail) -> None:
    assert desk.month(files(trail)).result == "pass"
    old = trail.size
    trail.matters(7, begin=20)
    census(goes_on(trail, 12, 40), "2025-11")

    report = desk.month(files(trail, old))

    assert (report.result, report.codes) == ("pass", {"census_taken"})
    assert set(desk.seen()["census"]["months"]) == {"2025-12"}


def test_months_that_were_missed_are_taken_after_a_pause_in_order(desk: Desk, trail: Trail) -> None:
    goes_on(trail, 14, 10)
    for month in ("2025-11", "2025-12", "2026-01"):
        census(trail, month)

    assert counted(trail, "2025-12")["events"] == 0
    assert desk.check(files(trail)).result == "pass"


def test_what_comes_within_the_first_seconds_of_a_month_is_that_month_s(desk: Desk, trail: Trail) -> None:
    """Two machines' clocks differ by less than a second: the leaves are out of order at midnight."""
    for second in (-0.1, 0.4, -0.3, 0.9):
        when = make.stamp(first_of(12) + timedelta(seconds=second))
        trail.add(case(3), "work_noted.v1", {"what": "x"}, recorded_at=when, occurred_at=when)
    census(goes_on(trail, 12, 10), "2025-11")

    assert counted(trail, "2025-11")["events"] == 32
    assert found(desk.check(files(trail))) == set()


def test_a_log_from_before_the_census_that_never_takes_one_is_not_bound(desk: Desk) -> None:
    trail = goes_on(goes_on(begun(), 12, 10), 13, 20, day=9)

    assert desk.check(files(trail)).codes == set()


def test_a_log_from_before_the_census_is_bound_from_the_first_one_on(desk: Desk) -> None:
    trail = goes_on(begun(), 13, 10)
    census(census(trail, "2025-11"), "2025-12")
    taken = desk.month(files(trail))
    old = trail.size
    goes_on(goes_on(trail, 14, 30), 14, 40, day=2)

    assert (taken.result, taken.codes) == ("pass", {"census_taken"})
    assert desk.month(files(trail, old)).faults == {"census_month_missing"}


def test_a_state_from_before_the_census_goes_on_working(desk: Desk) -> None:
    """It has not counted what it saw: up to its own month the census may say more, later on it must fit."""
    trail = begun()
    desk.month(files(trail))
    kept = desk.seen()
    del kept["census"]
    desk.state.write_text(json.dumps(kept), encoding="utf-8")
    old = trail.size
    trail.matters(3, begin=10)
    census(goes_on(trail, 12, 20), "2025-11")

    first = desk.month(files(trail, old))
    old = trail.size
    census(goes_on(trail, 13, 30), "2025-12", events=len(trail.entries))
    second = desk.month(files(trail, old))

    assert (first.result, found(first)) == ("pass", set())
    assert second.faults == {"census_month_differs"}


def test_of_a_month_that_was_not_seen_whole_the_census_may_not_say_less(desk: Desk) -> None:
    trail = begun()
    desk.month(files(trail))
    kept = desk.seen()
    del kept["census"]
    desk.state.write_text(json.dumps(kept), encoding="utf-8")
    old = trail.size
    trail.matters(3, begin=10)
    census(goes_on(trail, 12, 20), "2025-11", events=8)

    assert desk.month(files(trail, old)).faults == {"census_month_differs"}


# -- altered ----------------------------------------------------------------------------------------------------------

ALTERED: list[dict[str, Any]] = [
    {"events": 29}, {"events": 31}, {"cases": 9}, {"cases": 11}, {"registrations": []},
    {"registrations": [{"channel": "window", "registered": 11}]},
    {"registrations": [{"channel": "window", "registered": 9}, {"channel": "app", "registered": 1}]},
]  # fmt: skip


@pytest.mark.parametrize("changed", ALTERED, ids=json.dumps)
def test_a_census_that_was_altered(desk: Desk, trail: Trail, changed: dict[str, Any]) -> None:
    census(goes_on(trail, 12, 10), "2025-11", **changed)

    report = desk.check(files(trail))

    assert report.faults == {"census_month_differs"}
    assert report.of("census_month_differs")["index"] == trail.size - 1


def test_a_matter_of_which_nothing_is_left_in_the_log(desk: Desk, trail: Trail) -> None:
    """No version is missing and no chain is broken: the census alone knows of it."""
    told = counted(trail, "2025-11")
    less = begun(census=True)
    less.entries, less.versions = less.entries[:1], {make.GENESIS_STREAM: less.versions[make.GENESIS_STREAM]}
    less.at, less.position = make.recorded(less.entries[0]), 1
    less.matters(9)
    goes_on(less, 12, 10)
    less.add(LOG_STREAM, "census_taken.v1", told)

    report = desk.check(files(less))

    assert report.faults == {"census_month_differs"}
    assert "window 10" in report.of("census_month_differs")["en"]
    assert "window 9" in report.of("census_month_differs")["en"]


def test_a_census_taken_before_its_month_was_over(desk: Desk, trail: Trail) -> None:
    trail.at = first_of(12) - timedelta(seconds=0.5)
    census(trail, "2025-11")

    assert desk.check(files(trail)).faults == {"census_month_differs"}


def test_a_census_taken_again(desk: Desk, trail: Trail) -> None:
    census(census(goes_on(trail, 12, 10), "2025-11"), "2025-11")

    assert desk.check(files(trail)).faults == {"census_month_differs"}


@pytest.mark.parametrize("month", ["2025-13", "2025", "", 7, None, "9999-99"])
def test_a_census_of_what_is_no_month(desk: Desk, trail: Trail, month: object) -> None:
    census(goes_on(trail, 12, 10), "2025-11", month=month)

    assert "event_malformed" in desk.check(files(trail)).faults


def test_a_census_in_another_stream_is_none(desk: Desk, trail: Trail) -> None:
    goes_on(trail, 12, 10)
    trail.add(case(1), "census_taken.v1", counted(trail, "2025-11", events=1))

    assert "census_taken" not in desk.check(files(trail)).codes


# -- left out ---------------------------------------------------------------------------------------------------------


def test_a_promised_census_that_does_not_come(desk: Desk, trail: Trail) -> None:
    goes_on(goes_on(trail, 12, 10), 12, 20, day=2)

    report = desk.check(files(trail))

    assert report.faults == {"census_month_missing"}
    assert "2025-11 至 2025-11" in report.of("census_month_missing")["zh"]


def test_a_census_is_awaited_no_longer_than_a_head_and_no_shorter(desk: Desk, trail: Trail) -> None:
    goes_on(trail, 12, 10, matters=1)
    trail.at += timedelta(hours=24) - timedelta(seconds=3)
    trail.matters(1, events=1, begin=20)
    in_time = desk.check(files(trail))
    trail.matters(4, events=1, begin=21)

    assert in_time.codes == set()
    assert desk.check(files(trail)).faults == {"census_month_missing"}


def test_the_first_event_after_a_long_silence_does_not_come_too_late_for_the_census(
    desk: Desk, trail: Trail
) -> None:
    goes_on(trail, 14, 10, matters=1, day=20)

    assert desk.check(files(trail)).codes == set()


def test_a_log_opened_over_an_old_store_has_its_time_for_the_months_before(desk: Desk) -> None:
    trail = Trail(at=first_of(13) + timedelta(days=4)).open(census=True)
    trail.at = first_of(11)
    goes_on(trail.matters(3), 12, 10, day=20)
    trail.at = first_of(13) + timedelta(days=4, minutes=1)
    trail.matters(1, begin=30)
    before = found(desk.check(files(trail)))
    trail.at += timedelta(days=2)
    trail.matters(1, begin=40)

    assert before == set()
    assert found(desk.check(files(trail))) == {"census_month_missing"}


def test_a_month_left_out_between_two_censuses(desk: Desk, trail: Trail) -> None:
    census(goes_on(trail, 12, 10), "2025-11")
    census(goes_on(trail, 14, 20), "2026-01")

    report = desk.check(files(trail))

    assert report.faults == {"census_month_missing"}
    assert "2025-12 至 2025-12" in report.of("census_month_missing")["zh"]


def test_a_first_census_that_leaves_out_the_months_before_it(desk: Desk) -> None:
    trail = goes_on(begun(), 13, 10)
    census(trail, "2025-12")

    assert desk.check(files(trail)).faults == {"census_month_missing"}


def test_a_missing_census_is_missed_in_the_next_bundle_too(desk: Desk, trail: Trail) -> None:
    assert desk.month(files(trail)).result == "pass"
    old = trail.size
    goes_on(trail, 12, 10)
    assert desk.month(files(trail, old)).codes == set()
    old = trail.size
    goes_on(trail, 12, 30, day=5)

    assert desk.month(files(trail, old)).faults == {"census_month_missing"}


# -- withheld ---------------------------------------------------------------------------------------------------------


def withheld(trail: Trail, *streams: str) -> dict[str, bytes]:
    return files(trail) | withhold(trail, *streams)


def test_leaves_withheld_may_be_what_the_census_says_more(desk: Desk, trail: Trail) -> None:
    census(goes_on(trail, 12, 10), "2025-11")

    report = desk.check(withheld(trail, case(1), case(2)))

    assert (report.result, report.codes) == ("pass", {"census_taken", "withheld"})


@pytest.mark.parametrize("changed", [{"events": 31}, {"events": 23}, {"cases": 15}, {"cases": 7}])
def test_more_than_were_withheld_and_less_than_were_seen_is_found(
    desk: Desk, trail: Trail, changed: dict[str, Any]
) -> None:
    census(goes_on(trail, 12, 10), "2025-11", **changed)

    assert desk.check(withheld(trail, case(1), case(2))).faults == {"census_month_differs"}


def test_what_was_withheld_excuses_once(desk: Desk, trail: Trail) -> None:
    """Six leaves withheld in November are none in December."""
    census(goes_on(trail, 12, 10), "2025-11")
    census(goes_on(trail, 13, 30), "2025-12", events=22)

    report = desk.check(withheld(trail, case(1), case(2)))

    assert report.faults == {"census_month_differs"}
    assert "2025-12" in report.of("census_month_differs")["zh"]


def test_what_was_withheld_is_remembered(desk: Desk, trail: Trail) -> None:
    desk.month(withheld(trail, case(1)))
    old = trail.size
    census(goes_on(trail, 12, 10), "2025-11")

    report = desk.month(files(trail, old))

    assert (report.result, found(report)) == ("pass", set())


# -- the board's state ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"last": ""}, {"last": "2025-13"}, {"first": 7}, {"floor": "x"}, {"slack": "1"}, {"bound": 1}, {"until": None},
        {"turns": ["x"]}, {"turns": 7}, {"at": "x"}, {"months": []}, {"months": {"2025-11": [1, 2]}},
        {"months": {"2025-11": [1, "2", {}]}}, {"months": {"x": [1, 2, {}]}}, {"months": {"2025-11": [1, 2, {"a": "b"}]}},
        {"months": {"2025-11": [1, 2, []]}},
    ],
    ids=json.dumps,
)  # fmt: skip
def test_a_part_of_the_state_that_is_wrong(desk: Desk, trail: Trail, change: dict[str, Any]) -> None:
    desk.month(files(trail))
    kept = desk.seen()
    kept["census"] |= change
    desk.state.write_text(json.dumps(kept), encoding="utf-8")

    assert desk.month(files(trail)).code == "state_malformed"


@pytest.mark.parametrize("kept", [None, 7, [], {}, "x"])
def test_a_state_whose_part_is_none(desk: Desk, trail: Trail, kept: object) -> None:
    desk.month(files(trail))
    desk.state.write_text(json.dumps(desk.seen() | {"census": kept}), encoding="utf-8")

    assert desk.month(files(trail)).code == "state_malformed"
