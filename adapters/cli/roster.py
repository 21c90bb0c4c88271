"""`huiyin roster`: bring a district's bodies, posts and lists into the register."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from adapters.cli.options import Json
from adapters.engine import now, open_engine
from adapters.roster import RowReport, desk, import_roster, person_ids, read_roster
from adapters.settings import Settings
from domain.refusal import Refused, Unavailable

if TYPE_CHECKING:
    from adapters.roster import Row

app = typer.Typer()


@app.command("import")
def bring_in(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CSV or XLSX roster.")],
    system_admin: Annotated[str, typer.Option(help="Who enters bodies: staff reference or person id.")],
    security_admin: Annotated[str, typer.Option(help="Who enters all else: staff reference or person id.")],
    authority: Annotated[
        str, typer.Option(help="The mandate or resolution that is cited.")
    ] = "mandate:roster",
    zone: Annotated[str, typer.Option(help="The zone of the roster's times.")] = "Asia/Shanghai",
    as_json: Json = False,
) -> None:
    """Bring in a roster; each row is accepted, known already, or refused with the reason.

    Exit code 0: all rows stand. 1: some were refused. 2: the file or an option cannot be used.
    """
    try:
        reports = _bring(read_roster(file), _zone(zone), system_admin, security_admin, authority)
    except Refused as refusal:
        _stop(refusal.advice)
    except Unavailable as error:
        _stop(str(error))
    (_print_json if as_json else _print_table)(reports)
    raise typer.Exit(1 if any(report.verdict == "refused" for report in reports) else 0)


def _bring(
    rows: list[Row], zone: ZoneInfo, system_admin: str, security_admin: str, authority: str
) -> list[RowReport]:
    engine = open_engine(Settings())
    try:
        at = desk(
            engine.handle,
            person_ids(engine.keys.pepper()),
            system_admin=system_admin,
            security_admin=security_admin,
            authority=authority,
        )
        reports = import_roster(rows, at.submit, identify=at.identify, now=now(), zone=zone)
        return [*track(reports, "roster", total=len(rows), console=Console(stderr=True), transient=True)]
    finally:
        engine.close()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as unknown:
        raise Refused(
            "unknown_zone", f"There is no zone {name}: name one such as Asia/Shanghai."
        ) from unknown


def _stop(advice: str) -> NoReturn:
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
