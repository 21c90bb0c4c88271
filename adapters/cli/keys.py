"""`huiyin key`: the keys by which systems call the API. `huiyin signin`: which person an identity provider's subject is.

Exit codes: 0 done · 1 refused · 2 usage · 3 no such key, system or link · 4 a database is out of reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Any

import typer

from adapters.access import AccessStore, Giver, Issued, People, SystemKey, SystemKeys, open_access
from adapters.cli.door import identify, opened
from adapters.cli.options import Json
from adapters.cli.people import As, Authority, acting, valid_text
from adapters.cli.tables import print_json, print_table, zone_of
from adapters.engine import Engine
from domain.instant import written
from domain.refusal import NotFound, Refused

app = typer.Typer()
signin = typer.Typer()
_Id = Annotated[str, typer.Argument(metavar="ID", help="The key's id, as huiyin key list prints it.")]
_Subject = Annotated[
    str, typer.Option("--subject", metavar="SUB", help="The provider's `sub`; it is kept nowhere.")
]


@app.command()
def create(
    person: Annotated[
        str, typer.Argument(help="The system, by its reference or id: entered in the register like a person.")
    ],
    body: Annotated[str, typer.Option(help="The body that it acts for.")],
    as_: As,
    authority: Authority = None,
    source: Annotated[
        str | None, typer.Option(help="Where what it hands in came in, such as hotline_12345.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a key and show it, this once. What it may do is what the system's posts in that body may do."""
    with _keys(as_json) as (engine, keys):
        _show(keys.create(_giver(engine, as_, authority), entered(engine, person), body, source), as_json)


@app.command()
def rotate(
    key: _Id,
    as_: As,
    authority: Authority = None,
    hours: Annotated[int, typer.Option(min=0, max=720, help="For how long the old one still works.")] = 24,
    as_json: Json = False,
) -> None:
    """Make a new key for the same system; the old one ends after a while."""
    with _keys(as_json) as (engine, keys):
        _show(keys.rotate(_giver(engine, as_, authority), key, timedelta(hours=hours)), as_json)


@app.command()
def revoke(key: _Id, as_: As, authority: Authority = None, as_json: Json = False) -> None:
    """End a key at once."""
    with _keys(as_json) as (engine, keys):
        keys.revoke(_giver(engine, as_, authority), key)
        said("revoked 已作废", {"id": key}, as_json)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List all keys there ever were; never their secrets."""
    with _keys(as_json) as (engine, keys):
        rows = [_row(key) for key in keys.known()]
        if as_json:
            print_json({"keys": rows})
            return
        columns = ("id", "body", "source", "person", "made_at", "ends_at")
        print_table(f"{len(rows)} 系统密钥 keys", rows, columns, zone_of(engine))


@signin.command()
def link(
    person: Annotated[str, typer.Argument(help="Staff reference or person id.")],
    subject: _Subject,
    as_: As,
    authority: Authority = None,
    as_json: Json = False,
) -> None:
    """Say that who signs in as this subject is that person of the register."""
    with _people(as_json) as (engine, issuer, people):
        known = entered(engine, person)
        people.link(_giver(engine, as_, authority), issuer, subject, known)
        said("linked 已关联", {"person": known}, as_json)


@signin.command()
def unlink(subject: _Subject, as_: As, authority: Authority = None, as_json: Json = False) -> None:
    """Take the link away: from now on that subject is nobody here; open sessions end."""
    with _people(as_json) as (engine, issuer, people):
        if not people.unlink(_giver(engine, as_, authority), issuer, subject):
            raise NotFound("Check the subject: there is no such link.")
        said("unlinked 已取消关联", {}, as_json)


@contextmanager
def _access(as_json: bool) -> Iterator[tuple[Engine, AccessStore]]:
    with opened(as_json) as engine:
        access = open_access(engine.settings.access_url)
        try:
            yield engine, access
        finally:
            access.close()


@contextmanager
def _keys(as_json: bool) -> Iterator[tuple[Engine, SystemKeys]]:
    with _access(as_json) as (engine, access):
        yield engine, SystemKeys(access, engine.handle)


@contextmanager
def _people(as_json: bool) -> Iterator[tuple[Engine, str, People]]:
    with _access(as_json) as (engine, access):
        issuer = engine.settings.oidc_issuer
        if issuer is None:
            raise Refused("no_issuer", "Name the provider first (HUIYIN_OIDC_ISSUER).")
        yield engine, issuer, People(access, engine.keys.pepper, engine.handle)


def _giver(engine: Engine, as_: str, authority: str | None) -> Giver:
    """Who gives or takes a way in: it goes on record."""
    return Giver(acting(as_, identify(engine)), authority)


def entered(engine: Engine, reference: str) -> str:
    """The id of a person whom the register knows. Raises NotFound."""
    if not valid_text(reference):
        raise typer.BadParameter("invalid_text: give valid UTF-8")
    person = identify(engine)(reference)
    if not engine.handle.standing.caught_up().register.persons.get(person, False):
        raise NotFound("Enter the person or system in the register first (huiyin register enter-person).")
    return person


def _show(issued: Issued, as_json: bool) -> None:
    said("key 密钥", {**_row(issued.key), "token": issued.token}, as_json)
    if not as_json:
        typer.echo("Keep it now: it is not shown again. 请立即妥善保存，此后不再显示。", err=True)


def _row(key: SystemKey) -> dict[str, Any]:
    ends = None if key.ends_at is None else written(key.ends_at)
    return {
        "id": key.id, "body": key.body, "source": key.source, "person": key.person, "made_at": written(key.made_at),
        "ends_at": ends,
    }  # fmt: skip


def said(what: str, facts: dict[str, Any], as_json: bool) -> None:
    """Print what was done, with its facts."""
    if as_json:
        print_json(facts)
        return
    typer.echo(what)
    for name, value in facts.items():
        if value is not None:
            typer.echo(f"  {name} {value}")
