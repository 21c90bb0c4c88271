"""The verifier at work on a bundle made by hand: its report as data, and short words for what it found."""

import json
from pathlib import Path
from typing import Any

from adapters.bundle import verify
from tests import bundle_maker as make


class Report:
    """What the verifier said."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.said = said
        self.result: str = said["result"]
        self.code: str | None = said.get("code")
        self.findings: list[dict[str, Any]] = said.get("findings", [])

    @property
    def codes(self) -> set[str]:
        return {one["code"] for one in self.findings}

    @property
    def faults(self) -> set[str]:
        return {one["code"] for one in self.findings if not one["note"]}

    def of(self, code: str) -> dict[str, Any]:
        return next(one for one in self.findings if one["code"] == code)


def run(*arguments: object) -> Report:
    """The report of `verify.py ARGUMENTS`."""
    try:
        return Report(verify.check(verify._arguments([str(one) for one in arguments])))
    except verify.Unreadable as error:
        return Report({"result": "unreadable", "code": error.code})


class Desk:
    """A board's desk: a folder with its state, its policy and what it is sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "board.json"
        self.policy = self.file("policy", make.policy())
        self.rules = self.file("rules.json", json.dumps(make.RULES))

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def zip(self, files: dict[str, bytes]) -> Path:
        return make.zipped(files, self.folder / "bundle.zip")

    def check(self, files: dict[str, bytes], *arguments: object) -> Report:
        """Judge these members under the board's own policy and law, without its state."""
        return run(self.zip(files), "--policy", self.policy, "--rules", self.rules, *arguments)

    def month(self, files: dict[str, bytes], *arguments: object) -> Report:
        """Judge these members under the board's own policy, going on from its state."""
        return self.check(files, "--state", self.state, *arguments)

    def seen(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.state.read_text(encoding="utf-8"))
        return found
