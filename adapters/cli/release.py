"""`huiyin rulebook release` and `huiyin notice enter`: what the rules are from now on enters by an event (law 8)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn
from uuid import uuid4

import typer

from adapters import rulebooks
from adapters.cli import exits
from adapters.cli.door import exit_code, identify, opened, stop, told
from adapters.cli.options import Begins, Json, Ordered
from adapters.cli.people import As, acting
from domain.acting import Command
from domain.calendar import Notice
from domain.refusal import Refused
from domain.rulebook import BadRulebook
from domain.rulebook.maps import ReleaseMap
from domain.rulebook.releases import EnterNotice, release_of
from workflows.standing import RELEASES
from workflows.submission import Submission

app = typer.Typer()
notice = typer.Typer()


@app.command("release")
def rulebook(
    file: Annotated[str, typer.Argument(help="The rulebook, TOML, or a packaged one such as gulou.")],
    as_: As,
    authority: Ordered,
    begins: Begins = None,
    as_json: Json = False,
) -> None:
    """Release a rulebook, as a security administrator; it is never edited afterwards.

    Exit code 0: released, or released before with this very text. 1: refused. 2: the rulebook is wrong.
    """
    text = _text(file)
    try:
        command = release_of(text, begins)
    except BadRulebook as bad:
        for problem in bad.problems:
            typer.echo(str(problem), err=True)
        stop(
            exits.USAGE,
            "bad_rulebook",
            "Correct the rulebook: huiyin rulebook check says what is wrong.",
            as_json,
        )
    except Refused as refused:
        stop(exits.USAGE, refused.code, refused.advice, as_json)
    hand_in(command, as_, authority, as_json, "rulebook_released", (text,))


@notice.command()
def enter(
    file: Annotated[
        str, typer.Argument(help="The notice: TOML, holiday-cn JSON, or a packaged one such as cn-2026.")
    ],
    as_: As,
    authority: Ordered,
    as_json: Json = False,
) -> None:
    """Enter a holiday notice, as a security administrator: provisional due moments after it are set again.

    Exit code 0: entered, or entered before with this very content. 1: refused. 2: the notice cannot be used.
    """
    try:
        command = EnterNotice(notice=_notice(file))
    except Refused as refused:
        stop(exits.USAGE, refused.code, refused.advice, as_json)
    hand_in(command, as_, authority, as_json, "notice_entered")


def hand_in(
    command: Command, as_: str, authority: str, as_json: bool, done: str, texts: tuple[str, ...] = ()
) -> NoReturn:
    """Hand a release in and end the command; `done` is the refusal that says it was released before."""
    with opened(as_json) as engine:
        actor = acting(as_, identify(engine))
        answer = engine.handle(
            Submission("cli", uuid4().hex, RELEASES, command, actor, authority=authority, texts=texts)
        )
        what = "map" if isinstance(command, ReleaseMap) else "rulebook"
        told(answer, as_json, **{what: getattr(command, "name", None)})
    raise typer.Exit(exits.ACCEPTED if answer.code == done else exit_code(answer))


def _text(file: str) -> str:
    if file in rulebooks.templates() and not Path(file).exists():
        return rulebooks.template(file)
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        stop(exits.USAGE, "unreadable", f"Give a readable rulebook in UTF-8, or a packaged one: {error}.")


def _notice(file: str) -> Notice:
    packaged = {one.id: one for one in rulebooks.packaged_notices()}
    if file in packaged and not Path(file).exists():
        return packaged[file]
    return rulebooks.notice_file(Path(file))
