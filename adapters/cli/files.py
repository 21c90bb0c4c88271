"""Files that a command is given to read."""

from __future__ import annotations

from pathlib import Path

from adapters.cli import exits
from adapters.cli.door import stop


def text_of(path: Path, what: str, as_json: bool = False) -> str:
    """The text of a file in UTF-8; ends the command where it cannot be read. `what` is what it should be."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        stop(exits.USAGE, "unreadable", f"Give a readable {what} in UTF-8: {error}.", as_json)
