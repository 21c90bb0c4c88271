"""A real browser for the tests: a Chromium that is there already, driven by Playwright, which downloads nothing here.

`python -m tests.browser` prints which one, or says what is missing (exit code 1).
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

SETTING = "HUIYIN_TEST_BROWSER"
NAMES = (
    "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
    "microsoft-edge",
)  # fmt: skip
MISSING = f"no Chromium, Chrome or Edge on PATH: install one, or name one in {SETTING}"


def found() -> str | None:
    """The program to start: the one that the setting names, else the first on PATH."""
    named = os.environ.get(SETTING)
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def browser() -> Iterator[Browser]:
    """The browser, running until the end of the block; skips the test where there is none."""
    program = found()
    if program is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, timeout=180_000)
        try:
            yield running
        finally:
            running.close()


if __name__ == "__main__":
    print(found() or MISSING)
    sys.exit(found() is None)
