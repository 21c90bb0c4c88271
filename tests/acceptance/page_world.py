"""verify.html in a real browser: opened from a file, as a board opens it, and every request that it makes noted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from adapters.bundle import verify
from tests.bundle_maker import Trail
from tests.unit.verify_world import Desk, Report

PAGE = Path(verify.__file__).with_name("verify.html")
PATIENCE = 300_000  # milliseconds until the page must have said something
OF_THE_LAW = {"rules_unpinned", "rules_changed", "rules_not_own", "late_unmarked"}
"""What only verify.py says: the page runs no process law and reads no rulebook."""
Words = tuple[Any, ...]
Files = dict[str, bytes]


def words(findings: Iterable[dict[str, Any]]) -> list[Words]:
    """Every word of the findings that both verifiers make, in order."""
    names = ("code", "zh", "en", "index", "case", "version", "note", "proof")
    return [tuple(one[name] for name in names) for one in findings if one["code"] not in OF_THE_LAW]


class Reader:
    """Somebody at the page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.set_default_timeout(PATIENCE)
        page.goto(PAGE.as_uri())

    def gives(
        self,
        bundle: Path | None,
        policy: Path | None = None,
        memory: Path | None = None,
        receipts: Iterable[Path] = (),
        noted: tuple[object, str] = ("", ""),
    ) -> None:
        """Fill in the form."""
        for name, files in (("bundle", [bundle] if bundle else []), ("policy", [policy] if policy else []),
                            ("memory", [memory] if memory else []), ("receipts", list(receipts))):  # fmt: skip
            self.page.set_input_files(f"#{name}", files)
        self.page.fill("#size", str(noted[0]))
        self.page.fill("#root", noted[1])

    def check(self, bundle: Path, **given: Any) -> Report:
        """What the page says of a bundle."""
        self.gives(bundle, **given)
        self.page.click("#form button")
        return self.said()

    def said(self) -> Report:
        """The report, once it is there."""
        self.page.wait_for_selector("#json", state="attached")
        return Report(json.loads(self.page.text_content("#json") or ""))

    def until(self, holds: str) -> None:
        """Wait for something to hold in the page, whose policy lets nobody evaluate a text in it."""
        while not self.page.evaluate(holds):
            self.page.wait_for_timeout(20)

    def saves(self, name: str, to: Path) -> Path:
        """A file that the page offers, saved."""
        with self.page.expect_download() as download:
            self.page.click(f'a[download="{name}"]')
        download.value.save_as(to)
        return to

    @property
    def strayed(self) -> list[str]:
        """What it asked for beside itself and what it made itself."""
        return [url for url in self.requests if url != PAGE.as_uri() and not url.startswith("blob:")]


@contextmanager
def reader(browser: Browser) -> Iterator[Reader]:
    """A fresh page; nothing may have gone out of it, and nothing in it may have failed."""
    page = browser.new_page()
    one = Reader(page)
    yield one
    page.close()
    assert (one.strayed, one.errors) == ([], [])


def grown() -> Trail:
    """A log of a hundred matters, 301 leaves."""
    return Trail().open().matters(100)


@dataclass
class Given:
    """What a board is handed: members of the bundle, its own policy if another, receipts by their file names."""

    files: Files
    policy: str | None = None
    receipts: dict[str, str] = field(default_factory=dict)


def judged(desk: Desk, board: Reader, given: Given) -> tuple[Report, Report]:
    """What verify.py and the page say of the same files."""
    if given.policy is not None:
        desk.policy.write_text(given.policy)
    receipts = [desk.file(name, text) for name, text in given.receipts.items()]
    named = [part for one in receipts for part in ("--receipt", one)]
    by_python = desk.check(given.files, *named)
    return by_python, board.check(desk.folder / "bundle.zip", policy=desk.policy, receipts=receipts)
