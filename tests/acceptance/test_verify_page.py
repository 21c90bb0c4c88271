"""verify.html as a board uses it, in a real browser: months, heads noted down, languages, keys, and nobody asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests import bundle_maker as make
from tests.acceptance.page_world import Given, Reader, grown, judged, reader, words
from tests.bundle_maker import BEGIN, Trail
from tests.unit.test_verify_findings import heads_every, with_entries
from tests.unit.verify_world import Desk

DAY = timedelta(days=1)
EDITED = with_entries(grown(), lambda e: e.__setitem__(150, e[150].replace(b"step-1", b"step-9")))


@pytest.fixture
def board(chromium: Browser) -> Iterator[Reader]:
    with reader(chromium) as one:
        yield one


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# -- an honest bundle -------------------------------------------------------------------------------------------------


def test_an_honest_bundle_passes_and_the_page_says_what_it_has_not_checked(desk: Desk, board: Reader) -> None:
    report = board.check(desk.zip(make.files_of(grown())), policy=desk.policy)

    assert (report.result, report.findings) == ("pass", [])
    assert report.said["leaves"] == 301
    assert set(report.said["new"]["cosigned_by"]) == {"B1", "B2", "B3"}
    shown = board.page.inner_text("body")
    for said in (
        "通过(仅就本页所核) PASS (as far as this page checks)",
        "只有 verify.py 核",
        "Only verify.py checks",
    ):
        assert said in shown


def test_a_bundle_without_a_policy_of_one_s_own_passes_with_the_note(desk: Desk, board: Reader) -> None:
    report = board.check(desk.zip(make.files_of(grown())))

    assert (report.result, report.codes) == ("pass", {"policy_unpinned"})


def test_a_month_passes_with_the_memory_of_the_page_or_of_verify_py(desk: Desk, board: Reader) -> None:
    trail = grown()
    first, old = make.files_of(trail), trail.size
    desk.month(first)
    board.check(desk.zip(first), policy=desk.policy)
    remembered = board.saves("memory.json", desk.folder / "memory.json")
    trail.matters(100, begin=50)
    month = desk.zip(make.files_of(trail, old))

    for memory in (remembered, desk.state):
        report = board.check(month, memory=memory)
        assert (report.result, report.findings) == ("pass", [])


def test_a_log_of_many_levels_and_thousands_of_leaves(desk: Desk, board: Reader) -> None:
    trail = Trail().open().matters(1000, events=3)
    old = trail.size
    trail.matters(25_000, events=1, begin=2000)
    by_python, by_page = judged(desk, board, Given(make.files_of(trail, old) | heads_every(trail, 7000)))

    assert words(by_page.findings) == words(by_python.findings)
    assert by_page.said["leaves"] == trail.size - old
    assert by_page.said["new"]["root"] == make.b64(make.root(trail.hashes()))


# -- zips ------------------------------------------------------------------------------------------------------------


def test_a_member_that_holds_more_than_it_says_is_not_blown_up(desk: Desk, board: Reader) -> None:
    files = make.files_of(grown()) | {"policy": bytes(50_000_000)}
    path = make.zipped(files, desk.folder / "bomb.zip")
    data = bytearray(path.read_bytes())
    at = data.rindex(b"policy") - 46
    data[at + 24 : at + 28] = (1000).to_bytes(4, "little")
    path.write_bytes(bytes(data))

    assert board.check(path).code == "unreadable_zip"


def test_a_zip_with_something_before_it_or_after_it_is_refused(desk: Desk, board: Reader) -> None:
    whole = make.zipped_bytes(make.files_of(grown()))
    path = desk.folder / "more.zip"

    for data in (b"#!/bin/sh\n" + whole, whole + b"more"):
        path.write_bytes(data)
        assert board.check(path).code == "unreadable_zip"


# -- the head that somebody noted down --------------------------------------------------------------------------------


def noted(trail: Trail, size: int) -> tuple[int, str]:
    return size, make.b64(make.root(trail.hashes(size)))


def test_a_head_noted_down_that_the_log_goes_on_from(desk: Desk, board: Reader) -> None:
    trail = grown()

    for size in (1, 255, 256, 257, 300, 301):
        report = board.check(desk.zip(make.files_of(trail)), policy=desk.policy, noted=noted(trail, size))
        assert (report.result, report.findings) == ("pass", [])


@pytest.mark.parametrize(
    ("seen", "old", "code"),
    [(200, 0, "split_view"), (301, 0, "split_view"), (400, 0, "rolled_back"), (50, 100, "months_missing")],
)  # fmt: skip
def test_a_head_noted_down_that_is_not_of_this_log(
    desk: Desk, board: Reader, seen: int, old: int, code: str
) -> None:
    fork = Trail(at=BEGIN + DAY).open().matters(200)

    report = board.check(desk.zip(make.files_of(grown(), old)), policy=desk.policy, noted=noted(fork, seen))

    assert report.result == "fail"
    assert code in report.faults


def test_verify_py_says_the_same_of_a_fork_from_its_state(desk: Desk, board: Reader) -> None:
    desk.month(make.files_of(Trail(at=BEGIN + DAY).open().matters(100)))
    files = make.files_of(grown())

    by_python = desk.month(files)
    by_page = board.check(desk.zip(files), policy=desk.policy, memory=desk.state)

    assert by_python.faults == by_page.faults == {"split_view"}


@pytest.mark.parametrize("given", [("7", "short"), ("", "x"), ("5", "")])
def test_a_head_noted_down_that_is_none(desk: Desk, board: Reader, given: tuple[str, str]) -> None:
    assert board.check(desk.zip(make.files_of(grown())), noted=given).code == "noted_malformed"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format":"huiyin-page/v1"}', "x"])
def test_a_memory_that_nobody_wrote(desk: Desk, board: Reader, text: str) -> None:
    report = board.check(desk.zip(make.files_of(grown())), memory=desk.file("m.json", text))

    assert report.code in ("state_malformed", "member_malformed")


def test_after_a_failure_no_memory_is_offered(desk: Desk, board: Reader) -> None:
    assert board.check(desk.zip(EDITED)).result == "fail"
    assert board.page.query_selector('a[download="memory.json"]') is None
    assert board.page.query_selector('a[download="report.json"]') is not None


# -- the page as a page -----------------------------------------------------------------------------------------------


def test_no_request_can_leave_the_page(desk: Desk, board: Reader) -> None:
    board.check(desk.zip(make.files_of(grown())))
    refused = []
    board.page.on("console", lambda said: refused.append(said.text))

    answer = board.page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')")

    assert answer == "refused"
    assert any("Content Security Policy" in said for said in refused)
    assert board.strayed == []


def test_markup_in_a_bundle_stays_text(desk: Desk, board: Reader) -> None:
    name = "<img src=x onerror=alert(1)>"

    report = board.check(desk.zip(make.files_of(grown()) | {name: b"x"}))

    assert name in report.of("member_unknown")["en"]
    assert name in board.page.inner_text("#report")
    assert board.page.query_selector("img") is None


def test_a_file_dropped_on_the_page_finds_its_field(desk: Desk, board: Reader) -> None:
    bundle = desk.zip(make.files_of(grown()))
    board.page.evaluate(
        """async (files) => {
          const data = new DataTransfer();
          for (const [name, bytes] of files) data.items.add(new File([new Uint8Array(bytes)], name));
          document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        [[path.name, list(path.read_bytes())] for path in (bundle, desk.policy)],
    )
    board.until("policy.files.length > 0 && bundle.files.length > 0")
    board.page.click("#form button")

    assert board.said().findings == []


def test_the_page_stays_alive_and_can_be_stopped_while_it_checks(desk: Desk, board: Reader) -> None:
    board.gives(desk.zip(make.files_of(Trail().open().matters(20_000, events=1))))
    board.page.evaluate(
        """() => { window.shown = []; new MutationObserver(() => {
             window.shown.push(progress.position); if (progress.position > 0.1) document.getElementById("stop").click();
           }).observe(progress, {attributes: true}); }"""
    )
    board.page.click("#form button")
    board.until("window.shown.some((one) => one > 0.1)")

    shown = board.page.evaluate("window.shown.filter((one) => one >= 0)")
    assert shown == sorted(shown)
    assert shown[-1] < 1
    assert board.page.inner_text("#report") == ""
    assert not board.page.is_visible("#running")


@pytest.mark.parametrize(("shown", "there", "gone"), [("zh", "不通过", "FAIL"), ("en", "FAIL", "不通过")])
def test_one_language_can_be_chosen(desk: Desk, board: Reader, shown: str, there: str, gone: str) -> None:
    board.page.click(f'[data-show="{shown}"]')
    board.check(desk.zip(EDITED))

    said = board.page.inner_text("#report .verdict")
    assert there in said
    assert gone not in said


def test_every_field_has_its_label_and_keys_alone_are_enough(desk: Desk, board: Reader) -> None:
    unlabelled = board.page.evaluate(
        "[...document.querySelectorAll('input')].filter((one) => !one.labels.length).map((one) => one.id)"
    )
    board.gives(desk.zip(make.files_of(grown())))
    board.page.focus("#form button")
    board.page.keyboard.press("Enter")

    assert board.said().result == "pass"
    assert unlabelled == []
    assert board.page.evaluate("document.activeElement.id") == "report"
