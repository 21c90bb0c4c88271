"""`huiyin doctor|rebuild|backup|restore`: for operators.

Exit codes: 0 done, or all is well · 1 refused, or something is wrong · 2 usage · 4 a database is out of reach.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import ValidationError

from adapters import backup as copies
from adapters import doctor as examining
from adapters.cli import exits
from adapters.cli.bars import bar
from adapters.cli.door import opened, stop
from adapters.cli.options import Json
from adapters.cli.tables import console, print_json
from adapters.engine import Engine
from adapters.settings import Settings
from adapters.store.positions import StoredPositions
from adapters.store.postgres_link import is_postgres
from adapters.temporal.client import connect
from adapters.temporal.open_cases import open_cases
from adapters.temporal.starter import ProcessStarter
from adapters.views import Views
from domain.refusal import Refused, Unavailable

T = TypeVar("T")

Folder = Annotated[Path, typer.Argument(file_okay=False, help="The folder of the backup.")]
KeysFolder = Annotated[
    Path | None,
    typer.Option("--keys", file_okay=False, help="The folder of the keys, where it is another one."),
]


verbs = typer.Typer()


@verbs.command()
def doctor(
    as_json: Json = False,
    without_temporal: Annotated[bool, typer.Option("--no-temporal", help="Do not ask Temporal.")] = False,
) -> None:
    """Say what is reachable, how far each consumer is behind, and which open cases have no process.

    Exit code 0: all is well. 1: something is behind, missing or out of reach. 4: the stores cannot be opened.
    """
    with opened(as_json) as engine:
        checks = examining.examine(engine)
        if not without_temporal:
            checks += asyncio.run(examining.examine_temporal(engine))
    well = all(check.ok is not False for check in checks)
    if as_json:
        print_json(
            {
                "well": well,
                "checks": [{"name": c.name, "ok": c.ok, "said": c.said, **c.facts} for c in checks],
            }
        )
    else:
        for check in checks:
            mark = {True: "好 ok  ", False: "坏 BAD ", None: "-      "}[check.ok]
            console().print(f"{mark} {check.name:<22} {check.said}", soft_wrap=True)
    raise typer.Exit(exits.ACCEPTED if well else exits.REFUSED)


@verbs.command()
def rebuild(
    processes: Annotated[
        bool, typer.Option("--processes", help="Bring up the Temporal process of every open case instead.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Build the read models anew from the events, beside the present ones, and swap them.

    Everything goes on meanwhile. Exit code 1: another rebuild is running. 4: a database or Temporal is out of reach.
    """
    with opened(as_json) as engine:
        if processes:
            count, said = asyncio.run(_processes(engine)), "processes brought up or poked"
        else:
            count, said = _views(engine), "events read"
    if as_json:
        print_json({"outcome": "accepted", "count": count})
    else:
        typer.echo(f"{count} {said}")


def _views(engine: Engine) -> int:
    with closing(Views(engine.settings.views_url, engine.store)) as views, bar("rebuild") as told:
        return views.rebuild(told)


async def _processes(engine: Engine) -> int:
    client = await connect()
    with closing(StoredPositions(engine.settings.views_url)) as positions:
        starter = ProcessStarter(
            client, engine.handle, positions, lambda: open_cases(engine.store), engine.settings.task_queue
        )
        await starter.settle()
        return await starter.rebuild()


@verbs.command()
def backup(folder: Folder, keys: KeysFolder = None, as_json: Json = False) -> None:
    """Copy the record and, apart from it, its keys, while everything goes on; the folder is new or empty.

    The master keys are not copied: keep them on another disk. Throw a backup of the keys away soon: whoever was
    erased is erased in it only then. For PostgreSQL this prints the commands to run. Exit code 1: refused.
    """
    settings = _settings(as_json)
    if is_postgres(settings.store_url):
        for line in copies.external_commands(settings, folder):
            typer.echo(line)
        return
    manifest = _tried(lambda: copies.backup(settings, folder, keys), as_json)
    if as_json:
        print_json(manifest)
    else:
        typer.echo(
            f"backed up: {manifest['head']} events, in {folder}; the keys in {keys or folder / 'keys'}"
        )


@verbs.command()
def restore(
    folder: Annotated[Path | None, typer.Argument(file_okay=False, help="The folder of the backup.")] = None,
    keys: KeysFolder = None,
    replace: Annotated[bool, typer.Option("--replace", help="Set the record in place aside.")] = False,
    after_external: Annotated[
        bool,
        typer.Option(
            "--after-external", help="PostgreSQL has restored itself: begin the new life of the store."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Put a backup in place; stop every role first. The store begins a new life, which every consumer notices.

    A key that was destroyed, locked or handed to discipline inspection never comes back. Exit code 1: refused, with why.
    """
    settings = _settings(as_json)
    if (folder is None) != after_external:
        raise typer.BadParameter("name the folder of the backup, or say --after-external")
    if folder is None:
        done = _tried(lambda: copies.after_external(settings), as_json)
    else:
        done = _tried(lambda: copies.restore(settings, folder, keys, replace=replace), as_json)
    if as_json:
        print_json(
            {name: getattr(done, name) for name in ("epoch", "head", "keys_added", "replaced", "log")}
            | done.again
        )
        return
    typer.echo(
        f"restored: {done.head} events, epoch {done.epoch}, {done.keys_added} keys brought back; log: {done.log}"
    )
    again = ", ".join(f"{count} {what}" for what, count in done.again.items() if count)
    if again:
        typer.echo(f"done to keys again: {again}")
    if done.replaced:
        typer.echo(f"the record that stood there is now {done.replaced}")


def _settings(as_json: bool) -> Settings:
    try:
        return Settings()
    except ValidationError:
        stop(
            exits.USAGE,
            "malformed",
            "Correct the settings (HUIYIN_…): one of them is not what it has to be.",
            as_json,
        )


def _tried(act: Callable[[], T], as_json: bool) -> T:
    try:
        return act()
    except Refused as refused:
        stop(exits.REFUSED, refused.code, refused.advice, as_json)
    except Unavailable as error:
        stop(exits.UNAVAILABLE, "unavailable", str(error), as_json)
