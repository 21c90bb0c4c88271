"""`huiyin roster`: bring a district's bodies, posts and lists into the register."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console
from rich.table import Table

from adapters.roster import Outcome, RowReport, import_roster, read_roster
from domain.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from domain.acting import Command


class Desk(NamedTuple):
    """What an import needs of the register: where commands go, and how persons are known."""

    submit: Callable[[Command, Mapping[str, tuple[str, str]]], Outcome]
    identify: Callable[[str], str]


class OpenDesk(Protocol):
    """Opens the desk for two administrators, each named by staff reference or person id.

    A command of `domain.register.decide.ADMINISTRATOR` is given by the one named there, all others by the
    security administrator; both act for the body `system`.
    """

    def __call__(self, *, system_admin: str, security_admin: str) -> AbstractContextManager[Desk]:
        """The desk, open until the end of the `with` block."""
        ...


def roster_app(open_desk: OpenDesk) -> typer.Typer:
    """The commands of `huiyin roster`, over the given desk."""
    app = typer.Typer(name="roster", help="Bodies, posts and lists 名册.", no_args_is_help=True)

    @app.callback()
    def root() -> None:
        """Bodies, posts and lists 名册."""

    @app.command("import")
    def bring_in(
        file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CSV or XLSX roster.")],
        system_admin: Annotated[str, typer.Option(help="Who enters bodies: staff reference or person id.")],
        security_admin: Annotated[
            str, typer.Option(help="Who enters all else: staff reference or person id.")
        ],
        zone: Annotated[str, typer.Option(help="The zone of the roster's times.")] = "Asia/Shanghai",
        as_json: Annotated[bool, typer.Option("--json", help="One JSON object for programs.")] = False,
    ) -> None:
        """Bring in a roster; each row is accepted, known already, or refused with the reason.

        Exit code 0: all rows stand. 1: some were refused. 2: the file or an option cannot be used.
        """
        try:
            rows, clock = read_roster(file), ZoneInfo(zone)
        except Refused as refusal:
            _stop(refusal.advice)
        except (ZoneInfoNotFoundError, ValueError):
            _stop(f"There is no zone {zone}: name one such as Asia/Shanghai.")
        with open_desk(system_admin=system_admin, security_admin=security_admin) as desk:
            now = datetime.now(UTC)
            reports = list(import_roster(rows, desk.submit, identify=desk.identify, now=now, zone=clock))
        (_print_json if as_json else _print_table)(reports)
        raise typer.Exit(1 if any(report.verdict == "refused" for report in reports) else 0)

    return app


def _stop(advice: str) -> None:
    typer.echo(advice, err=True)
    raise typer.Exit(2)


def _counts(reports: list[RowReport]) -> dict[str, int]:
    found = Counter(report.verdict for report in reports)
    return {"accepted": found["accepted"], "known": found["known"], "refused": found["refused"]}


def _print_json(reports: list[RowReport]) -> None:
    body = {**_counts(reports), "rows": [report._asdict() for report in reports]}
    typer.echo(json.dumps(body, ensure_ascii=False))


def _print_table(reports: list[RowReport]) -> None:
    told = [report for report in reports if report.code is not None]
    console = Console()
    if told:
        table = Table("section", "line", "what", "code", "advice")
        for report in sorted(told, key=lambda one: (one.section, one.line)):
            table.add_row(report.section, str(report.line), report.verdict, report.code, report.advice)
        console.print(table)
    console.print(", ".join(f"{count} {verdict}" for verdict, count in _counts(reports).items()))
