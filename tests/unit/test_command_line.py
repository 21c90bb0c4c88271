"""The command line names all that it offers, and wakes only what is asked for."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.core import TyperGroup

from adapters.cli.nouns import OFFERED, Noun, asked

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "numpy", "shapely", "openpyxl", "fastapi", "starlette", "uvicorn", "httpx", "temporalio", "google", "opentelemetry",
    "cloudevents",
)  # fmt: skip
"""Libraries of one room each: maps, tables, servers, processes, traces."""
HEAVY_FOR_NO_DATA = ("pydantic", "structlog", "cryptography", "eventsourcing", "psycopg", "prometheus_client")
"""What only an open store needs."""

WATCHED = """
import sys
from adapters.cli.main import main
sys.argv = ["huiyin", *sys.argv[1:]]
try:
    main()
finally:
    print("loaded:", *sys.modules, file=sys.stderr)
"""


def loaded(data: Path, *words: str, code: int = 0) -> set[str]:
    """The libraries that one `huiyin` in a process of its own has loaded by its end."""
    environment = {**os.environ, "HUIYIN_DATA": str(data)}
    command = [sys.executable, "-c", WATCHED, *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return {name.split(".")[0] for name in done.stderr.split("loaded:")[1].split()}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an office that was just begun."""
    folder = tmp_path_factory.mktemp("office")
    loaded(folder, "init")
    return folder


@pytest.mark.parametrize("name", OFFERED)
def test_each_noun_and_verb_is_where_the_table_says(name: str) -> None:
    found = asked(name)

    assert found.name == name
    assert isinstance(found, TyperGroup) == isinstance(OFFERED[name], Noun)
    assert not isinstance(found, TyperGroup) or found.commands


@pytest.mark.parametrize("name", OFFERED)
def test_the_line_of_the_help_is_the_first_of_its_own_help(name: str) -> None:
    first = inspect.cleandoc(asked(name).help).split("\n\n")[0]

    assert " ".join(first.split()) == OFFERED[name].words


@pytest.mark.parametrize(
    "words",
    [
        ["matter", "--help"], ["matter", "list"], ["clocks"], ["log", "status"], ["log", "key"], ["key", "list"],
        ["receipt", "--help"], ["rulebook", "template", "demo"], ["roster", "import", "--help"], ["import", "--help"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_simple_noun_loads_no_library_that_it_does_not_need(data: Path, words: list[str]) -> None:
    assert loaded(data, *words) & set(HEAVY) == set()


def test_the_help_loads_neither_what_is_behind_it_nor_the_store(data: Path) -> None:
    assert loaded(data, "--help") & {*HEAVY, *HEAVY_FOR_NO_DATA, "domain", "workflows"} == set()
