"""`huiyin` as a shell calls it; and as a process of its own: `python -m tests.acceptance.shell WORDS…`."""

import json
from typing import Any

from click.testing import Result
from typer.testing import CliRunner

from adapters.cli.main import app, main


def huiyin(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def told(*arguments: str, code: int = 0) -> dict[str, Any]:
    """What it says with --json, after it ended with this code."""
    result = huiyin(*arguments, "--json")
    assert result.exit_code == code, result.output
    body: dict[str, Any] = json.loads(result.stdout)
    return body


if __name__ == "__main__":
    main()
