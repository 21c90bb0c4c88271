"""The README keeps its word: what it names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def trail() -> list[str]:
    section = README.split("## One request's way through the code")[1].split("##")[0]
    return re.findall(r"^\d+\. `([^`]+)`", section, flags=re.MULTILINE)


def test_one_request_is_followed_through_fewer_than_ten_files() -> None:
    assert 0 < len(trail()) < 10


def test_every_file_of_the_trail_is_there() -> None:
    assert [path for path in trail() if not (ROOT / path).is_file()] == []


def test_every_make_target_that_the_readme_names_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"make ([a-z]+)", README))

    assert {name for name in named if not re.search(rf"^{name}:", makefile, flags=re.MULTILINE)} <= {"any"}
