"""`huiyin rulebook`: check a rulebook, compute due times for a table, print a packaged template.

Exit codes: 0 done · 1 the rulebook is wrong, or some rows were left out · 2 an input cannot be used at all.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from adapters import rulebooks
from adapters.due_table import BadRow, Counted, compute
from domain.calendar import Notice, in_order
from domain.refusal import Refused
from domain.rulebook import BadRulebook, Rulebook, parse

app = typer.Typer()

MOST_REPORTED = 100


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The rulebook, TOML.")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say what is wrong with a rulebook: line, key and a sentence each. Exit 0 if nothing is, else 1."""
    try:
        rulebook = parse(_text(file))
    except BadRulebook as bad:
        _say_problems(bad, as_json)
        raise typer.Exit(1) from None
    facts = {"ok": True, "name": rulebook.name, "use": rulebook.use, "zone": rulebook.zone}
    typer.echo(
        json.dumps(facts) if as_json else f"{rulebook.name}: nothing wrong ({rulebook.use}, {rulebook.zone})"
    )


@app.command()
def due(
    rulebook: Annotated[Path, typer.Argument(help="The rulebook, TOML.")],
    source: Annotated[
        Path, typer.Argument(metavar="IN.csv", help="Columns id, type, opened; .gz is unpacked.")
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT.csv", help="Columns id, due, provisional.")],
    notices: Annotated[
        list[str] | None,
        typer.Option(
            help="A holiday notice: a TOML or holiday-cn JSON file, or a packaged one such as cn-2026."
        ),
    ] = None,
) -> None:
    """Compute due times for a table; `opened` and `due` are wall time of the rulebook's zone, without offset.

    Rows with an unknown type or a bad time are left out, reported by line and counted (exit 1).
    """
    try:
        rules = parse(_text(rulebook))
        counted = _computed(rules, [_notice(name) for name in notices or ()], source, target)
    except Refused as refused:
        _stop(refused)
    typer.echo(f"{counted.written} rows written, {counted.bad} left out", err=True)
    raise typer.Exit(1 if counted.bad else 0)


@app.command()
def template(name: Annotated[str, typer.Argument(help="gulou or demo.")]) -> None:
    """Print a packaged rulebook, to begin one of your own."""
    try:
        typer.echo(rulebooks.template(name), nl=False)
    except Refused as refused:
        _stop(refused)


def _computed(rules: Rulebook, notices: list[Notice], source: Path, target: Path) -> Counted:
    calendar = rules.calendar(in_order(notices))
    lengths = rules.due_types
    reported = 0

    def report(bad: BadRow) -> None:
        nonlocal reported
        reported += 1
        if reported <= MOST_REPORTED:
            typer.echo(f"line {bad.line}: {bad.reason}", err=True)
        elif reported == MOST_REPORTED + 1:
            typer.echo("more are counted, not shown", err=True)

    with _progress() as progress:
        task = progress.add_task(source.name, total=source.stat().st_size if source.exists() else None)
        return compute(
            lengths, calendar, source, target,
            on_bad=report, on_read=lambda size: progress.update(task, completed=size),
        )  # fmt: skip


def _progress() -> Progress:
    """A bar on the error stream, where that is a terminal."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        _stop(Refused("unreadable", f"Give a readable file in UTF-8: {file.name}: {error}."))


def _notice(name: str) -> Notice:
    packaged = {notice.id: notice for notice in rulebooks.packaged_notices()}
    if name in packaged and not Path(name).exists():
        return packaged[name]
    return rulebooks.notice_file(Path(name))


def _say_problems(bad: BadRulebook, as_json: bool) -> None:
    if as_json:
        typer.echo(
            json.dumps({"ok": False, "problems": [p._asdict() for p in bad.problems]}, ensure_ascii=False)
        )
        return
    for problem in bad.problems:
        typer.echo(str(problem))


def _stop(refused: Refused) -> NoReturn:
    if isinstance(refused, BadRulebook):
        for problem in refused.problems:
            typer.echo(str(problem), err=True)
    typer.echo(str(refused), err=True)
    raise typer.Exit(2)
