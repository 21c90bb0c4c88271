"""The packaged rulebooks and holiday notices, and those in files.

Packaged ones are templates: they count once released or entered by an event (DESIGN.md law 8).
"""

from __future__ import annotations

import json
import tomllib
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from domain.calendar import Notice, from_holiday_cn
from domain.refusal import Refused

_BOOKS = resources.files("domain.rulebook") / "books"


def templates() -> tuple[str, ...]:
    """The names of the packaged rulebooks."""
    return tuple(sorted(entry.name[:-5] for entry in _BOOKS.iterdir() if entry.name.endswith(".toml")))


def template(name: str) -> str:
    """The text of a packaged rulebook (`gulou`, `demo`). Raises Refused `template_unknown`."""
    if name not in templates():
        raise Refused("template_unknown", f"Name one of the packaged rulebooks: {', '.join(templates())}.")
    return (_BOOKS / f"{name}.toml").read_text(encoding="utf-8")


def packaged_notices() -> tuple[Notice, ...]:
    """The packaged notices of the State Council, year by year."""
    files = sorted(entry.name for entry in (_BOOKS / "notices").iterdir() if entry.name.endswith(".toml"))
    return tuple(
        Notice.model_validate(tomllib.loads((_BOOKS / "notices" / name).read_text(encoding="utf-8")))
        for name in files
    )


def notice_file(path: Path) -> Notice:
    """The notice in a file: TOML as packaged, or a year's JSON of holiday-cn. Raises Refused `bad_notice`."""
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            return from_holiday_cn(json.loads(text))
        return Notice.model_validate(tomllib.loads(text))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise Refused("bad_notice", f"Correct {path.name} at {key or 'the top'}: {first['msg']}.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused(
            "bad_notice", f"Give a readable notice, TOML or holiday-cn JSON, as {path.name}: {error}."
        ) from None
