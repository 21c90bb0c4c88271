"""`huiyin import`: another system's history, one backfilled matter per row."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from adapters.cli import exits
from adapters.cli.door import identify, opened, stop
from adapters.cli.options import Json
from adapters.cli.people import As, acting
from adapters.engine import Engine, now
from adapters.imports import Importing, Tally, bring_in, read_mapping, released_for_backfill, write_report
from adapters.imports.mapping import Mapping
from adapters.imports.rows import Rows
from adapters.imports.table import Table
from adapters.imports.table import opened as opened_table
from adapters.views import Views
from domain.acting import Actor
from domain.refusal import Refused

MOST_SHOWN = 20
UNUSABLE = frozenset({"bad_table", "bad_mapping", "unreadable_file", "wrong_file_type"})


verbs = typer.Typer()


@verbs.command("import")
def bring(
    file: Annotated[
        Path, typer.Argument(help="The table: CSV in UTF-8 or GB18030 (`.gz` is unpacked), or XLSX.")
    ],
    mapping: Annotated[str, typer.Option(help="A mapping: a TOML file, or messages or boston311.")],
    as_: As,
    authority: Annotated[
        str, typer.Option(help="The mandate or resolution that is cited.")
    ] = "mandate:import",
    rulebook: Annotated[
        str | None, typer.Option(help="The rulebook for backfill; by default the one released last.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Where the rows that did not come in are listed, as CSV.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring another system's history in: one matter per row, with its true times and its state as given.

    No clock, notice or process starts. What is personal is sealed. A row that cannot be used is reported with its
    number and the reason, and does not stop the rest. A second run adds nothing; an import that was broken off goes
    on when it is run again. Exit code 0: all rows are in. 1: some are not, or the import is not allowed.
    2: file or mapping cannot be used. 4: a database cannot be reached.
    """
    rules, where = _mapping(mapping), report or Path(f"{file.name}.report.csv")
    tally = Tally()
    with opened(as_json) as engine:
        actor = acting(as_, identify(engine))
        book = rulebook or released_for_backfill(engine.handle)
        try:
            rules.serves("backfill")
            with opened_table(file, rules.delimiter, rules.encoding) as table:
                _import(engine, rules, table, actor, authority, book, tally)
        except Refused as refused:
            code = exits.USAGE if refused.code in UNUSABLE else exits.REFUSED
            _end(tally, where, as_json)
            stop(code, refused.code, refused.advice, as_json)
    raise typer.Exit(_end(tally, where, as_json))


def _import(
    engine: Engine, mapping: Mapping, table: Table, actor: Actor, authority: str, rulebook: str, tally: Tally
) -> None:
    reading = Rows(mapping, table.head, engine.district(), now())
    importing = Importing(engine.handle, actor, authority, rulebook, mapping.name, mapping.reference.source)
    views = Views(engine.settings.views_url, engine.store)
    with closing(views), _progress() as progress:
        task = progress.add_task("rows", total=table.size)
        for outcomes in bring_in(importing, table, reading):
            tally.add(outcomes)
            views.catch_up()  # or the follower, where one is at work: whichever is first
            progress.update(task, completed=table.read, description=f"{tally.counts.total()} rows")


def _mapping(name: str) -> Mapping:
    try:
        return read_mapping(name)
    except Refused as refused:
        stop(exits.USAGE, refused.code, refused.advice)


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True)


def _end(tally: Tally, where: Path, as_json: bool) -> int:
    """Say what became of the rows; returns the exit code."""
    if tally.told:
        try:
            write_report(where, tally.told)
        except OSError as error:
            stop(
                exits.USAGE,
                "report_unwritable",
                f"Give --report a place that can be written: {error}.",
                as_json,
            )
    counts = tally.by_verdict()
    if as_json:
        rows = [outcome._asdict() for outcome in tally.told]
        typer.echo(
            json.dumps({**counts, "rows": rows, "report": str(where) if rows else None}, ensure_ascii=False)
        )
    else:
        for outcome in tally.told[:MOST_SHOWN]:
            typer.echo(
                f"row {outcome.number} (line {outcome.line}): {outcome.code}: {outcome.advice}", err=True
            )
        if tally.told:
            typer.echo(f"{len(tally.told)} rows are listed in {where}", err=True)
        typer.echo(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    return exits.REFUSED if tally.told else exits.ACCEPTED
