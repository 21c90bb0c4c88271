"""`huiyin init` and `huiyin admin claim`: the first start, and the first administrator.

There is no default password: `init` prints a one-time secret, and whoever claims it becomes the first security
administrator, who then fills the other posts (`huiyin roster import`).
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Annotated
from uuid import uuid4

import typer

from adapters.cli import exits
from adapters.cli.door import exit_code, identify, opened, stop, told
from adapters.cli.options import Json
from adapters.cli.people import valid_text
from adapters.log.keys import make_log_keys
from adapters.settings import Settings
from adapters.vault.masters import create_masters
from domain.acting import Actor
from domain.register import commands as c
from domain.register.first_link import digest_of
from domain.register.words import SYSTEM
from workflows.standing import REGISTER
from workflows.submission import Submission

LEAST_SECRET, MOST_SECRET = 16, 200

app = typer.Typer()
verbs = typer.Typer()
_HOURS = Annotated[int, typer.Option(min=1, max=720, help="For how many hours the secret is good.")]


@verbs.command()
def init(hours: _HOURS = 24, as_json: Json = False) -> None:
    """Make the data folder, the master keys and the log's keys; print the first administrator's one-time secret.

    Run again before it was claimed, it makes a new secret and voids the one before. Copy the keys to a safe place:
    without the master keys every sealed value is lost, without log.key no head is signed any more. Exit code 1: there
    is an administrator already.
    """
    settings = Settings()
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = create_masters(settings.masters_folder)
        made += make_log_keys(settings.log_keys_folder, settings.origin)
    except OSError as error:
        stop(
            exits.USAGE,
            "data_unwritable",
            f"Give a data folder that can be written (HUIYIN_DATA): {error}.",
            as_json,
        )
    with opened(as_json) as engine:
        # In hex, since a secret that began with a dash would be taken for an option when it is claimed.
        secret = secrets.token_hex(16)
        link = c.IssueFirstLink(
            digest=digest_of(secret), expires_at=engine.handle.clock() + timedelta(hours=hours)
        )
        operator = Actor(person=str(uuid4()), body=SYSTEM)
        answer = engine.handle(Submission("cli", uuid4().hex, REGISTER, link, operator))
        told(
            answer,
            as_json,
            **_made(settings, made),
            **_link(secret, hours, as_json) if answer.accepted else {},
        )
    raise typer.Exit(exit_code(answer))


@app.command()
def claim(
    secret: Annotated[str, typer.Argument(help="What huiyin init printed.")],
    person: Annotated[
        str | None, typer.Option(help="Your staff reference or person id; a fresh id if left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Become the first security administrator, by the secret that `huiyin init` printed. It works once."""
    if not valid_text(secret) or not valid_text(person or ""):
        raise typer.BadParameter("invalid_text: give valid UTF-8")
    if not MOST_SECRET >= len(secret) >= LEAST_SECRET:
        raise typer.BadParameter("this is no secret of huiyin init", param_hint="SECRET")
    with opened(as_json) as engine:
        actor = Actor(person=identify(engine)(person) if person else str(uuid4()), body=SYSTEM)
        answer = engine.handle(
            Submission("cli", uuid4().hex, REGISTER, c.ClaimFirstLink(secret=secret), actor)
        )
        who = f"{actor.person}/{SYSTEM}/security_admin" if answer.accepted else None
        told(answer, as_json, **{"as": who})
    raise typer.Exit(exit_code(answer))


def _made(settings: Settings, keys: tuple[str, ...]) -> dict[str, str]:
    folders = {
        "data": settings.data,
        "masters": settings.masters_folder,
        "log_keys": settings.log_keys_folder,
    }
    return {**{name: str(folder) for name, folder in folders.items()}, "made": ", ".join(keys)}


def _link(secret: str, hours: int, as_json: bool) -> dict[str, str | int]:
    """What the first administrator needs: for a program the secret, for a person the command to give."""
    return {"hours": hours, **({"secret": secret} if as_json else {"claim": f"huiyin admin claim {secret}"})}
