"""The door of the command line: the engine opened, and every failure turned into a sentence and an exit code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from pydantic import ValidationError

from adapters.cli import exits
from adapters.engine import Engine, open_engine
from adapters.roster import person_ids
from adapters.settings import Settings
from domain.refusal import NotFound, Refused, Unavailable
from workflows.submission import Answer


@contextmanager
def opened(as_json: bool = False) -> Iterator[Engine]:
    """The engine that the settings name; ends the command where it cannot be opened or refuses."""
    engine: Engine | None = None
    try:
        engine = open_engine(Settings())
        yield engine
    except ValidationError:
        stop(
            exits.USAGE,
            "malformed",
            "Correct the settings (HUIYIN_…): one of them is not what it has to be.",
            as_json,
        )
    except NotFound as refused:
        stop(exits.NOT_FOUND, refused.code, refused.advice, as_json)
    except Refused as refused:
        code = exits.USAGE if refused.code == "malformed" else exits.REFUSED
        stop(code, refused.code, refused.advice, as_json)
    except Unavailable as error:
        stop(exits.UNAVAILABLE, "unavailable", str(error), as_json)
    finally:
        if engine is not None:
            engine.close()


def identify(engine: Engine) -> Callable[[str], str]:
    """How a staff reference becomes a person id here."""
    return person_ids(engine.keys.pepper())


def stop(code: int, what: str, advice: str, as_json: bool = False) -> NoReturn:
    """Say why, and end with an exit code."""
    if as_json:
        typer.echo(json.dumps({"outcome": "failed", "code": what, "advice": advice}, ensure_ascii=False))
    else:
        typer.echo(f"{what}: {advice}", err=True)
    raise typer.Exit(code)


def exit_code(answer: Answer) -> int:
    """The exit code of an answer."""
    if answer.accepted:
        return exits.ACCEPTED
    return exits.NOT_FOUND if answer.code == "not_found" else exits.REFUSED


def told(answer: Answer, as_json: bool, **more: Any) -> None:
    """Print an answer, with what else there is to know of it; empty values are left out."""
    known = {name: value for name, value in more.items() if value}
    if as_json:
        body = {
            "outcome": answer.outcome, "case": answer.case, "version": answer.version, "events": list(answer.events),
            "code": answer.code, "advice": answer.advice, "repeated": answer.repeated,
        }  # fmt: skip
        typer.echo(json.dumps(body | known, ensure_ascii=False))
        return
    again = " (answered before)" if answer.repeated else ""
    if not answer.accepted:
        typer.echo(f"refused{again}: {answer.code}: {answer.advice}", err=True)
    else:
        typer.echo(f"accepted{again}: version {answer.version}: {', '.join(answer.events)}")
    for name, value in known.items():
        if isinstance(value, str) and value.endswith("\n"):  # a text to be taken away, so without a margin
            typer.echo(f"  {name}\n{value}", nl=False)
            continue
        lines = [f"{key} {one}" for key, one in value.items()] if isinstance(value, dict) else [str(value)]
        for line in lines:
            typer.echo(f"  {name} {line}", err=not answer.accepted)
