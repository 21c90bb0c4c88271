"""The house keeps its own order: its outer form, its lock, its entry points."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("domain", "workflows", "adapters")
VISIBLE = {
    *ROOMS,
    "tests",
    "worker.py",
    "pyproject.toml",
    "README.md",
    "Makefile",
    "LICENSE",
    "CHANGELOG.md",
    "requirements.lock",
}
LONGEST_FUNCTION = 50
NAMES_THAT_SAY_NOTHING = {
    "utils",
    "util",
    "helpers",
    "helper",
    "manager",
    "service",
    "base",
    "common",
    "misc",
}


def sources() -> list[Path]:
    rooms = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    return [*rooms, ROOT / "worker.py"]


def too_long(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = {f.name: (f.end_lineno or f.lineno) - f.lineno + 1 for f in functions}
    return [f"{path.relative_to(ROOT)}:{name} ({n})" for name, n in lengths.items() if n > LONGEST_FUNCTION]


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: what is tracked cannot be told")
    return listed.stdout.split()


def test_nothing_but_the_agreed_stands_at_the_top() -> None:
    top = {path.split("/")[0] for path in tracked()}

    assert {name for name in top if not name.startswith(".")} <= VISIBLE


def test_no_function_is_longer_than_a_page() -> None:
    assert [name for path in sources() for name in too_long(path)] == []


def test_every_module_has_a_name_that_says_something() -> None:
    assert [p for p in sources() if p.stem in NAMES_THAT_SAY_NOTHING] == []


def test_every_package_ships_its_types() -> None:
    assert [room for room in ROOMS if not (ROOT / room / "py.typed").is_file()] == []


def test_the_lock_names_no_registry_and_no_machine() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")

    assert re.findall(r"\w+://|file:|--(?:extra-)?index-url|(?<![\w.])/\w+", lock) == []


def test_every_package_in_the_lock_is_pinned_and_hashed() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", re.sub(r"^\s*#.*\n", "", lock, flags=re.MULTILINE).strip())

    assert len(entries) > 20
    assert [e for e in entries if "==" not in e or "--hash=sha256:" not in e] == []
