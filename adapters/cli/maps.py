"""`huiyin map release`: which ground is whose enters by an event, like a rulebook (law 8)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adapters.cli import exits
from adapters.cli.door import opened, stop
from adapters.cli.options import Begins, Json, Ordered
from adapters.cli.people import As
from adapters.cli.release import hand_in
from adapters.open311.places import Places
from domain.refusal import Refused
from domain.rulebook.maps import Map, map_of, reduced, release_of_map

app = typer.Typer()


@app.command()
def release(
    file: Annotated[Path, typer.Argument(help="GeoJSON, WGS 84: a FeatureCollection of polygons.")],
    as_: As,
    authority: Ordered,
    name: Annotated[
        str | None,
        typer.Option(help="A word and a version, such as guihua/2026.1; else the file's own name."),
    ] = None,
    names: Annotated[
        str,
        typer.Option(
            "--property", help="The property of a feature that holds the body's id in the register."
        ),
    ] = "body",
    begins: Begins = None,
    as_json: Json = False,
) -> None:
    """Release a map of grids, as a security administrator; it is never edited afterwards.

    Only the bodies' polygons are kept, nothing else that the file says of them. A point on the border of several bodies
    belongs to the one with the smallest id. Exit code 0: released, or released before. 1: refused. 2: the map is wrong.
    """
    try:
        found = map_of(_text(file), name=name, names=names)
        Places(found)
        text = reduced(found)
        command = release_of_map(text, begins)
    except Refused as refused:
        stop(exits.USAGE, refused.code, refused.advice, as_json)
    _known(found, as_json)
    hand_in(command, as_, authority, as_json, "map_released", (text,))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        stop(exits.USAGE, "unreadable", f"Give a readable map in UTF-8: {error}.")


def _known(found: Map, as_json: bool) -> None:
    """Every body is a community of the register, or lies in one: else requests from there would be turned away."""
    with opened(as_json) as engine:
        register, now = engine.handle.standing.caught_up().register, engine.handle.clock()
        unknown = [body for body, _ in found.ground if register.ancestor(body, "community", now) is None]
    if unknown:
        some = ", ".join(unknown[:5])
        stop(
            exits.USAGE,
            "unknown_body",
            f"Enter these in the register first, {len(unknown)} in all: {some}.",
            as_json,
        )
